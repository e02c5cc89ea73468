package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The gradient of every block is held against central differences of L(x, θ) = Σ c·block(x), with random c.

func noise(rng *rand.Rand, n int, sd float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64() * sd)
	}
	return v
}

// trained is a matrix [out, in] that is trained: its span in the layout, to be bound once the layout is complete.
func trained(l *Layout, name string, out, in int, bias bool) *Linear {
	lin := &Linear{W: Matrix{Rows: out, Cols: in}, WSpan: l.Add(name+".weight", out, in)}
	if bias {
		lin.BSpan = l.Add(name+".bias", out)
	}
	return lin
}

func frozen(rng *rand.Rand, out, in int, bias bool) *Linear {
	lin := &Linear{W: Matrix{Rows: out, Cols: in, F32: noise(rng, out*in, 1/math.Sqrt(float64(in)))}}
	if bias {
		lin.B = noise(rng, out, .1)
	}
	return lin
}

func bind(value []float32, lins ...*Linear) {
	for _, l := range lins {
		if w := l.WSpan.Of(value); w != nil {
			l.W.F32 = w
		}
		if b := l.BSpan.Of(value); b != nil {
			l.B = b
		}
	}
}

func trainedNorm(l *Layout, name string, width int, shift bool) *Norm {
	n := &Norm{WSpan: l.Add(name+".weight", width), Eps: 1e-6}
	if shift {
		n.BSpan = l.Add(name+".bias", width)
	}
	return n
}

func bindNorm(value []float32, norms ...*Norm) {
	for _, n := range norms {
		n.W = n.WSpan.Of(value)
		for i := range n.W {
			n.W[i]++
		}
		n.B = n.BSpan.Of(value)
	}
}

func adapt(l *Layout, lin *Linear, use uint64, off, out, r int, dropout float32) {
	name := fmt.Sprintf("adapter.%d", use)
	lin.Adapters = append(lin.Adapters, &Adapter{Off: off, Out: out, R: r, Scale: 1.5, Dropout: dropout, Use: use,
		A: l.Add(name+".A", r, lin.W.Cols), B: l.Add(name+".B", out, r)})
}

func checkBlock(t *testing.T, b Block, x []float32, rng *rand.Rand) {
	t.Helper()
	y := b.Forward(x, true)
	c := noise(rng, len(y), 1)
	p := b.Params()
	clear(p.Grad)
	dx := append([]float32(nil), b.Backward(x, append([]float32(nil), c...), true)...)
	grad := append([]float32(nil), p.Grad...)
	loss := func() float64 {
		var s float64
		for i, v := range b.Forward(x, true) {
			s += float64(v) * float64(c[i])
		}
		return s
	}
	checkDifferences(t, "x", x, dx, loss, rng)
	checkDifferences(t, "θ", p.Value, grad, loss, rng)
	if b.Backward(x, append([]float32(nil), c...), false) != nil {
		t.Error("a gradient of x came though none was asked for")
	}
}

// checkDifferences compares directional derivatives: along random directions, and along single coordinates.
func checkDifferences(t *testing.T, what string, v, grad []float32, loss func() float64, rng *rand.Rand) {
	t.Helper()
	if len(v) == 0 {
		return
	}
	saved := append([]float32(nil), v...)
	defer copy(v, saved)
	var norm float64
	for _, g := range grad {
		norm += float64(g) * float64(g)
	}
	rms := math.Sqrt(norm / float64(len(grad)))
	for trial := range 24 {
		dir := make([]float64, len(v))
		if trial%2 == 0 {
			dir[rng.IntN(len(v))] = 1
		} else {
			for i := range dir {
				dir[i] = rng.NormFloat64() / math.Sqrt(float64(len(v)))
			}
		}
		const eps = 4e-3
		along := func(s float64) float64 {
			for i := range v {
				v[i] = float32(float64(saved[i]) + s*dir[i])
			}
			return loss()
		}
		numeric := (8*(along(eps)-along(-eps)) - (along(2*eps) - along(-2*eps))) / (12 * eps)
		var analytic float64
		for i, g := range grad {
			analytic += float64(g) * dir[i]
		}
		if math.Abs(numeric-analytic) > 1e-2*(math.Abs(numeric)+rms)+2e-3 {
			t.Errorf("%s, direction %d: differences say %.6g, backward says %.6g (rms %.3g)", what, trial, numeric,
				analytic, rms)
		}
	}
}

func textBatch(rng *rand.Rand, vocab int, lengths ...int) *Batch {
	b := &Batch{Starts: []int{0}, Scale: .37}
	for s, n := range lengths {
		b.Starts = append(b.Starts, b.Starts[s]+n)
		b.Keys = append(b.Keys, uint64(77+s))
		for i := range n {
			b.IDs = append(b.IDs, int32(rng.IntN(vocab)))
			b.Targets = append(b.Targets, int32(rng.IntN(vocab)))
			b.Weights = append(b.Weights, float32(rng.IntN(3))*.5)
			for r := range b.Pos {
				b.Pos[r] = append(b.Pos[r], int32(i+r*(i%3)))
			}
		}
	}
	return b
}

func decoderWeights(rng *rand.Rand, all bool, dropout float32) *DecoderWeights {
	const d, heads, kv, hd, inner = 24, 4, 2, 6, 20
	w := &DecoderWeights{Index: 1, Heads: heads, KVHeads: kv, HeadDim: hd}
	rows := (heads + 2*kv) * hd
	if all {
		w.Norm1, w.Norm2 = trainedNorm(&w.Layout, "n1", d, false), trainedNorm(&w.Layout, "n2", d, false)
		w.QKV, w.O = trained(&w.Layout, "qkv", rows, d, true), trained(&w.Layout, "o", d, heads*hd, false)
		w.GateUp, w.Down = trained(&w.Layout, "gu", 2*inner, d, false), trained(&w.Layout, "down", d, inner, false)
	} else {
		w.Norm1, w.Norm2 = &Norm{W: noise(rng, d, 1), Eps: 1e-6}, &Norm{W: noise(rng, d, 1), Eps: 1e-6}
		w.QKV, w.O = frozen(rng, rows, d, true), frozen(rng, d, heads*hd, false)
		w.GateUp, w.Down = frozen(rng, 2*inner, d, false), frozen(rng, d, inner, false)
		adapt(&w.Layout, w.QKV, 1, 0, heads*hd, 3, dropout)
		adapt(&w.Layout, w.QKV, 2, heads*hd, kv*hd, 3, dropout)
		adapt(&w.Layout, w.QKV, 3, (heads+kv)*hd, kv*hd, 2, dropout)
		adapt(&w.Layout, w.O, 4, 0, d, 3, dropout)
		adapt(&w.Layout, w.GateUp, 5, 0, inner, 3, dropout)
		adapt(&w.Layout, w.GateUp, 6, inner, inner, 3, dropout)
		adapt(&w.Layout, w.Down, 7, 0, d, 3, dropout)
	}
	w.Value = noise(rng, w.Layout.Size, .2)
	bind(w.Value, w.QKV, w.O, w.GateUp, w.Down)
	if all {
		bindNorm(w.Value, w.Norm1, w.Norm2)
	}
	return w
}

func TestDecoderGradient(t *testing.T) {
	for name, c := range map[string]struct {
		all     bool
		dropout float32
		cores   int
	}{"all parameters": {all: true, cores: 1}, "adapters": {cores: 2}, "adapters with dropout": {dropout: .3,
		cores: 2}} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			w := decoderWeights(rng, c.all, c.dropout)
			batch := textBatch(rng, 9, 5, 1, 70)
			rotary := &Rotary{Theta: 1e4, HeadDim: w.HeadDim, Sections: []int{1, 1, 1}}
			rotary.Prepare(batch.Pos)
			checkBlock(t, NewDecoder(w, NewExec(c.cores), batch, rotary), noise(rng, batch.T()*24, 1), rng)
		})
	}
}

func TestDecodingWithCacheEqualsForward(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	w := decoderWeights(rng, false, 0)
	batch := textBatch(rng, 9, 7, 5)
	rotary := &Rotary{Theta: 1e4, HeadDim: w.HeadDim}
	rotary.Prepare(batch.Pos)
	x := noise(rng, batch.T()*24, 1)
	want := append([]float32(nil), NewDecoder(w, NewExec(1), batch, rotary).Forward(x, false)...)

	// the first 4 and 2 tokens at once, then one at a time
	caches := []*Cache{{}, {}}
	got := make([]float32, len(want))
	step := func(from, to [2]int) {
		part := &Batch{Starts: []int{0}}
		var rows []int
		for s := range 2 {
			for i := from[s]; i < to[s]; i++ {
				rows = append(rows, batch.Starts[s]+i)
			}
			part.Starts = append(part.Starts, len(rows))
		}
		var px []float32
		for _, r := range rows {
			px = append(px, x[r*24:(r+1)*24]...)
			for k := range part.Pos {
				part.Pos[k] = append(part.Pos[k], batch.Pos[k][r])
			}
		}
		rot := &Rotary{Theta: 1e4, HeadDim: w.HeadDim}
		rot.Prepare(part.Pos)
		out := NewDecoder(w, NewExec(1), part, rot).Decode(px, caches)
		for i, r := range rows {
			copy(got[r*24:(r+1)*24], out[i*24:])
		}
	}
	step([2]int{0, 0}, [2]int{4, 2})
	for i := range 3 {
		step([2]int{4 + i, 2 + i}, [2]int{5 + i, 3 + i})
	}
	for i := range want {
		if math.Abs(float64(want[i]-got[i])) > 1e-5 {
			t.Fatalf("value %d: forward %g, with cache %g", i, want[i], got[i])
		}
	}
}

func TestEmbedGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	batch := textBatch(rng, 9, 6, 4)
	batch.Features = []int32{-1, 0, 1, -1, -1, -1, -1, 2, -1, -1}
	var l Layout
	w := &EmbedWeights{W: Matrix{Rows: 9, Cols: 8}, WSpan: l.Add("embed", 9, 8)}
	w.Value = noise(rng, l.Size, 1)
	w.W.F32 = w.Value
	checkBlock(t, NewEmbed(w, batch), noise(rng, 3*8, 1), rng)
}

func TestHeadGradient(t *testing.T) {
	for _, gamma := range []float64{0, .5, 2} {
		for _, tied := range []bool{false, true} {
			t.Run(fmt.Sprintf("gamma %g tied %v", gamma, tied), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 8))
				const d, vocab = 12, 17
				batch := textBatch(rng, vocab, 60, 50)
				var l, el Layout
				w := &HeadWeights{Norm: trainedNorm(&l, "norm", d, false), Gamma: gamma, Tied: tied}
				if tied {
					w.Out = trained(&el, "embed", vocab, d, false)
				} else {
					w.Out = trained(&l, "lm_head", vocab, d, false)
				}
				w.Value = noise(rng, l.Size, .3)
				ev := noise(rng, el.Size, .3)
				shared := Params{Value: ev, Grad: make([]float32, el.Size)}
				if tied {
					bind(ev, w.Out)
				} else {
					bind(w.Value, w.Out)
				}
				bindNorm(w.Value, w.Norm)
				h := NewHead(w, NewExec(1), batch, shared)
				x := noise(rng, batch.T()*d, 1)
				h.Forward(x)
				dx := append([]float32(nil), h.Backward(x, 1)...)
				grad, gradTied := append([]float32(nil), h.Params().Grad...), append([]float32(nil), shared.Grad...)
				loss := func() float64 { return h.Forward(x) }
				checkDifferences(t, "x", x, dx, loss, rng)
				checkDifferences(t, "θ", w.Value, grad, loss, rng)
				checkDifferences(t, "embeddings", ev, gradTied, loss, rng)
			})
		}
	}
}

func gridPatches(headDim int, slices ...[2]int) *Patches {
	p := &Patches{Starts: []int{0}, Rotary: Rotary{Theta: 1e4, HeadDim: headDim}}
	var rows, cols []int32
	for _, s := range slices {
		for r := range s[0] {
			for c := range s[1] {
				rows, cols = append(rows, int32(r)), append(cols, int32(c))
			}
		}
		p.Starts = append(p.Starts, len(rows))
	}
	p.Rotary.PrepareGrid(rows, cols)
	return p
}

func TestVisionGradients(t *testing.T) {
	const embed, heads, hd, inner, hidden, in = 16, 2, 8, 24, 10, 18
	rng := rand.New(rand.NewPCG(9, 10))
	patches := gridPatches(hd, [2]int{2, 2}, [2]int{4, 2})

	pw := &PatchWeights{}
	pw.Proj = trained(&pw.Layout, "proj", embed, in, false)
	pw.Value = noise(rng, pw.Layout.Size, .3)
	bind(pw.Value, pw.Proj)

	vw := &VisionWeights{Heads: heads, HeadDim: hd}
	vw.Norm1, vw.Norm2 = trainedNorm(&vw.Layout, "n1", embed, true), trainedNorm(&vw.Layout, "n2", embed, true)
	vw.QKV, vw.Proj = trained(&vw.Layout, "qkv", 3*embed, embed, true), trained(&vw.Layout, "proj", embed, embed, true)
	vw.FC1, vw.FC2 = trained(&vw.Layout, "fc1", inner, embed, true), trained(&vw.Layout, "fc2", embed, inner, true)
	vw.Value = noise(rng, vw.Layout.Size, .2)
	bind(vw.Value, vw.QKV, vw.Proj, vw.FC1, vw.FC2)
	bindNorm(vw.Value, vw.Norm1, vw.Norm2)

	mw := &MergerWeights{}
	mw.Norm = trainedNorm(&mw.Layout, "ln_q", embed, true)
	mw.FC1, mw.FC2 = trained(&mw.Layout, "mlp.0", 4*embed, 4*embed, true), trained(&mw.Layout, "mlp.2", hidden,
		4*embed, true)
	mw.Value = noise(rng, mw.Layout.Size, .1)
	bind(mw.Value, mw.FC1, mw.FC2)
	bindNorm(mw.Value, mw.Norm)

	e := NewExec(2)
	for _, c := range []struct {
		b     Block
		width int
	}{{NewPatchEmbed(pw, e, patches), in}, {NewVisionBlock(vw, e, patches), embed},
		{NewMerger(mw, e, patches), embed}} {
		t.Run(c.b.Name(), func(t *testing.T) { checkBlock(t, c.b, noise(rng, patches.P()*c.width, 1), rng) })
	}
}

func TestVisionAdapterGradientsWithDropout(t *testing.T) {
	const embed, heads, hd, inner, hidden = 16, 2, 8, 24, 10
	rng := rand.New(rand.NewPCG(11, 12))
	patches := gridPatches(hd, [2]int{2, 2}, [2]int{4, 2})
	patches.Keys = []uint64{7, 8}
	norm := func() *Norm { return &Norm{W: noise(rng, embed, 1), B: noise(rng, embed, .1), Eps: 1e-6} }

	vw := &VisionWeights{Heads: heads, HeadDim: hd, Norm1: norm(), Norm2: norm(), QKV: frozen(rng, 3*embed,
		embed, true),
		Proj: frozen(rng, embed, embed, true), FC1: frozen(rng, inner, embed, true), FC2: frozen(rng, embed,
			inner, true)}
	for i, l := range []*Linear{vw.QKV, vw.Proj, vw.FC1, vw.FC2} {
		adapt(&vw.Layout, l, uint64(i+1), 0, l.W.Rows, 3, .3)
	}
	vw.Value = noise(rng, vw.Layout.Size, .2)

	mw := &MergerWeights{Norm: norm(), FC1: frozen(rng, 4*embed, 4*embed, true), FC2: frozen(rng, hidden,
		4*embed, true)}
	for i, l := range []*Linear{mw.FC1, mw.FC2} {
		adapt(&mw.Layout, l, uint64(i+9), 0, l.W.Rows, 3, .3)
	}
	mw.Value = noise(rng, mw.Layout.Size, .2)

	e := NewExec(1)
	for _, b := range []Block{NewVisionBlock(vw, e, patches), NewMerger(mw, e, patches)} {
		t.Run(b.Name(), func(t *testing.T) { checkBlock(t, b, noise(rng, patches.P()*embed, 1), rng) })
	}
}
