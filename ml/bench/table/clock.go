package table

import (
	"slices"
	"time"
)

// Span is how long something took: by the wall clock, and of the processor time of this process and of the children
// that it has waited for. On a machine that others use the second says more about the code.
type Span struct{ Wall, Busy time.Duration }

func (s Span) Plus(o Span) Span  { return Span{s.Wall + o.Wall, s.Busy + o.Busy} }
func (s Span) Minus(o Span) Span { return Span{s.Wall - o.Wall, s.Busy - o.Busy} }
func (s Span) Times(n int) Span  { return Span{s.Wall * time.Duration(n), s.Busy * time.Duration(n)} }

// Share is a part of a span, or more than all of it.
func (s Span) Share(of float64) Span {
	return Span{time.Duration(float64(s.Wall) * of), time.Duration(float64(s.Busy) * of)}
}

// settle is how long a team's goroutines take to fall asleep: the system counts the time of a thread when it stops.
const settle = 300 * time.Microsecond

// Clock measures one call.
func Clock(f func()) Span {
	time.Sleep(settle)
	wall, busy := time.Now(), processorTime()
	f()
	s := Span{Wall: time.Since(wall)}
	time.Sleep(settle)
	s.Busy = processorTime() - busy
	return s
}

// Pair is one round: the measured thing and what it is measured beside.
type Pair struct{ Measured, Reference Span }

// Rounds calls both in turn, after a round that warms up.
func Rounds(n int, measured, reference func() Span) []Pair {
	measured()
	reference()
	pairs := make([]Pair, n)
	for i := range pairs {
		pairs[i] = Pair{measured(), reference()}
	}
	return pairs
}

// Repeated makes a call long enough to be measured: about 20 ms.
func Repeated(f func()) func() Span {
	f()
	once := Clock(f)
	n := max(1, int(20*time.Millisecond/max(once.Wall, time.Microsecond)))
	return func() Span {
		s := Clock(func() {
			for range n {
				f()
			}
		})
		return Span{s.Wall / time.Duration(n), s.Busy / time.Duration(n)}
	}
}

// Median is the middle value.
func Median[T ~int64 | ~float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
