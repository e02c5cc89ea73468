package qwen2

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/weights"
)

// rows are computed as the package comment says, line by line, in float64; the weights come from goldentest.Drawn.
type rows [][]float64

func tensor(t *testing.T, name string, out, in int) rows {
	t.Helper()
	m, err := goldentest.Drawn{}.Matrix(name, out, in)
	if err != nil {
		t.Fatal(err)
	}
	w := make(rows, out)
	for i := range w {
		for _, v := range m.F32[i*in : (i+1)*in] {
			w[i] = append(w[i], float64(v))
		}
	}
	return w
}

func vector(t *testing.T, name string, n int) []float64 {
	t.Helper()
	v, err := goldentest.Drawn{}.Vector(name, n)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, n)
	for i := range v {
		out[i] = float64(v[i])
	}
	return out
}

// times is x·Wᵀ + b; b may be nil.
func (x rows) times(w rows, b []float64) rows {
	y := make(rows, len(x))
	for t := range x {
		for o := range w {
			s := 0.
			if b != nil {
				s = b[o]
			}
			for i, v := range x[t] {
				s += v * w[o][i]
			}
			y[t] = append(y[t], s)
		}
	}
	return y
}

// with is f of each pair of values.
func (x rows) with(y rows, f func(a, b float64) float64) rows {
	out := make(rows, len(x))
	for t := range x {
		for i := range x[t] {
			out[t] = append(out[t], f(x[t][i], y[t][i]))
		}
	}
	return out
}

func (x rows) plus(y rows) rows { return x.with(y, func(a, b float64) float64 { return a + b }) }

func (x rows) rmsnorm(w []float64, eps float64) rows {
	y := make(rows, len(x))
	for t := range x {
		s := 0.
		for _, v := range x[t] {
			s += v * v
		}
		for i, v := range x[t] {
			y[t] = append(y[t], v/math.Sqrt(s/float64(len(x[t]))+eps)*w[i])
		}
	}
	return y
}

// rope turns each head of d values by the positions.
func (x rows) rope(c Config, pos [3][]int32) rows {
	d, y := c.HeadDim, make(rows, len(x))
	for t := range x {
		y[t] = slices.Clone(x[t])
		for h := 0; h < len(x[t]); h += d {
			for i := range d / 2 {
				section := 0
				for past := c.Sections[0]; i >= past; past += c.Sections[section] {
					section++
				}
				sin, cos := math.Sincos(float64(pos[section][t]) * math.Pow(c.Theta, -2*float64(i)/float64(d)))
				a, b := x[t][h+i], x[t][h+i+d/2]
				y[t][h+i], y[t][h+i+d/2] = a*cos-b*sin, b*cos+a*sin
			}
		}
	}
	return y
}

func attend(c Config, starts []int, q, k, v rows) rows {
	d, out := c.HeadDim, make(rows, len(q))
	for s := range len(starts) - 1 {
		for t := starts[s]; t < starts[s+1]; t++ {
			for h := range c.Heads {
				g := h * c.KVHeads / c.Heads
				p, sum := []float64{}, 0.
				for u := starts[s]; u <= t; u++ {
					score := 0.
					for i := range d {
						score += q[t][h*d+i] * k[u][g*d+i]
					}
					p = append(p, math.Exp(score/math.Sqrt(float64(d))))
					sum += p[len(p)-1]
				}
				for i := range d {
					a := 0.
					for u := range p {
						a += p[u] / sum * v[starts[s]+u][g*d+i]
					}
					out[t] = append(out[t], a)
				}
			}
		}
	}
	return out
}

func TestModelIsWhatThePackageCommentSays(t *testing.T) {
	for _, c := range []Config{
		{Hidden: 40, Layers: 2, Heads: 5, KVHeads: 1, HeadDim: 8, Inner: 56, Vocab: 97, Eps: 1e-3, Theta: 1e4,
			Sections: []int{1, 1, 2}, Tied: true},
		{Hidden: 40, Layers: 2, Heads: 6, KVHeads: 2, HeadDim: 6, Inner: 33, Vocab: 97, Eps: 1e-3, Theta: 50,
			Sections: []int{0, 3, 0}},
		{Hidden: 40, Layers: 1, Heads: 3, KVHeads: 3, HeadDim: 2, Inner: 7, Vocab: 97, Eps: 1e-3, Theta: 50,
			Sections: []int{0, 0, 1}},
	} {
		batch, features := prompts()
		m, err := New(c, goldentest.Drawn{}, weights.Tuning{Gamma: 1.5})
		if err != nil {
			t.Fatal(err)
		}
		batch.Scale = .25
		for i := range batch.IDs {
			batch.Targets, batch.Weights = append(batch.Targets, int32(i%7)-1), append(batch.Weights, float32(i%3))
		}

		D, q, kv, E := c.Hidden, c.Heads*c.HeadDim, c.KVHeads*c.HeadDim, tensor(t, "model.embed_tokens.weight",
			c.Vocab, c.Hidden)
		x := make(rows, len(batch.IDs))
		for i, id := range batch.IDs {
			x[i] = E[id]
			if f := int(batch.Features[i]); f >= 0 {
				x[i] = nil
				for _, v := range features[f*D : (f+1)*D] {
					x[i] = append(x[i], float64(v))
				}
			}
		}
		for l := range c.Layers {
			p := fmt.Sprintf("model.layers.%d.", l)
			linear := func(x rows, module string, out, in int, bias bool) rows {
				var b []float64
				if bias {
					b = vector(t, p+module+".bias", out)
				}
				return x.times(tensor(t, p+module+".weight", out, in), b)
			}
			n := x.rmsnorm(vector(t, p+"input_layernorm.weight", D), c.Eps)
			a := attend(c, batch.Starts,
				linear(n, "self_attn.q_proj", q, D, true).rope(c, batch.Pos),
				linear(n, "self_attn.k_proj", kv, D, true).rope(c, batch.Pos),
				linear(n, "self_attn.v_proj", kv, D, true))
			y := x.plus(linear(a, "self_attn.o_proj", D, q, false))
			mlp := y.rmsnorm(vector(t, p+"post_attention_layernorm.weight", D), c.Eps)
			silu := func(gate, up float64) float64 { return gate / (1 + math.Exp(-gate)) * up }
			h := linear(mlp, "mlp.gate_proj", c.Inner, D, false).with(linear(mlp, "mlp.up_proj", c.Inner, D, false),
				silu)
			x = y.plus(linear(h, "mlp.down_proj", D, c.Inner, false))
		}
		head := E
		if !c.Tied {
			head = tensor(t, "lm_head.weight", c.Vocab, D)
		}
		logits := x.rmsnorm(vector(t, "model.norm.weight", D), c.Eps).times(head, nil)
		want := 0.
		for i, target := range batch.Targets {
			if target < 0 {
				continue
			}
			sum := 0.
			for _, v := range logits[i] {
				sum += math.Exp(v)
			}
			prob := math.Exp(logits[i][target]) / sum
			want += float64(batch.Weights[i]) * math.Pow(1-prob, 1.5) * -math.Log(prob) * float64(batch.Scale)
		}

		r := m.NewReplica(nn.NewExec(2))
		r.Load(batch)
		hidden := slices.Clone(r.Hidden(features))
		got, _ := r.Head.Logits(hidden, []int{0, 9, 17, 87})
		for i, at := range []int{0, 9, 17, 87} {
			for k, v := range logits[at] {
				if d := math.Abs(float64(got[i*c.Vocab+k]) - v); d > 1e-4*(1+math.Abs(v)) {
					t.Fatalf("%+v: logit %d at %d is %v, the page says %v", c, k, at, got[i*c.Vocab+k], v)
				}
			}
		}
		if loss := r.Head.Forward(hidden); math.Abs(loss-want) > 1e-5*want {
			t.Errorf("%+v: loss %v, the page says %v", c, loss, want)
		}
	}
}
