package dataset

import (
	"fmt"
	"math"
	"strings"

	"finetui/views/widget"
)

// From so many classes, or so uneven ones, bars on a plain scale show next to nothing of most of them: the scale is a
// logarithm then, and the share of all up to a class stands at its bar.
const (
	tailFrom     = 40
	wideOverMost = 100 // most to least frequent class
)

// longTailed says whether the classes need the scale of logarithms.
func (p *shared) longTailed() bool {
	return len(p.set.Classes) > tailFrom || p.part().Imbalance.Ratio > wideOverMost
}

// kindsAreClasses says whether the kinds of object are the classes again, which is nothing to show twice.
func (p *shared) kindsAreClasses() bool {
	return len(p.analysis.Whole.ObjectTypes) == len(p.set.Classes)
}

// sums is the share of all objects that a class and those before it in the order of their counts have, by class.
func (p *shared) sums() []float64 {
	part := p.part()
	sums, sum := make([]float64, len(part.ClassCounts)), 0
	for _, class := range part.ByCount() {
		sum += part.ClassCounts[class]
		sums[class] = float64(sum) / float64(max(part.Objects, 1))
	}
	return sums
}

// more says how many lines of n, of which room are seen, are not: " … and 241 more".
func more(t *widget.Theme, n, room, w int) string {
	return widget.Left(t.Muted.Render(widget.Cut(fmt.Sprintf(" … and %s more", widget.Count(n-room)), w)), w)
}

// listRoom is how many lines of a panel of h a list of n has: one is left to say how many more there are.
func listRoom(n, h int) int {
	if n > h && h > 4 {
		return h - 1
	}
	return h
}

// drawRank is the counts of the classes by their rank on a scale of logarithms, the selected one marked, over what
// part of the classes holds how much.
func (p *shared) drawRank(t *widget.Theme, w, h int) string {
	part := p.part()
	order := part.ByCount()
	var rank, count, hereX, hereY []float64
	for i, class := range order {
		n := part.ClassCounts[class]
		if n == 0 {
			break
		}
		rank, count = append(rank, float64(i+1)), append(count, float64(n))
		if class == p.class {
			hereX, hereY = []float64{float64(i + 1)}, []float64{float64(n)}
		}
	}
	if len(rank) == 0 {
		return widget.Middle(t.Muted, "nothing is labelled", w, h)
	}
	words := p.reachWords(t, w)
	if len(words) > h/3 {
		words = nil
	}
	chart := widget.LineChart{LogY: true, NamesOnly: true, XName: "rank",
		YText: func(v float64) string {
			if v != math.Round(v) {
				return "" // no class has half a clip
			}
			return widget.Count(int(v))
		},
		XText: func(v float64) string { return widget.Count(int(math.Round(v))) },
		Lines: []widget.Line{{Name: p.unit(2) + " of a class", X: rank, Y: count},
			{Name: p.className(), X: hereX, Y: hereY, Glyph: "◆", Tone: widget.Accent}}}
	if hereX == nil {
		chart.Lines = chart.Lines[:1]
	}
	return widget.Block(chart.View(t, w, h-len(words))+"\n"+strings.Join(words, "\n"), w, h)
}

// reachWords say how few classes hold half of all, and nine tenths.
func (p *shared) reachWords(t *widget.Theme, w int) []string {
	part := p.part()
	half, _ := part.Reaching(0.5)
	most, _ := part.Reaching(0.9)
	return wrapped(t.Text, fmt.Sprintf("%s of %s classes hold half of all %s, %s hold 90 %%", widget.Count(half),
		widget.Count(len(part.ClassCounts)), p.unit(2), widget.Count(most)), w)
}

// unit is what is counted: objects in pictures, clips.
func (p *shared) unit(n int) string {
	switch {
	case p.clips() && n == 1:
		return "clip"
	case p.clips():
		return "clips"
	case n == 1:
		return "object"
	}
	return "objects"
}

// clips says whether the set is one of clips.
func (p *shared) clips() bool { return p.ready() && p.analysis.Whole.Clips != nil }

// media is what the items are: "picture" or "clip", several of it where n is not 1.
func (p *shared) media(n int) string {
	if p.clips() {
		return p.unit(n)
	}
	if n == 1 {
		return "picture"
	}
	return "pictures"
}

// mediaOf is a number of items.
func (p *shared) mediaOf(n int) string { return widget.Count(n) + " " + p.media(n) }
