package qwen2vl

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
)

// adapted is qwen2vl/model with an adapter of qwen2vl/lora on it.
func adapted(t *testing.T, adapter string) *Model {
	t.Helper()
	config, adapters, err := lora.Read(goldentest.Dir(t, "qwen2vl", "lora", adapter))
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, Tuning{Text: qwen2.Tuning{Adapt: func(module string) (qwen2.Adapter, bool) {
		return qwen2.Adapter{R: config.Rank(module), Scale: config.Scale(module)}, config.Matches(module)
	}}}, "qwen2vl", "model")
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

func (e example) sample(t *testing.T, m *Model, features []float32, weight float32) train.Sample {
	t.Helper()
	b, err := e.batch(m.Config, e.rule)
	if err != nil {
		t.Fatal(err)
	}
	s := train.Sample{IDs: b.IDs, Pos: e.rule, Targets: b.Targets, Weights: b.Weights, Features: features, Patches: e.rows}
	for i := range s.Weights {
		s.Weights[i] *= weight
	}
	for i, f := range b.Features {
		if f >= 0 {
			s.FeatureTokens = append(s.FeatureTokens, int32(i))
		}
	}
	for _, g := range e.grids {
		s.Grids = append(s.Grids, [3]int32{int32(g.T), int32(g.H), int32(g.W)})
	}
	return s
}

func TestGoldenAdapterLogits(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	for _, adapter := range []string{"attn", "attn-old-names"} {
		m := adapted(t, adapter)
		g := goldentest.Open(t, tol, "qwen2vl/lora/attn.logits.safetensors")
		tower, r := m.NewTower(nn.NewExec(1)), m.Text.NewReplica(nn.NewExec(1))
		for _, e := range examples(t, tol) {
			features, err := tower.Features(e.rows, e.grids)
			if err != nil {
				t.Fatal(err)
			}
			b, err := e.batch(m.Config, e.rule)
			if err != nil {
				t.Fatal(err)
			}
			r.Load(b)
			logits, _ := r.Head.Logits(r.Hidden(features), every(len(e.ids)))
			g.Check(e.name+".logits", logits)
		}
	}
}

func TestGoldenAdapterGreedy(t *testing.T) {
	var want []struct {
		Case      string
		Generated []int32
	}
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "attn.generate-initial.json"), &want)
	m := adapted(t, "attn")
	tower, s := m.NewTower(nn.NewExec(1)), m.Text.NewSession(nn.NewExec(1))
	for _, e := range examples(t, goldentest.LoadTolerances(t)) {
		for _, w := range want {
			if w.Case != e.name {
				continue
			}
			features, err := tower.Features(e.rows, e.grids)
			if err != nil {
				t.Fatal(err)
			}
			e.classic, e.generated = e.rule, w.Generated
			t.Run(e.name, func(t *testing.T) { checkGreedy(t, e, m, s, features) })
		}
	}
}

// TestGoldenOptimizerTraces trains with the tower frozen and its features made once, and with the tower in every step.
func TestGoldenOptimizerTraces(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	var steps []struct {
		MicroBatches [][]struct {
			Weight float32
			Case   string
		} `json:"micro_batches"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "samples.json"), &steps)
	var stored struct {
		Traces map[string]struct {
			Schedule    string
			MaxGradNorm float64 `json:"max_grad_norm"`
			Steps       []struct {
				Loss float64 `json:"loss_f64"`
				LR   float64 `json:"lr_used"`
				Norm float64 `json:"grad_norm_before_clip_f64"`
			}
		}
	}
	goldentest.JSON(t, goldentest.Dir(t, "qwen2vl", "lora", "attn.json"), &stored)
	cases := map[string]example{}
	for _, e := range examples(t, tol) {
		cases[e.name] = e
	}
	for trace, want := range stored.Traces {
		for _, withTower := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, tower in the step %v", trace, withTower), func(t *testing.T) {
				m := adapted(t, "attn")
				n := Network{Model: m, Tower: withTower}
				solver, err := train.NewAdamW(n.Parameters(), []train.Group{{LearningRate: .002, WeightDecay: .01}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				solver.MaxGradNorm = want.MaxGradNorm
				trainer, err := train.New(n, solver, train.Schedule{Kind: want.Schedule, Warmup: 2, Steps: len(steps)}, train.Options{Replicas: 2, Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				tower := m.NewTower(nn.NewExec(1))
				g := goldentest.Open(t, tol, "qwen2vl/lora/attn.train-"+trace+".safetensors")
				compared := 0
				for k, step := range steps {
					var samples []train.Sample
					for _, batch := range step.MicroBatches {
						for _, x := range batch {
							e := cases[x.Case]
							features, err := tower.Features(e.rows, e.grids)
							if err != nil {
								t.Fatal(err)
							}
							samples = append(samples, e.sample(t, m, features, x.Weight))
						}
					}
					r, err := trainer.Step(context.Background(), samples)
					if err != nil {
						t.Fatal(err)
					}
					w := want.Steps[k]
					if math.Abs(r.Loss-w.Loss) > 2e-5 || math.Abs(r.LearningRate-w.LR) > 1e-12 || math.Abs(r.GradNorm-w.Norm) > 2e-5*w.Norm {
						t.Errorf("step %d: loss %v, rate %v, norm %v; want %+v", k+1, r.Loss, r.LearningRate, r.GradNorm, w)
					}
					for _, p := range m.Parameters() {
						if name := fmt.Sprintf("step%d:%s", k+1, nested(p.Name)); g.Has(name) {
							g.Check(name, p.Value)
							compared++
						}
					}
				}
				if compared == 0 || compared != len(g.Names()) {
					t.Errorf("%d of %d tensors compared", compared, len(g.Names()))
				}
			})
		}
	}
}
