package train

import (
	"fmt"
	"math"
	"slices"
)

// Schedule is the course of the learning rate, as a factor of its peak.
type Schedule struct {
	Kind   string // "linear", "cosine" or "constant", after the warm-up
	Warmup int    // optimizer steps in which the rate rises from 0
	Steps  int    // of the whole run, as it was planned at first
	Bends  []Bend `json:",omitempty"` // in their order
}

// Bend is a change of the number of all steps in the midst of a run. The rate goes on where it stood, and what was left
// of its course is spread over the steps that are left now.
type Bend struct {
	At    int // steps taken when it was changed
	Steps int // of the whole run from then on
}

// Total is the number of steps of the whole run, as it is planned now.
func (s Schedule) Total() int {
	if n := len(s.Bends); n > 0 {
		return s.Bends[n-1].Steps
	}
	return s.Steps
}

// Bend returns the schedule with so many steps in all from step at on.
func (s Schedule) Bend(at, steps int) Schedule {
	if at == 0 {
		s.Steps, s.Bends = steps, nil
		return s
	}
	s.Bends = append(slices.Clone(s.Bends), Bend{at, steps})
	return s
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
	for _, b := range s.Bends {
		if b.At < 0 || b.Steps <= b.At {
			return fmt.Errorf("schedule that is changed to %d steps after %d: there must be some left", b.Steps, b.At)
		}
	}
	return nil
}

// Factor is the factor in force during optimizer step k, counted from 0. It equals transformers' get_scheduler: the
// first step of a warm-up has rate 0, and cosine rises again past the last step.
func (s Schedule) Factor(k int) float64 {
	if k < s.Warmup {
		return float64(k) / float64(s.Warmup)
	}
	if len(s.Bends) > 0 {
		switch done := s.done(k); s.Kind {
		case "linear":
			return max(0, 1-done)
		case "cosine":
			return max(0, (1+math.Cos(math.Pi*done))/2)
		}
		return 1
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

// done is the share of the course after the warm-up that lies behind step k.
func (s Schedule) done(k int) float64 {
	share, from, steps := 0.0, s.Warmup, s.Steps
	upTo := func(k int) float64 {
		return share + (1-share)*float64(k-from)/float64(max(1, steps-from))
	}
	for _, b := range s.Bends {
		if b.At > k {
			break
		}
		if b.At > from {
			share, from = upTo(b.At), b.At
		}
		steps = b.Steps
	}
	return upTo(k)
}
