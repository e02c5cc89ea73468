package train_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/lora"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// goldenModel is qwen2/untied with an adapter of qwen2/lora on it.
func goldenModel(t *testing.T, adapter string) *qwen2.Model {
	t.Helper()
	config, adapters, err := lora.Read(goldentest.Dir(t, "qwen2", "lora", adapter))
	if err != nil {
		t.Fatal(err)
	}
	base := goldentest.Dir(t, "qwen2", "untied")
	text, err := weights.ReadConfig(base)
	if err != nil {
		t.Fatal(err)
	}
	c, err := qwen2.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := weights.OpenCheckpoint(base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoint.Close() })
	m, err := qwen2.New(c, checkpoint, weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: config.Rank(module), Scale: config.Scale(module)}, config.Matches(module)
	}})
	if err != nil {
		t.Fatal(err)
	}
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

// goldenSteps are the samples of each optimizer step, its micro-batches one after the other.
func goldenSteps(t *testing.T) (steps [][]train.Sample) {
	t.Helper()
	var stored []struct {
		MicroBatches [][]struct {
			Weight float32 `json:"weight"`
			IDs    []int32 `json:"input_ids"`
			Labels []int32 `json:"labels"`
		} `json:"micro_batches"`
	}
	goldentest.JSON(t, filepath.Join(goldentest.Dir(t, "qwen2", "lora"), "samples.json"), &stored)
	for _, s := range stored {
		var step []train.Sample
		for _, batch := range s.MicroBatches {
			for _, x := range batch {
				sample := train.Sample{IDs: x.IDs}
				sample.Targets, sample.Weights = train.Shift(x.Labels)
				for i := range sample.Weights {
					sample.Weights[i] *= x.Weight
				}
				step = append(step, sample)
			}
		}
		steps = append(steps, step)
	}
	return steps
}

// stored is what the reference says about an adapter beside its tensors.
type stored struct {
	Scaling    float64
	Evaluation []struct {
		Case string
		Loss float64 `json:"loss_f64"`
	}
	Step1 struct {
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
}

// adapters are the adapters of the reference.
func adapters(t *testing.T) map[string]stored {
	t.Helper()
	all := map[string]stored{}
	for _, name := range goldentest.Cases(t, ".logits.safetensors", "qwen2", "lora") {
		var s stored
		goldentest.JSON(t, goldentest.Dir(t, "qwen2", "lora", name+".json"), &s)
		all[name] = s
	}
	return all
}

func TestGoldenOptimizerTraces(t *testing.T) {
	tolerances := goldentest.LoadTolerances(t)
	steps := goldenSteps(t)
	for adapter, reference := range adapters(t) {
		for trace, want := range reference.Traces {
			for _, o := range []train.Options{{Replicas: 1, Threads: 2}, {Replicas: 2, Threads: 2,
				Limits: train.Limits{Sequences: 1}}} {
				t.Run(fmt.Sprintf("%s/%s/%d replicas", adapter, trace, o.Replicas), func(t *testing.T) {
					m := goldenModel(t, adapter)
					n := qwen2.Network{Model: m}
					solver, err := train.NewAdamW(n.Parameters(),
						[]train.Group{{LearningRate: 0.002, WeightDecay: 0.01}}, nil)
					if err != nil {
						t.Fatal(err)
					}
					solver.MaxGradNorm = want.MaxGradNorm
					trainer, err := train.New(n, solver, train.Schedule{Kind: want.Schedule, Warmup: 2,
						Steps: len(steps)}, o)
					if err != nil {
						t.Fatal(err)
					}
					g := goldentest.Open(t, tolerances, "qwen2/lora/"+adapter+".train-"+trace+".safetensors")
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
							if name := fmt.Sprintf("step%d:base_model.model.%s", k+1, p.Name); g.Has(name) {
								g.Check(name, p.Value)
							}
						}
					}
					g.Complete()
				})
			}
		}
	}
}

func TestGoldenAdapterGradients(t *testing.T) {
	tolerances := goldentest.LoadTolerances(t)
	for adapter, reference := range adapters(t) {
		n := qwen2.Network{Model: goldenModel(t, adapter)}
		replica, err := n.NewReplica(nn.NewExec(1))
		if err != nil {
			t.Fatal(err)
		}
		samples := goldenSteps(t)[0]
		pack := &train.Pack{Scale: float32(1 / train.Denominator(samples))}
		for i := range samples {
			pack.Samples = append(pack.Samples, &samples[i])
		}
		if err := replica.Load(pack); err != nil {
			t.Fatal(err)
		}
		loss, err := replica.Chain().Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		g := goldentest.Open(t, tolerances, "qwen2/lora/"+adapter+".grads.safetensors")
		var squares float64
		for i, p := range n.Parameters() {
			grad := replica.Chain().Params()[i].Grad
			for _, span := range p.Layout.Spans {
				g.Check("base_model.model."+span.Name, span.Of(grad))
			}
			for _, v := range grad {
				squares += float64(v) * float64(v)
			}
		}
		g.Complete()
		if want := reference.Step1; math.Abs(loss-want.Loss) > 2e-5 ||
			math.Abs(math.Sqrt(squares)-want.Norm) > 2e-5*want.Norm {
			t.Errorf("%s: loss %v, norm %v; want %+v", adapter, loss, math.Sqrt(squares), want)
		}
	}
}

// TestGoldenAdapterLogits computes the prompts of the base's goldens under each adapter.
func TestGoldenAdapterLogits(t *testing.T) {
	tolerances := goldentest.LoadTolerances(t)
	prompts := goldentest.Open(t, tolerances, "qwen2/golden-untied.safetensors")
	for adapter, reference := range adapters(t) {
		m := goldenModel(t, adapter)
		r := m.NewReplica(nn.NewExec(1))
		g := goldentest.Open(t, tolerances, "qwen2/lora/"+adapter+".logits.safetensors")
		for _, want := range reference.Evaluation {
			ids := prompts.IDs(want.Case + ".input_ids")
			b := nn.Batch{Starts: []int{0, len(ids)}, IDs: ids, Pos: qwen2.TextPositions([]int{0, len(ids)}), Scale: 1}
			b.Targets, b.Weights = train.Shift(ids)
			r.Load(b)
			x := r.Hidden(nil)
			r.Head.Forward(x)
			var nll []float32
			for _, v := range r.Head.NLL() {
				nll = append(nll, float32(v))
			}
			g.Check(want.Case+".nll", nll)
			every := make([]int, len(ids))
			for i := range every {
				every[i] = i
			}
			logits, _ := r.Head.Logits(x, every)
			g.Check(want.Case+".logits", logits)

			var labels []int32
			for _, v := range prompts.Ints(want.Case + ".labels") {
				labels = append(labels, int32(v))
			}
			var sum, n float64
			_, weights := train.Shift(labels)
			for i, w := range weights[:len(nll)] {
				sum, n = sum+float64(w)*float64(nll[i]), n+float64(w)
			}
			if loss := sum / n; math.Abs(loss-want.Loss) > g.Atol(want.Case+".nll") {
				t.Errorf("%s, %s: loss is %.7f, want %.7f", adapter, want.Case, loss, want.Loss)
			}
		}
		g.Complete()
	}
}
