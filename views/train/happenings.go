package train

import (
	"cmp"
	"slices"

	"finetui/core/level"
	"finetui/core/run"
)

// happenings are the run's events and what its figures give reason to say, newest first; none of one that has not been
// read.
func (r *reading) happenings() []run.Alert {
	if r == nil {
		return nil
	}
	all := slices.Clone(r.alerts)
	for _, e := range r.history.Events {
		all = append(all, run.Alert{Head: e.Head, Level: e.Level, Text: e.Text})
	}
	slices.SortStableFunc(all, func(a, b run.Alert) int { return cmp.Compare(b.Time, a.Time) })
	return all
}

// warned are the happenings that are more than a note, newest first.
func (r *reading) warned() []run.Alert {
	return slices.DeleteFunc(r.happenings(), func(a run.Alert) bool { return a.Level == level.Info })
}
