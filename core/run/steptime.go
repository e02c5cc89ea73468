package run

import (
	"fmt"
	"math"
)

// TimeSpent is where the time of some steps went, in seconds.
type TimeSpent struct {
	Steps int

	Data, Forward, Backward, Optimizer float64
	Rest                               float64 // checks on valid, checkpoints and everything else; NaN: not known
}

// TimeOf adds up the newest rows. The rest is what their times of day have beyond it, where no gap lies between.
func TimeOf(h *History, c Clock) (s TimeSpent) {
	const newest = 20
	rows := h.Train[max(len(h.Train)-newest-1, 0):]
	s.Rest = math.NaN()
	for i, r := range rows {
		if i == 0 && len(rows) > 1 {
			continue // it is where the second one's steps begin
		}
		if i > 0 {
			s.Steps += r.Step - rows[i-1].Step
		} else {
			s.Steps += r.Step
		}
		s.Data += float64(r.Seconds.Data)
		s.Forward += float64(r.Seconds.Forward)
		s.Backward += float64(r.Seconds.Backward)
		s.Optimizer += float64(r.Seconds.Optimizer)
	}
	if n := len(rows); n > 1 && !h.Thin {
		s.Rest = max(c.Worked(rows[n-1].Time)-c.Worked(rows[0].Time)-s.Within(), 0)
	}
	return s
}

// Within is the time of the steps themselves, without the rest.
func (s TimeSpent) Within() float64 { return s.Data + s.Forward + s.Backward + s.Optimizer }

// The rules of the verdict.
const (
	waitsFrom   = 0.40 // share of a step above which data holds it up
	waitsSome   = 0.15 // or is worth a word
	solverFrom  = 0.30 // share above which the optimiser is too much
	betweenFrom = 0.40 // share of all time above which the rest is too much
)

// UnknownTime is said of rows without times.
const UnknownTime = "how long a step takes is not known yet"

// Verdict says in words what takes the time, and whether something should be done about it. machine is what computes:
// "cores" or "GPU".
func (s TimeSpent) Verdict(machine string) (text string, warn bool) {
	total := s.Within()
	if total <= 0 || math.IsNaN(total) {
		return UnknownTime, false
	}
	wait, compute := "the cores wait", "the cores compute"
	if machine == "GPU" {
		wait, compute = "the GPU waits", "the GPU computes"
	}
	data, solver := s.Data/total, s.Optimizer/total
	switch rest := s.Rest / (s.Rest + total); {
	case data >= waitsFrom:
		return fmt.Sprintf("%s for data: %s of the step", wait, percent(data)), true
	case rest >= betweenFrom:
		return fmt.Sprintf("checks and checkpoints take %s of the time: raise EVAL_EVERY or SAVE_EVERY",
			percent(rest)), true
	case solver >= solverFrom:
		return fmt.Sprintf("the optimiser takes %s of the step: more samples a step would use the time better",
			percent(solver)), true
	case data >= waitsSome:
		return fmt.Sprintf("%s for data for %s of the step", wait, percent(data)), false
	}
	return fmt.Sprintf("%s: %s forward and backward", compute, percent((s.Forward+s.Backward)/total)), false
}

// Machine is the word for what computes a run, for Verdict: "GPU" where one was reported, else "cores".
func (h *History) Machine() string {
	for _, row := range h.System {
		if len(row.GPUs) > 0 {
			return "GPU"
		}
	}
	return "cores"
}

// CoresHeld says that a live run gets little of the cores while its steps do nothing but compute: the system counts
// what it takes of them, its own clock also the time in which it had to wait for its turn. Empty where it gets enough.
func (h *History) CoresHeld() string {
	const newest, little = 10, 50.0
	var shares []float64
	for _, row := range h.System[max(len(h.System)-newest, 0):] {
		share := math.NaN()
		if row.CPU != nil {
			share = *row.CPU
		}
		shares = append(shares, share)
	}
	share := Mean(shares)
	if !(share < little) || h.Machine() != "cores" {
		return ""
	}
	return fmt.Sprintf("it gets %s of the cores: other processes hold the machine, or its steps are too small to share "+
		"out", percent(share/100))
}
