package eval

import (
	"strings"
	"testing"
)

func TestForestMarksZeroDifferenceAndInterval(t *testing.T) {
	c := &RecipeComparison{Variants: []VariantSummary{{Name: "basic"}}, Differences: []RecipeDifference{
		{Name: "sampled", MacroF1: SeedDifference{Difference: .02, Interval: &Interval{.01, .04}}},
		{Name: "focal\x1b[31m", MacroF1: SeedDifference{Difference: -.04, Interval: &Interval{-.06, .01}}},
		{Name: "one", MacroF1: SeedDifference{Difference: .01}}}}
	got := strings.Join(c.Forest(43), "\n")
	// from −6 to +4 points in 11 cells: one a point
	want := strings.Join([]string{
		"basic       macro-F1, points          │",
		"sampled     +2.0 (+1.0 … +4.0)        │─●──",
		"focal␛[31m  -4.0 (-6.0 … +1.0)  ──●───┼─",
		"one         +1.0                      │●"}, "\n")
	if got != want {
		t.Errorf("the plot is\n%s\nwant\n%s", got, want)
	}
	for _, line := range strings.Split(got, "\n") {
		if strings.Contains(line, "\x1b") {
			t.Errorf("%q reaches a terminal raw", line)
		}
	}
}
