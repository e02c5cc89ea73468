package dataset

import (
	"fmt"
	"strings"

	"finetui/core/stats"
	"finetui/views/widget"
)

func (v *pairs) relationTitle() string {
	if v.class == v.b {
		return v.className() + " with itself"
	}
	return v.className() + " and " + v.nameOf(v.b)
}

// drawRelation says in words and bars how the two classes lie to one another.
func (v *pairs) drawRelation(t *widget.Theme, w, h int) string {
	c, there := v.together(v.class, v.b)
	var lines []string
	lines = append(lines, wrapped(t.Text, v.pairSentence(), w)...)
	if !there {
		return widget.Block(strings.Join(lines, "\n"), w, h)
	}
	d := v.relation(v.class, v.b)
	lines = append(lines, "")
	vertical := []widget.Bar{{Label: "above", Value: float64(d.Above)}, {Label: "level", Value: float64(d.Level)},
		{Label: "below", Value: float64(d.Below)}}
	horizontal := []widget.Bar{{Label: "left", Value: float64(d.Left)}, {Label: "aligned", Value: float64(d.Aligned)},
		{Label: "right", Value: float64(d.Right)}}
	if v.class == v.b {
		vertical = []widget.Bar{{Label: "level", Value: float64(d.Level)},
			{Label: "one above", Value: float64(d.Above + d.Below)}}
		horizontal = []widget.Bar{{Label: "aligned", Value: float64(d.Aligned)},
			{Label: "one beside", Value: float64(d.Left + d.Right)}}
	}
	for _, bars := range [][]widget.Bar{vertical, horizontal} {
		for i := range bars {
			bars[i].Label = widget.Left(bars[i].Label, 10)
		}
		drawn := widget.Bars{Items: bars, Max: float64(c.Pairs), Total: float64(c.Pairs)}.View(t, w-1, len(bars))
		for line := range strings.SplitSeq(drawn, "\n") {
			lines = append(lines, " "+line)
		}
		lines = append(lines, "")
	}
	cfg := v.loaded.cfg
	about := wrapped(t.Muted,
		fmt.Sprintf("Level: heights differ by at most %s of the picture. Aligned: within %s of its width.",
			widget.Number1(cfg.LevelWithin), widget.Number1(cfg.AlignedWithin)), w)
	if len(lines)+len(about) <= h {
		lines = append(lines, about...)
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// pairSentence is the pair in words.
func (v *pairs) pairSentence() string {
	a, b := v.className(), v.nameOf(v.b)
	c, there := v.together(v.class, v.b)
	d := v.relation(v.class, v.b)
	switch {
	case !there && v.class == v.b:
		return fmt.Sprintf("No picture of %s holds two objects of %s.", v.scopeWords(), a)
	case !there:
		return fmt.Sprintf("%s and %s are never in one picture.", a, b)
	case v.class == v.b:
		return fmt.Sprintf("%s have two or more %s: %s pairs, %s of them level.", picturesOf(c.Images), a,
			widget.Count(c.Pairs), share(d.Level, c.Pairs))
	}
	often := "about as often as by chance"
	switch {
	case c.Lift >= 1.1:
		often = widget.Ratio(c.Lift) + " as often as by chance"
	case c.Lift <= 0.9:
		often = "only " + widget.Ratio(c.Lift) + " as often as by chance"
	}
	return fmt.Sprintf("%s show both, %s: %s pairs. %s.", picturesOf(c.Images), often, widget.Count(c.Pairs),
		placeWords(a, b, d, c.Pairs))
}

func picturesOf(n int) string {
	if n == 1 {
		return "1 picture"
	}
	return widget.Count(n) + " pictures"
}

// placeWords says how a lies to b, where one direction stands out; else that none does.
func placeWords(a, b string, d stats.Directions, pairs int) string {
	vertical := direction(pairs, way{d.Above, "above"}, way{d.Below, "below"}, way{d.Level, "level with"})
	horizontal := direction(pairs, way{d.Left, "to the left of"}, way{d.Right, "to the right of"},
		way{d.Aligned, "in one column with"})
	switch {
	case vertical == "" && horizontal == "":
		return fmt.Sprintf("%s lies now above, now below %s, on either side", a, b)
	case vertical == "":
		return fmt.Sprintf("%s lies %s %s, now above, now below", a, horizontal, b)
	case horizontal == "":
		return fmt.Sprintf("%s lies %s %s, on either side", a, vertical, b)
	}
	return fmt.Sprintf("%s lies %s and %s %s", a, vertical, horizontal, b)
}

// way is a direction and in how many pairs it is.
type way struct {
	n    int
	text string
}

// direction is the usual way with its share; nothing where none is.
func direction(pairs int, ways ...way) string {
	for _, w := range ways {
		if stats.Usually(w.n, pairs) {
			return fmt.Sprintf("%s (%s)", w.text, share(w.n, pairs))
		}
	}
	return ""
}
