package eval

import (
	"math"
	"slices"
	"testing"

	"finetui/core/dataset"
)

var threeClasses = []dataset.Class{{Name: "common"}, {Name: "rare"}, {Name: "rarest"}}

// The answer after adjustment is argmax ln p − τ ln π, here worked out by hand: ln p differ by less than the priors'.
func TestClosedSetTakesThePriorOff(t *testing.T) {
	items := []Item{{ID: "a", Expected: 0, Answer: "common"}, {ID: "b", Expected: 1, Answer: "common"},
		{ID: "c", Expected: 2, Answer: "nothing of the list"}, {ID: "d", Expected: 0, Answer: "rare"}}
	prior := []float64{.9, .09, .01}
	logs := [][]float64{
		{-.1, -4, -6},  // adjusted by 1: .0054, -1.59, -1.39: common
		{-.5, -1, -7},  // -.39, 1.41, -2.39: rare
		{-1, -3, -2.5}, // -.89, -.59, 2.11: rarest
		{-2, -1.9, -9}, // -1.89, .51, -4.39: rare, likeliest too
	}
	r, err := Score(items, threeClasses, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tau          float64
		want         []string
		gained, lost int
		right        int
	}{
		{0, []string{"common", "common", "common", "rare"}, 0, 0, 1},
		{1, []string{"common", "rare", "rarest", "rare"}, 2, 0, 3},
		{.3, []string{"common", "rare", "common", "rare"}, 1, 0, 2}, // c: -.97 against -1.12
		{5, []string{"rarest", "rarest", "rarest", "rarest"}, 1, 1, 1},
	} {
		if err := r.ScoreClosedSet(items, threeClasses, logs, prior, c.tau, Options{}); err != nil {
			t.Fatal(err)
		}
		got := r.ClosedSets[len(r.ClosedSets)-1]
		if !slices.Equal(got.Answers, c.want) || got.Gained != c.gained || got.Lost != c.lost ||
			math.Abs(got.Accuracy-float64(c.right)/4) > 1e-12 {
			t.Errorf("τ %v: %v, accuracy %v, gained %d, lost %d; want %v, %d of 4, %d, %d", c.tau, got.Answers,
				got.Accuracy, got.Gained, got.Lost, c.want, c.right, c.gained, c.lost)
		}
		if got.P != McNemar(c.lost, c.gained) {
			t.Errorf("τ %v: p %v", c.tau, got.P)
		}
	}
	if r.Accuracy != .25 || r.Items[1].Parsed != "common" {
		t.Errorf("what was said has become %v, %+v", r.Accuracy, r.Items[1])
	}
	if err := r.ScoreClosedSet(items, threeClasses, logs, []float64{1, 0, 0}, 1, Options{}); err == nil {
		t.Error("a prior of 0 was taken the logarithm of")
	}
}
