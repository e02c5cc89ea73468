package project

import (
	"context"
	"fmt"
	"math"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo"
	"finetui/core/recipe"
	"finetui/ml/train"
)

// weighted is a project on counted objects of the drains' classes, whose recipe weighs and draws them.
func weighted(t *testing.T, counts []int, words ...string) *Project {
	t.Helper()
	f, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Override(append([]string{"EVAL.DATA="}, words...)); err != nil {
		t.Fatal(err)
	}
	d := &dataset.Dataset{Root: "data", Splits: []string{"train"}}
	for c, name := range demo.Classes {
		d.Classes = append(d.Classes, dataset.SplitClass(name, []string{"blocked", "damaged"}, "normal"))
		for k := range counts[c] {
			d.Items = append(d.Items, dataset.Item{ID: fmt.Sprintf("train/%d-%d", c, k), Split: "train",
				Media:   "seen.jpg",
				Objects: []dataset.Object{{Class: c, Confidence: 1, Box: dataset.Box{X1: .5, Y1: .5}}}})
		}
	}
	p := &Project{File: f.Snapshot, Config: f.Config, Data: d}
	if p.Recipe, err = recipe.Build(d, p.Config); err != nil {
		t.Fatal(err)
	}
	if err := p.OpenBase(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// realised is each class's share of the gradient mass over some epochs, where a step's loss is divided by what divide
// says.
func realised(p *Project, divide func(samples []train.Sample) float64) []float64 {
	samples, batches := p.Recipe.Samples("train"), p.Batches()
	tokens := map[string]int{}
	share, sum := make([]float64, len(p.Recipe.Classes)), 0.0
	for step := range batches.Steps() {
		indices, _, _ := batches.At(step)
		made := make([]train.Sample, len(indices))
		for i, k := range indices {
			s := &samples[k]
			if _, ok := tokens[s.Answer]; !ok {
				tokens[s.Answer] = p.Base.AnswerTokens(s.Answer)
			}
			for range tokens[s.Answer] {
				made[i].Targets, made[i].Weights = append(made[i].Targets, 0), append(made[i].Weights,
					float32(s.Weight))
			}
		}
		denominator := divide(made)
		for _, k := range indices {
			mass := float64(tokens[samples[k].Answer]) * samples[k].Weight / denominator
			share[samples[k].Class] += mass
			sum += mass
		}
	}
	for c := range share {
		share[c] /= sum
	}
	return share
}

// A class gets the share of the gradient that the mass table says, whatever the size of the batch; by a step's own
// weights it did not.
func TestStepsGiveEachClassTheMassThatTheTablePromises(t *testing.T) {
	published, tail := []int{44, 57, 58, 119, 282, 202, 75, 118, 174}, []int{3, 5, 5, 33, 282, 122, 10, 32, 84}
	for _, c := range []struct {
		name   string
		counts []int
		batch  int
		off    float64 // of a class's share, at most: the last batch of an epoch is smaller; draws are chance
		words  []string
	}{
		{"balanced, one at a time", published, 1, .002, []string{"RECIPE.SAMPLING=instance",
			"RECIPE.CLASS_WEIGHTS=balanced"}},
		{"balanced, batches of 4", published, 4, .002, []string{"RECIPE.SAMPLING=instance",
			"RECIPE.CLASS_WEIGHTS=balanced"}},
		{"balanced, batches of 4, long tail", tail, 4, .002, []string{"RECIPE.SAMPLING=instance",
			"RECIPE.CLASS_WEIGHTS=balanced"}},
		{"conditions, batches of 4, long tail", tail, 4, .002, []string{"RECIPE.SAMPLING=instance",
			"RECIPE.CONDITION_WEIGHTS=balanced"}},
		{"drawn and weighted", tail, 4, .1, []string{"RECIPE.SAMPLING=square_root",
			"RECIPE.CLASS_WEIGHTS=inverse_sqrt"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := weighted(t, c.counts,
				append([]string{"TRAIN.BATCH_SIZE=1", fmt.Sprintf("TRAIN.GRAD_ACCUM=%d", c.batch),
					"TRAIN.EPOCHS=60"}, c.words...)...)
			table := p.Mass()
			if table.SampleWeight <= 0 {
				t.Fatalf("the recipe weighs, and the weight of a sample is %v", table.SampleWeight)
			}
			now := realised(p, func(s []train.Sample) float64 { return train.StepDenominator(s, table.SampleWeight) })
			own := realised(p, train.Denominator)
			worst, before := 0.0, 0.0
			for k, row := range table.Classes {
				worst = max(worst, math.Abs(now[k]/row.ShareMass-1))
				before = max(before, math.Abs(own[k]/row.ShareMass-1))
				t.Logf("%-22s promised %5.2f %%, realised %5.2f %%, by a step's own weights %5.2f %%", row.Class,
					100*row.ShareMass, 100*now[k], 100*own[k])
			}
			t.Logf("furthest off %.1f %%, by own weights %.1f %%", 100*worst, 100*before)
			if worst > c.off || before < .1 {
				t.Errorf("a class has %.1f %% more or less than promised, and %.1f %% by a step's own weights",
					100*worst,
					100*before)
			}
		})
	}
}
