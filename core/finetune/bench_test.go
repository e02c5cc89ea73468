package finetune

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/nn"
	"finetui/ml/qwen2vl"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// normal is a Source of random weights.
type normal struct{ rng *rand.Rand }

func (n normal) Matrix(_ string, rows, cols int) (nn.Matrix, error) {
	v := make([]float32, rows*cols)
	for i := range v {
		v[i] = float32(n.rng.NormFloat64() * .05)
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: v}, nil
}

func (n normal) Vector(name string, size int) ([]float32, error) {
	v := make([]float32, size)
	if !strings.HasSuffix(name, ".bias") {
		for i := range v {
			v[i] = 1
		}
	}
	return v, nil
}

// BenchmarkEpochOfALargeTower trains an epoch of the enhanced recipe with a tower of 12
// times the tiny base's parameters: once with the tower in every step, once on features that
// are kept. "once" is what making them costs, a single time.
func BenchmarkEpochOfALargeTower(b *testing.B) {
	p := benchProject(b)
	data, err := weights.ReadConfig(p.Base.Dir)
	if err != nil {
		b.Fatal(err)
	}
	c, err := qwen2vl.ParseConfig(data)
	if err != nil {
		b.Fatal(err)
	}
	c.Vision.Embed, c.Vision.Heads = 448, 14 // (448/128)² = 12.25
	adapt := weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: 16, Scale: 2}, strings.Contains(module, "self_attn")
	}}
	m, err := qwen2vl.New(c, normal{rand.New(rand.NewPCG(1, 1))}, qwen2vl.Tuning{Text: adapt})
	if err != nil {
		b.Fatal(err)
	}
	var whole, kept []train.Sample
	tower := m.NewTower(nn.NewExec(0))
	var once time.Duration
	for _, i := range p.Recipe.Plan().Epoch(0) {
		s := benchSample(b, p, p.Recipe.Samples("train")[i])
		whole = append(whole, s)
		start := time.Now()
		seen := s.Visual.(qwen2vl.Patches)
		features, err := tower.Features(seen.Pixels, seen.Grids)
		once += time.Since(start)
		if err != nil {
			b.Fatal(err)
		}
		s.Visual = qwen2vl.Features(features)
		kept = append(kept, s)
	}
	// epochs returns a function that trains one more; the first one, which finds its memory, is over.
	epochs := func(n qwen2vl.Network, samples []train.Sample) func() time.Duration {
		solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: 1e-3}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		t, err := train.New(n, solver, train.Schedule{Kind: "constant"}, train.Options{Replicas: 2, Threads: 2})
		if err != nil {
			b.Fatal(err)
		}
		next := func() time.Duration {
			start := time.Now()
			for first := 0; first < len(samples); first += 16 {
				if _, err := t.Step(context.Background(), samples[first:min(first+16, len(samples))]); err != nil {
					b.Fatal(err)
				}
			}
			return time.Since(start)
		}
		next()
		return next
	}
	inEveryStep, onFeatures := epochs(qwen2vl.Network{Model: m, Tower: true}, whole),
		epochs(qwen2vl.Network{Model: m}, kept)
	var with, without time.Duration
	for b.Loop() {
		with += inEveryStep()
		without += onFeatures()
	}
	b.ReportMetric(with.Seconds()/without.Seconds(), "times-faster")
	b.ReportMetric(with.Seconds()/float64(b.N), "s-with-tower")
	b.ReportMetric(without.Seconds()/float64(b.N), "s-with-features")
	b.ReportMetric(once.Seconds(), "s-once")
}

// benchProject is a small drawn project with its base open.
func benchProject(b *testing.B) *project.Project {
	b.Helper()
	p, err := project.Open(context.Background(), smallProject(b).Snapshot, nil)
	if err == nil {
		err = p.OpenBase(context.Background(), nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	return p
}

// benchSample is a sample with its patches.
func benchSample(b *testing.B, p *project.Project, s recipe.Sample) train.Sample {
	b.Helper()
	t, err := p.Encoder().Cut(context.Background(), s)
	if err != nil {
		b.Fatal(err)
	}
	return t
}
