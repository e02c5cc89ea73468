package recipe

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

func finding(found []dataset.Finding, code string) (f dataset.Finding) {
	for _, f := range found {
		if f.Code == code {
			return f
		}
	}
	return f
}

func TestLintTellsWhatWeightsAsCopiesCost(t *testing.T) {
	cfg := constants(t, "basic")
	cfg.Recipe.Preset, cfg.Recipe.Sampling = config.PresetCustom, config.SampleIntWeight
	if f := finding(Lint(drains(drainCounts), cfg, short), "copies_dear"); f.Text != "" {
		t.Errorf("one copy each: %+v", f)
	}
	cfg.Recipe.ClassWeights, cfg.Recipe.ConditionWeights = config.WeightMaxRatio, config.WeightMaxRatio
	d := drains(map[string][]int{"train": {3, 5, 5, 33, 282, 122, 10, 32, 84}})
	f := finding(Lint(d, cfg, short), "copies_dear")
	r, err := Build(d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	copies, samples := 0, 0
	for c, n := range r.trainCounts {
		k := IntCopies(r.rawWeights[c])
		copies, samples = max(copies, k), samples+n*k
	}
	if copies < dearCopies || samples < 10*576 {
		t.Fatalf("%d copies, %d samples: no test", copies, samples)
	}
	for _, want := range []string{fmt.Sprint(copies) + " times in an epoch", "576 samples one of " +
		fmt.Sprint(samples)} {
		if !strings.Contains(f.Text, want) {
			t.Errorf("%q does not say %q", f.Text, want)
		}
	}
}

func TestLintTellsWhenValidIsTooSmallToChooseBy(t *testing.T) {
	small := []int{4, 10, 10, 20, 60, 40, 10, 14, 40} // 208, as the demo's
	large := make([]int, 9)
	for c := range large {
		large[c] = 300
	}
	for _, c := range []struct {
		by     config.BestBy
		counts []int
		want   []string
	}{
		{config.BestByLast, small, nil},
		{config.BestByMacroF1, small, []string{"208 objects of valid", "by 4:", "2.1 points"}},
		{config.BestByAccuracy, small, []string{"208 objects of valid", "1.5 points"}},
		{config.BestByLoss, small, []string{"7 % of the loss"}},
		{config.BestByMacroF1, large, nil},
		{config.BestByAccuracy, large, nil},
		{config.BestByLoss, large, nil},
	} {
		d := drains(map[string][]int{"train": drainCounts["train"], "valid": c.counts})
		cfg := constants(t, "basic")
		cfg.Train.BestBy, cfg.Train.EvalEvery = c.by, 50
		f := finding(Lint(d, cfg, short), "choice_unsure")
		if len(c.want) == 0 && f.Text != "" {
			t.Errorf("%s on %v: %s", c.by, c.counts, f.Text)
		}
		for _, want := range c.want {
			if !strings.Contains(f.Text, want) {
				t.Errorf("%s: %q does not say %q", c.by, f.Text, want)
			}
		}
		cfg.Train.EvalEvery = 0
		if f := finding(Lint(d, cfg, short), "choice_unsure"); f.Text != "" {
			t.Errorf("%s with one check: %s", c.by, f.Text)
		}
	}
	if se, rarest := expectedError(config.BestByMacroF1, []int{0, 100, 25}, 125); rarest != 2 ||
		math.Abs(se-math.Sqrt(.95*.05*(.01+.04))/2) > 1e-12 {
		t.Errorf("standard error %v, rarest %d", se, rarest)
	}
}
