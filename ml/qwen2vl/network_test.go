package qwen2vl

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/weights"
)

const pad = 90 // the picture token of small

// small is a model all of whose tensors are trained: grouped queries, uneven sections, head dims that are no multiple
// of 8.
func small(t *testing.T) *Model {
	t.Helper()
	c := Config{
		Text: qwen2.Config{Hidden: 24, Layers: 2, Heads: 3, KVHeads: 1, HeadDim: 10, Inner: 28, Vocab: 97,
			Eps: 1e-6, Theta: 1e4, Sections: []int{3, 0, 2}},
		Vision: Vision{Depth: 2, Embed: 24, Heads: 2, MLPRatio: 1.5, Hidden: 24, Patch: 2, Merge: 2, Temporal: 2,
			Channels: 3},
		ImageToken: pad, VideoToken: pad + 1,
	}
	all := weights.Tuning{All: true}
	m, err := New(c, goldentest.Drawn{}, Tuning{Text: all, Tower: all, Merger: all})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sample is a conversation with pictures of these grids, each followed by words.
func sample(t *testing.T, c Config, seed uint64, grids ...Grid) train.Sample {
	t.Helper()
	draw := rand.New(rand.NewPCG(seed, 0))
	word := func() int32 { return int32(draw.IntN(pad)) }
	s := train.Sample{IDs: []int32{word()}, Key: seed}
	var seen Patches
	for _, g := range grids {
		for range g.Tokens(c.Vision.Merge) {
			s.IDs = append(s.IDs, pad)
		}
		s.IDs = append(s.IDs, word(), word())
		seen.Grids = append(seen.Grids, g)
		for range g.Patches() * c.Vision.PatchWidth() {
			seen.Pixels = append(seen.Pixels, float32(draw.NormFloat64()))
		}
	}
	s.Visual = seen
	s.IDs = append(s.IDs, word(), word(), word())
	pos, features, err := c.Positions(s.IDs, grids)
	if err != nil {
		t.Fatal(err)
	}
	s.Pos = pos
	for at, f := range features {
		if f >= 0 {
			s.Places = append(s.Places, int32(at))
		}
	}
	labels := append([]int32(nil), s.IDs...)
	for i := range len(labels) - 3 {
		labels[i] = -1
	}
	s.Targets, s.Weights = train.Shift(labels)
	return s
}

func trainer(t *testing.T, n Network, o train.Options) *train.Trainer {
	t.Helper()
	solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: 1e-2}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.New(n, solver, train.Schedule{Kind: "constant"}, o)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// Conversations with several pictures of different sizes, with a clip, without a picture, with
// nothing to learn, and of one token, laid end to end in any way and run by more workers than
// there are, give the gradient that they give one by one.
func TestStepWithTheTowerIsTheSameHoweverItIsSplit(t *testing.T) {
	step := func(o train.Options) *train.Result {
		m := small(t)
		samples := []train.Sample{
			sample(t, m.Config, 1),
			sample(t, m.Config, 2, Grid{T: 1, H: 2, W: 4}, Grid{T: 1, H: 4, W: 2}),
			sample(t, m.Config, 3, Grid{T: 3, H: 2, W: 2}),
			sample(t, m.Config, 4, Grid{T: 1, H: 2, W: 2}),
			sample(t, m.Config, 5, Grid{T: 1, H: 2, W: 2}),
			{IDs: []int32{7}, Targets: []int32{-1}, Weights: []float32{0}},
		}
		clear(samples[4].Weights)
		res, err := trainer(t, Network{Model: m, Tower: true}, o).Step(context.Background(), samples)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		return res
	}
	want := step(train.Options{Threads: 1})
	for _, o := range []train.Options{
		{Threads: 1, Limits: train.Limits{Sequences: 1}},
		{Threads: 2, Limits: train.Limits{Sequences: 2}},
		{Replicas: 7, Threads: 2, Limits: train.Limits{Sequences: 1}},
	} {
		got := step(o)
		if math.Abs(got.Loss-want.Loss) > 1e-6*want.Loss || math.Abs(got.GradNorm-want.GradNorm) > 1e-5*want.GradNorm {
			t.Errorf("%+v: loss %v and gradient norm %v, in one pass %v and %v", o, got.Loss, got.GradNorm, want.Loss,
				want.GradNorm)
		}
		for i := range want.Samples {
			if math.Abs(got.Samples[i].NLL-want.Samples[i].NLL) > 1e-5 {
				t.Errorf("%+v: sample %d has nll %v, in one pass %v", o, i, got.Samples[i].NLL, want.Samples[i].NLL)
			}
		}
	}
}

func TestFeaturesThatDoNotFitTheirSampleAreRefused(t *testing.T) {
	m := small(t)
	for name, tc := range map[string]struct {
		tower  bool
		change func(s *train.Sample)
		want   string
	}{
		"a place less than the picture has": {true, func(s *train.Sample) { s.Places = s.Places[1:] },
			"sample 0"},
		"patches of another size": {true, func(s *train.Sample) {
			s.Visual.(Patches).Grids[0] = Grid{T: 1,
				H: 4, W: 4}
		},
			"sample 0"},
		"a grid that makes no whole tokens": {true, func(s *train.Sample) {
			s.Visual.(Patches).Grids[0] = Grid{T: 1,
				H: 8, W: 1}
		}, "8×1"},
		"features fewer than places": {false, func(s *train.Sample) { s.Visual = make(Features, 24) },
			"sample 0"},
		"features that are no whole rows": {false, func(s *train.Sample) { s.Visual = make(Features, 47) },
			"sample 0"},
	} {
		s, other := sample(t, m.Config, 2, Grid{T: 1, H: 2, W: 4}), sample(t, m.Config, 3, Grid{T: 1, H: 2, W: 4})
		if !tc.tower {
			other.Visual = make(Features, 2*24)
		}
		tc.change(&s)
		n := Network{Model: m, Tower: tc.tower}
		_, err := trainer(t, n, train.Options{}).Evaluate(context.Background(), []train.Sample{s, other})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v does not say %q", name, err, tc.want)
		}
	}
}

// Along the gradient of each block's parameters the loss of the whole model, from
// the pixels on, rises as steeply as the gradient is long.
func TestGradientFromThePixelsOnAgreesWithDifferences(t *testing.T) {
	m := small(t)
	replica, err := Network{Model: m, Tower: true}.NewReplica(nn.NewExec(2))
	if err != nil {
		t.Fatal(err)
	}
	one, two := sample(t, m.Config, 2, Grid{T: 1, H: 2, W: 4}, Grid{T: 2, H: 2, W: 2}), sample(t, m.Config, 3)
	if err := replica.Load(&train.Pack{Samples: []*train.Sample{&one, &two}, Scale: .25,
		Index: []int{0, 1}}); err != nil {
		t.Fatal(err)
	}
	chain := replica.Chain()
	if _, err := chain.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	replica.Outcome().WithGradient(false)
	for i, p := range chain.Params() {
		start, norm := append([]float32(nil), p.Value...), 0.
		for _, g := range p.Grad {
			norm += float64(g) * float64(g)
		}
		norm = math.Sqrt(norm)
		along := func(step float64) float64 {
			for k, g := range p.Grad {
				p.Value[k] = float32(float64(start[k]) + step*float64(g)/norm)
			}
			loss, err := chain.Loss(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return loss
		}
		const eps = 4e-3
		slope := (8*(along(eps)-along(-eps)) - (along(2*eps) - along(-2*eps))) / (12 * eps)
		copy(p.Value, start)
		if !(norm > 0) || math.Abs(slope-norm) > 1e-2*norm+1e-4 {
			t.Errorf("block %d with parameters: the loss rises by %v, its gradient is %v long", i, slope, norm)
		}
	}
}

// TestRecomputingChangesNothing trains language model, tower and merger with adapters and dropout, in passes of several
// lengths, with a check of the loss between them; and the language model on words alone.
func TestRecomputingChangesNothing(t *testing.T) {
	t.Run("words", func(t *testing.T) {
		samples := make([]train.Sample, 4)
		for i := range samples {
			samples[i] = sample(t, small(t).Config, uint64(i))
			samples[i].Visual = nil
		}
		recomputed(t, false, samples)
	})
	t.Run("pictures", func(t *testing.T) {
		c := small(t).Config
		recomputed(t, true, []train.Sample{sample(t, c, 1), sample(t, c, 2, Grid{T: 1, H: 2, W: 4},
			Grid{T: 1, H: 4, W: 2}), sample(t, c, 3, Grid{T: 3, H: 2, W: 2}), sample(t, c, 4, Grid{T: 1, H: 2, W: 2})})
	})
}

// recomputed trains with and without activations made again, and asks for the same bits.
func recomputed(t *testing.T, tower bool, samples []train.Sample) {
	learn := func(recompute bool) (losses []float64, values [][]float32) {
		c := small(t).Config
		adapt := weights.Tuning{Adapt: func(string) (weights.Adapter, bool) {
			return weights.Adapter{R: 2, Scale: 1, Dropout: .2}, true
		}}
		m, err := New(c, goldentest.Drawn{}, Tuning{Text: adapt, Tower: adapt, Merger: adapt})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Parameters() {
			v, _ := goldentest.Drawn{}.Vector(p.Name, len(p.Value))
			copy(p.Value, v)
		}
		tr := trainer(t, Network{Model: m, Tower: tower, Recompute: recompute}, train.Options{Threads: 2, Seed: 3,
			Limits: train.Limits{Sequences: 3}})
		for range 3 {
			res, err := tr.Step(context.Background(), samples)
			if err != nil {
				t.Fatal(err)
			}
			checked, err := tr.Evaluate(context.Background(), samples[1:])
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, res.Loss, res.GradNorm, checked.Loss)
		}
		for _, p := range m.Parameters() {
			values = append(values, p.Value)
		}
		return losses, values
	}
	losses, values := learn(false)
	again, valuesAgain := learn(true)
	if !slices.Equal(losses, again) {
		t.Errorf("losses and norms are %v, and %v where activations are made again", losses, again)
	}
	for i := range values {
		if !slices.Equal(values[i], valuesAgain[i]) {
			t.Errorf("tensor %d differs where activations are made again", i)
		}
	}
}
