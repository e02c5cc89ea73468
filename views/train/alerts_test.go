package train

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"finetui/core/run"
)

// losing are train rows of these losses, a row a step.
func losing(losses ...float64) []*run.Train {
	rows := make([]*run.Train, len(losses))
	for i, l := range losses {
		rows[i] = &run.Train{Head: run.Head{Step: i + 1, Time: float64(i)}, Loss: run.Float(l), LossPlain: run.Float(l)}
	}
	return rows
}

// falling are n losses from high to low with a little noise that a table can repeat.
func falling(n int, high, low float64) []float64 {
	y := make([]float64, n)
	for i := range y {
		y[i] = low + (high-low)*math.Exp(-4*float64(i)/float64(n)) + 0.02*math.Sin(float64(i*i))
	}
	return y
}

func with(y []float64, at int, v ...float64) []float64 {
	changed := append([]float64(nil), y...)
	copy(changed[at:], v)
	return changed
}

func TestSpikesStandFarAboveWhatIsUsual(t *testing.T) {
	calm := falling(60, 2, 0.5)
	for name, c := range map[string]struct {
		losses []float64
		steps  []int // of the alerts
	}{
		"a calm run has none":           {calm, nil},
		"one row":                       {with(calm, 40, 3), []int{41}},
		"a stretch is one alert":        {with(calm, 40, 3, 4, 3), []int{41}},
		"two stretches are two":         {with(calm, 30, 4, calm[31], 4), []int{31, 33}},
		"not before the usual is known": {with(calm, 5, 9), nil},
		"a level that stays is not one spike after another": {append(falling(30, 2, 0.5), 0.7, 0.75, 0.7, 0.72), nil},
		"noise near zero is none":                           {append(falling(40, 2, 0.01), 0.05, 0.01, 0.06), nil},
		"what is not a number does not count":               {with(calm, 40, math.NaN(), 3), []int{42}},
	} {
		var steps []int
		for _, a := range spikes(losing(c.losses...)) {
			steps = append(steps, a.Step)
			if a.level != run.LevelWarn || !strings.Contains(a.text, "the median of the") {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if fmt.Sprint(steps) != fmt.Sprint(c.steps) {
			t.Errorf("%s: spikes at %v, want %v", name, steps, c.steps)
		}
	}
}

func TestNotANumberIsSaidOnceForEachStretch(t *testing.T) {
	rows := losing(2, 1, math.NaN(), math.Inf(1), 1, 1)
	rows[5].GradNorm = run.Float(math.NaN())
	found := notFinite(rows)
	if len(found) != 2 || found[0].Step != 3 || found[1].Step != 6 || found[0].level != run.LevelError {
		t.Fatalf("%+v", found)
	}
	if !strings.HasPrefix(found[0].text, "the loss") || !strings.HasPrefix(found[1].text, "the length of the gradient") {
		t.Errorf("%q, %q", found[0].text, found[1].text)
	}
}

// check is a check on valid: a frequent class of 60, and a rare one of 10 of which so many were right.
func check(step int, loss float64, right int) *run.Eval {
	return &run.Eval{Head: run.Head{Step: step}, Split: "valid", Loss: run.Float(loss),
		Recall: map[string]run.Recall{"common": {N: 60, Right: 50}, "rare": {N: 10, Right: right}}}
}

func TestARareClassThatFallsWhileTheLossFalls(t *testing.T) {
	for name, c := range map[string]struct {
		checks []*run.Eval
		found  bool
	}{
		"falls":                       {[]*run.Eval{check(50, 1, 4), check(100, 0.6, 8), check(150, 0.5, 5)}, true},
		"one answer is chance":        {[]*run.Eval{check(50, 1, 8), check(100, 0.6, 7)}, false},
		"the loss rises with it":      {[]*run.Eval{check(50, 0.6, 8), check(100, 0.7, 4)}, false},
		"it has come back":            {[]*run.Eval{check(50, 1, 8), check(100, 0.6, 4), check(150, 0.5, 8)}, false},
		"one check tells nothing":     {[]*run.Eval{check(50, 1, 8)}, false},
		"a loss that is not a number": {[]*run.Eval{check(50, 1, 8), check(100, math.NaN(), 4)}, false},
	} {
		found := fallingRecalls(c.checks)
		if (len(found) == 1) != c.found {
			t.Errorf("%s: %+v", name, found)
		}
	}
	frequent := []*run.Eval{check(50, 1, 8), check(100, 0.5, 8)}
	frequent[1].Recall["common"] = run.Recall{N: 60, Right: 20}
	if found := fallingRecalls(frequent); len(found) != 0 {
		t.Errorf("a frequent class is not rare: %+v", found)
	}
	want := "rare, rare with 10 of valid, fell from 80 % right at step 100 to 50 % while the loss fell from 0.600 to 0.500"
	if got := fallingRecalls([]*run.Eval{check(100, 0.6, 8), check(150, 0.5, 5)})[0]; got.text != want || got.Step != 150 || got.do == "" {
		t.Errorf("%+v", got)
	}
}

func TestWithoutChecksTheLossOfARareClassTells(t *testing.T) {
	rows := losing(falling(40, 2, 0.3)...)
	classes := func(rare func(i int) float64) []*run.Class {
		var all []*run.Class
		for i, row := range rows {
			all = append(all, &run.Class{Head: row.Head, Losses: run.ClassLosses{{Name: "common", N: 12, Loss: row.Loss}, {Name: "rare", N: 1, Loss: run.Float(rare(i))}}})
		}
		return all
	}
	rising := classes(func(i int) float64 { return 1 + 0.1*float64(i) })
	if found := risingLosses(rows, rising); len(found) != 1 || !strings.HasPrefix(found[0].text, "rare, rare with 40 samples so far: its loss rose from") {
		t.Errorf("%+v", found)
	}
	if found := risingLosses(rows, classes(func(i int) float64 { return 2 - 0.02*float64(i) })); len(found) != 0 {
		t.Errorf("it falls: %+v", found)
	}
	if found := risingLosses(losing(falling(40, 0.3, 2)...), rising); len(found) != 0 {
		t.Errorf("all rise: %+v", found)
	}
	history := &run.History{Train: rows, Classes: rising}
	if found := alertsOf(history); len(found) != 1 {
		t.Errorf("without checks: %+v", found)
	}
	history.Evals = []*run.Eval{check(10, 1, 8), check(20, 0.5, 8)}
	if found := alertsOf(history); len(found) != 0 {
		t.Errorf("with checks their word counts: %+v", found)
	}
}
