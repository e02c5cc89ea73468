package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/nn"
)

// gradients runs the samples through a fresh trainer up to the sum over replicas.
func gradients(t *testing.T, o Options, samples []Sample) (*Result, []float32) {
	t.Helper()
	trainer := newTrainer(t, newTiny(1, .2), o)
	res, err := trainer.pass(context.Background(), samples, true)
	if err != nil {
		t.Fatal(err)
	}
	trainer.sumGradients()
	var all []float32
	for _, g := range trainer.grads[0] {
		all = append(all, g...)
	}
	for _, replica := range trainer.grads[1:] {
		for _, g := range replica {
			for _, v := range g {
				if v != 0 {
					t.Fatal("a replica keeps its gradients after they were summed")
				}
			}
		}
	}
	return res, all
}

func TestStepIsTheSameHoweverItIsSplit(t *testing.T) {
	samples := someSamples(3, 8)
	base, want := gradients(t, Options{Replicas: 1, Threads: 1, Seed: 5}, samples)
	var scale float64
	for _, v := range want {
		scale = max(scale, math.Abs(float64(v)))
	}
	for _, o := range []Options{
		{Replicas: 1, Limits: Limits{Sequences: 1}},
		{Replicas: 1, Limits: Limits{Sequences: 4}},
		{Replicas: 1, Threads: 2, Limits: Limits{Sequences: 8}},
		{Replicas: 2, Limits: Limits{Sequences: 1}},
		{Replicas: 2, Threads: 2},
		{Replicas: 3, Limits: Limits{Tokens: 20}},
		{Replicas: 11, Limits: Limits{Tokens: 1}},
	} {
		o.Seed = 5
		res, got := gradients(t, o, samples)
		for i := range want {
			if math.Abs(float64(got[i]-want[i])) > 2e-6*scale {
				t.Fatalf("%+v: gradient %d is %g, in one pass %g", o, i, got[i], want[i])
			}
		}
		if math.Abs(res.Loss-base.Loss) > 1e-6*base.Loss {
			t.Errorf("%+v: loss %v, in one pass %v", o, res.Loss, base.Loss)
		}
		for i, l := range res.Samples {
			if b := base.Samples[i]; l.Tokens != b.Tokens || l.Right != b.Right || math.Abs(l.NLL-b.NLL) > 1e-5 ||
				l.Weight != b.Weight {
				t.Errorf("%+v: sample %d %+v, in one pass %+v", o, i, l, b)
			}
		}
		again, bits := gradients(t, o, samples)
		if !slices.Equal(bits, got) || again.Loss != res.Loss {
			t.Errorf("%+v: a second time other bits", o)
		}
	}
}

func TestLossIsTheWeightedMeanOverTheStep(t *testing.T) {
	samples := someSamples(4, 6)
	trainer := newTrainer(t, newTiny(2, 0), Options{Replicas: 2, Limits: Limits{Sequences: 2}})
	res, err := trainer.Evaluate(context.Background(), samples)
	if err != nil {
		t.Fatal(err)
	}
	var weighted, weight, nll float64
	tokens := 0
	for i, l := range res.Samples {
		weighted, weight, nll, tokens = weighted+l.Weighted, weight+l.Weight, nll+l.NLL, tokens+l.Tokens
		if l.Tokens != len(samples[i].IDs)-1 {
			t.Errorf("sample %d: %d supervised tokens of %d", i, l.Tokens, len(samples[i].IDs))
		}
	}
	if weight != Denominator(samples) || math.Abs(res.Loss-weighted/weight) > 1e-6 ||
		math.Abs(res.LossPlain-nll/float64(tokens)) > 1e-12 {
		t.Errorf("loss %v, plain %v, denominator %v; the samples say %v, %v, %v", res.Loss, res.LossPlain,
			Denominator(samples), weighted/weight, nll/float64(tokens), weight)
	}
	alone, err := trainer.Evaluate(context.Background(), samples[3:4])
	if err != nil || math.Abs(alone.Samples[0].NLL-res.Samples[3].NLL) > 1e-5 {
		t.Errorf("sample 3 alone %+v (%v), among others %+v", alone.Samples[0], err, res.Samples[3])
	}
}

// A sample of twice the weight pulls twice as hard, alone in its step too, where the step is divided by the weight that
// is expected of a sample.
func TestWeightsOfAStepOfOneSampleCount(t *testing.T) {
	samples := someSamples(2, 6)
	double := slices.Clone(samples[:1])
	double[0].Weights = slices.Clone(double[0].Weights)
	for i := range double[0].Weights {
		double[0].Weights[i] *= 2
	}
	loss := func(o Options, samples []Sample) float64 {
		res, err := newTrainer(t, newTiny(2, 0), o).pass(context.Background(), samples, true)
		if err != nil {
			t.Fatal(err)
		}
		return res.Loss
	}
	own, expected := Options{}, Options{SampleWeight: 3}
	if a, b := loss(own, samples[:1]), loss(own, double); math.Abs(a-b) > 1e-6*a {
		t.Errorf("by its own weights the loss is %v, and %v with twice the weight", a, b)
	}
	once, twice := loss(expected, samples[:1]), loss(expected, double)
	if math.Abs(twice-2*once) > 1e-6*twice {
		t.Errorf("the loss is %v, and %v with twice the weight", once, twice)
	}
	if want := loss(own, samples[:1]) * Denominator(samples[:1]) / 3; math.Abs(once-want) > 1e-6*want {
		t.Errorf("the loss is %v, want the weighted sum over what is expected of a sample, %v", once, want)
	}
	if d := StepDenominator(samples[:2], 3); d != 6 {
		t.Errorf("two samples are divided by %v, want 6", d)
	}
}

func TestDropoutDependsOnSeedStepAndSample(t *testing.T) {
	same := someSamples(5, 4)
	loss := func(o Options, steps int, samples []Sample) float64 {
		trainer := newTrainer(t, newTiny(1, .5), o)
		trainer.Solver.steps = steps
		res, err := trainer.pass(context.Background(), samples, true)
		if err != nil {
			t.Fatal(err)
		}
		return res.Loss
	}
	base := loss(Options{Seed: 1}, 0, same)
	if loss(Options{Seed: 1}, 0, same) != base {
		t.Error("same seed, step and samples, another loss")
	}
	other := slices.Clone(same)
	other[2].Key = 99
	for what, l := range map[string]float64{"seed": loss(Options{Seed: 2}, 0, same), "step": loss(Options{Seed: 1}, 1,
		same), "sample": loss(Options{Seed: 1}, 0, other)} {
		if l == base {
			t.Errorf("another %s, the same dropout", what)
		}
	}
}

func TestTrainingLowersTheLoss(t *testing.T) {
	trainer := newTrainer(t, newTiny(3, .1), Options{Replicas: 2, Threads: 2})
	samples := someSamples(6, 6)
	first, err := trainer.Evaluate(context.Background(), samples)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 12 {
		res, err := trainer.Step(context.Background(), samples)
		if err != nil {
			t.Fatal(err)
		}
		if res.LearningRate != 0.02*trainer.Schedule.Factor(k) || res.GradNorm <= 0 {
			t.Errorf("step %d: rate %v, norm %v", k, res.LearningRate, res.GradNorm)
		}
	}
	last, err := trainer.Evaluate(context.Background(), samples)
	if err != nil || last.Loss > 0.85*first.Loss {
		t.Errorf("loss %v → %v (%v)", first.Loss, last.Loss, err)
	}
}

func TestResumedRunEqualsAnUnbrokenOneBitForBit(t *testing.T) {
	o := Options{Replicas: 2, Threads: 2, Limits: Limits{Sequences: 2}, Seed: 9}
	steps := func(trainer *Trainer, from, to int) {
		for k := from; k < to; k++ {
			if _, err := trainer.Step(context.Background(), someSamples(uint64(k), 5)); err != nil {
				t.Fatal(err)
			}
		}
	}
	unbroken := newTiny(4, .2)
	trainer := newTrainer(t, unbroken, o)
	steps(trainer, 0, 5)
	dir := t.TempDir()
	if err := trainer.Save(dir, map[string]uint64{"epoch": 1, "draws": math.MaxUint64}); err != nil {
		t.Fatal(err)
	}
	at5 := unbroken.values()
	steps(trainer, 5, 10)

	resumed := newTiny(4, .2)
	resumed.setValues(at5)
	second := newTrainer(t, resumed, o)
	state, err := second.Restore(dir)
	counters := state.Counters
	if err != nil {
		t.Fatal(err)
	}
	if counters["epoch"] != 1 || counters["draws"] != math.MaxUint64 {
		t.Errorf("counters %v", counters)
	}
	steps(second, 5, 10)
	if !slices.Equal(unbroken.values(), resumed.values()) {
		t.Error("parameters differ")
	}
	a, b := t.TempDir(), t.TempDir()
	if err := errors.Join(trainer.Save(a, counters), second.Save(b, counters)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{OptimizerFile, StateFile} {
		x, errX := os.ReadFile(filepath.Join(a, name))
		y, errY := os.ReadFile(filepath.Join(b, name))
		if errX != nil || errY != nil || !slices.Equal(x, y) {
			t.Errorf("%s differs (%v, %v)", name, errX, errY)
		}
	}
}

func TestRestoreRefusesWhatIsNotThisRun(t *testing.T) {
	o := Options{Seed: 1}
	trainer := newTrainer(t, newTiny(4, 0), o)
	if _, err := trainer.Step(context.Background(), someSamples(1, 2)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := trainer.Save(dir, nil); err != nil {
		t.Fatal(err)
	}
	otherSeed := newTrainer(t, newTiny(4, 0), Options{Seed: 2})
	if _, err := otherSeed.Restore(dir); err == nil || !strings.Contains(err.Error(), "seed") {
		t.Errorf("another seed: %v", err)
	}
	fewer := newTiny(4, 0)
	fewer.layers = fewer.layers[:1]
	if _, err := newTrainer(t, fewer, o).Restore(dir); err == nil || !strings.Contains(err.Error(), "tensors") {
		t.Errorf("another network: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, StateFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Restore(dir); err == nil || !strings.Contains(err.Error(), StateFile) {
		t.Errorf("torn state: %v", err)
	}
	if _, err := trainer.Restore(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("empty folder: %v", err)
	}
}

func TestFailedStepLeavesEverythingAsItWas(t *testing.T) {
	m := newTiny(5, 0)
	trainer := newTrainer(t, m, Options{Replicas: 2})
	samples := someSamples(1, 4)
	before := m.values()
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	broken := func(change func(s *Sample)) []Sample {
		s := someSamples(1, 4)
		change(&s[2])
		return s
	}
	for _, c := range []struct {
		what    string
		ctx     context.Context
		samples []Sample
		says    string
	}{
		{"cancelled", cancelled, samples, "canceled"},
		{"unknown token", context.Background(), broken(func(s *Sample) { s.IDs[1] = tinyVocab }), "vocabulary"},
		{"not a finite number", context.Background(), broken(func(s *Sample) {
			rows := make([]float32, tinyHidden)
			rows[0] = float32(math.NaN())
			s.Visual, s.Places = seen{rows: rows}, []int32{0}
		}), "finite"},
		{"picture missing", context.Background(), broken(func(s *Sample) { s.Places, s.Visual = []int32{0}, nil }),
			"sample 2"},
		{"two features in one place", context.Background(), broken(func(s *Sample) {
			s.Visual, s.Places = seen{rows: make([]float32, 2*tinyHidden)}, []int32{1, 1}
		}), "feature 1 of its pictures stands in the place of token 1"},
		{"weight", context.Background(), broken(func(s *Sample) { s.Weights[0] = -1 }), "weight"},
		{"lengths", context.Background(), broken(func(s *Sample) { s.Targets = s.Targets[1:] }), "targets"},
		{"nothing supervised", context.Background(), []Sample{{IDs: []int32{1}, Targets: []int32{-1},
			Weights: []float32{1}}}, "supervised"},
	} {
		_, err := trainer.Step(c.ctx, c.samples)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	if !slices.Equal(m.values(), before) || trainer.Solver.Steps() != 0 {
		t.Error("parameters or step moved")
	}
	clean := newTiny(5, 0)
	other := newTrainer(t, clean, Options{Replicas: 2})
	for _, tr := range []*Trainer{trainer, other} {
		for range 3 {
			if _, err := tr.Step(context.Background(), samples); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(m.values(), clean.values()) {
		t.Error("a failed step left gradients behind")
	}
}

func TestPlanIsBalancedAndFixed(t *testing.T) {
	var samples []Sample
	for _, n := range []int{5, 9, 1, 7, 3, 2} {
		samples = append(samples, Sample{IDs: make([]int32, n)})
	}
	samples[2].Visual = seen{patches: 8} // 1 token and 8 patches
	show := func(packs [][]*Pack) (s string) {
		for _, replica := range packs {
			for _, p := range replica {
				s += fmt.Sprint(p.Index)
			}
			s += ";"
		}
		return s
	}
	for _, c := range []struct {
		replicas int
		limits   Limits
		want     string
	}{
		{1, Limits{}, "[0 1 2 3 4 5];"},
		{2, Limits{}, "[1 3 5];[0 2 4];"},
		{2, Limits{Sequences: 2}, "[1 3][5];[0 2][4];"},
		{1, Limits{Tokens: 14}, "[0 1][2][3 4 5];"},
		{1, Limits{Tokens: 4}, "[0][1][2][3][4][5];"},
		{8, Limits{}, "[1];[2];[3];[0];[4];[5];;;"},
	} {
		if got := show(plan(samples, c.replicas, c.limits)); got != c.want {
			t.Errorf("%d replicas, %+v: %s, want %s", c.replicas, c.limits, got, c.want)
		}
	}
}

func TestFillLaysSamplesEndToEnd(t *testing.T) {
	a := Sample{IDs: []int32{1, 2, 3}, Targets: []int32{-1, 3, 4}, Weights: []float32{1, 1, 2},
		Places: []int32{1, 0}, Visual: seen{rows: []float32{10, 11}}}
	b := Sample{IDs: []int32{4, 5}, Targets: []int32{5, 6}, Weights: []float32{3, 3}, Pos: [3][]int32{{7, 8},
		{7, 9}, {7, 10}},
		Places: []int32{1}, Visual: seen{rows: []float32{12}}}
	p := &Pack{Samples: []*Sample{&a, &b}, Scale: .5, Keys: []uint64{3, 4}}
	var batch nn.Batch
	for range 2 { // the second time over what the first left
		p.Fill(&batch)
	}
	got := fmt.Sprint(batch.Starts, batch.IDs, batch.Features, batch.Pos, batch.Targets, batch.Weights, batch.Scale,
		batch.Keys)
	want := "[0 3 5] [1 2 3 4 5] [1 0 -1 -1 2] [[0 1 2 7 8] [0 1 2 7 9] [0 1 2 7 10]] [-1 3 4 5 6] [1 1 2 3 3] 0.5 " +
		"[3 4]"
	if got != want {
		t.Errorf("batch\n%s, want\n%s", got, want)
	}
}
