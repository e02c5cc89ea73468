package train

import (
	"fmt"
	"math"
)

// Schedule is the course of the learning rate, as a factor of its peak.
type Schedule struct {
	Kind   string // "linear", "cosine" or "constant", after the warm-up
	Warmup int    // optimizer steps in which the rate rises from 0
	Steps  int    // of the whole run
}

// WarmupSteps is a warm-up given as a share of all steps, rounded up.
func WarmupSteps(ratio float64, steps int) int { return int(math.Ceil(ratio * float64(steps))) }

// Check reports a schedule that nobody can follow.
func (s Schedule) Check() error {
	switch s.Kind {
	case "linear", "cosine", "constant":
	default:
		return fmt.Errorf("schedule %q is unknown: choose linear, cosine or constant", s.Kind)
	}
	if s.Warmup < 0 || s.Steps < 0 {
		return fmt.Errorf("schedule of %d steps with %d of warm-up: neither may be negative", s.Steps, s.Warmup)
	}
	return nil
}

// Factor is the factor in force during optimizer step k, counted from 0. It equals transformers' get_scheduler: the
// first step of a warm-up has rate 0, and cosine rises again past the last step.
func (s Schedule) Factor(k int) float64 {
	if k < s.Warmup {
		return float64(k) / float64(s.Warmup)
	}
	after := float64(max(1, s.Steps-s.Warmup))
	switch s.Kind {
	case "linear":
		return max(0, float64(s.Steps-k)/after)
	case "cosine":
		return max(0, (1+math.Cos(math.Pi*float64(k-s.Warmup)/after))/2)
	}
	return 1
}
