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
func (p *Pane) askOrder() tea.Cmd {
	var options []widget.Option
	for o := range orderCount {
		options = append(options, widget.Option{Text: o.String()})
	}
	open := widget.NewChoice("Order of the pictures", false, options...)
	open.Cursor.Index = int(p.samples.order)
	p.choice = &choice{open, func(i int) error {
		p.samples.order = order(i)
		p.samples.cursor.Index = 0
		p.refilter()
		return nil
	}}
	return nil
}

// sortItems puts pictures into the chosen order; equals stay as in the set.
func (p *Pane) sortItems(items []int) {
	if p.samples.order == asInTheSet {
		return
	}
	keys := make(map[int]float64, len(items))
	for _, i := range items {
		keys[i] = p.sortKey(i)
	}
	slices.SortStableFunc(items, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
}

// sortKey is what the chosen order goes by: the smallest comes first.
func (p *Pane) sortKey(item int) float64 {
	objects := p.set.Items[item].Objects
	least := math.Inf(1)
	switch p.samples.order {
	case mostObjects:
		return -float64(len(objects))
	case rarestClass:
		for _, object := range objects {
			least = min(least, float64(p.analysis.Whole.ClassCounts[object.Class]))
		}
	case smallestObject:
		for _, object := range objects {
			least = min(least, (object.Box.X1-object.Box.X0)*(object.Box.Y1-object.Box.Y0))
		}
	case mostFindings:
		return -float64(len(p.index.Findings(item)))
	}
	return least
}
