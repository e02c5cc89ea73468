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
func (v *samples) sortItems(items []int) {
	if v.order == asInTheSet {
		return
	}
	keys := make(map[int]float64, len(items))
	for _, i := range items {
		keys[i] = v.sortKey(i)
	}
	slices.SortStableFunc(items, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
}

// sortKey is what the chosen order goes by: the smallest comes first.
func (v *samples) sortKey(item int) float64 {
	objects := v.set.Items[item].Objects
	least := math.Inf(1)
	switch v.order {
	case mostObjects:
		return -float64(len(objects))
	case rarestClass:
		for _, object := range objects {
			least = min(least, float64(v.analysis.Whole.ClassCounts[object.Class]))
		}
	case smallestObject:
		for _, object := range objects {
			least = min(least, (object.Box.X1-object.Box.X0)*(object.Box.Y1-object.Box.Y0))
		}
	case mostFindings:
		return -float64(len(v.index.Findings(item)))
	}
	return least
}
