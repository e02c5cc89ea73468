package eval

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// twoRuns answers n rock toes: of the first `discordant` pairs one run is right alone, then the other, the rest both.
func twoRuns(t *testing.T, n, onlyFirst, onlySecond int) (a, b *Result) {
	t.Helper()
	var first, second []Item
	for i := range n {
		it := Item{ID: fmt.Sprint("test/", i, "#0"), Expected: 3, Answer: "rock toe"}
		one, two := it, it
		if i < onlyFirst {
			two.Answer = "rock toe damaged"
		} else if i < onlyFirst+onlySecond {
			one.Answer = "no idea"
		}
		first, second = append(first, one), append(second, two)
	}
	return score(t, first, Options{Subject: "basic", Split: "test"}), score(t, second, Options{Subject: "enhanced",
		Split: "test"})
}

func TestComparisonSays(t *testing.T) {
	for _, c := range []struct {
		first, second int
		constants     []string
		says, not     []string
	}{
		{1, 2, []string{"RECIPE.SAMPLING instance → square_root", "RECIPE.POSITION_WORDS false → true"},
			[]string{"cannot be told apart", "basic alone is right on 1, enhanced alone on 2", "p 1.000",
				"differ on 3 items only", "+0.8 points", "does not say which of them"},
			[]string{"answers more items right"}},
		{13, 20, []string{"RECIPE.SAMPLING instance → square_root"}, []string{"cannot be told apart", "p 0.296",
			"They differ in one thing: RECIPE.SAMPLING"}, []string{"items only", "does not say which"}},
		{2, 20, nil, []string{"enhanced answers more items right", "p < 0.001", "+14.1 points"}, []string{"told apart",
			"constant"}},
		{20, 2, nil, []string{"basic answers more items right", "−14.1 points"}, nil},
		{0, 0, nil, []string{"cannot be told apart", "p 1.000", "right on the same items"}, nil},
	} {
		a, b := twoRuns(t, 128, c.first, c.second)
		got, err := Compare(a, b, c.constants, 1)
		if err != nil {
			t.Fatal(err)
		}
		text := got.Text()
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%d to %d: no %q in\n%s", c.first, c.second, want, text)
			}
		}
		for _, no := range c.not {
			if strings.Contains(text, no) {
				t.Errorf("%d to %d: says %q in\n%s", c.first, c.second, no, text)
			}
		}
	}
}

func TestItemsWithoutAPartnerAreListed(t *testing.T) {
	a, b := twoRuns(t, 20, 3, 4)
	a.Items[0].ID, b.Items[19].ID = "test/gone#0", "test/new#0"
	b.Items[5].Expected = "vegetation"
	c, err := Compare(a, b, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.N != 17 || fmt.Sprint(c.OnlyInFirst, c.OnlyInSecond,
		c.TruthDiffers) != "[test/gone#0 test/19#0] [test/0#0 test/new#0] [test/5#0]" {
		t.Errorf("%d %v %v %v", c.N, c.OnlyInFirst, c.OnlyInSecond, c.TruthDiffers)
	}
	if !strings.Contains(c.Text(), "Left out: 5 items, 2 only in basic") {
		t.Error(c.Text())
	}
}

func TestCompareRefuses(t *testing.T) {
	a, b := twoRuns(t, 5, 1, 1)
	b.ClosedList = append([]Label(nil), b.ClosedList[1:]...)
	if _, err := Compare(a, b, nil, 1); err == nil || !strings.Contains(err.Error(), "closed lists") {
		t.Error(err)
	}
	a, b = twoRuns(t, 5, 1, 1)
	for i := range b.Items {
		b.Items[i].ID = "valid" + b.Items[i].ID
	}
	if _, err := Compare(a, b, nil, 1); err == nil || !strings.Contains(err.Error(), "no item in common") {
		t.Error(err)
	}
	a, b = twoRuns(t, 5, 1, 1)
	b.Items[0].Parsed = "bridge"
	if _, err := Compare(a, b, nil, 1); err == nil || !strings.Contains(err.Error(), "closed list") {
		t.Error(err)
	}
	if _, err := CompareAll([]*Result{a}, nil, 1); err == nil {
		t.Error("one evaluation was compared")
	}
}

// The example of Newcombe's paper: 36, 12, 2 and 0 pairs.
func TestNewcombeOfThePaper(t *testing.T) {
	got := NewcombeDifference(36, 2, 12, 0, 0.95)
	if math.Abs(got[0]-0.0569) > 5e-5 || math.Abs(got[1]-0.3404) > 5e-5 {
		t.Errorf("%v", got)
	}
}

func TestNewcombeTurnsWithItsPairs(t *testing.T) {
	for _, n := range [][4]int{{50, 3, 9, 20}, {0, 0, 0, 4}, {7, 0, 0, 0}, {0, 5, 0, 0}, {1, 60, 2, 1}} {
		there, back := NewcombeDifference(n[0], n[1], n[2], n[3], 0.95), NewcombeDifference(n[0], n[2], n[1],
			n[3], 0.95)
		d := float64(n[2]-n[1]) / float64(n[0]+n[1]+n[2]+n[3])
		if !near(there[0], -back[1]) || !near(there[1], -back[0]) || there[0] > d || there[1] < d || there[0] < -1 ||
			there[1] > 1 {
			t.Errorf("%v: %v and %v around %v", n, there, back, d)
		}
	}
}

func TestBoardAdjustsForItsPairs(t *testing.T) {
	a, b := twoRuns(t, 128, 1, 8) // p 0.039
	c, _ := twoRuns(t, 128, 0, 3)
	c.Subject = "control"
	board, err := CompareAll([]*Result{a, b, c}, func(i, j int) []string { return []string{fmt.Sprint(i, " ", j)} }, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(board.Pairs) != 3 || board.Pairs[2].Constants[0] != "1 2" || board.Pairs[0].P >= Told ||
		board.Pairs[0].PHolm < Told {
		t.Errorf("%+v", board.Pairs)
	}
	text := board.Text()
	for _, want := range []string{"basic", "control", "With 3 pairs looked at together p is 0.117 (Holm)",
		"rock toe (128)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if err := board.WriteJSON(filepath.Join(t.TempDir(), "compare.json")); err != nil {
		t.Error(err)
	}
}

func TestHolmNeverFalls(t *testing.T) {
	got := holm([]float64{0.04, 0.01, 0.03})
	for i, want := range []float64{0.06, 0.03, 0.06} {
		if !near(got[i], want) {
			t.Errorf("%v", got)
		}
	}
}
