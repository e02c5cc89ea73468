package dataset

import (
	"cmp"
	"math"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/views/widget"
)

// order is how the pictures of Samples follow each other.
type order int

const (
	asInTheSet order = iota
	mostObjects
	rarestClass
	smallestObject
	mostFindings
	orderCount
)

func (o order) String() string {
	return [orderCount]string{"as in the set", "most objects first", "rarest class first", "smallest object first",
		"most findings first"}[o]
}

// askOrder opens the list of orders.
func (v *samples) askOrder() tea.Cmd {
	var options []widget.Option
	for o := range orderCount {
		options = append(options, widget.Option{Text: o.String()})
	}
	open := widget.NewChoice("Order of the pictures", false, options...)
	open.Cursor.Index = int(v.order)
	v.choice = &choice{Choice: open, take: func(i int) error {
		v.order = order(i)
		v.cursor.Index = 0
		v.refilter()
		return nil
	}}
	return nil
}

// sortItems puts pictures into the chosen order; equals stay as in the set.
func (l *loaded) sortItems(items []int, by order) {
	if by == asInTheSet {
		return
	}
	type keyed struct {
		item int
		key  float64
	}
	sorted := make([]keyed, len(items))
	for at, i := range items {
		sorted[at] = keyed{i, l.sortKey(i, by)}
	}
	slices.SortStableFunc(sorted, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
	for at, one := range sorted {
		items[at] = one.item
	}
}

// sortKey is what an order goes by: the smallest comes first.
func (l *loaded) sortKey(item int, by order) float64 {
	objects := l.set.Items[item].Objects
	least := math.Inf(1)
	switch by {
	case mostObjects:
		return -float64(len(objects))
	case rarestClass:
		for _, object := range objects {
			least = min(least, float64(l.analysis.Whole.ClassCounts[object.Class]))
		}
	case smallestObject:
		for _, object := range objects {
			least = min(least, (object.Box.X1-object.Box.X0)*(object.Box.Y1-object.Box.Y0))
		}
	case mostFindings:
		return -float64(len(l.index.Findings(item)))
	}
	return least
}
