package train

import (
	"fmt"
	"math"
	"testing"

	"finetui/core/run"
)

func TestACurveIsWorkedOutOnceForEveryClassOfAScreen(t *testing.T) {
	for _, classes := range []int{9, 269} {
		r := &reading{}
		for c := range classes {
			r.classes = append(r.classes, run.Curve{Name: fmt.Sprint(c), N: 3, Heads: make([]run.Head, 3),
				Y: []float64{2, math.NaN(), 1}})
		}
		var first []*curve
		for range 2 {
			for i, c := range r.classes {
				made := r.curve(ofClass("class_loss", c), byStep, 0.5)
				switch {
				case len(first) < classes:
					first = append(first, made)
				case first[i] != made:
					t.Fatalf("%d classes: the curve of class %d is worked out again for the next frame", classes, i)
				}
			}
		}
		if c := first[0]; c.low > c.high || c.high != 2 || c.last() != c.y[2] {
			t.Errorf("low %g, high %g, last %g of %v", c.low, c.high, c.last(), c.y)
		}
	}
}
