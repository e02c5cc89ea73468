package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"

	"finetui/core/run"
	"finetui/views/widget"
)

// alert is something in a run's figures that a person should look at.
type alert struct {
	level string // run.LevelWarn or run.LevelError
	run.Head
	text string
	do   string // what can be done; may be empty
}

// The rules.
const (
	spikeBefore = 20  // rows before one that tell what is usual
	spikeLeast  = 10  // fewer of them tell nothing
	spikeTimes  = 2.0 // a spike is more than so many times the usual loss,
	spikeSpread = 6.0 // further from it than so many standard deviations,
	spikeStart  = 0.1 // and than this share of the loss at the start: noise near zero is none

	rareBelow   = 1.0 / 3 // a class is rare with at most this share of the most frequent one's samples
	fallLeast   = 0.10    // a recall falls by at least this,
	fallAnswers = 2       // and by so many answers
	riseLeast   = 1.25    // a class's loss rises to at least so many times what it was
)

// alertsOf are the alerts of a run, oldest first.
func alertsOf(h *run.History) []alert {
	all := slices.Concat(notFinite(h.Train), spikes(h.Train), fallingRecalls(validChecks(h)))
	if len(validChecks(h)) == 0 {
		all = append(all, risingLosses(h.Train, h.Classes)...)
	}
	slices.SortStableFunc(all, func(a, b alert) int { return cmp.Compare(a.Step, b.Step) })
	return all
}

// notFinite finds where a loss or a gradient stops being a number: once for each stretch of such rows.
func notFinite(rows []*run.Train) []alert {
	var found []alert
	open := false
	for _, r := range rows {
		what := ""
		switch {
		case !finite(float64(r.Loss)) || !finite(float64(r.LossPlain)):
			what = "the loss"
		case !finite(float64(r.GradNorm)):
			what = "the length of the gradient"
		}
		if what != "" && !open {
			found = append(found, alert{run.LevelError, r.Head, what + " is no finite number",
				"stop the run (x), and start one with a lower TRAIN.LEARNING_RATE, or a longer warm-up"})
		}
		open = what != ""
	}
	return found
}

// spikes finds rows whose loss stands far above the median of the rows before: once for each stretch of such rows.
func spikes(rows []*run.Train) []alert {
	var found []alert
	var window []float64 // the losses before, sorted
	var order []float64  // the same as they came
	start, open := math.NaN(), false
	for _, r := range rows {
		loss := float64(r.Loss)
		if !finite(loss) {
			continue
		}
		if len(order) >= spikeLeast {
			middle, spread := middleOf(window)
			if math.IsNaN(start) {
				start = middle
			}
			far := loss > spikeTimes*middle && loss-middle > spikeSpread*spread && loss-middle > spikeStart*start
			if far && !open {
				found = append(found, alert{run.LevelWarn, r.Head,
					fmt.Sprintf("spike: loss %s is %s the median of the %d rows before (%s)", widget.Number(loss), ratioText(loss/middle), len(order), widget.Number(middle)), ""})
			}
			if open = far; far {
				continue // a spike does not change what is usual
			}
		}
		at := sort.SearchFloat64s(window, loss)
		window, order = slices.Insert(window, at, loss), append(order, loss)
		if len(order) > spikeBefore {
			gone := sort.SearchFloat64s(window, order[0])
			window, order = slices.Delete(window, gone, gone+1), order[1:]
		}
	}
	return found
}

// ratioText is how many times, as far as that says anything.
func ratioText(r float64) string {
	if r > 1e4 {
		return "far above"
	}
	return widget.Ratio(r)
}

// middleOf is the median of sorted values, and their standard deviation as the quartiles tell it, which a few wild ones
// do not change: half the distance between the quartiles / 0.6745.
func middleOf(sorted []float64) (median, spread float64) {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2, (sorted[n-1-n/4] - sorted[n/4]) / 2 / 0.6745
}

// fallingRecalls finds rare classes whose recall at the newest check is well below its best while the loss on valid has
// gone on falling since: what is won is won by the frequent classes.
func fallingRecalls(checks []*run.Eval) []alert {
	if len(checks) < 2 {
		return nil
	}
	now := checks[len(checks)-1]
	most := 0
	for _, r := range now.Recall {
		most = max(most, r.N)
	}
	var found []alert
	for _, c := range classRecalls(checks) {
		n := now.Recall[c.name].N
		if n == 0 || float64(n) > rareBelow*float64(most) {
			continue
		}
		best := 0
		for i, y := range c.y {
			if y >= c.y[best] {
				best = i
			}
		}
		then := checks[slices.IndexFunc(checks, func(e *run.Eval) bool { return e.Step == c.heads[best].Step })]
		fall := c.y[best] - c.last()
		if fall < max(fallLeast, float64(fallAnswers)/float64(n))-1e-9 || !(now.Loss < then.Loss) {
			continue
		}
		found = append(found, alert{run.LevelWarn, now.Head,
			fmt.Sprintf("%s, rare with %d of valid, fell from %s right at step %d to %s while the loss fell from %s to %s",
				c.name, n, widget.Percent(c.y[best], 0), then.Step, widget.Percent(c.last(), 0), widget.Number(float64(then.Loss)), widget.Number(float64(now.Loss))),
			"give it more weight or draw it more often (RECIPE.CLASS_WEIGHTS, RECIPE.SAMPLING)"})
	}
	return found
}

// risingLosses is fallingRecalls for a run without checks on valid: rare classes whose own loss has risen between the
// last two quarters of the run while that of all samples fell.
func risingLosses(rows []*run.Train, classes []*run.Class) []alert {
	all := make([]float64, len(rows))
	for i, r := range rows {
		all[i] = float64(r.LossPlain)
	}
	whole := curve{y: all}
	curves := classLosses(classes)
	if !(whole.trend() < 0) || len(curves) == 0 {
		return nil
	}
	var found []alert
	for _, c := range curves {
		quarter := len(c.y) / 4
		if float64(c.n) > rareBelow*float64(curves[0].n) || quarter < 3 { // of fewer values a mean says little
			continue
		}
		now := mean(c.y[len(c.y)-quarter:])
		if before := now - c.trend(); now >= riseLeast*before {
			found = append(found, alert{run.LevelWarn, c.heads[len(c.heads)-1],
				fmt.Sprintf("%s, rare with %d samples so far: its loss rose from %s to %s while that of all fell", c.name, c.n, widget.Number(before), widget.Number(now)),
				"give it more weight or draw it more often (RECIPE.CLASS_WEIGHTS, RECIPE.SAMPLING)"})
		}
	}
	return found
}
