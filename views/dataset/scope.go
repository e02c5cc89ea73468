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
func (p *shared) part() *stats.Part {
	if p.split == "" {
		return &p.analysis.Whole
	}
	return p.analysis.Split(p.split)
}

// scopeWords says which pictures a title speaks of: "all splits", "split valid".
func (p *shared) scopeWords() string {
	if p.split == "" {
		return "all splits"
	}
	return "split " + widget.Clean(p.split)
}

// order is the classes that are shown, most objects first. A filter that no class passes lets all through: it means
// pictures or findings then.
func (p *shared) order() []int {
	all := p.part().ByCount()
	passed := slices.DeleteFunc(slices.Clone(all),
		func(class int) bool { return !p.filter.Passes(p.set.Classes[class].Name) })
	if len(passed) == 0 {
		return all
	}
	return passed
}

// moveClass moves the selected class in the order of the bars.
func (p *shared) moveClass(m widget.Move, page int) {
	order := p.order()
	cursor := at(order, p.class)
	cursor.Move(m, len(order), page)
	p.selectClass(order, cursor.Index)
}

func (p *shared) selectClass(order []int, place int) {
	if place < 0 || place >= len(order) || order[place] == p.class {
		return
	}
	p.class = order[place]
	p.refilter()
}

// className is the selected class.
func (p *shared) className() string { return p.nameOf(p.class) }

// rawName is a class as the set spells it; nothing where there is none.
func (l *loaded) rawName(class int) string {
	if class < 0 || class >= len(l.set.Classes) {
		return ""
	}
	return l.set.Classes[class].Name
}

// names is the class as a filter asks for it.
func (l *loaded) names(class int) []string {
	if name := l.rawName(class); name != "" {
		return []string{name}
	}
	return nil
}

// nameOf is a class as it is drawn.
func (p *shared) nameOf(class int) string {
	if class < 0 || class >= len(p.set.Classes) {
		return "no class"
	}
	return widget.Clean(p.set.Classes[class].Name)
}

// classNamed is the place of a class, or -1.
func (l *loaded) classNamed(name string) int {
	for i, class := range l.set.Classes {
		if class.Name == name {
			return i
		}
	}
	return -1
}

func (p *shared) severalSplits() bool { return p.ready() && len(p.set.Splits) > 1 }

// nextSplit goes on from all to the first split, and from the last to all.
func (p *shared) nextSplit() tea.Cmd {
	splits := append([]string{""}, p.set.Splits...)
	p.setSplit(splits[(slices.Index(splits, p.split)+1)%len(splits)])
	return nil
}

func (p *shared) setSplit(split string) {
	p.split = split
	p.refilter()
}

func (p *shared) askText() tea.Cmd {
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
func (p *shared) refiltered() {
	if order := p.order(); !slices.Contains(order, p.class) && len(order) > 0 {
		p.class = order[0]
	}
	p.refilter()
}

// refilter works out what the views list, after the scope, the facets or the set have changed.
func (p *shared) refilter() { p.views.Refresh() }

// withClass are the pictures of a split with a class, in the set's order.
func (l *loaded) withClass(class int, split string) []int {
	return l.index.Items(stats.Filter{Classes: l.names(class), Split: split})
}

// holding keeps the pictures that hold both classes; two objects where they are the same.
func (l *loaded) holding(items []int, class, other int) []int {
	return slices.DeleteFunc(items, func(i int) bool {
		first, second := 0, 0
		for _, object := range l.set.Items[i].Objects {
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
