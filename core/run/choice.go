package run

import (
	"fmt"
	"math"

	"finetui/core/config"
	"finetui/core/level"
)

// By is the figure of a check that TRAIN.BEST_BY names: the higher, the better.
func (e *Eval) ChosenBy(by config.BestBy) float64 {
	s := Score{Loss: e.Loss, Accuracy: e.Accuracy, MacroF1: e.MacroF1}
	return s.By(by)
}

// choice finds a run whose best checkpoint is the best by chance: some other check lies nearer to it than the standard
// error of the figure that decides. It is the last alert of its kind that counts, so there is one at most.
func choice(checks []*Eval) []Alert {
	var best, next *Eval
	for _, e := range checks {
		if e.By == "" || e.By == config.BestByLast || !(e.SE > 0) || math.IsInf(e.ChosenBy(e.By), 0) {
			continue
		}
		if best != nil && best.By != e.By { // it was changed on the way
			best, next = nil, nil
		}
		switch {
		case best == nil || e.ChosenBy(e.By) >= best.ChosenBy(e.By):
			best, next = e, best
		case next == nil || e.ChosenBy(e.By) >= next.ChosenBy(e.By):
			next = e
		}
	}
	if next == nil {
		return nil
	}
	ahead := best.ChosenBy(best.By) - next.ChosenBy(best.By)
	if ahead >= float64(best.SE) {
		return nil
	}
	n := 0
	for _, r := range best.Recall {
		n += r.N
	}
	last := checks[len(checks)-1]
	return []Alert{{last.Head, level.Warn,
		fmt.Sprintf("TRAIN.BEST_BY = %s takes step %d before step %d by %s, on %d objects "+
			"of valid: that is less than the standard error of %s, so that chance decides", best.By, best.Step, next.Step,
			amount(best.By, ahead), n, amount(best.By, float64(best.SE))),
		"TRAIN.BEST_BY = last scores the same step of every run; a larger valid tells more"}}
}

// amount writes a difference of a figure: shares in points.
func amount(by config.BestBy, v float64) string {
	if by == config.BestByLoss {
		return number(v)
	}
	return fmt.Sprintf("%.1f points", 100*v)
}
