package printable

import (
	"math"
	"slices"
	"testing"
)

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		from, to float64
		n        int
		want     []float64
	}{
		{0, 10, 5, []float64{0, 2, 4, 6, 8, 10}},
		{0, 10, 4, []float64{0, 5, 10}},
		{-3.2, 4.1, 7, []float64{-2, 0, 2, 4}},
		{0.11, 0.29, 4, []float64{.15, .2, .25}},
		{1000, 300_000, 3, []float64{100_000, 200_000, 300_000}},
		{5, 5, 4, nil},
		{7, 3, 4, nil},
		{math.NaN(), 1, 4, nil},
		{0, math.Inf(1), 4, nil},
	} {
		got := Ticks(c.from, c.to, c.n)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9*max(1, math.Abs(b)) }) {
			t.Errorf("from %g to %g, %d: %v, want %v", c.from, c.to, c.n, got, c.want)
		}
		for _, v := range got {
			if v == 0 && math.Signbit(v) {
				t.Errorf("from %g to %g: −0", c.from, c.to)
			}
		}
	}
}
