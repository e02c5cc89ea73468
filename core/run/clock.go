package run

import (
	"slices"
	"time"
)

// Clock turns times into seconds of work: the time between a process and the one that resumed the run does not count.
type Clock struct {
	start float64 // Unix seconds of the first row
	gaps  []gap
}

// gap is a stretch in which nobody worked on the
type gap struct{ from, to float64 }

// silence is how long a run must say nothing to have been away: system rows come every few seconds.
const silence = 60.0

// NewClock finds the gaps. A run without system rows says too little to tell a gap from a long step: it has none.
func NewClock(h *History) Clock {
	var times []float64
	for _, r := range h.System {
		times = append(times, r.Time)
	}
	for _, r := range h.Train {
		times = append(times, r.Time)
	}
	if len(times) == 0 {
		return Clock{}
	}
	slices.Sort(times)
	c := Clock{start: times[0]}
	if len(h.System) < 2 || h.Thin {
		return c
	}
	for i, t := range times[1:] {
		if t-times[i] > silence {
			c.gaps = append(c.gaps, gap{times[i], t})
		}
	}
	return c
}

// Worked is how many seconds had been worked at a time.
func (c Clock) Worked(at float64) float64 {
	seconds := at - c.start
	for _, g := range c.gaps {
		if at >= g.to {
			seconds -= g.to - g.from
		} else if at > g.from {
			seconds -= at - g.from
		}
	}
	return max(seconds, 0)
}

// Pace is the optimizer steps a second of the process that is at work, from its newest rows; 0: not known. began is
// that process's start in Unix seconds.
func Pace(rows []*Train, began float64) float64 {
	const newest = 20
	rows = rows[max(len(rows)-newest, 0):]
	for len(rows) > 0 && rows[0].Time < began {
		rows = rows[1:]
	}
	if len(rows) < 2 {
		return 0
	}
	first, last := rows[0], rows[len(rows)-1]
	if last.Time <= first.Time || last.Step <= first.Step {
		return 0
	}
	return float64(last.Step-first.Step) / (last.Time - first.Time)
}

// Remaining is how long a run will go on at its pace; false where that cannot be told.
func Remaining(step, steps int, perSecond float64) (time.Duration, bool) {
	if perSecond <= 0 || steps <= step {
		return 0, false
	}
	return time.Duration(float64(steps-step) / perSecond * float64(time.Second)), true
}
