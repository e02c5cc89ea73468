package run

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"finetui/core/config"
	"finetui/core/eval"
)

// Results are the evaluations after training of those splits, in their order. One that cannot be read is left out, and
// err says why.
func (r *Run) Results(splits ...string) (results []*eval.Result, err error) {
	for _, split := range splits {
		path := r.EvalPath(split, "json")
		if r.log != nil {
			path = r.adapterEval(split)
		}
		if path == "" {
			continue
		}
		result, fault := eval.Read(path)
		if fault == nil {
			results = append(results, result)
		} else if !errors.Is(fault, fs.ErrNotExist) {
			err = errors.Join(err, fault)
		}
	}
	return results, err
}

// Alerts are what a run's history and the evaluations that can be read give reason to say.
func (r *Run) Alerts(h *History) []Alert {
	var c *config.Config
	if snapshot, err := r.Config(); err == nil {
		c = snapshot.Config
	}
	results, _ := r.Results(EvalSplits(c)...)
	return r.Judge(h, results...)
}

// Judge is what a run's history and these evaluations give reason to say. What can be done about a run of another
// trainer is that trainer's matter.
func (r *Run) Judge(h *History, results ...*eval.Result) []Alert {
	alerts := h.Alerts(r.Info.Steps, results...)
	if r.log != nil {
		for i := range alerts {
			alerts[i].Do = ""
		}
	}
	return alerts
}

// ReadAlerts are Alerts of all that the run has reported.
func (r *Run) ReadAlerts() ([]Alert, error) {
	reader := r.Reader()
	if _, _, err := reader.Read(time.Time{}); err != nil {
		return nil, err
	}
	return r.Alerts(&reader.History), nil
}

// EvalSplits are those that a run with these constants (nil: not known) is usually evaluated on.
func EvalSplits(c *config.Config) []string {
	splits := []string{"test", ValidSplit}
	if c != nil && !slices.Contains(splits, c.Eval.Split) {
		splits = append(splits, c.Eval.Split)
	}
	return splits
}
