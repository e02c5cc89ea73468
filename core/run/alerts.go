package run

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"finetui/core/eval"
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

	spikesMost = 0.02 // of the rows: more of them are no spikes but how uneven the run is
	spikesFew  = 3    // so many stretches are never too many

	rareBelow = 1.0 / 3 // a class is rare with at most this share of the most frequent one's samples
	riseLeast = 1.25    // a class's loss rises to at least so many times what it was

	flatRows  = 20  // rows that tell whether a loss falls, from half of the planned steps on
	flatShare = 0.9 // of what it was at the start
)

// Alerts are what the figures of a run of so many planned steps (0: not known), and the evaluations after it, give
// reason to say, oldest first. Pane, follow, runs RUN and report say it in these words.
func (h *History) Alerts(steps int, results ...*eval.Result) []Alert {
	checks := h.Checks()
	all := slices.Concat(notFinite(h.Train), spikes(h.Train), worse(checks), overfitting(checks, h.Train),
		uselessAnswers(checks, steps), flatLoss(h.Train, steps), choice(checks))
	if len(checks) == 0 {
		all = append(all, risingLosses(h.Train, h.Classes)...)
	}
	for _, r := range results {
		if bad, text, do := uselessResult(r); text != "" {
			all = append(all, Alert{h.newest(), bad, text, do})
		}
	}
	slices.SortStableFunc(all, func(a, b Alert) int { return cmp.Compare(a.Step, b.Step) })
	return all
}

// newest is the head of the last row.
func (h *History) newest() Head {
	head := Head{Step: h.Step()}
	if n := len(h.Train); n > 0 {
		head.Time = h.Train[n-1].Time
	}
	if n := len(h.Checkpoints); n > 0 {
		head.Time = max(head.Time, h.Checkpoints[n-1].Time)
	}
	return head
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
		case !Finite(float64(r.GradNorm)) && !(r.foreign() && math.IsNaN(float64(r.GradNorm))):
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

// spikes finds rows whose loss stands far above the median of the rows before: once for each stretch of such rows, and
// once for all where they come so often that no single one of them says anything.
func spikes(rows []*Train) []Alert {
	var found []Alert
	far, highest := 0, (*Train)(nil) // rows that stand so far above, and the one of the highest loss
	var window []float64             // the losses before, sorted
	var order []float64              // the same as they came
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
			spike := loss > spikeTimes*middle && loss-middle > spikeSpread*spread && loss-middle > spikeStart*start
			if spike && !open {
				found = append(found, Alert{r.Head, level.Warn,
					fmt.Sprintf("spike: loss %s is %s the median of the %d rows before (%s)", number(loss),
						ratioText(loss/middle), len(order), number(middle)), ""})
			}
			if open = spike; spike {
				if far++; highest == nil || loss > float64(highest.Loss) {
					highest = r
				}
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
	if len(found) <= spikesFew || float64(len(found)) <= spikesMost*float64(len(rows)) {
		return found
	}
	return []Alert{{rows[len(rows)-1].Head, level.Warn,
		fmt.Sprintf("the loss is uneven: %d of %d rows stand far above those before them, the highest at step %d (%s)",
			far, len(rows), highest.Step, number(float64(highest.Loss))),
		"more samples a step (TRAIN.BATCH_SIZE, TRAIN.GRAD_ACCUM) or a lower TRAIN.LEARNING_RATE make it even"}}
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

// risingLosses is worse for a run without checks on valid: rare classes whose own loss has risen between the
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
