package widget

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// noisy is a line of n points with a spike, a hole and a step that is repeated.
func noisy(n int) Line {
	l := Line{X: make([]float64, n), Y: make([]float64, n)}
	for i := range n {
		l.X[i], l.Y[i] = float64(i), 1+math.Sin(float64(i*i))/5
	}
	l.Y[n/3], l.Y[n/2] = 40, math.NaN()
	for i := 2 * n / 3; i < n; i++ {
		l.X[i] -= float64(n / 10)
	}
	return l
}

func TestAThinnedLineKeepsItsEndsExtremesHolesAndOrder(t *testing.T) {
	for _, n := range []int{600, 5_000, 200_003} {
		whole := noisy(n)
		thin := whole.Thinned(512)
		if len(thin.X) != len(thin.Y) || len(thin.X) > 560 {
			t.Fatalf("%d points became %d and %d", n, len(thin.X), len(thin.Y))
		}
		holes, back := 0, 0
		for i, y := range thin.Y {
			if math.IsNaN(y) {
				holes++
			}
			if i > 0 && thin.X[i] < thin.X[i-1] {
				back++
			}
		}
		if holes != 1 || back != 1 {
			t.Errorf("%d points: %d holes, back %d times", n, holes, back)
		}
		if thin.X[0] != whole.X[0] || thin.X[len(thin.X)-1] != whole.X[n-1] || thin.Y[len(thin.Y)-1] != whole.Y[n-1] {
			t.Errorf("%d points: the ends are others", n)
		}
		known := func(y float64) bool { return !math.IsNaN(y) }
		for what, of := range map[string]func([]float64) float64{"lowest": slices.Min[[]float64],
			"highest": slices.Max[[]float64]} {
			if a, b := of(filtered(whole.Y, known)), of(filtered(thin.Y, known)); a != b {
				t.Errorf("%d points: the %s is %g in place of %g", n, what, b, a)
			}
		}
	}
	if short := noisy(100); len(short.Thinned(512).X) != 100 {
		t.Error("a short line is thinned")
	}
}

func filtered(values []float64, keep func(float64) bool) (kept []float64) {
	for _, v := range values {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func TestAThinnedLineIsDrawnAsTheWholeOne(t *testing.T) {
	theme := NewTheme(true, false)
	for _, ignore := range []bool{false, true} {
		whole := noisy(50_000)
		draw := func(l Line) []rune {
			return []rune(LineChart{Lines: []Line{l}, IgnoreOutliers: ignore}.View(theme, 100, 20))
		}
		a, b := draw(whole), draw(whole.Thinned(2048))
		if len(a) != len(b) {
			t.Fatalf("%d cells and %d", len(a), len(b))
		}
		other := 0
		for i := range a {
			if a[i] != b[i] {
				other++
			}
		}
		if share := float64(other) / float64(len(a)); share > 0.03 {
			t.Errorf("outliers ignored %v: %.0f %% of the cells differ\n%s\n%s", ignore, 100*share,
				string(a), string(b))
		}
		if strings.Count(string(a), "✗") != strings.Count(string(b), "✗") {
			t.Error("the hole is not marked as in the whole line")
		}
	}
}
