package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// samples is the view of pictures: a page of those that pass the facets, and one of them in full.
type samples struct {
	*shared
	facets
	order  order
	items  []int       // those that pass, in that order
	cursor widget.List // among items
	line   widget.List // among the facets
	grid   *views.Board
	one    *one
}

// facets choose pictures, beside the split and the filter's text that all views share. Of each kind
// one value must fit; a kind without values lets all through.
type facets struct {
	classes    []string
	conditions []string
	findings   []string         // codes
	way        *stats.Variation // of clips; nil: any
	person     string           // participant; "": any
	pair       []string         // two classes that the picture must hold both; the same twice: two objects of it
}

func (f facets) empty() bool {
	return len(f.classes)+len(f.conditions)+len(f.findings)+len(f.pair) == 0 && f.way == nil && f.person == ""
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

func newSamples(s *shared) views.View {
	s.samples = &samples{shared: s}
	return s.samples.view()
}

func (v *samples) view() views.View {
	node := layout.Row(layout.Panel("grid", 46, 12).Weighted(4).Prior(1), layout.Panel("facets", 30, 8).AtMost(44, 0))
	v.grid = views.NewBoard(node,
		views.Panel{Name: "grid", Tab: "Pictures", Title: v.samplesTitle, Right: v.samplesPlace, Draw: v.drawGrid,
			Move: v.moveGrid, Click: v.clickGrid},
		views.Panel{Name: "facets", Tab: "Show only", Title: func() string { return "Show only" }, Draw: v.drawFacets,
			Move: v.moveFacet, Click: v.clickFacet, Actions: v.facetActions},
	)
	v.one = &one{samples: v}
	over := v.one.view()
	return views.View{Name: samplesView, Boards: []*views.Board{v.grid}, Over: &over, Actions: v.actions,
		Leave: v.clearFacets, Copy: v.text, Want: v.want, Refresh: func() { v.items = v.filtered() }}
}

// want asks for the pictures of the page.
func (v *samples) want() tea.Cmd {
	w, h := v.grid.Inside("grid")
	return v.drawPictures(v.sheetKeys(v.samplesSheet(w, h)))
}

// show opens the view with those facets, the cursor on a place.
func (v *samples) show(f facets, place int) {
	v.views.Show(samplesView)
	v.facets, v.cursor.Index = f, place
	v.grid.Focus("grid")
	v.refilter()
}

// clearFacets lets all pictures pass and says whether any had been held back.
func (v *samples) clearFacets() bool {
	was := !v.facets.empty()
	v.facets = facets{}
	v.refilter()
	return was
}

// filtered is the pictures that pass the facets, the split and the text: of the name, or of a class in the picture.
func (v *samples) filtered() []int {
	f := v.facets
	items := v.index.Items(stats.Filter{Split: v.split, Classes: f.classes, Conditions: f.conditions,
		Findings: f.findings})
	if len(f.pair) == 2 {
		items = v.holding(items, v.classNamed(f.pair[0]), v.classNamed(f.pair[1]))
	}
	if f.way != nil {
		items = v.waysItems(items, f.way)
	}
	if f.person != "" {
		items = slices.DeleteFunc(items, func(i int) bool { return v.set.Items[i].Group != f.person })
	}
	if v.filter.Text() != "" {
		passes := make([]bool, len(v.set.Classes))
		for class := range passes {
			passes[class] = v.filter.Passes(v.set.Classes[class].Name)
		}
		items = slices.DeleteFunc(items, func(i int) bool {
			item := &v.set.Items[i]
			return !v.filter.Passes(item.ID, item.Group) &&
				!slices.ContainsFunc(item.Objects, func(o data.Object) bool { return passes[o.Class] })
		})
	}
	v.sortItems(items)
	return items
}

// actions are those of the page of pictures.
func (v *samples) actions() []views.Action {
	return []views.Action{
		{Name: "open", Label: "open", Help: "show the picture in full, and its prompt", Group: "Data",
			Enabled: func() bool {
				return len(v.items) > 0 && v.grid.Focused() == "grid"
			},
			Run: v.open},
		{Name: "sort", Label: "order", Help: "put the pictures in another order", Group: "Data",
			Enabled: func() bool { return len(v.items) > 1 }, Run: v.askOrder},
		{Name: "export_sheet", Label: "sheet", Help: "write all pictures that pass to contact sheets", Group: "Data",
			Enabled: func() bool { return len(v.items) > 0 }, Run: v.exportSheet},
	}
}

// open shows the picture under the cursor in full.
func (v *samples) open() tea.Cmd {
	v.views.Enter(samplesView)
	v.one.object.Index = v.one.firstObject()
	return nil
}

func (v *samples) samplesTitle() string {
	return fmt.Sprintf("%s of %s · %s", widget.Count(len(v.items)), v.mediaOf(len(v.set.Items)),
		strings.Join(v.chosenWords(), " · "))
}

// chosenWords say which pictures are shown, and in which order.
func (v *samples) chosenWords() []string {
	f := v.facets
	words := []string{v.scopeWords()}
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
	if f.way != nil {
		words = append(words, v.nameOf(f.way.Class)+" · "+widget.Clean(wayName(*f.way)))
	}
	if f.person != "" {
		words = append(words, "participant "+widget.Clean(f.person))
	}
	var findings []string
	for _, code := range f.findings {
		findings = append(findings, findingWords(code))
	}
	or(findings)
	if text := v.filter.Text(); text != "" {
		words = append(words, "“"+widget.Clean(text)+"”")
	}
	if v.order != asInTheSet {
		words = append(words, v.order.String())
	}
	return words
}

// standsOut marks the classes whose objects stand out in the pictures: those that are chosen, by name or as a pair; nil
// where none is.
func (v *samples) standsOut() []int {
	var classes []int
	for _, name := range slices.Concat(v.classes, v.pair) {
		classes = append(classes, v.classNamed(name))
	}
	return classes
}

func (v *samples) samplesPlace() string {
	return place(v.cursor, len(v.items))
}

// samplesSheet is the page that the cursor is on.
func (v *samples) samplesSheet(w, h int) sheet {
	s := sheet{items: v.items, classes: v.standsOut(), cursor: v.cursor.At(len(v.items))}
	s.grid = v.gridFor(len(s.items), w, h)
	s.first = max(s.cursor, 0) / s.size() * s.size()
	return s
}

func (v *samples) drawGrid(t *widget.Theme, w, h int) string {
	if len(v.items) == 0 {
		return widget.Middle(t.Muted, "No "+v.media(1)+" passes: esc lets all of them through again.", w, h)
	}
	return v.drawSheet(t, v.samplesSheet(w, h), w, h)
}

func (v *samples) moveGrid(m widget.Move, _ int) {
	w, h := v.views.Board().Inside("grid")
	s := v.samplesSheet(w, h)
	n := len(s.items)
	steps := map[widget.Move]int{
		widget.MoveLeft: -1, widget.MoveRight: 1, widget.Up: -s.cols, widget.Down: s.cols,
		widget.PageUp: -s.size(), widget.PageDown: s.size(), widget.First: -n, widget.Last: n,
	}
	v.cursor.Index = max(min(s.cursor+steps[m], n-1), 0)
}

func (v *samples) clickGrid(x, y, w, h int) tea.Cmd {
	s := v.samplesSheet(w, h)
	if s.cellW <= 0 || s.cellH <= 0 || x/s.cellW >= s.cols || y/s.cellH >= s.rows {
		return nil
	}
	if place := s.first + y/s.cellH*s.cols + x/s.cellW; place < len(s.items) {
		v.cursor.Index = place
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
	level   level.Level
}

// facetLines are all facets with how many pictures of the whole set each lets through.
func (v *samples) facetLines() []facetLine {
	lines := []facetLine{{text: "everything", n: len(v.set.Items)}}
	lines = append(lines, facetLine{heading: "Split"})
	for _, part := range v.analysis.Splits {
		lines = append(lines, facetLine{kind: "split", text: part.Split, value: part.Split, n: part.Images})
	}
	lines = append(lines, facetLine{heading: "Condition"})
	for _, condition := range v.analysis.Whole.Conditions {
		lines = append(lines, facetLine{kind: "condition", text: condition.Name, value: condition.Name,
			n: v.withCondition[condition.Name]})
	}
	lines = append(lines, facetLine{heading: "Class"})
	for _, class := range v.analysis.Whole.ByCount() {
		lines = append(lines, facetLine{kind: "class", text: v.set.Classes[class].Name,
			value: v.set.Classes[class].Name, n: v.analysis.Whole.ImagesWithClass[class]})
	}
	if len(v.withFinding) > 0 {
		lines = append(lines, facetLine{heading: "Finding"})
		lines = append(lines, v.withFinding...)
	}
	return lines
}

// choices are the lines that can be chosen.
func (v *samples) choices() []facetLine {
	return slices.DeleteFunc(v.facetLines(), func(l facetLine) bool { return l.heading != "" })
}

func (v *samples) chosen(l facetLine) bool {
	switch l.kind {
	case "split":
		return v.split == l.value
	case "condition":
		return slices.Contains(v.conditions, l.value)
	case "class":
		return slices.Contains(v.classes, l.value) || slices.Contains(v.pair, l.value)
	case "finding":
		return slices.Contains(v.findings, l.value)
	}
	return v.split == "" && v.facets.empty()
}

func (v *samples) drawFacets(t *widget.Theme, w, h int) string {
	all := v.facetLines()
	chosen := v.line.At(len(v.choices()))
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
		lines[i] = v.facetText(t, l, choice == chosen, w)
		choice++
	}
	mode, why := v.pictureMode()
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
func (v *samples) facetText(t *widget.Theme, l facetLine, selected bool, w int) string {
	style, mark := t.Text, " "
	switch {
	case selected:
		style, mark = t.Selected, t.Accent.Render("▸")
	case v.chosen(l):
		style = t.Accent
	}
	sign, signStyle := "", t.Text
	switch l.kind {
	case "condition":
		sign, signStyle = v.conditionSign(t, l.value)
	case "class":
		sign, signStyle = v.classSign(t, v.classNamed(l.value))
	}
	n := widget.Count(l.n)
	text := widget.Cut(tickIf(v.chosen(l), widget.Clean(l.text)), w-3-widget.Width(sign)-widget.Width(n))
	gap := max(w-2-widget.Width(text)-widget.Width(sign)-widget.Width(n), 1)
	return mark + style.Render(text+" ") + signStyle.Render(sign) + style.Render(strings.Repeat(" ", gap)+n)
}

// conditionSign is how a condition's boxes are known: a block of their colour, and the letter at them. Where the
// colours are the classes', a condition has none.
func (v *samples) conditionSign(t *widget.Theme, condition string) (string, widget.Style) {
	if v.coloursByClass() {
		return "", t.Text
	}
	for class := range v.set.Classes {
		if v.set.Classes[class].Condition == condition {
			return v.sign(t, class)
		}
	}
	return "", t.Text
}

// classSign is how a class's boxes are known where the colours are the classes'.
func (v *samples) classSign(t *widget.Theme, class int) (string, widget.Style) {
	if !v.coloursByClass() {
		return "", t.Text
	}
	return v.sign(t, class)
}

func (v *samples) sign(t *widget.Theme, class int) (string, widget.Style) {
	return "■" + v.letter(class), t.Ink(v.colour(class))
}

func (v *samples) moveFacet(m widget.Move, page int) {
	v.line.Move(m, len(v.choices()), page)
}

func (v *samples) clickFacet(_, y, _, h int) tea.Cmd {
	all := v.facetLines()
	selected, choice := 0, 0
	for i, l := range all {
		if l.heading == "" {
			if choice == v.line.At(len(v.choices())) {
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
		v.line.Index = place - headings
		v.toggle(all[place])
	}
	return nil
}

func (v *samples) facetActions() []views.Action {
	line := func() facetLine {
		lines := v.choices()
		return lines[v.line.At(len(lines))]
	}
	return []views.Action{
		{Name: "show_only", Label: "only these", Help: "show only these, or all again", Group: "Data",
			Run: func() tea.Cmd { v.only(line()); return nil }},
		{Name: "mark", Label: "mark", Help: "show these, too: several may be marked", Group: "Data",
			Run: func() tea.Cmd { v.toggle(line()); return nil }},
	}
}

// only chooses a facet in place of the others of its kind, or takes the choice back.
func (v *samples) only(l facetLine) {
	if on := v.chosen(l); !on && (l.kind == "condition" || l.kind == "class" || l.kind == "finding") {
		*v.of(l.kind) = nil
	}
	v.toggle(l)
}

// toggle chooses a facet beside the others of its kind, or takes the choice back.
func (v *samples) toggle(l facetLine) {
	on := v.chosen(l)
	f := &v.facets
	switch l.kind {
	case "":
		v.split, *f = "", facets{}
	case "split":
		if v.split = l.value; on {
			v.split = ""
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
	v.cursor.Index = 0
	v.refilter()
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
		return cmp.Compare(a.level.Severity(),
			b.level.Severity())
	})
}

// text is the view as a table.
func (v *samples) text() string {
	rows := [][]string{{"picture", "split", "width", "height", "objects", "file"}}
	for _, i := range v.items {
		item := &v.set.Items[i]
		rows = append(rows, []string{item.ID, item.Split, fmt.Sprint(item.Width), fmt.Sprint(item.Height),
			fmt.Sprint(len(item.Objects)), item.Media})
	}
	return tabbed(rows)
}
