package table

import (
	"fmt"
	"time"
)

// Result of a line. Rates and times are of the median round, Ratio is the median of the rounds' ratios.
type Result struct {
	Measured, Reference string // with their units
	Ratio               float64
	Busy                float64 // ratio by processor time instead of the wall clock; 0: not meaningful
	Held                float64 // cores that were had while the other side ran, which could use them all
	Note                string
}

// compare takes the middle duration of each side and the middle of the rounds' ratios.
func compare(pairs []Pair) (measured, reference time.Duration, r Result) {
	var a, b []time.Duration
	var wall, busy []float64
	var all Span
	for _, p := range pairs {
		a, b = append(a, p.Measured.Wall), append(b, p.Reference.Wall)
		wall = append(wall, p.Measured.Wall.Seconds()/p.Reference.Wall.Seconds())
		if p.Reference.Busy > 0 {
			busy = append(busy, p.Measured.Busy.Seconds()/p.Reference.Busy.Seconds())
		}
		all = all.Plus(p.Reference)
	}
	r.Ratio, r.Held = Median(wall), all.Busy.Seconds()/all.Wall.Seconds()
	if len(busy) > 0 {
		r.Busy = Median(busy)
	}
	return Median(a), Median(b), r
}

// Durations compares durations of equal work: how many times as long the measured side took.
func Durations(pairs []Pair) Result {
	m, o, r := compare(pairs)
	r.Measured, r.Reference = InUnit(m), InUnit(o)
	return r
}

// Gains compares durations of equal work: how many times as fast the measured side was.
func Gains(pairs []Pair) Result {
	r := Durations(pairs)
	r.Ratio = 1 / r.Ratio
	if r.Busy != 0 {
		r.Busy = 1 / r.Busy
	}
	return r
}

// Rates compares rates: amounts of work that each side did in its time, in a unit of so much.
func Rates(pairs []Pair, measured, reference, unit float64, name string) Result {
	m, o, r := compare(pairs)
	rate := func(amount float64, d time.Duration) string {
		return fmt.Sprintf("%.1f %s", amount/d.Seconds()/unit, name)
	}
	r.Measured, r.Reference = rate(measured, m), rate(reference, o)
	work := measured / reference
	r.Ratio = work / r.Ratio
	if r.Busy != 0 {
		r.Busy = work / r.Busy
	}
	return r
}

// InUnit is a duration in the unit that suits it.
func InUnit(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1e3)
	}
	return fmt.Sprintf("%.1f µs", d.Seconds()*1e6)
}
