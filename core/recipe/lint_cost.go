package recipe

import (
	"fmt"
	"math"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
)

// From where on copies of samples are dear: an epoch so many times as long, or a sample so many times in one.
const (
	dearEpoch  = 4
	dearCopies = 30
)

// lintCopies finds weights as copies that make an epoch much longer, or show a few samples over and over.
func (r *Recipe) lintCopies() []dataset.Finding {
	if r.cfg.Recipe.Sampling != config.SampleIntWeight {
		return nil
	}
	t := Mass(r, nil)
	var most Row
	for _, row := range t.Classes {
		if row.N > 0 && row.Copies > most.Copies {
			most = row
		}
	}
	times := t.SamplesAfter / float64(max(1, t.SamplesBefore))
	if times < dearEpoch && most.Copies < dearCopies {
		return nil
	}
	return []dataset.Finding{{Code: "copies_dear", Level: level.Warn,
		Text: fmt.Sprintf("RECIPE.SAMPLING = int_weight shows %s of %s %.0f times in an epoch, and makes an epoch of %s one "+
			"of %.0f: %.1f times the steps and the time, spent on the same few pictures",
			dataset.Counted(most.N, "the one sample", "each of the samples"), most.Class, most.Copies,
			dataset.Counted(t.SamplesBefore, "sample", "samples"), t.SamplesAfter, times),
		Do: "square_root or class_balanced sampling keep an epoch as long as it is; or take milder weights " +
			"(RECIPE.CLASS_WEIGHTS, CONDITION_WEIGHTS: inverse_sqrt, effective_number)"}}
}

// What is assumed of answers, and of the losses of objects, before anything is trained; and from where on the standard
// error of a choice is larger than what late checkpoints of a run commonly differ by: a point, or 5 % of the loss.
const (
	assumedRight = 0.95
	sureError    = 0.01
	sureLoss     = 0.05
)

// lintChoice finds a choice of checkpoints by a figure that valid is too small for.
func (r *Recipe) lintChoice() []dataset.Finding {
	by := r.cfg.Train.BestBy
	if by == config.BestByLast || r.cfg.Train.EvalEvery == 0 {
		return nil
	}
	counts, n := make([]int, len(r.Classes)), 0
	for i := range r.data.Items {
		it := &r.data.Items[i]
		if it.Split != "valid" {
			continue
		}
		for o := range it.Objects {
			counts[it.Objects[o].Class]++
			n++
		}
	}
	if n == 0 {
		return nil // then the last one is taken
	}
	se, rarest := expectedError(by, counts, n)
	sure, size := sureError, fmt.Sprintf("%.1f points, if %.0f %% of the answers are right", 100*se, 100*assumedRight)
	if by == config.BestByLoss {
		sure, size = sureLoss, fmt.Sprintf("%.0f %% of the loss, if that of single objects varies as much as it is large",
			100*se)
	}
	if se <= sure {
		return nil
	}
	return []dataset.Finding{{Code: "choice_unsure", Level: level.Warn,
		Text: fmt.Sprintf("TRAIN.BEST_BY = %s chooses among checkpoints by %s of valid, of the rarest class %s by %d: the "+
			"standard error of that figure is about %s, more than late checkpoints commonly differ by", by,
			dataset.Counted(n, "object", "objects"), r.Classes[rarest].Name, counts[rarest], size),
		Do: "TRAIN.BEST_BY = last scores the same step of every run; a larger valid tells more"}}
}

// expectedError is the standard error of a figure of so many objects of each class, and the rarest class among them.
func expectedError(by config.BestBy, counts []int, n int) (se float64, rarest int) {
	rarest = -1
	sum, classes := 0.0, 0.0
	for c, k := range counts {
		if k == 0 {
			continue
		}
		if rarest < 0 || k < counts[rarest] {
			rarest = c
		}
		sum, classes = sum+1/float64(k), classes+1
	}
	const spread = assumedRight * (1 - assumedRight)
	switch by {
	case config.BestByMacroF1:
		return math.Sqrt(spread*sum) / classes, rarest
	case config.BestByAccuracy:
		return math.Sqrt(spread / float64(n)), rarest
	}
	return 1 / math.Sqrt(float64(n)), rarest
}
