package run

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"finetui/core/level"
)

// losing are train rows of these losses, a row a step.
func losing(losses ...float64) []*Train {
	rows := make([]*Train, len(losses))
	for i, l := range losses {
		rows[i] = &Train{Head: Head{Step: i + 1, Time: float64(i)}, Loss: Float(l), LossPlain: Float(l)}
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
			if a.Level != level.Warn || !strings.Contains(a.Text, "the median of the") {
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
	rows[5].GradNorm = Float(math.NaN())
	found := notFinite(rows)
	if len(found) != 2 || found[0].Step != 3 || found[1].Step != 6 || found[0].Level != level.Error {
		t.Fatalf("%+v", found)
	}
	if !strings.HasPrefix(found[0].Text, "the loss") ||
		!strings.HasPrefix(found[1].Text, "the length of the gradient") {
		t.Errorf("%q, %q", found[0].Text, found[1].Text)
	}
}

// check is a check on valid: a frequent class of 60, and a rare one of 10 of which so many were right.
func check(step int, loss float64, right int) *Eval {
	return &Eval{Head: Head{Step: step}, Split: "valid", Loss: Float(loss),
		Recall: map[string]Recall{"common": {N: 60, Right: 50}, "rare": {N: 10, Right: right}}}
}

func TestARareClassThatFallsWhileTheLossFalls(t *testing.T) {
	for name, c := range map[string]struct {
		checks []*Eval
		found  bool
	}{
		"falls":                       {[]*Eval{check(50, 1, 4), check(100, 0.6, 8), check(150, 0.5, 5)}, true},
		"one answer is chance":        {[]*Eval{check(50, 1, 8), check(100, 0.6, 7)}, false},
		"the loss rises with it":      {[]*Eval{check(50, 0.6, 8), check(100, 0.7, 4)}, false},
		"it has come back":            {[]*Eval{check(50, 1, 8), check(100, 0.6, 4), check(150, 0.5, 8)}, false},
		"one check tells nothing":     {[]*Eval{check(50, 1, 8)}, false},
		"a loss that is not a number": {[]*Eval{check(50, 1, 8), check(100, math.NaN(), 4)}, false},
	} {
		found := fallingRecalls(c.checks)
		if (len(found) == 1) != c.found {
			t.Errorf("%s: %+v", name, found)
		}
	}
	frequent := []*Eval{check(50, 1, 8), check(100, 0.5, 8)}
	frequent[1].Recall["common"] = Recall{N: 60, Right: 20}
	if found := fallingRecalls(frequent); len(found) != 0 {
		t.Errorf("a frequent class is not rare: %+v", found)
	}
	want := "rare, rare with 10 of valid, fell from 80 % right at step 100 to 50 % while the loss fell from 0.600 " +
		"to 0.500"
	if got := fallingRecalls([]*Eval{check(100, 0.6, 8), check(150, 0.5, 5)})[0]; got.Text != want || got.Step != 150 ||
		got.Do == "" {
		t.Errorf("%+v", got)
	}
}

func TestWithoutChecksTheLossOfARareClassTells(t *testing.T) {
	rows := losing(falling(40, 2, 0.3)...)
	classes := func(rare func(i int) float64) []*Class {
		var all []*Class
		for i, row := range rows {
			all = append(all, &Class{Head: row.Head, Losses: ClassLosses{{Name: "common", N: 12, Loss: row.Loss},
				{Name: "rare", N: 1, Loss: Float(rare(i))}}})
		}
		return all
	}
	rising := classes(func(i int) float64 { return 1 + 0.1*float64(i) })
	if found := risingLosses(rows, rising); len(found) != 1 ||
		!strings.HasPrefix(found[0].Text, "rare, rare with 40 samples so far: its loss rose from") {
		t.Errorf("%+v", found)
	}
	if found := risingLosses(rows, classes(func(i int) float64 { return 2 - 0.02*float64(i) })); len(found) != 0 {
		t.Errorf("it falls: %+v", found)
	}
	if found := risingLosses(losing(falling(40, 0.3, 2)...), rising); len(found) != 0 {
		t.Errorf("all rise: %+v", found)
	}
	history := &History{Train: rows, Classes: rising}
	if found := history.Alerts(0); len(found) != 1 {
		t.Errorf("without checks: %+v", found)
	}
	history.Evals = []*Eval{check(10, 1, 8), check(20, 0.5, 8)}
	if found := history.Alerts(0); len(found) != 0 {
		t.Errorf("with checks their word counts: %+v", found)
	}
}

// checkAt is a check of 82 answers at a step.
func checkAt(step, right, unparsed int) *Eval {
	return &Eval{Head: Head{Step: step}, Split: ValidSplit, Loss: 1, Unparsed: unparsed,
		Recall: map[string]Recall{"common": {N: 30, Right: min(right, 30)},
			"other": {N: 52 - 26, Right: max(right-30, 0)}, "third": {N: 26}}}
}

func TestARunThatComesToNothingRaisesAWord(t *testing.T) {
	for name, c := range map[string]struct {
		checks []*Eval
		steps  int
		level  level.Level
		text   string
	}{
		"unparsed": {[]*Eval{checkAt(90, 8, 74)}, 100, level.Error,
			"74 of 82 answers on valid at step 90 name no class"},
		"chance": {[]*Eval{checkAt(90, 25, 0)}, 100, level.Warn,
			"30 % right on valid at step 90, no better than always naming the commonest class (37 %)"},
		"it may yet learn": {[]*Eval{checkAt(40, 8, 74)}, 100, "", ""},
		"it has learned":   {[]*Eval{checkAt(40, 8, 74), checkAt(90, 50, 3)}, 100, "", ""},
		"steps not known":  {[]*Eval{checkAt(90, 8, 74)}, 0, "", ""},
	} {
		h := History{Evals: c.checks}
		found := h.Alerts(c.steps)
		if c.text == "" {
			if len(found) != 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Level != c.level || !strings.HasPrefix(found[0].Text, c.text) ||
			found[0].Do == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if _, text, _ := UselessAnswers("test", 10, 0, 10, 5); text != "" {
		t.Errorf("ten answers tell nothing: %s", text)
	}
}

func TestALossThatHardlyFallsRaisesAWord(t *testing.T) {
	flat := History{Train: losing(falling(60, 8.0, 7.8)...)}
	if found := flat.Alerts(60); len(found) != 1 || !strings.HasPrefix(found[0].Text, "the loss has hardly fallen") {
		t.Errorf("%+v", found)
	}
	learned := History{Train: losing(falling(60, 8, 0.3)...)}
	if found := learned.Alerts(60); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	if found := flat.Alerts(600); len(found) != 0 {
		t.Errorf("early: %+v", found)
	}
}
