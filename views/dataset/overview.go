package dataset

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// overview is the first view: how many of what, and what a class looks like.
type overview struct {
	items     []int       // pictures with the selected class, in the set's order
	shown     widget.List // which of them is the first that is seen
	condition widget.List
	object    widget.List // kind of
}

// overviewLayout gives the lists as many lines as they have entries, and the rest to pictures and heights.
func overviewLayout(classes, conditions, kinds int) layout.Node {
	return layout.Row(
		layout.Column(layout.Panel("classes", 40, 8).AtMost(0, max(classes+2, 8)).Prior(2), layout.Panel("preview", 40,
			9)).Weighted(3),
		layout.Column(
			layout.Panel("conditions", 34, 5).AtMost(0, max(conditions+2, 5)).Prior(1),
			layout.Panel("objects", 34, 6).AtMost(0, max(kinds+2, 6)),
			layout.Panel("imbalance", 34, 7).AtMost(0, 9).Prior(2),
			layout.Panel("position", 34, 8).Prior(1),
		).Weighted(2),
	)
}

func (p *Pane) overviewBoard() *views.Board {
	return views.NewBoard(overviewLayout(9, 3, 4),
		views.Panel{Name: "classes", Tab: "Classes", Title: p.classesTitle, Right: p.barsPlace("classes", p.classBars),
			Draw: p.drawClasses, Move: p.moveClass, Click: p.clickClass, Actions: p.openClass},
		views.Panel{Name: "preview", Tab: "Pictures", Title: p.previewTitle, Right: p.previewPlace, Draw: p.drawPreview,
			Move: p.movePreview, Actions: p.openClass},
		views.Panel{Name: "conditions", Tab: "Conditions", Draw: p.drawConditions, Move: p.moveCondition,
			Actions: p.openCondition},
		views.Panel{Name: "position", Tab: "Height", Title: func() string {
			return "Height in the picture · " +
				p.className()
		}, Right: p.positionCount, Draw: p.drawHeight, Move: p.moveClass, Actions: p.openClass},
		views.Panel{Name: "objects", Tab: "Kinds", Title: func() string { return "Kinds of object" },
			Right: p.barsPlace("objects", p.objectBars), Draw: p.drawObjects, Move: p.moveObject},
		views.Panel{Name: "imbalance", Tab: "Imbalance", Draw: p.drawImbalance},
	)
}

func (p *Pane) classesTitle() string {
	part := p.part()
	return fmt.Sprintf("Classes · %s · %s objects · %s pictures", p.scopeWords(), widget.Count(part.Objects),
		widget.Count(part.Images))
}

func (p *Pane) drawClasses(t *widget.Theme, w, h int) string { return p.classBars().View(t, w, h) }

// classBars are the classes by their number of objects; those so rare that the imbalance is severe say so.
func (p *Pane) classBars() widget.Bars {
	part, order := p.part(), p.order()
	bars := widget.Bars{Total: float64(part.Objects), Digits: 1, Cursor: at(order, p.class)}
	for _, class := range order {
		n := part.ClassCounts[class]
		bar := widget.Bar{Label: p.set.Classes[class].Name, Value: float64(n)}
		bar.Note, bar.Warn = p.rarity(n, part.Imbalance)
		if p.coloursByClass() {
			bar.Ink = p.colour(class)
		}
		bars.Items = append(bars.Items, bar)
	}
	return bars
}

// rarity is the word for a class whose number is far below the most frequent one's.
func (p *Pane) rarity(n int, of stats.Imbalance) (word string, warn bool) {
	switch {
	case n == 0:
		return "none", true
	case of.Most >= 0 && float64(p.part().ClassCounts[of.Most])/float64(n) > p.loaded.cfg.SevereAbove:
		return "rare", true
	}
	return "", false
}

func (p *Pane) clickClass(_, y, _, h int) tea.Cmd {
	order := p.order()
	if cursor := at(order, p.class); cursor.Click(y, len(order), h) {
		p.selectClass(order, cursor.Index)
	}
	return nil
}

// openClass shows the pictures of the selected class.
func (p *Pane) openClass() []views.Action {
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with this class", Group: "Data",
		Enabled: func() bool { return p.class >= 0 && p.class < len(p.set.Classes) }, Run: func() tea.Cmd {
			p.showSamples(facets{classes: p.names(p.class)})
			return nil
		}}}
}

func (p *Pane) previewTitle() string { return "Pictures of " + p.className() }

func (p *Pane) previewPlace() string {
	return place(p.overview.shown, len(p.overview.items))
}

func (p *Pane) drawPreview(t *widget.Theme, w, h int) string {
	if len(p.overview.items) == 0 {
		return widget.Block(t.Muted.Render(" no picture of "+p.scopeWords()+" shows this class"), w, h)
	}
	return p.drawSheet(t, p.previewSheet(w, h), w, h)
}

// previewSheet is the pictures from the first that is shown on.
func (p *Pane) previewSheet(w, h int) sheet {
	s := sheet{items: p.overview.items, classes: []int{p.class}, cursor: -1}
	s.grid = p.gridFor(len(s.items), w, h)
	s.first = max(p.overview.shown.At(len(s.items)), 0)
	return s
}

func (p *Pane) movePreview(m widget.Move, page int) {
	step(&p.overview.shown, m, len(p.overview.items), page)
}

// step moves a cursor that goes forwards to the right as well as downwards.
func step(cursor *widget.List, m widget.Move, n, page int) {
	switch m {
	case widget.MoveLeft:
		m = widget.Up
	case widget.MoveRight:
		m = widget.Down
	}
	cursor.Move(m, n, page)
}

// place says where a cursor is among n: "3 of 38"; nothing where there is nothing.
func place(cursor widget.List, n int) string {
	if n == 0 {
		return ""
	}
	return widget.Count(cursor.At(n)+1) + " of " + widget.Count(n)
}

func (p *Pane) drawConditions(t *widget.Theme, w, h int) string {
	return p.countBars(p.part().Conditions, &p.overview.condition).View(t, w, h)
}

func (p *Pane) moveCondition(m widget.Move, page int) {
	p.overview.condition.Move(m, len(p.part().Conditions), page)
}

// openCondition shows the pictures of the condition under the cursor.
func (p *Pane) openCondition() []views.Action {
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with this condition",
		Group: "Data", Run: func() tea.Cmd {
			conditions := p.part().Conditions
			if i := p.overview.condition.At(len(conditions)); i >= 0 {
				p.showSamples(facets{conditions: []string{conditions[i].Name}})
			}
			return nil
		}}}
}

func (p *Pane) drawObjects(t *widget.Theme, w, h int) string { return p.objectBars().View(t, w, h) }

func (p *Pane) objectBars() widget.Bars { return p.countBars(p.part().ObjectTypes, &p.overview.object) }

func (p *Pane) moveObject(m widget.Move, page int) {
	p.overview.object.Move(m, len(p.part().ObjectTypes), page)
}

// barsPlace says where the cursor of a panel of bars is, where they are not all seen.
func (p *Pane) barsPlace(panel string, bars func() widget.Bars) func() string {
	return func() string {
		_, h := p.board().Inside(panel)
		return bars().Position(h)
	}
}

func (p *Pane) countBars(counts []stats.Count, cursor *widget.List) widget.Bars {
	part := p.part()
	bars := widget.Bars{Total: float64(part.Objects), Digits: 1, Cursor: cursor}
	most := 0
	for _, count := range counts {
		most = max(most, count.N)
	}
	for _, count := range counts {
		bar := widget.Bar{Label: count.Name, Value: float64(count.N)}
		if count.N == 0 || float64(most)/float64(count.N) > p.loaded.cfg.SevereAbove {
			bar.Note, bar.Warn = "rare", true
		}
		bars.Items = append(bars.Items, bar)
	}
	return bars
}

// drawImbalance says the imbalance, the objects a picture holds, the splits, and the size of the pictures.
func (p *Pane) drawImbalance(t *widget.Theme, w, h int) string {
	part := p.part()
	var lines []string
	if p.analysis.Lost > 0 {
		lost := fmt.Sprintf("! %s of %s rows do not count: see Findings", widget.Count(p.analysis.Lost),
			widget.Count(p.analysis.Rows))
		lines = append(lines, wrapped(t.Warning, lost, w)...)
	}
	lines = append(lines, p.ratioLines(t, part, w)...)
	lines = append(lines, labelled(t, "per picture", spread(part.PerImageWithObjects),
		widget.Count(part.ImagesWithObjects)+" with objects", w))
	if part.Images != part.ImagesWithObjects {
		lines = append(lines, labelled(t, "with empty", spread(part.PerImage), "all "+widget.Count(part.Images), w))
	}
	splits := p.splitCounts()
	if long := splits + " objects"; widget.Width(long) < w {
		splits = long
	}
	lines = append(lines, wrapped(t.Text, splits, w)...)
	lines = append(lines,
		labelled(t, "pictures", p.sizes(part), p.set.Format+" labels", w),
		labelled(t, "pairs", widget.Count(part.Pairs), "of objects in one picture", w))
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// labelled is a line of a name, what it is, and more about it where there is room.
func labelled(t *widget.Theme, name, text, more string, w int) string {
	line := " " + t.Muted.Render(widget.Left(name, 11)) + " " + text
	if widget.Width(line)+3+widget.Width(more) <= w {
		line += t.Muted.Render(" · " + more)
	}
	return line
}

// ratioLines are the imbalance in a number and a word, and the two classes it is between.
func (p *Pane) ratioLines(t *widget.Theme, part *stats.Part, w int) []string {
	b := part.Imbalance
	if b.Most < 0 {
		return wrapped(t.Muted, "nothing is labelled", w)
	}
	text := widget.Ratio(b.Ratio) + " " + b.Level
	line, more := " "+t.Warning.Render("! "+text), "most to least frequent class"
	if b.Level == stats.Balanced {
		line = " " + t.OK.Render("✓ "+text)
	}
	if widget.Width(line)+3+widget.Width(more) <= w {
		line += t.Muted.Render(" · " + more)
	}
	if len(b.Absent) > 0 {
		return append([]string{line}, wrapped(t.Warning, "! no object of "+p.namesOf(b.Absent), w)...)
	}
	return []string{line, " " + widget.Cut(fmt.Sprintf("%s %s : %s %s", p.nameOf(b.Most),
		widget.Count(part.ClassCounts[b.Most]), widget.Count(part.ClassCounts[b.Least]), p.nameOf(b.Least)), w-1)}
}

func (p *Pane) namesOf(classes []int) string {
	names := make([]string, len(classes))
	for i, class := range classes {
		names[i] = p.nameOf(class)
	}
	return strings.Join(names, ", ")
}

// spread is mean ± standard deviation (smallest … largest).
func spread(s stats.Summary) string {
	if s.N == 0 {
		return widget.Missing
	}
	return fmt.Sprintf("%.2f ± %.2f (%d…%d)", s.Mean, s.SD, s.Min, s.Max)
}

func (p *Pane) splitCounts() string {
	parts := make([]string, len(p.analysis.Splits))
	for i, part := range p.analysis.Splits {
		parts[i] = widget.Clean(part.Split) + " " + widget.Count(part.Objects)
	}
	return strings.Join(parts, ", ")
}

func (p *Pane) positionCount() string {
	return "n " + widget.Count(positionOf(p.part(), p.class).N)
}

// drawHeight is the histogram of the selected class's heights, with its mean and middle half.
func (p *Pane) drawHeight(t *widget.Theme, w, h int) string {
	position := positionOf(p.part(), p.class)
	if position.N == 0 {
		return widget.Block(t.Muted.Render(" no object of this class in "+p.scopeWords()), w, h)
	}
	line := fmt.Sprintf(" mostly %s · half in %.2f…%.2f", position.Band, position.Q25, position.Q75)
	if sd := fmt.Sprintf(" · sd %.2f", position.SD); widget.Width(line+sd) <= w {
		line += sd
	}
	return widget.Block(line+"\n"+p.histogram(position).Down(t, w, h-1), w, h)
}

// histogram is the heights of a class with the bands of DATASET.TOP_BELOW and BOTTOM_ABOVE and its mean.
func (p *Pane) histogram(position stats.Position) widget.Histogram {
	counts := make([]float64, len(position.Histogram))
	for i, n := range position.Histogram {
		counts[i] = float64(n)
	}
	return widget.Histogram{Counts: counts, From: 0, To: 1, Bands: p.bands(),
		Marks: []widget.Mark{{At: position.Mean, Text: fmt.Sprintf("mean %.2f", position.Mean)}}}
}

func (p *Pane) bands() []widget.Band {
	cfg := p.loaded.cfg
	return []widget.Band{{Name: stats.Top, From: 0, To: cfg.TopBelow}, {Name: stats.Middle, From: cfg.TopBelow,
		To: cfg.BottomAbove}, {Name: stats.Bottom, From: cfg.BottomAbove, To: 1}}
}
