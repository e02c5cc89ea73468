package qwen2vl

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"finetui/ml/blas"
	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// adapted is qwen2vl/model with an adapter of qwen2vl/lora on it.
func adapted(t *testing.T, adapter string) *Model {
	t.Helper()
	config, adapters, err := lora.Read(goldentest.Dir(t, "qwen2vl", "lora", adapter))
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, Tuning{Text: weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: config.Rank(module), Scale: config.Scale(module)}, config.Matches(module)
	}}}, "qwen2vl/model")
	values := map[string][]float32{}
	for _, a := range adapters {
		values[a.Module+".lora_A.weight"], values[a.Module+".lora_B.weight"] = a.A, a.B
	}
	for _, p := range m.Parameters() {
		if copy(p.Value, values[p.Name]) != len(p.Value) {
			t.Fatalf("the adapter's file has no %s", p.Name)
		}
	}
	return m
}

// nested is the key of a parameter in the reference's files.
func nested(parameter string) string {
	return "base_model.model.model.language_model." + strings.TrimPrefix(parameter, "model.")
}

func (e example) sample(t *testing.T, m *Model, seen train.Visual, weight float32) train.Sample {
	t.Helper()
	b, err := e.batch(m.Config, e.rule.Positions)
	if err != nil {
		t.Fatal(err)
	}
	s := train.Sample{IDs: b.IDs, Pos: e.rule.Positions, Targets: b.Targets, Weights: b.Weights,
		Visual: seen}
	for i := range s.Weights {
		s.Weights[i] *= weight
	}
	for i, f := range b.Features {
		if f >= 0 {
			s.Places = append(s.Places, int32(i))
		}
	}
	return s
}

// stored is what the reference says about the adapter beside its tensors.
type stored struct {
	Evaluation []caseLoss
	Step1      struct {
		Loss float64 `json:"loss_f64"`
		Norm float64 `json:"grad_norm_f64"`
	}
	Traces map[string]struct {
		Schedule    string
		MaxGradNorm float64 `json:"max_grad_norm"`
		Steps       []struct {
			Loss float64 `json:"loss_f64"`
			LR   float64 `json:"lr_used"`
			Norm float64 `json:"grad_norm_before_clip_f64"`
		}
	}
	Trained []caseTokens `json:"trained_generation"`
}

type caseTokens struct {
	Case      string
	Generated []int32
}

func readStored(t *testing.T) (s stored) {
	t.Helper()
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "attn.json"), &s)
	return s
}

// goldenSteps are the samples of each optimizer step, its micro-batches one after the other: with features that were
// made before, or with patches for the tower.
func goldenSteps(t *testing.T, tol goldentest.Tolerances, m *Model, withTower bool) (steps [][]train.Sample) {
	t.Helper()
	var list []struct {
		MicroBatches [][]struct {
			Weight float32
			Case   string
		} `json:"micro_batches"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "samples.json"), &list)
	tower := m.NewTower(nn.NewExec(1))
	cases, seen := map[string]example{}, map[string]train.Visual{}
	for _, e := range examples(t, tol) {
		cases[e.name], seen[e.name] = e, Patches{e.rows, e.grids}
		if withTower {
			continue
		}
		features, err := tower.Features(e.rows, e.grids)
		if err != nil {
			t.Fatal(err)
		}
		seen[e.name] = Features(features)
	}
	for _, step := range list {
		var samples []train.Sample
		for _, batch := range step.MicroBatches {
			for _, x := range batch {
				samples = append(samples, cases[x.Case].sample(t, m, seen[x.Case], x.Weight))
			}
		}
		steps = append(steps, samples)
	}
	return steps
}

func TestGoldenAdapterLogits(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	goldentest.Dir(t, "qwen2vl", "lora", "attn.logits.safetensors")
	for _, adapter := range []string{"attn", "attn-old-names"} {
		g := goldentest.Open(t, tol, "qwen2vl/lora/attn.logits.safetensors")
		checkLogits(t, tol, adapted(t, adapter), g, readStored(t).Evaluation)
		g.Complete()
	}
}

// TestGoldenMergedLogits computes with the adapter added to the weights.
func TestGoldenMergedLogits(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	m := load(t, Tuning{}, "qwen2vl/model")
	_, adapters, err := lora.Read(goldentest.Dir(t, "qwen2vl", "lora", "attn"))
	if err != nil {
		t.Fatal(err)
	}
	byModule := map[string]lora.Adapter{}
	for _, a := range adapters {
		byModule[a.Module+".weight"] = a
	}
	merged := source{}
	for _, x := range m.Tensors() {
		if a, ok := byModule[x.Name]; ok {
			x.Value = slices.Clone(x.Value)
			a.Merge(blas.NewTeam(1), x.Value)
			delete(byModule, x.Name)
		}
		merged[x.Name] = x.Value
	}
	if len(byModule) > 0 {
		t.Fatalf("%d adapters belong to no tensor", len(byModule))
	}
	m, err = New(m.Config, merged, Tuning{})
	if err != nil {
		t.Fatal(err)
	}
	var losses []caseLoss
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "attn.merged.json"), &losses)
	g := goldentest.Open(t, tol, "qwen2vl/lora/attn.merged-logits.safetensors")
	checkLogits(t, tol, m, g, losses)
	g.Complete()
}

// source is a checkpoint in memory.
type source map[string][]float32

func (s source) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	v, err := s.Vector(name, rows*cols)
	return nn.Matrix{Rows: rows, Cols: cols, F32: v}, err
}

func (s source) Vector(name string, n int) ([]float32, error) {
	if len(s[name]) != n {
		return nil, fmt.Errorf("%s has %d values, not %d", name, len(s[name]), n)
	}
	return s[name], nil
}

func TestGoldenAdapterGreedy(t *testing.T) {
	var want []caseTokens
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "attn.generate-initial.json"), &want)
	checkAdapterGreedy(t, goldentest.LoadTolerances(t), adapted(t, "attn"),
		"qwen2vl/lora/attn.generate-initial.safetensors", want)
}

// checkAdapterGreedy decodes all cases under m.
func checkAdapterGreedy(t *testing.T, tol goldentest.Tolerances, m *Model, file string, want []caseTokens) {
	t.Helper()
	g := goldentest.Open(t, tol, file)
	tower, s := m.NewTower(nn.NewExec(1)), m.Text.NewSession(nn.NewExec(1))
	tokens := map[string][]int32{}
	for _, w := range want {
		tokens[w.Case] = w.Generated
	}
	for _, e := range examples(t, tol) {
		features, err := tower.Features(e.rows, e.grids)
		if err != nil {
			t.Fatal(err)
		}
		logits := prompt(t, e, m, s, e.rule.Positions, features)
		goldentest.CheckGreedy(s, logits, []goldentest.Greedy{{Tokens: tokens[e.name], File: g, Prefix: e.name + "."}})
	}
	g.Complete()
}

// TestGoldenAdapterGradients computes the gradients of the first
// step with features made before, and with the tower in it.
func TestGoldenAdapterGradients(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	want := readStored(t).Step1
	for _, withTower := range []bool{false, true} {
		m := adapted(t, "attn")
		n := Network{Model: m, Tower: withTower}
		replica, err := n.NewReplica(nn.NewExec(1))
		if err != nil {
			t.Fatal(err)
		}
		samples := goldenSteps(t, tol, m, withTower)[0]
		pack := &train.Pack{Scale: float32(1 / train.Denominator(samples))}
		for i := range samples {
			pack.Samples, pack.Index = append(pack.Samples, &samples[i]), append(pack.Index, i)
		}
		if err := replica.Load(pack); err != nil {
			t.Fatal(err)
		}
		loss, err := replica.Chain().Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		g := goldentest.Open(t, tol, "qwen2vl/lora/attn.grads.safetensors")
		var squares float64
		for _, p := range replica.Chain().Params() {
			for _, v := range p.Grad {
				squares += float64(v) * float64(v)
			}
		}
		for i, p := range n.Parameters() {
			for _, span := range p.Layout.Spans {
				g.Check(nested(span.Name), span.Of(replica.Chain().Params()[i].Grad))
			}
		}
		g.Complete()
		if math.Abs(loss-want.Loss) > 2e-5 || math.Abs(math.Sqrt(squares)-want.Norm) > 2e-5*want.Norm {
			t.Errorf("loss %v, norm %v; want %+v", loss, math.Sqrt(squares), want)
		}
	}
}

// TestGoldenOptimizerTraces trains with the tower frozen and its features made once, and with the tower in every step.
// After the linear trace it decodes with what was trained.
func TestGoldenOptimizerTraces(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	reference := readStored(t)
	m := load(t, Tuning{}, "qwen2vl/model")
	samples := map[bool][][]train.Sample{false: goldenSteps(t, tol, m, false), true: goldenSteps(t, tol, m, true)}
	for trace, want := range reference.Traces {
		for withTower, steps := range samples {
			t.Run(fmt.Sprintf("%s, tower in the step %v", trace, withTower), func(t *testing.T) {
				m := adapted(t, "attn")
				n := Network{Model: m, Tower: withTower}
				solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: .002, WeightDecay: .01}},
					nil)
				if err != nil {
					t.Fatal(err)
				}
				solver.MaxGradNorm = want.MaxGradNorm
				trainer, err := train.New(n, solver, train.Schedule{Kind: want.Schedule, Warmup: 2, Steps: len(steps)},
					train.Options{Replicas: 2, Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				g := goldentest.Open(t, tol, "qwen2vl/lora/attn.train-"+trace+".safetensors")
				for k, samples := range steps {
					r, err := trainer.Step(context.Background(), samples)
					if err != nil {
						t.Fatal(err)
					}
					w := want.Steps[k]
					if math.Abs(r.Loss-w.Loss) > 2e-5 || math.Abs(r.LearningRate-w.LR) > 1e-12 ||
						math.Abs(r.GradNorm-w.Norm) > 2e-5*w.Norm {
						t.Errorf("step %d: loss %v, rate %v, norm %v; want %+v", k+1, r.Loss, r.LearningRate,
							r.GradNorm, w)
					}
					for _, p := range m.Parameters() {
						if name := fmt.Sprintf("step%d:%s", k+1, nested(p.Name)); g.Has(name) {
							g.Check(name, p.Value)
						}
					}
				}
				g.Complete()
				if trace == "linear" {
					checkAdapterGreedy(t, tol, m, "qwen2vl/lora/attn.generate-trained.safetensors", reference.Trained)
				}
			})
		}
	}
}
