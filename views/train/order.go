package train

import (
	"cmp"
	"slices"
)

// runOrder is what the runs are listed by.
type runOrder int

const (
	byAge runOrder = iota // newest first
	byName
	byRecipe
	byState
	byBest  // the best check on valid first; those that are scored otherwise, or not yet, last
	bySteps // the furthest first
	runOrderCount
)

// String goes on after "Runs · 12": nothing for the usual order.
func (o runOrder) String() string {
	return [...]string{"", " · by name", " · by recipe", " · by state", " · best first", " · furthest first"}[o]
}

// states are in the order in which they want to be looked at.
var stateOrder = []string{"running", "stopping", "stalled", broken, "failed", "killed", "stopped", "created", "done"}

// sorted are the runs, which come newest first, in this order; the newest first of equals.
func (o runOrder) sorted(runs []entry) []entry {
	if o == byAge {
		return runs
	}
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b entry) int {
		switch o {
		case byName:
			return cmp.Compare(a.run.Info.Name, b.run.Info.Name)
		case byRecipe:
			return cmp.Compare(a.run.Info.Recipe, b.run.Info.Recipe)
		case byState:
			return cmp.Compare(slices.Index(stateOrder, a.state()), slices.Index(stateOrder, b.state()))
		case bySteps:
			return cmp.Compare(b.step, a.step)
		}
		switch {
		case a.best.by != b.best.by: // scores of different kinds are kept apart
			return -cmp.Compare(a.best.by, b.best.by)
		case a.best.by == "" || a.best.value == b.best.value:
			return 0
		case better(a.best.by, a.best.value, b.best.value):
			return -1
		}
		return 1
	})
	return sorted
}
