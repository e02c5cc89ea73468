package run

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"finetui/core/level"
)

// Alert is something in a run's figures that a person should look at.
type Alert struct {
	Head
	Level level.Level // Warn or Error
	Text  string
	Do    string // what can be done; may be empty
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

// Alerts are what the figures of a run of so many planned steps (0: not known) give reason to say, oldest first.
func (h *History) Alerts(steps int) []Alert {
	checks := h.Checks()
	all := slices.Concat(notFinite(h.Train), spikes(h.Train), fallingRecalls(checks), uselessAnswers(checks, steps),
		flatLoss(h.Train, steps))
	if len(checks) == 0 {
		all = append(all, risingLosses(h.Train, h.Classes)...)
	}
	slices.SortStableFunc(all, func(a, b Alert) int { return cmp.Compare(a.Step, b.Step) })
	return all
}

// notFinite finds where a loss or a gradient stops being a number: once for each stretch of such rows.
func notFinite(rows []*Train) []Alert {
	var found []Alert
	open := false
	for _, r := range rows {
		what := ""
		switch {
		case !Finite(float64(r.Loss)) || !Finite(float64(r.LossPlain)):
			what = "the loss"
		case !Finite(float64(r.GradNorm)):
			what = "the length of the gradient"
		}
		if what != "" && !open {
			found = append(found, Alert{r.Head, level.Error, what + " is no finite number",
				"stop the run (x), and start one with a lower TRAIN.LEARNING_RATE, or a longer warm-up"})
		}
		open = what != ""
	}
	return found
}

// spikes finds rows whose loss stands far above the median of the rows before: once for each stretch of such rows.
func spikes(rows []*Train) []Alert {
	var found []Alert
	var window []float64 // the losses before, sorted
	var order []float64  // the same as they came
	start, open := math.NaN(), false
	for _, r := range rows {
		loss := float64(r.Loss)
		if !Finite(loss) {
			continue
		}
		if len(order) >= spikeLeast {
			middle, spread := middleOf(window)
			if math.IsNaN(start) {
				start = middle
			}
			far := loss > spikeTimes*middle && loss-middle > spikeSpread*spread && loss-middle > spikeStart*start
			if far && !open {
				found = append(found, Alert{r.Head, level.Warn,
					fmt.Sprintf("spike: loss %s is %s the median of the %d rows before (%s)", number(loss),
						ratioText(loss/middle), len(order), number(middle)), ""})
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
	return fmt.Sprintf("%.3g times", r)
}

// middleOf is the median of sorted values, and their standard deviation as the quartiles tell it, which a few wild ones
// do not change: half the distance between the quartiles / 0.6745.
func middleOf(sorted []float64) (median, spread float64) {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2, (sorted[n-1-n/4] - sorted[n/4]) / 2 / 0.6745
}

// fallingRecalls finds rare classes whose recall at the newest check is well below its best while the loss on valid has
// gone on falling since: what is won is won by the frequent classes.
func fallingRecalls(checks []*Eval) []Alert {
	if len(checks) < 2 {
		return nil
	}
	now := checks[len(checks)-1]
	most := 0
	for _, r := range now.Recall {
		most = max(most, r.N)
	}
	var found []Alert
	for _, c := range RecallCurves(checks) {
		n := now.Recall[c.Name].N
		if n == 0 || float64(n) > rareBelow*float64(most) {
			continue
		}
		best := 0
		for i, y := range c.Y {
			if y >= c.Y[best] {
				best = i
			}
		}
		then := checks[slices.IndexFunc(checks, func(e *Eval) bool { return e.Step == c.Heads[best].Step })]
		fall := c.Y[best] - c.Last()
		if fall < max(fallLeast, float64(fallAnswers)/float64(n))-1e-9 || !(now.Loss < then.Loss) {
			continue
		}
		found = append(found, Alert{now.Head, level.Warn,
			fmt.Sprintf("%s, rare with %d of valid, fell from %s right at step %d to %s while the loss fell from "+
				"%s to %s",
				c.Name, n, percent(c.Y[best]), then.Step, percent(c.Last()), number(float64(then.Loss)),
				number(float64(now.Loss))),
			"give it more weight or draw it more often (RECIPE.CLASS_WEIGHTS, RECIPE.SAMPLING)"})
	}
	return found
}

// risingLosses is fallingRecalls for a run without checks on valid: rare classes whose own loss has risen between the
// last two quarters of the run while that of all samples fell.
func risingLosses(rows []*Train, classes []*Class) []Alert {
	all := make([]float64, len(rows))
	for i, r := range rows {
		all[i] = float64(r.LossPlain)
	}
	whole := Curve{Y: all}
	curves := LossCurves(classes)
	if !(whole.Trend() < 0) || len(curves) == 0 {
		return nil
	}
	var found []Alert
	for _, c := range curves {
		quarter := len(c.Y) / 4
		if float64(c.N) > rareBelow*float64(curves[0].N) || quarter < 3 { // of fewer values a mean says little
			continue
		}
		now := Mean(c.Y[len(c.Y)-quarter:])
		if before := now - c.Trend(); now >= riseLeast*before {
			found = append(found, Alert{c.Heads[len(c.Heads)-1], level.Warn,
				fmt.Sprintf("%s, rare with %d samples so far: its loss rose from %s to %s while that of all fell",
					c.Name, c.N, number(before), number(now)),
				"give it more weight or draw it more often (RECIPE.CLASS_WEIGHTS, RECIPE.SAMPLING)"})
		}
	}
	return found
}

// The rules of a run that comes to nothing. They speak from half of its planned steps on: before that it may yet learn.
const (
	answersLeast  = 20  // answers that tell something
	unparsedShare = 0.5 // of the answers name no class
	flatRows      = 20  // rows that tell whether a loss falls
	flatShare     = 0.9 // of what it was at the start
)

// UselessAnswers says what is wrong with so many answers of which so many were right and so many named no class, where
// the commonest class was to be named so often; empty where nothing is. where is what was answered: "valid at step 80".
func UselessAnswers(where string, n, right, unparsed, commonest int) (bad level.Level, text, do string) {
	switch {
	case n < answersLeast:
	case float64(unparsed) >= unparsedShare*float64(n):
		return level.Error, fmt.Sprintf("%d of %d answers on %s name no class: the model has not learned to answer",
				unparsed, n, where),
			"read some of them (finetui infer, or Infer); train longer, or raise TRAIN.LEARNING_RATE"
	case right <= commonest:
		return level.Warn, fmt.Sprintf("%s right on %s, no better than always naming the commonest class (%s)",
				percent(float64(right)/float64(n)), where,
				percent(float64(commonest)/float64(n))),
			"train longer, or raise TRAIN.LEARNING_RATE; finetui lint says what else may be wrong"
	}
	return "", "", ""
}

// uselessAnswers looks at the newest check.
func uselessAnswers(checks []*Eval, steps int) []Alert {
	if len(checks) == 0 {
		return nil
	}
	now := checks[len(checks)-1]
	if steps == 0 || 2*now.Step < steps {
		return nil
	}
	n, right, commonest := 0, 0, 0
	for _, r := range now.Recall {
		n, right, commonest = n+r.N, right+r.Right, max(commonest, r.N)
	}
	bad, text, do := UselessAnswers(fmt.Sprintf("%s at step %d", now.Split, now.Step), n, right,
		now.Unparsed, commonest)
	if text == "" {
		return nil
	}
	return []Alert{{now.Head, bad, text, do}}
}

// flatLoss finds a run whose loss is about what it was at the start.
func flatLoss(rows []*Train, steps int) []Alert {
	if len(rows) < flatRows || steps == 0 || 2*rows[len(rows)-1].Step < steps {
		return nil
	}
	y := make([]float64, len(rows))
	for i, r := range rows {
		y[i] = float64(r.LossPlain)
	}
	first, now := Mean(y[:len(y)/10+1]), Mean(y[len(y)-len(y)/10-1:])
	if !(now > flatShare*first) || now < 0.05 {
		return nil
	}
	return []Alert{{rows[len(rows)-1].Head, level.Warn,
		fmt.Sprintf("the loss has hardly fallen: %s at the start, %s now", number(first), number(now)),
		"raise TRAIN.LEARNING_RATE, or look at what it learns from (Data, finetui lint)"}}
}

// number writes a value with three digits that mean something.
func number(v float64) string {
	if a := math.Abs(v); a >= 1000 && a < 1e7 {
		return fmt.Sprintf("%.0f", v)
	}
	return strings.TrimSuffix(fmt.Sprintf("%#.3g", v), ".")
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
