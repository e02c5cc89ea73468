package dataset

import (
	"context"
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
		Leave: v.clearFacets, Copy: v.text, Want: v.want, List: v.list}
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

// list looks for the pictures that pass.
func (v *samples) list() views.Listing {
	v.items = nil
	set, facets, split, by, filter := v.loaded, v.facets, v.split, v.order, v.filter.Now()
	return func(ctx context.Context) func() {
		items := set.passing(ctx, facets, split, filter)
		set.sortItems(items, by)
		return func() { v.items = items }
	}
}

// passing are the pictures that pass the facets, the split and the text: of the name, or of a class in the picture.
func (l *loaded) passing(ctx context.Context, f facets, split string, filter views.Filter) []int {
	items := l.index.Items(stats.Filter{Split: split, Classes: f.classes, Conditions: f.conditions,
		Findings: f.findings})
	if len(f.pair) == 2 {
		items = l.holding(items, l.classNamed(f.pair[0]), l.classNamed(f.pair[1]))
	}
	if f.way != nil {
		items = l.waysItems(items, f.way)
	}
	if f.person != "" {
		items = slices.DeleteFunc(items, func(i int) bool { return l.set.Items[i].Group.String() != f.person })
	}
	if filter.Text() != "" {
		passes := make([]bool, len(l.set.Classes))
		for class := range passes {
			passes[class] = filter.Passes(l.set.Classes[class].Name)
		}
		items = slices.DeleteFunc(items, func(i int) bool {
			item := &l.set.Items[i]
			return ctx.Err() != nil || !filter.Passes(item.ID, item.Group.String()) &&
				!slices.ContainsFunc(item.Objects, func(o data.Object) bool { return passes[o.Class] })
		})
	}
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
	return fmt.Sprintf("%s of %s · %s", v.listCount(len(v.items)), v.mediaOf(len(v.set.Items)),
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
		return widget.Middle(t.Muted, v.none("No "+v.media(1)+" passes: esc lets all of them through again."), w, h)
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
