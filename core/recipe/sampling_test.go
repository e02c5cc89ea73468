package recipe

import (
	"math"
	"slices"
	"testing"

	"finetui/core/config"
)

func epochCounts(r *Recipe, rows []int) []float64 {
	samples := r.Samples("train")
	n := make([]float64, len(r.Classes))
	for _, i := range rows {
		n[samples[i].Class]++
	}
	return n
}

func TestEpochIsTheSameWheneverItIsDrawn(t *testing.T) {
	d := drains(drainCounts)
	for _, sampling := range []config.Sampling{"instance", "int_weight", "repeat_factor", "class_balanced",
		"square_root",
		"progressive"} {
		cfg := constants(t, "basic")
		cfg.Recipe.Sampling, cfg.Recipe.ClassWeights = sampling, "max_ratio"
		plan, again := build(t, d, cfg).Plan(), build(t, d, cfg).Plan()
		second := plan.Epoch(1)
		if slices.Equal(plan.Epoch(0), second) {
			t.Errorf("%s: two epochs have one order", sampling)
		}
		if !slices.Equal(again.Epoch(1), second) {
			t.Errorf("%s: epoch 1 differs when it is drawn alone", sampling)
		}
		cfg.Project.Seed++
		if slices.Equal(build(t, d, cfg).Plan().Epoch(1), second) {
			t.Errorf("%s: another seed gives the same epoch", sampling)
		}
	}
}

func TestInstanceEpochShowsEachSampleOnce(t *testing.T) {
	rows := build(t, drains(drainCounts), constants(t, "basic")).Plan().Epoch(3)
	slices.Sort(rows)
	for i, row := range rows {
		if i != row {
			t.Fatalf("row %d is sample %d", i, row)
		}
	}
	if len(rows) != 1129 {
		t.Errorf("%d samples", len(rows))
	}
}

func TestDrawsFollowTheirExpectation(t *testing.T) {
	d := drains(drainCounts)
	for _, c := range []struct {
		sampling     string
		first, epoch int // epochs that are counted
		fixed        bool
	}{
		{"class_balanced", 0, 60, true}, {"square_root", 0, 60, true}, {"progressive", 0, 6, true},
		{"repeat_factor", 0, 60, false},
	} {
		cfg := constants(t, "basic")
		cfg.Recipe.Sampling = config.Sampling(c.sampling)
		r := build(t, d, cfg)
		plan := r.Plan()
		got := make([]float64, len(r.Classes))
		for e := c.first; e < c.first+c.epoch; e++ {
			rows := plan.Epoch(e)
			if c.fixed && len(rows) != 1129 {
				t.Errorf("%s epoch %d has %d samples", c.sampling, e, len(rows))
			}
			for class, n := range epochCounts(r, rows) {
				got[class] += n / float64(c.epoch)
			}
		}
		for class, want := range plan.Expected() {
			if sd := math.Sqrt(want / float64(c.epoch)); math.Abs(got[class]-want) > 4.5*sd {
				t.Errorf("%s %s: %v samples an epoch, expected %v", c.sampling, r.Classes[class].Name, got[class], want)
			}
		}
	}
}

func TestProgressiveGoesFromTheDataToEvenClasses(t *testing.T) {
	cfg := constants(t, "basic")
	cfg.Recipe.Sampling = "progressive"
	plan := build(t, drains(drainCounts), cfg).Plan()
	for epoch, want := range map[int]float64{0: 1, 1: 0.8, 5: 0, 9: 0} {
		if q := plan.exponent(epoch); math.Abs(q-want) > 1e-12 {
			t.Errorf("epoch %d: q %v, want %v", epoch, q, want)
		}
	}
	cfg.Train.Epochs = 1
	if q := build(t, drains(drainCounts), cfg).Plan().exponent(0); q != 1 {
		t.Errorf("a single epoch: q %v, want 1", q)
	}
}

func TestRepeatFactorKeepsThePictureTogether(t *testing.T) {
	cfg := constants(t, "basic")
	cfg.Recipe.Sampling = "repeat_factor"
	r := build(t, drains(drainCounts), cfg)
	times := map[string]map[int]int{}
	samples := r.Samples("train")
	for _, row := range r.Plan().Epoch(0) {
		id := samples[row].Item.ID
		if times[id] == nil {
			times[id] = map[int]int{}
		}
		times[id][row]++
	}
	for id, rows := range times {
		seen := map[int]bool{}
		for _, n := range rows {
			seen[n] = true
		}
		if len(seen) != 1 {
			t.Fatalf("%s: its objects are shown unequally often: %v", id, rows)
		}
	}
}

func TestEmptyTrainGivesAnEmptyEpoch(t *testing.T) {
	counts := map[string][]int{"test": drainCounts["test"]}
	for _, sampling := range []config.Sampling{"instance", "int_weight", "repeat_factor", "class_balanced",
		"square_root",
		"progressive"} {
		cfg := constants(t, "basic")
		cfg.Recipe.Sampling = sampling
		r := build(t, drains(counts), cfg)
		if n := len(r.Plan().Epoch(0)); n != 0 {
			t.Errorf("%s: %d samples", sampling, n)
		}
		if table := Mass(r, nil); table.ImbalanceAfter != 0 || table.SamplesAfter != 0 {
			t.Errorf("%s: %+v", sampling, table)
		}
	}
}
