package train

import (
	"cmp"
	"slices"
	"time"

	"finetui/core/level"
	"finetui/core/run"
)

// happenings are the run's events and what its figures give reason to say, newest first; none of one that has not been
// read.
func (r *reading) happenings(now time.Time) []run.Alert {
	if r == nil {
		return nil
	}
	all := slices.Clone(r.alerts)
	for _, result := range r.results {
		commonest, right := 0, 0
		for _, c := range result.Classes {
			commonest, right = max(commonest, c.Value.Support), right+c.Value.Right
		}
		if level, text, do := run.UselessAnswers(result.Split, result.N, right, result.Unparsed,
			commonest); text != "" {
			newest := run.Head{Step: r.history.Step(), Time: float64(now.Unix())}
			all = append(all, run.Alert{Head: newest, Level: level, Text: text, Do: do})
		}
	}
	for _, e := range r.history.Events {
		all = append(all, run.Alert{Head: e.Head, Level: e.Level, Text: e.Text})
	}
	slices.SortStableFunc(all, func(a, b run.Alert) int { return cmp.Compare(b.Time, a.Time) })
	return all
}

// warned are the happenings that are more than a note, newest first.
func (r *reading) warned(now time.Time) []run.Alert {
	return slices.DeleteFunc(r.happenings(now), func(a run.Alert) bool { return a.Level == level.Info })
}
