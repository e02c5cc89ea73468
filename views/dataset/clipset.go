package dataset

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// overviewOfClips is the first view of a set of clips: exercises, how they are done, by whom, and how long it takes.
func (v *overview) overviewOfClips() *views.Board {
	node := layout.Row(
		layout.Column(layout.Panel("classes", 40, 8).Prior(2), layout.Panel("preview", 40, 9)).Weighted(3),
		layout.Column(
			layout.Panel("ways", 34, 5).Prior(1),
			layout.Panel("people", 34, 5),
			layout.Panel("imbalance", 34, 7).AtMost(0, 9).Prior(2),
			layout.Panel("length", 34, 6).AtMost(0, 14),
			layout.Panel("rank", 34, 9).Extra(),
		).Weighted(2),
	)
	return views.NewBoard(node,
		views.Panel{Name: "classes", Tab: "Exercises", Title: v.exercisesTitle, Right: v.barsPlace("classes",
			v.classBars), Draw: v.drawClasses, Move: v.moveClass, Click: v.clickClass, Actions: v.openClass},
		views.Panel{Name: "preview", Tab: "Clips", Title: func() string { return "Clips of " + v.className() },
			Right: v.previewPlace, Draw: v.drawPreview, Move: v.movePreview, Actions: v.openClass},
		views.Panel{Name: "ways", Tab: "Variations", Title: func() string { return "Variations of " + v.className() },
			Right: v.barsPlace("ways", v.wayBars), Draw: v.drawWays, Move: v.moveWays, Actions: v.openWay},
		views.Panel{Name: "people", Tab: "Participants", Right: v.barsPlace("people", v.peopleBars),
			Draw: v.drawPeople, Move: v.movePeople, Actions: v.openPerson},
		views.Panel{Name: "imbalance", Tab: "Imbalance", Draw: v.drawClipImbalance},
		views.Panel{Name: "length", Tab: "Length", Title: func() string { return "Length · " + v.scopeWords() },
			Draw: func(t *widget.Theme, w, h int) string {
				return drawMeasure(t, v.part().Clips, seconds, w, h)
			}},
		views.Panel{Name: "rank", Tab: "Rank", Title: func() string { return "Exercises by rank · logarithmic" },
			Draw: v.drawRank, Move: v.moveClass, Actions: v.openClass},
	)
}

func (v *overview) exercisesTitle() string {
	part := v.part()
	scale := ""
	if v.longTailed() {
		scale = " · log scale"
	}
	return fmt.Sprintf("%s exercises%s · %s · %s", widget.Count(len(part.ClassCounts)), scale, v.scopeWords(),
		v.mediaOf(part.Objects))
}

// ways are the variations of the selected exercise, most first.
func (v *overview) ways() (list []stats.Variation) {
	clips := v.part().Clips
	if clips == nil {
		return nil
	}
	for _, way := range clips.Variations {
		if way.Class == v.class {
			list = append(list, way)
		}
	}
	return list
}

// wayName is a variation as it is shown.
func wayName(way stats.Variation) string {
	if way.Name == "" {
		return "(the exercise alone)"
	}
	return way.Name
}

func (v *overview) wayBars() widget.Bars {
	bars := widget.Bars{Cursor: &v.condition}
	for _, way := range v.ways() {
		bars.Items = append(bars.Items, widget.Bar{Label: wayName(way), Value: float64(way.N)})
		bars.Total += float64(way.N)
	}
	return bars
}

func (v *overview) drawWays(t *widget.Theme, w, h int) string {
	if len(v.ways()) == 0 {
		return widget.Middle(t.Muted, "no clip of "+v.scopeWords()+" shows this exercise", w, h)
	}
	return v.wayBars().View(t, w, h)
}

func (v *overview) moveWays(m widget.Move, page int) { v.condition.Move(m, len(v.ways()), page) }

// openWay shows the clips of the variation under the cursor.
func (v *overview) openWay() []views.Action {
	return []views.Action{{Name: "open", Label: "clips", Help: "show the clips of this variation", Group: "Data",
		Run: func() tea.Cmd {
			ways := v.ways()
			if i := v.condition.At(len(ways)); i >= 0 {
				v.samples.show(facets{way: &ways[i]}, 0)
			}
			return nil
		}}}
}

// people are the participants that the filter lets through; all, where it means something else.
func (p *shared) people() []stats.Person {
	clips := p.part().Clips
	if clips == nil {
		return nil
	}
	var list []stats.Person
	for _, person := range clips.People {
		if p.filter.Passes(person.Name) {
			list = append(list, person)
		}
	}
	if len(list) == 0 {
		return clips.People
	}
	return list
}

func (v *overview) peopleBars() widget.Bars {
	bars := widget.Bars{Cursor: &v.object, Total: float64(v.part().Objects), Digits: 1}
	for _, person := range v.people() {
		bar := widget.Bar{Label: person.Name, Value: float64(person.Clips)}
		if len(person.Splits) > 1 {
			bar.Note, bar.Warn = fmt.Sprintf("! in %d splits", len(person.Splits)), true
		}
		bars.Items = append(bars.Items, bar)
	}
	return bars
}

func (v *overview) drawPeople(t *widget.Theme, w, h int) string {
	if len(v.people()) == 0 {
		return widget.Middle(t.Muted, "who is seen is not known", w, h)
	}
	return v.peopleBars().View(t, w, h)
}

func (v *overview) movePeople(m widget.Move, page int) { v.object.Move(m, len(v.people()), page) }

// openPerson shows the clips of the participant under the cursor.
func (v *overview) openPerson() []views.Action {
	return []views.Action{{Name: "open", Label: "clips", Help: "show the clips of this participant", Group: "Data",
		Run: func() tea.Cmd {
			people := v.people()
			if i := v.object.At(len(people)); i >= 0 {
				v.samples.show(facets{person: people[i].Name}, 0)
			}
			return nil
		}}}
}

// drawClipImbalance says the imbalance, the splits, and what the clips are like.
func (v *overview) drawClipImbalance(t *widget.Theme, w, h int) string {
	part := v.part()
	lines := v.ratioLines(t, part, w)
	if v.longTailed() {
		lines = append(lines, v.reachWords(t, w)...)
	}
	lines = append(lines, labelled(t, "splits", v.splitCounts(), "clips", w))
	if c := part.Clips; c != nil {
		if c.Known < c.N {
			lines = append(lines, wrapped(t.Warning, fmt.Sprintf("! %s could not be looked into: see Findings",
				v.mediaOf(c.N-c.Known)), w)...)
		}
		lines = append(lines, labelled(t, "frames", v.sizes(part), countWords(c.Codecs), w))
		people := "not known"
		if n := len(c.People); n > 0 {
			people = widget.Count(n)
		}
		lines = append(lines, labelled(t, "people", people, variations(c.Varied()), w))
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// variations says how many variations the labels tell apart.
func variations(n int) string {
	switch n {
	case 0:
		return "no variations"
	case 1:
		return "1 variation"
	}
	return widget.Count(n) + " variations"
}

// countWords are counts in a line: "h264 18, vp9 2".
func countWords(counts []stats.Count) string {
	words := make([]string, len(counts))
	for i, c := range counts {
		words[i] = widget.Clean(c.Name) + " " + widget.Count(c.N)
	}
	return strings.Join(words, ", ")
}

// measured is a property of clips: which of their measures it is, and its unit.
type measured struct {
	of   func(c *stats.Clips) *stats.Measure
	unit string
}

var (
	seconds = measured{func(c *stats.Clips) *stats.Measure { return &c.Seconds }, " s"}
	rates   = measured{func(c *stats.Clips) *stats.Measure { return &c.FPS }, " fps"}
	frames  = measured{func(c *stats.Clips) *stats.Measure { return &c.Frames }, " frames"}
)

// drawMeasure is a histogram under its mean and ends.
func drawMeasure(t *widget.Theme, c *stats.Clips, what measured, w, h int) string {
	if c == nil || what.of(c).N == 0 {
		return widget.Middle(t.Muted, "no clip was looked into", w, h)
	}
	m := what.of(c)
	if m.Min == m.Max {
		return widget.Middle(t.Text, fmt.Sprintf("%.4g%s in every clip", m.Min, what.unit), w, h)
	}
	digits := digitsFor(m.SD)
	text := fmt.Sprintf(" %.*f%s ± %.*f · %.*f … %.*f", digits, m.Mean, what.unit, digits, m.SD, digits, m.Min, digits,
		m.Max)
	if long := text + fmt.Sprintf(" · median %.*f", digits, m.Median); widget.Width(long) <= w {
		text = long
	}
	counts := make([]float64, len(m.Histogram))
	for i, n := range m.Histogram {
		counts[i] = float64(n)
	}
	g := widget.Histogram{Counts: counts, From: m.From, To: m.To}
	return widget.Block(widget.Cut(text, w)+"\n"+indented(g.Upright(t, w-1, h-1)), w, h)
}

// digitsFor is how many digits after the point stand beside a standard deviation: those of its first two, at most three.
func digitsFor(sd float64) int {
	if sd <= 0 {
		return 1
	}
	return min(max(1-int(math.Floor(math.Log10(sd))), 0), 3)
}

// indented sets lines one cell in.
func indented(text string) string { return " " + strings.ReplaceAll(text, "\n", "\n ") }
