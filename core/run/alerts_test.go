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

// drawn are checks on valid, one every 50 steps: a frequent class of 60, and a rare one of
// n of which so many were right each time, with these losses.
func drawn(n int, right []int, losses ...float64) []*Eval {
	checks := make([]*Eval, len(right))
	for i, k := range right {
		checks[i] = check(50*(i+1), losses[i], k)
		checks[i].Recall["rare"] = Recall{N: n, Right: k}
	}
	return checks
}

func TestARareClassThatWorsensWhileTheLossFalls(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		checks []*Eval
		found  bool
	}{
		"three checks, apart":          {drawn(20, []int{18, 12, 5}, 1, 0.6, 0.5), true},
		"from its best on":             {drawn(20, []int{6, 18, 12, 5}, 2, 1, 0.6, 0.5), true},
		"slowly, over five":            {drawn(20, []int{18, 16, 13, 9, 6}, 1, 0.9, 0.8, 0.7, 0.6), true},
		"the intervals overlap":        {drawn(20, []int{18, 14, 12}, 1, 0.6, 0.5), false},
		"few samples: the same shares": {drawn(10, []int{8, 6, 3}, 1, 0.6, 0.5), false},
		"few samples, all lost":        {drawn(7, []int{7, 4, 2}, 1, 0.6, 0.5), true},
		"at the newest check alone":    {drawn(20, []int{18, 18, 5}, 1, 0.6, 0.5), false},
		"two checks":                   {drawn(20, []int{18, 5}, 1, 0.5), false},
		"one check":                    {drawn(20, []int{18}, 1), false},
		"it has come back":             {drawn(20, []int{18, 12, 5, 15}, 1, 0.6, 0.5, 0.4), false},
		"it rises":                     {drawn(20, []int{5, 12, 18}, 1, 0.6, 0.5), false},
		"the loss rises with it":       {drawn(20, []int{18, 12, 5}, 0.5, 0.6, 0.7), false},
		"the loss stays":               {drawn(20, []int{18, 12, 5}, 0.5, 0.5, 0.5), false},
		"a loss that is not a number":  {drawn(20, []int{18, 12, 5}, 1, 0.6, nan), false},
		"no rare class":                {drawn(40, []int{36, 24, 10}, 1, 0.6, 0.5), false},
	} {
		if found := worse(c.checks); (len(found) == 1) != c.found {
			t.Errorf("%s: %+v", name, found)
		}
	}
	frequent := drawn(20, []int{8, 8, 8}, 1, 0.7, 0.5)
	for i, right := range []int{50, 30, 10} {
		frequent[i].Recall["common"] = Recall{N: 60, Right: right}
	}
	if found := worse(frequent); len(found) != 0 {
		t.Errorf("a frequent class is not rare: %+v", found)
	}
	want := "rare, rare with 20 of valid, fell from 90 % right at step 50 (70…97 %) to 25 % (11…47 %) over 3 checks, more " +
		"than chance, while the loss fell from 1.00 to 0.500"
	got := worse(drawn(20, []int{18, 12, 5}, 1, 0.6, 0.5))[0]
	if got.Text != want || got.Step != 150 || got.Do == "" || got.Level != level.Warn {
		t.Errorf("%+v", got)
	}
}

func TestOverfittingIsALossOnValidThatRisesWhileThatInTrainingFalls(t *testing.T) {
	falls, stays := falling(200, 2, 0.1), make([]float64, 200)
	for i := range stays {
		stays[i] = 0.5
	}
	for name, c := range map[string]struct {
		valid []float64
		train []float64
		found bool
	}{
		"three checks":                    {[]float64{0.9, 0.5, 0.55, 0.6}, falls, true},
		"all four":                        {[]float64{0.5, 0.55, 0.6, 0.7}, falls, true},
		"two checks":                      {[]float64{0.9, 0.6, 0.5, 0.6}, falls, false},
		"it falls":                        {[]float64{0.9, 0.8, 0.7, 0.6}, falls, false},
		"it has come back":                {[]float64{0.5, 0.6, 0.7, 0.6}, falls, false},
		"up and down":                     {[]float64{0.5, 0.6, 0.55, 0.65}, falls, false},
		"by a hair":                       {[]float64{0.9, 0.5, 0.502, 0.504}, falls, false},
		"the loss in training stays":      {[]float64{0.9, 0.5, 0.55, 0.6}, stays, false},
		"the loss in training rises, too": {[]float64{0.9, 0.5, 0.55, 0.6}, falling(200, 0.1, 2), false},
		"not a number between":            {[]float64{0.5, 0.55, math.NaN(), 0.6}, falls, false},
		"no rows":                         {[]float64{0.9, 0.5, 0.55, 0.6}, nil, false},
	} {
		found := overfitting(drawn(20, make([]int, len(c.valid)), c.valid...), losing(c.train...))
		if (len(found) == 1) != c.found {
			t.Errorf("%s: %+v", name, found)
		}
	}
	got := overfitting(drawn(20, make([]int, 4), 0.9, 0.5, 0.55, 0.6), losing(falls...))[0]
	if !strings.HasPrefix(got.Text,
		"overfitting: the loss on valid rose from 0.500 at step 100 to 0.600 over 3 checks "+
			"while that in training fell from ") || got.Step != 200 || !strings.Contains(got.Do, "step 100") {
		t.Errorf("%+v", got)
	}
}

func TestAnUnevenLossIsSaidOnce(t *testing.T) {
	uneven := falling(400, 2, 0.05)
	for i := 40; i < 400; i += 9 {
		uneven[i] += 3
	}
	found := spikes(losing(uneven...))
	if len(found) != 1 || !strings.HasPrefix(found[0].Text, "the loss is uneven: 40 of 400 rows stand far above") ||
		found[0].Do == "" {
		t.Errorf("%+v", found)
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
		"lost early": {[]*Eval{checkAt(10, 50, 3), checkAt(40, 8, 74)}, 1000, level.Error,
			"74 of 82 answers on valid at step 40 name no class, where 3 did at step 10"},
		"it may yet learn":       {[]*Eval{checkAt(40, 8, 74)}, 100, "", ""},
		"it never did, early":    {[]*Eval{checkAt(10, 0, 82), checkAt(40, 8, 74)}, 1000, "", ""},
		"fewer than half, early": {[]*Eval{checkAt(10, 50, 3), checkAt(40, 40, 40)}, 1000, "", ""},
		"it has learned":         {[]*Eval{checkAt(40, 8, 74), checkAt(90, 50, 3)}, 100, "", ""},
		"steps not known":        {[]*Eval{checkAt(90, 8, 74)}, 0, "", ""},
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
	if _, text, _ := usefulness("test", 10, 0, 10, 5); text != "" {
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
