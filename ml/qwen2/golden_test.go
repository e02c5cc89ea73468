package qwen2

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
)

func load(t *testing.T, tune Tuning, elem ...string) *Model {
	t.Helper()
	dir := goldentest.Dir(t, elem...)
	data, err := ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	ckpt, err := OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ckpt.Close() })
	m, err := New(c, ckpt, tune)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func narrow(v []int64) []int32 {
	out := make([]int32, len(v))
	for i, x := range v {
		out[i] = int32(x)
	}
	return out
}

// next are labels shifted to where they are predicted.
func next(labels []int64) (targets []int32, weights []float32, supervised int) {
	targets, weights = make([]int32, len(labels)), make([]float32, len(labels))
	for i := range labels {
		targets[i] = -1
		if i+1 < len(labels) && labels[i+1] >= 0 {
			targets[i], weights[i] = int32(labels[i+1]), 1
			supervised++
		}
	}
	return targets, weights, supervised
}

func textBatch(sequences ...[]int32) nn.Batch {
	b := nn.Batch{Starts: []int{0}}
	for _, s := range sequences {
		b.IDs = append(b.IDs, s...)
		b.Starts = append(b.Starts, len(b.IDs))
	}
	b.Pos = TextPositions(b.Starts)
	return b
}

func every(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	return at
}

func TestGoldenQwen2(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	for _, name := range []string{"tied", "untied", "sharded-bf16"} {
		t.Run(name, func(t *testing.T) {
			g := goldentest.Open(t, tol, "qwen2/golden-"+name+".safetensors")
			var info struct {
				Sequences []struct {
					Loss      float64
					Generated []int32
				}
			}
			goldentest.JSON(t, goldentest.Dir(t, "qwen2", "golden-"+name+".json"), &info)
			for _, tune := range []Tuning{{}, {All: true}} {
				m := load(t, tune, "qwen2", name)
				r := m.NewReplica(nn.NewExec(1))
				var all [][]int32
				var logits []float32
				for i, want := range info.Sequences {
					p := fmt.Sprintf("s%d.", i)
					ids := narrow(g.Ints(p + "input_ids"))
					all = append(all, ids)
					b := textBatch(ids)
					targets, weights, n := next(g.Ints(p + "labels"))
					b.Targets, b.Weights, b.Scale = targets, weights, 1/float32(n)
					r.Load(b)
					x := r.Embed.Forward(nil, false)
					g.Check(p+"embed", x)
					for k, l := range r.Layers {
						x = l.Forward(x, true)
						g.Check(fmt.Sprintf("%slayers.%d.out", p, k), x)
					}
					if loss := r.Head.Forward(x); math.Abs(loss-want.Loss) > 2e-5 {
						t.Errorf("%sloss is %.7f, want %.7f", p, loss, want.Loss)
					}
					lg, normed := r.Head.Logits(x, every(len(ids)))
					g.Check(p+"logits", lg)
					g.Check(p+"norm", normed)
					logits = append(logits, lg...)
					checkNLL(t, g, p, r, b)
				}
				packed := textBatch(all...)
				r.Load(packed)
				lg, _ := r.Head.Logits(r.Hidden(nil), every(packed.T()))
				for i := range lg {
					if math.Abs(float64(lg[i]-logits[i])) > 1e-4 {
						t.Fatalf("packed logit %d is %g, alone %g", i, lg[i], logits[i])
					}
				}
				checkGreedy(t, m, g, all, func(i int) []int32 { return info.Sequences[i].Generated })
			}
		})
	}
}

// checkNLL compares the nll of every position but the last.
func checkNLL(t *testing.T, g *goldentest.Golden, p string, r *Replica, b nn.Batch) {
	t.Helper()
	b.Targets, b.Weights = make([]int32, b.T()), make([]float32, b.T())
	for i := range b.T() - 1 {
		b.Targets[i], b.Weights[i] = b.IDs[i+1], 1
	}
	b.Scale = 1
	r.Load(b)
	r.Head.Forward(r.Hidden(nil))
	nll := make([]float32, 0, b.T())
	for _, v := range r.Head.NLL() {
		nll = append(nll, float32(v))
	}
	g.Check(p+"nll", nll)
}

// checkGreedy decodes all prompts together and compares the tokens, and the caches of the prompt.
func checkGreedy(t *testing.T, m *Model, g *goldentest.Golden, prompts [][]int32, want func(i int) []int32) {
	t.Helper()
	s := m.NewSession(nn.NewExec(1))
	logits, err := s.Prompt(textBatch(prompts...), nil)
	if err != nil {
		t.Fatal(err)
	}
	for q := range prompts {
		for l := range m.Layers {
			name := fmt.Sprintf("s%d.layers.%d.", q, l)
			g.Check(name+"k", byHead(s.Cache(l, q).K, m.Config))
			g.Check(name+"v", byHead(s.Cache(l, q).V, m.Config))
		}
	}
	for step := range want(0) {
		ids := make([]int32, len(prompts))
		for q := range prompts {
			row := logits[q*s.Vocab() : (q+1)*s.Vocab()]
			for i, v := range row {
				if v > row[ids[q]] {
					ids[q] = int32(i)
				}
			}
			if ids[q] != want(q)[step] {
				t.Fatalf("sequence %d: token %d is %d, want %d", q, step, ids[q], want(q)[step])
			}
		}
		if logits, err = s.Next(ids); err != nil {
			t.Fatal(err)
		}
	}
}

// byHead turns [tokens, heads·dim] into [heads, tokens, dim].
func byHead(v []float32, c Config) []float32 {
	n := len(v) / (c.KVHeads * c.HeadDim)
	out := make([]float32, 0, len(v))
	for h := range c.KVHeads {
		for i := range n {
			at := (i*c.KVHeads + h) * c.HeadDim
			out = append(out, v[at:at+c.HeadDim]...)
		}
	}
	return out
}

func TestGoldenRotaryTables(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	g := goldentest.Open(t, tol, "qwen2/golden-tied.safetensors")
	c := load(t, Tuning{}, "qwen2", "tied").Config
	n := g.Shape("s0.rope.cos")[0]
	r := &nn.Rotary{Theta: c.Theta, HeadDim: c.HeadDim}
	r.Prepare(TextPositions([]int{0, n}))
	for name, half := range map[string][]float32{"cos": r.Cos, "sin": r.Sin} {
		var full []float32
		for i := range n {
			row := half[i*c.HeadDim/2 : (i+1)*c.HeadDim/2]
			full = append(append(full, row...), row...)
		}
		g.Check("s0.rope."+name, full)
	}
}

func TestConfigErrorsNameTheKey(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                  "config.json",
		`{"hidden_size":64}`: "num_hidden_layers",
		`{"hidden_size":64,"num_hidden_layers":1,"num_attention_heads":3,"num_key_value_heads":2,"intermediate_size":8,"vocab_size":9}`:        "no multiple",
		`{"hidden_size":64,"num_hidden_layers":1,"num_attention_heads":4,"intermediate_size":8,"vocab_size":9,"hidden_act":"gelu"}`:            "hidden_act",
		`{"hidden_size":64,"num_hidden_layers":1,"num_attention_heads":4,"intermediate_size":8,"vocab_size":9,"rope_scaling":{"type":"yarn"}}`: "yarn",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not name %q", text, err, want)
		}
	}
}

func TestMissingTensorIsNamed(t *testing.T) {
	dir := goldentest.Dir(t, "qwen2", "tied")
	data, err := ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	ckpt, err := OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ckpt.Close()
	c.Layers++
	if _, err := New(c, ckpt, Tuning{}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("model.layers.%d.", c.Layers-1)) {
		t.Errorf("a missing layer gives %v", err)
	}
	c.Layers--
	c.Inner++
	if _, err := New(c, ckpt, Tuning{}); err == nil || !strings.Contains(err.Error(), "mlp.gate_proj.weight") || !strings.Contains(err.Error(), filepath.Base(dir)) {
		t.Errorf("a tensor of the wrong size gives %v", err)
	}
}
