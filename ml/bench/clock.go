package main

import (
	"fmt"
	"slices"
	"time"
)

// span is how long something took: by the wall clock, and of this process's processor time. On a machine that others
// use the second says more about the code.
type span struct{ wall, busy time.Duration }

func (s span) plus(o span) span  { return span{s.wall + o.wall, s.busy + o.busy} }
func (s span) minus(o span) span { return span{s.wall - o.wall, s.busy - o.busy} }
func (s span) times(n int) span  { return span{s.wall * time.Duration(n), s.busy * time.Duration(n)} }

// share is a part of a span, or more than all of it.
func (s span) share(of float64) span {
	return span{time.Duration(float64(s.wall) * of), time.Duration(float64(s.busy) * of)}
}

// settle is how long the team's goroutines take to fall asleep: the system counts the time of a thread when it stops.
const settle = 300 * time.Microsecond

// clock measures one call.
func clock(f func()) span {
	time.Sleep(settle)
	wall, busy := time.Now(), processorTime()
	f()
	s := span{wall: time.Since(wall)}
	time.Sleep(settle)
	s.busy = processorTime() - busy
	return s
}

// pair is one round: the measured thing and what it is measured beside.
type pair struct{ measured, reference span }

// rounds calls both in turn, after a round that warms up.
func rounds(n int, measured, reference func() span) []pair {
	measured()
	reference()
	pairs := make([]pair, n)
	for i := range pairs {
		pairs[i] = pair{measured(), reference()}
	}
	return pairs
}

// repeated makes a call long enough to be measured: about 20 ms.
func repeated(f func()) func() span {
	f()
	once := clock(f)
	n := max(1, int(20*time.Millisecond/max(once.wall, time.Microsecond)))
	return func() span {
		s := clock(func() {
			for range n {
				f()
			}
		})
		return span{s.wall / time.Duration(n), s.busy / time.Duration(n)}
	}
}

func median[T ~int64 | ~float64](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

// compare takes the middle duration of each side and the middle of the rounds' ratios.
func compare(pairs []pair) (measured, reference time.Duration, r result) {
	var a, b []time.Duration
	var wall, busy []float64
	var all span
	for _, p := range pairs {
		a, b = append(a, p.measured.wall), append(b, p.reference.wall)
		wall = append(wall, p.measured.wall.Seconds()/p.reference.wall.Seconds())
		if p.reference.busy > 0 {
			busy = append(busy, p.measured.busy.Seconds()/p.reference.busy.Seconds())
		}
		all = all.plus(p.reference)
	}
	r.ratio, r.held = median(wall), all.busy.Seconds()/all.wall.Seconds()
	if len(busy) > 0 {
		r.busy = median(busy)
	}
	return median(a), median(b), r
}

// timesResult compares durations of equal work: how many times as long the measured side took.
func timesResult(pairs []pair) result {
	m, o, r := compare(pairs)
	r.measured, r.reference = inUnit(m), inUnit(o)
	return r
}

// rateResult compares rates: amounts of work that each side did in its time, in a unit of so much.
func rateResult(pairs []pair, measured, reference, unit float64, name string) result {
	m, o, r := compare(pairs)
	rate := func(amount float64, d time.Duration) string {
		return fmt.Sprintf("%.1f %s", amount/d.Seconds()/unit, name)
	}
	r.measured, r.reference = rate(measured, m), rate(reference, o)
	work := measured / reference
	r.ratio = work / r.ratio
	if r.busy != 0 {
		r.busy = work / r.busy
	}
	return r
}

func inUnit(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.1f µs", d.Seconds()*1e6)
}
