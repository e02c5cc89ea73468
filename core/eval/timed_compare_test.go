package eval

import (
	"encoding/json"
	"strings"
	"testing"
)

// compareTimed compares the words of two subjects, and their feedback that has its time.
func compareTimed(t *testing.T, first, second []TimedItem) *FreeTextComparison {
	t.Helper()
	a, b := twoCoaches(t, 4, 0, 0, "heels", "heels")
	c := compareFreeText(t, a, b)
	c.AddTimed(scoreTimed(t, first), scoreTimed(t, second), 1)
	return c
}

// By hand: of 5 expected the first matches 3 with 5 given, the second 4 with 5.
func TestTimedComparisonPoolsTheVideosOfBoth(t *testing.T) {
	better := twoVideos()
	better[1].Answer = []Feedback{{2.2, "back straight"}}
	c := compareTimed(t, twoVideos(), better)
	d := c.Timed
	if d.N != 2 || d.Left != 0 || !near(d.TF.Means[0], .6) || !near(d.TF.Means[1], .8) || !near(d.TF.Difference, .2) ||
		!near(d.Precision.Difference, .2) || !near(d.Recall.Difference, .2) {
		t.Errorf("%+v", d)
	}
	// A resample has the first video twice, both, or the second twice: T-F gains 0, 0.2 or 2/3.
	if i := d.TF.Interval; i == nil || i[0] != 0 || !near(i[1], 2./3) {
		t.Errorf("%v", i)
	}
	text := c.Text()
	for _, want := range []string{"basic gives 5 and matches 3, enhanced gives 5 and matches 4",
		"T-F 0.600 → 0.800, a difference of +0.200 (95 %: 0.000 to +0.667); the interval holds 0.",
		"precision            0.600  0.800    +0.200"} {
		if !strings.Contains(squeezed(text), squeezed(want)) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestTimedComparisonTellsWhereEveryVideoGains(t *testing.T) {
	var poor, good []TimedItem
	for i := range 20 {
		v := TimedItem{ID: string(rune('a' + i)), Truth: at(1, 5)}
		poor = append(poor, v)
		v.Answer = at(1, 5)
		good = append(good, v)
	}
	c := compareTimed(t, poor, good)
	if differs, words := c.Verdict(); !differs || !strings.Contains(words, "differ by T-F") {
		t.Error(words)
	}
	if d := c.Timed.Precision; d.known() || d.Interval != nil || d.Value(0) != "–" || d.Value(1) != "1.000" {
		t.Errorf("a subject that says nothing has a precision: %+v", d)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Error(err)
	}
}

func TestTimedComparisonLeavesOutWhatOneHasAlone(t *testing.T) {
	other := twoVideos()
	other[1].ID = "c"
	c := compareTimed(t, twoVideos(), other)
	if c.Timed.N != 1 || c.Timed.Left != 2 || c.Timed.TF.Interval != nil {
		t.Errorf("%+v", c.Timed)
	}
	for _, i := range []int{0, 1} {
		other[i].Error = "out of memory"
	}
	if c := compareTimed(t, twoVideos(), other); c.Timed != nil {
		t.Errorf("%+v", c.Timed)
	}
}
