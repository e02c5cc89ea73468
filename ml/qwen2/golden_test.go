package qwen2

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/tokenizer"
	"finetui/ml/weights"
)

// load builds the model of a golden folder; modules of the muted endings do nothing in it.
func load(t *testing.T, tune weights.Tuning, folder string, muted ...string) *Model {
	t.Helper()
	dir := goldentest.Dir(t, filepath.FromSlash(folder))
	data, err := weights.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	ckpt, err := weights.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ckpt.Close() })
	m, err := New(c, goldentest.Mute(ckpt, muted...), tune)
	if err != nil {
		t.Fatal(err)
	}
	return m
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

// TestGoldenQwen2 compares whole checkpoints, frozen and with every tensor trained: what each layer and each of its two
// branches give, logits, losses, the packed batch, and decoding with a cache.
func TestGoldenQwen2(t *testing.T) {
	tol := goldentest.LoadTolerances(t)
	for _, name := range goldentest.Cases(t, ".json", "qwen2") {
		var info struct {
			Checkpoint string
			Sequences  []struct {
				Loss      float64 `json:"loss_f64"`
				Generated []int32
			}
			Mean float64 `json:"token_mean_loss_over_all_f64"`
		}
		goldentest.JSON(t, goldentest.Dir(t, "qwen2", name+".json"), &info)
		for _, tune := range []weights.Tuning{{}, {All: true}} {
			t.Run(fmt.Sprintf("%s, all trained %v", name, tune.All), func(t *testing.T) {
				g := goldentest.Open(t, tol, "qwen2/"+name+".safetensors")
				m := load(t, tune, info.Checkpoint)
				r, attentionOnly := m.NewReplica(nn.NewExec(1)), load(t, weights.Tuning{}, info.Checkpoint,
					"mlp.down_proj").NewReplica(nn.NewExec(1))
				var all [][]int32
				var targets []int32
				var weights, logits []float32
				greedy := []goldentest.Greedy{}
				loosest := 0.0
				for i, want := range info.Sequences {
					p := fmt.Sprintf("s%d.", i)
					ids := g.IDs(p + "input_ids")
					all = append(all, ids)
					b := textBatch(ids)
					var n int
					b.Targets, b.Weights, n = next(g.Ints(p + "labels"))
					b.Scale = 1 / float32(n)
					targets, weights = append(targets, b.Targets...), append(weights, b.Weights...)
					x := checkLayers(g, p, r, attentionOnly, b)
					loosest = max(loosest, g.Atol(p+"nll"))
					if loss := r.Head.Forward(x); math.Abs(loss-want.Loss) > g.Atol(p+"nll") {
						t.Errorf("%sloss is %.7f, want %.7f", p, loss, want.Loss)
					}
					lg, normed := r.Head.Logits(x, every(len(ids)))
					g.Check(p+"logits", lg)
					g.Check(p+"norm", normed)
					logits = append(logits, lg...)
					checkNLL(g, p, r, b)
					greedy = append(greedy, goldentest.Greedy{Tokens: want.Generated, File: g, Prefix: p})
				}
				packed := textBatch(all...)
				packed.Targets, packed.Weights = targets, weights
				var n float32
				for _, w := range weights {
					n += w
				}
				packed.Scale = 1 / n
				r.Load(packed)
				x := slices.Clone(r.Hidden(nil))
				lg, _ := r.Head.Logits(x, every(packed.T()))
				for i := range lg {
					if math.Abs(float64(lg[i]-logits[i])) > 1e-4 {
						t.Fatalf("packed logit %d is %g, alone %g", i, lg[i], logits[i])
					}
				}
				if loss := r.Head.Forward(x); math.Abs(loss-info.Mean) > loosest {
					t.Errorf("packed loss is %.7f, want %.7f", loss, info.Mean)
				}
				checkDecoding(t, m, g, all, greedy)
				g.Complete("bf16.logits") // of arithmetic in bfloat16, which we do not do
			})
		}
	}
}

// checkLayers runs a batch of one sequence layer by layer and returns the last hidden state. In attentionOnly the MLPs
// do nothing, which tells the branches apart.
func checkLayers(g *goldentest.Golden, p string, r, attentionOnly *Replica, b nn.Batch) []float32 {
	r.Load(b)
	attentionOnly.Load(b)
	checkAngles(g, p, r.Rotary)
	x := r.Embed.Forward(nil, false)
	g.Check(p+"embed", x)
	for k, l := range r.Layers {
		layer := fmt.Sprintf("%slayers.%d.", p, k)
		y := attentionOnly.Layers[k].Forward(x, false)
		g.Check(layer+"attn", goldentest.Difference(y, x))
		x = l.Forward(x, true)
		g.Check(layer+"mlp", goldentest.Difference(x, y))
		g.Check(layer+"out", x)
	}
	return x
}

// checkAngles compares the rotary tables, which the reference holds over the whole head dim.
func checkAngles(g *goldentest.Golden, p string, r *nn.Rotary) {
	half := r.HeadDim / 2
	for name, table := range map[string][]float32{"cos": r.Cos, "sin": r.Sin} {
		var full []float32
		for row := range slices.Chunk(table, half) {
			full = append(append(full, row...), row...)
		}
		g.Check(p+"rope."+name, full)
	}
}

// checkNLL compares the nll of every position but the last.
func checkNLL(g *goldentest.Golden, p string, r *Replica, b nn.Batch) {
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

// checkDecoding decodes all prompts together and compares the tokens, and the caches of the prompt.
func checkDecoding(t *testing.T, m *Model, g *goldentest.Golden, prompts [][]int32, want []goldentest.Greedy) {
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
	goldentest.CheckGreedy(s, logits, want)
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

// TestGoldenEndTokens holds the end tokens of config.json, flat and nested, against those that transformers put into
// generation_config.json.
func TestGoldenEndTokens(t *testing.T) {
	for _, folder := range []string{"qwen2/tied", "qwen2/untied", "qwen2/sharded-bf16", "qwen2vl/model",
		"qwen2vl/sharded-bf16", "full-vocab/model"} {
		data, err := os.ReadFile(goldentest.Dir(t, filepath.FromSlash(folder), "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseConfig(data)
		if err != nil {
			t.Fatal(err)
		}
		var generation struct {
			EOS json.RawMessage `json:"eos_token_id"`
		}
		goldentest.JSON(t, goldentest.Dir(t, filepath.FromSlash(folder), "generation_config.json"), &generation)
		if want, err := tokenizer.IDs(generation.EOS); err != nil || len(want) == 0 || !slices.Equal(c.EOS, want) {
			t.Errorf("%s: config.json ends with %v, generation_config.json with %v", folder, c.EOS, want)
		}
	}
}

func TestMissingTensorIsNamed(t *testing.T) {
	dir := goldentest.Dir(t, "qwen2", "tied")
	data, err := weights.ReadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	ckpt, err := weights.OpenCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer ckpt.Close()
	c.Layers++
	if _, err := New(c, ckpt, weights.Tuning{}); err == nil ||
		!strings.Contains(err.Error(), fmt.Sprintf("model.layers.%d.", c.Layers-1)) {
		t.Errorf("a missing layer gives %v", err)
	}
	c.Layers--
	c.Inner++
	if _, err := New(c, ckpt, weights.Tuning{}); err == nil || !strings.Contains(err.Error(), "mlp.gate_proj.weight") ||
		!strings.Contains(err.Error(), filepath.Base(dir)) {
		t.Errorf("a tensor of the wrong size gives %v", err)
	}
}
