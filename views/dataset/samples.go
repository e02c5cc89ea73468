package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// samples is the view of pictures: a page of those that pass the facets, and one of them in full.
type samples struct {
	facets
	order  order
	items  []int       // those that pass, in that order
	cursor widget.List // among items
	line   widget.List // among the facets
	zoomed bool        // one picture is opened
	one    *views.Board
	object widget.List // the selected one of the opened picture
}

// facets choose pictures, beside the split and the filter's text that all views share. Of each kind
// one value must fit; a kind without values lets all through.
type facets struct {
	classes    []string
	conditions []string
	findings   []string // codes
	pair       []string // two classes that the picture must hold both; the same twice: two objects of it
}

func (f facets) empty() bool {
	return len(f.classes)+len(f.conditions)+len(f.findings)+len(f.pair) == 0
}

// of are the chosen values of a kind of facet.
func (f *facets) of(kind string) *[]string {
	switch kind {
	case "condition":
		return &f.conditions
	case "class":
		return &f.classes
	}
	return &f.findings
}

func (p *Pane) samplesBoard() *views.Board {
	p.samples.one = p.oneBoard()
	node := layout.Row(layout.Panel("grid", 46, 12).Weighted(4).Prior(1), layout.Panel("facets", 30, 8).AtMost(44, 0))
	return views.NewBoard(node,
		views.Panel{Name: "grid", Tab: "Pictures", Title: p.samplesTitle, Right: p.samplesPlace, Draw: p.drawGrid,
			Move: p.moveGrid, Click: p.clickGrid},
		views.Panel{Name: "facets", Tab: "Show only", Title: func() string { return "Show only" }, Draw: p.drawFacets,
			Move: p.moveFacet, Click: p.clickFacet, Actions: p.facetActions},
	)
}

// showSamples opens the view with those facets.
func (p *Pane) showSamples(f facets) {
	p.open = samplesView
	p.samples.zoomed = false
	p.samples.facets = f
	p.samples.cursor.Index = 0
	p.boards[samplesView].Focus("grid")
	p.refilter()
}

// clearFacets lets all pictures pass and says whether any had been held back.
func (p *Pane) clearFacets() bool {
	was := !p.samples.facets.empty()
	p.samples.facets = facets{}
	p.refilter()
	return was
}

// filtered is the pictures that pass the facets, the split and the text: of the name, or of a class in the picture.
func (p *Pane) filtered() []int {
	f := p.samples.facets
	items := p.index.Items(stats.Filter{Split: p.split, Classes: f.classes, Conditions: f.conditions,
		Findings: f.findings})
	if len(f.pair) == 2 {
		items = p.holding(items, p.classNamed(f.pair[0]), p.classNamed(f.pair[1]))
	}
	if p.filter.Text() != "" {
		passes := make([]bool, len(p.set.Classes))
		for class := range passes {
			passes[class] = p.filter.Passes(p.set.Classes[class].Name)
		}
		items = slices.DeleteFunc(items, func(i int) bool {
			item := &p.set.Items[i]
			return !p.filter.Passes(item.ID) &&
				!slices.ContainsFunc(item.Objects, func(o data.Object) bool { return passes[o.Class] })
		})
	}
	p.sortItems(items)
	return items
}

// holding keeps the pictures that hold both classes; two objects where they are the same.
func (p *Pane) holding(items []int, class, other int) []int {
	return slices.DeleteFunc(items, func(i int) bool {
		first, second := 0, 0
		for _, object := range p.set.Items[i].Objects {
			if object.Class == class {
				first++
			}
			if object.Class == other {
				second++
			}
		}
		return first == 0 || second == 0 || class == other && first < 2
	})
}

// samplesActions are those of the page of pictures.
func (p *Pane) samplesActions() []views.Action {
	return []views.Action{
		{Name: "open", Label: "open", Help: "show the picture in full, and its prompt", Group: "Data",
			Enabled: func() bool {
				return len(p.samples.items) > 0 && (p.boards[samplesView].Focused() == "grid")
			},
			Run: func() tea.Cmd { p.samples.zoomed = true; p.samples.object.Index = p.firstObject(); return nil }},
		{Name: "sort", Label: "order", Help: "put the pictures in another order", Group: "Data",
			Enabled: func() bool { return len(p.samples.items) > 1 }, Run: p.askOrder},
		{Name: "export_sheet", Label: "sheet", Help: "write all pictures that pass to contact sheets", Group: "Data",
			Enabled: func() bool { return len(p.samples.items) > 0 }, Run: p.exportSheet},
	}
}

func (p *Pane) samplesTitle() string {
	return fmt.Sprintf("%s of %s pictures · %s", widget.Count(len(p.samples.items)), widget.Count(len(p.set.Items)),
		strings.Join(p.chosenWords(), " · "))
}

// chosenWords say which pictures are shown, and in which order.
func (p *Pane) chosenWords() []string {
	f := p.samples.facets
	words := []string{p.scopeWords()}
	or := func(list []string) {
		if len(list) > 0 {
			words = append(words, widget.Clean(strings.Join(list, " or ")))
		}
	}
	or(f.classes)
	if len(f.pair) == 2 {
		words = append(words, widget.Clean(f.pair[0]+" with "+f.pair[1]))
	}
	or(f.conditions)
	var findings []string
	for _, code := range f.findings {
		findings = append(findings, findingWords(code))
	}
	or(findings)
	if text := p.filter.Text(); text != "" {
		words = append(words, "“"+widget.Clean(text)+"”")
	}
	if p.samples.order != asInTheSet {
		words = append(words, p.samples.order.String())
	}
	return words
}

// standsOut marks the classes whose objects stand out in the pictures: those that are chosen, by name or as a pair; nil
// where none is.
func (p *Pane) standsOut() []int {
	var classes []int
	for _, name := range slices.Concat(p.samples.classes, p.samples.pair) {
		classes = append(classes, p.classNamed(name))
	}
	return classes
}

func (p *Pane) samplesPlace() string {
	return place(p.samples.cursor, len(p.samples.items))
}

// samplesSheet is the page that the cursor is on.
func (p *Pane) samplesSheet(w, h int) sheet {
	s := sheet{items: p.samples.items, classes: p.standsOut(), cursor: p.samples.cursor.At(len(p.samples.items))}
	s.grid = p.gridFor(len(s.items), w, h)
	s.first = max(s.cursor, 0) / s.size() * s.size()
	return s
}

func (p *Pane) drawGrid(t *widget.Theme, w, h int) string {
	if len(p.samples.items) == 0 {
		return p.centred(t.Muted, "No picture passes: esc lets all of them through again.", w, h)
	}
	return p.drawSheet(t, p.samplesSheet(w, h), w, h)
}

func (p *Pane) moveGrid(m widget.Move, _ int) {
	w, h := p.board().Inside("grid")
	s := p.samplesSheet(w, h)
	n := len(s.items)
	steps := map[widget.Move]int{
		widget.MoveLeft: -1, widget.MoveRight: 1, widget.Up: -s.cols, widget.Down: s.cols,
		widget.PageUp: -s.size(), widget.PageDown: s.size(), widget.First: -n, widget.Last: n,
	}
	p.samples.cursor.Index = max(min(s.cursor+steps[m], n-1), 0)
}

func (p *Pane) clickGrid(x, y, w, h int) tea.Cmd {
	s := p.samplesSheet(w, h)
	if s.cellW <= 0 || s.cellH <= 0 || x/s.cellW >= s.cols || y/s.cellH >= s.rows {
		return nil
	}
	if place := s.first + y/s.cellH*s.cols + x/s.cellW; place < len(s.items) {
		p.samples.cursor.Index = place
	}
	return nil
}

// facetLine is one line of the list of facets: a heading, or something that can be chosen.
type facetLine struct {
	heading string
	kind    string // split, condition, class, finding; "": everything
	text    string
	value   string
	n       int // pictures
	level   string
}

// facetLines are all facets with how many pictures of the whole set each lets through.
func (p *Pane) facetLines() []facetLine {
	lines := []facetLine{{text: "everything", n: len(p.set.Items)}}
	lines = append(lines, facetLine{heading: "Split"})
	for _, part := range p.analysis.Splits {
		lines = append(lines, facetLine{kind: "split", text: part.Split, value: part.Split, n: part.Images})
	}
	lines = append(lines, facetLine{heading: "Condition"})
	for _, condition := range p.analysis.Whole.Conditions {
		lines = append(lines, facetLine{kind: "condition", text: condition.Name, value: condition.Name,
			n: p.withCondition[condition.Name]})
	}
	lines = append(lines, facetLine{heading: "Class"})
	for _, class := range p.analysis.Whole.ByCount() {
		lines = append(lines, facetLine{kind: "class", text: p.set.Classes[class].Name,
			value: p.set.Classes[class].Name, n: p.analysis.Whole.ImagesWithClass[class]})
	}
	if len(p.withFinding) > 0 {
		lines = append(lines, facetLine{heading: "Finding"})
		lines = append(lines, p.withFinding...)
	}
	return lines
}

// choices are the lines that can be chosen.
func (p *Pane) choices() []facetLine {
	return slices.DeleteFunc(p.facetLines(), func(l facetLine) bool { return l.heading != "" })
}

func (p *Pane) chosen(l facetLine) bool {
	switch l.kind {
	case "split":
		return p.split == l.value
	case "condition":
		return slices.Contains(p.samples.conditions, l.value)
	case "class":
		return slices.Contains(p.samples.classes, l.value) || slices.Contains(p.samples.pair, l.value)
	case "finding":
		return slices.Contains(p.samples.findings, l.value)
	}
	return p.split == "" && p.samples.facets.empty()
}

func (p *Pane) drawFacets(t *widget.Theme, w, h int) string {
	all := p.facetLines()
	chosen := p.samples.line.At(len(p.choices()))
	selected, choice := 0, 0
	lines := make([]string, len(all))
	for i, l := range all {
		if l.heading != "" {
			lines[i] = t.Muted.Render(l.heading)
			continue
		}
		if choice == chosen {
			selected = i
		}
		lines[i] = p.facetText(t, l, choice == chosen, w)
		choice++
	}
	mode, why := p.pictureMode()
	about := append([]string{""},
		wrapped(t.Muted, fmt.Sprintf("Pictures are drawn as %s: %s. VIEW.IMAGES can say otherwise.", mode, why), w)...)
	if len(lines)+len(about) <= h {
		lines = append(lines, about...)
	}
	first, end := widget.List{Index: selected}.Window(len(lines), h)
	seen := lines[first:end]
	widget.Edges(t, seen, first, end, len(lines), w)
	return widget.Block(strings.Join(seen, "\n"), w, h)
}

// facetText is a line that can be chosen: ✓ where it is, its name, how many pictures;
// of a condition also the colour and the letter of its boxes.
func (p *Pane) facetText(t *widget.Theme, l facetLine, selected bool, w int) string {
	style, mark := t.Text, " "
	switch {
	case selected:
		style, mark = t.Selected, t.Accent.Render("▸")
	case p.chosen(l):
		style = t.Accent
	}
	sign, signStyle := "", t.Text
	switch l.kind {
	case "condition":
		sign, signStyle = p.conditionSign(t, l.value)
	case "class":
		sign, signStyle = p.classSign(t, p.classNamed(l.value))
	}
	n := widget.Count(l.n)
	text := widget.Cut(tickIf(p.chosen(l), widget.Clean(l.text)), w-3-widget.Width(sign)-widget.Width(n))
	gap := max(w-2-widget.Width(text)-widget.Width(sign)-widget.Width(n), 1)
	return mark + style.Render(text+" ") + signStyle.Render(sign) + style.Render(strings.Repeat(" ", gap)+n)
}

// conditionSign is how a condition's boxes are known: a block of their colour, and the letter at them. Where the
// colours are the classes', a condition has none.
func (p *Pane) conditionSign(t *widget.Theme, condition string) (string, widget.Style) {
	if p.coloursByClass() {
		return "", t.Text
	}
	for class := range p.set.Classes {
		if p.set.Classes[class].Condition == condition {
			return p.sign(t, class)
		}
	}
	return "", t.Text
}

// classSign is how a class's boxes are known where the colours are the classes'.
func (p *Pane) classSign(t *widget.Theme, class int) (string, widget.Style) {
	if !p.coloursByClass() {
		return "", t.Text
	}
	return p.sign(t, class)
}

func (p *Pane) sign(t *widget.Theme, class int) (string, widget.Style) {
	return "■" + p.letter(class), t.Ink(p.colour(class))
}

func (p *Pane) moveFacet(m widget.Move, page int) {
	p.samples.line.Move(m, len(p.choices()), page)
}

func (p *Pane) clickFacet(_, y, _, h int) tea.Cmd {
	all := p.facetLines()
	selected, choice := 0, 0
	for i, l := range all {
		if l.heading == "" {
			if choice == p.samples.line.At(len(p.choices())) {
				selected = i
			}
			choice++
		}
	}
	first, end := widget.List{Index: selected}.Window(len(all), h)
	if place := first + y; place < end && all[place].heading == "" {
		headings := 0
		for _, l := range all[:place] {
			if l.heading != "" {
				headings++
			}
		}
		p.samples.line.Index = place - headings
		p.toggle(all[place])
	}
	return nil
}

func (p *Pane) facetActions() []views.Action {
	line := func() facetLine {
		lines := p.choices()
		return lines[p.samples.line.At(len(lines))]
	}
	return []views.Action{
		{Name: "show_only", Label: "only these", Help: "show only these, or all again", Group: "Data",
			Run: func() tea.Cmd { p.only(line()); return nil }},
		{Name: "mark", Label: "mark", Help: "show these, too: several may be marked", Group: "Data",
			Run: func() tea.Cmd { p.toggle(line()); return nil }},
	}
}

// only chooses a facet in place of the others of its kind, or takes the choice back.
func (p *Pane) only(l facetLine) {
	if on := p.chosen(l); !on && (l.kind == "condition" || l.kind == "class" || l.kind == "finding") {
		*p.samples.of(l.kind) = nil
	}
	p.toggle(l)
}

// toggle chooses a facet beside the others of its kind, or takes the choice back.
func (p *Pane) toggle(l facetLine) {
	on := p.chosen(l)
	f := &p.samples.facets
	switch l.kind {
	case "":
		p.split, *f = "", facets{}
	case "split":
		if p.split = l.value; on {
			p.split = ""
		}
	default:
		if l.kind == "class" {
			f.classes, f.pair = slices.Concat(f.classes, f.pair), nil
		}
		if values := f.of(l.kind); on {
			*values = slices.DeleteFunc(slices.Clone(*values), func(v string) bool { return v == l.value })
		} else {
			*values = append(slices.Clone(*values), l.value)
		}
	}
	p.samples.cursor.Index = 0
	p.refilter()
}

// countFacets counts the pictures of each condition and each finding.
func (l *loaded) countFacets() {
	l.withCondition = map[string]int{}
	for _, condition := range l.analysis.Whole.Conditions {
		l.withCondition[condition.Name] = len(l.index.Items(stats.Filter{Conditions: []string{condition.Name}}))
	}
	for _, group := range stats.GroupFindings(l.set.Findings) {
		if n := len(l.index.Items(stats.Filter{Findings: []string{group.Code}})); n > 0 {
			l.withFinding = append(l.withFinding, facetLine{kind: "finding", text: findingWords(group.Code),
				value: group.Code, n: n, level: group.Level})
		}
	}
	slices.SortStableFunc(l.withFinding, func(a, b facetLine) int {
		return cmp.Compare(data.Severity(a.level),
			data.Severity(b.level))
	})
}
