package dataset

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/widget"
)

// scope is what all views look at.
type scope struct {
	split  string // "": all
	class  int    // the selected one, an index into the set's classes
	filter views.Filter
	saving views.Request
}

// part is the statistics of the split that is looked at; nil where the set has no such split.
func (p *Pane) part() *stats.Part {
	if p.split == "" {
		return &p.analysis.Whole
	}
	return p.analysis.Split(p.split)
}

// scopeWords says which pictures a title speaks of: "all splits", "split valid".
func (p *Pane) scopeWords() string {
	if p.split == "" {
		return "all splits"
	}
	return "split " + widget.Clean(p.split)
}

// order is the classes that are shown, most objects first. A filter that no class passes lets all through: it means
// pictures or findings then.
func (p *Pane) order() []int {
	all := p.part().ByCount()
	passed := slices.DeleteFunc(slices.Clone(all),
		func(class int) bool { return !p.filter.Passes(p.set.Classes[class].Name) })
	if len(passed) == 0 {
		return all
	}
	return passed
}

// moveClass moves the selected class in the order of the bars.
func (p *Pane) moveClass(m widget.Move, page int) {
	order := p.order()
	cursor := at(order, p.class)
	cursor.Move(m, len(order), page)
	p.selectClass(order, cursor.Index)
}

func (p *Pane) selectClass(order []int, place int) {
	if place < 0 || place >= len(order) || order[place] == p.class {
		return
	}
	p.class = order[place]
	p.overview.shown.Index = 0
	p.recipe.example.Index = 0
	p.pairs.shown.Index = 0
	p.refilter()
}

// className is the selected class.
func (p *Pane) className() string { return p.nameOf(p.class) }

// rawName is a class as the set spells it; nothing where there is none.
func (p *Pane) rawName(class int) string {
	if class < 0 || class >= len(p.set.Classes) {
		return ""
	}
	return p.set.Classes[class].Name
}

// names is the class as a filter asks for it.
func (p *Pane) names(class int) []string {
	if name := p.rawName(class); name != "" {
		return []string{name}
	}
	return nil
}

// nameOf is a class as it is drawn.
func (p *Pane) nameOf(class int) string {
	if class < 0 || class >= len(p.set.Classes) {
		return "no class"
	}
	return widget.Clean(p.set.Classes[class].Name)
}

// classNamed is the place of a class, or -1.
func (p *Pane) classNamed(name string) int {
	for i, class := range p.set.Classes {
		if class.Name == name {
			return i
		}
	}
	return -1
}

func (p *Pane) severalSplits() bool { return p.ready() && len(p.set.Splits) > 1 }

// nextSplit goes on from all to the first split, and from the last to all.
func (p *Pane) nextSplit() tea.Cmd {
	splits := append([]string{""}, p.set.Splits...)
	p.setSplit(splits[(slices.Index(splits, p.split)+1)%len(splits)])
	return nil
}

func (p *Pane) setSplit(split string) {
	p.split = split
	p.refilter()
}

func (p *Pane) askText() tea.Cmd {
	names := make([]string, len(p.set.Classes))
	for i, class := range p.set.Classes {
		names[i] = class.Name
	}
	p.filter.Open("show only what contains", "part of a class, a picture's name, a file or a finding; empty shows all",
		names...)
	p.refiltered()
	return nil
}

// refiltered selects what the filter lets through.
func (p *Pane) refiltered() {
	if order := p.order(); !slices.Contains(order, p.class) && len(order) > 0 {
		p.class = order[0]
	}
	p.refilter()
}

// refilter works out what the views list, after the scope, the facets or the set have changed.
func (p *Pane) refilter() {
	with := p.index.Items(stats.Filter{Classes: p.names(p.class), Split: p.split})
	p.overview.items = with
	p.pairs.items = p.holding(slices.Clone(with), p.class, p.pairs.b)
	p.tabulatePairs()
	p.samples.items = p.filtered()
	p.findings.groups = p.grouped()
	p.recipe.examples = p.exampleObjects()
}
