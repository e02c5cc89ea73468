package nn

import (
	"fmt"

	"finetui/ml/blas"
)

// DecoderWeights are one Qwen2 layer, shared by all replicas. Value is the flat vector of what is trained in it (LoRA:
// the adapters; all-parameter training: every tensor, which are then views of it), laid out by Layout.
type DecoderWeights struct {
	Index                   int
	Heads, KVHeads, HeadDim int
	Norm1, Norm2            *Norm   // input_layernorm, post_attention_layernorm
	QKV                     *Linear // rows [q | k | v], with bias
	O                       *Linear
	GateUp                  *Linear // rows [gate | up]
	Down                    *Linear
	Layout                  Layout
	Value                   []float32
}

// Decoder is one replica's Qwen2 layer:
//
//	y = x + O·attention(rope(QKV·norm1(x)));  out = y + Down·(silu(Gate·norm2(y)) ⊙ Up·norm2(y))
type Decoder struct {
	w      *DecoderWeights
	e      *Exec
	batch  *Batch
	rotary *Rotary
	params Params
	att    attention

	norm1, norm2         norm
	qkv, o, gateUp, down product

	*decoderKept
	out []float32 // [T, hidden]
}

// decoderKept is what a layer keeps for its pass back, beside its result: of its own, or of several in turn.
type decoderKept struct {
	of       *Decoder  // whose; nil: nobody's
	xn       []float32 // [T, hidden] norm1(x)
	qkvRows  []float32 // [T, (heads + 2·kvHeads)·head dim] q | k | v, of which q and k are rotated
	attended []float32 // [T, heads·head dim]
	y        []float32 // [T, hidden] x + O·attended
	yn       []float32 // [T, hidden] norm2(y)
	gu       []float32 // [T, 2·inner] gate | up
	hidden   []float32 // [T, inner] silu(gate) ⊙ up
	dx       []float32 // [T, hidden]
}

// NewDecoder returns a replica of w that reads its sequences from batch and its angles from rotary.
func NewDecoder(w *DecoderWeights, e *Exec, batch *Batch, rotary *Rotary) *Decoder {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	return &Decoder{
		w: w, e: e, batch: batch, rotary: rotary, params: p,
		att:   attention{heads: w.Heads, kvHeads: w.KVHeads, headDim: w.HeadDim, causal: true, lse: &kept{}},
		norm1: newNorm(w.Norm1, p), norm2: newNorm(w.Norm2, p),
		qkv: newProduct(w.QKV, p), o: newProduct(w.O, p), gateUp: newProduct(w.GateUp, p), down: newProduct(w.Down, p),
		decoderKept: &decoderKept{},
	}
}

// Name is "layers.N".
func (w *DecoderWeights) Name() string { return fmt.Sprintf("layers.%d", w.Index) }

// Name is "layers.N".
func (d *Decoder) Name() string { return d.w.Name() }

// Params are the layer's trained parameters.
func (d *Decoder) Params() Params { return d.params }

// Forward maps x [T, hidden] to [T, hidden].
func (d *Decoder) Forward(x []float32, train bool) []float32 {
	rows := d.batch.T()
	d.project(rows, x, train)
	d.att.run(d.e, d.batch.Starts, d.qkvRows, d.attended, train)
	d.mlp(rows, x, train)
	if d.of = nil; train {
		d.of = d
	}
	return d.finish(rows, train)
}

// Share makes the layer keep what its pass back needs in the room of another.
func (d *Decoder) Share(with Block) bool {
	o, ok := with.(*Decoder)
	if !ok || o.e != d.e {
		return false
	}
	d.decoderKept, d.att.lse, d.norm1.normKept, d.norm2.normKept = o.decoderKept, o.att.lse, o.norm1.normKept,
		o.norm2.normKept
	d.qkv.low, d.o.low, d.gateUp.low, d.down.low = o.qkv.low, o.o.low, o.gateUp.low, o.down.low
	return true
}

// Again makes what the pass back needs once more, unless it is still there.
func (d *Decoder) Again(x []float32) {
	if d.of == d {
		return
	}
	rows := d.batch.T()
	d.project(rows, x, true)
	d.att.run(d.e, d.batch.Starts, d.qkvRows, d.attended, true)
	d.mlp(rows, x, true)
	d.down.lower(d.e, rows, d.hidden, d.batch, true)
	d.of = d
}

// Decode is Forward for new tokens of sequences whose earlier
// tokens are in caches, one per sequence; it appends to them.
func (d *Decoder) Decode(x []float32, caches []*Cache) []float32 {
	rows := d.batch.T()
	d.project(rows, x, false)
	d.att.decode(d.e, d.batch.Starts, d.qkvRows, d.attended, caches)
	d.mlp(rows, x, false)
	return d.finish(rows, false)
}

// project makes the rotated q, k, v rows of x.
func (d *Decoder) project(rows int, x []float32, train bool) {
	d.xn = grow(d.xn, rows*len(d.w.Norm1.W))
	d.norm1.run(d.e, rows, x, d.xn)
	d.qkvRows = grow(d.qkvRows, rows*d.att.width())
	d.qkv.run(d.e, rows, d.xn, nil, d.qkvRows, d.batch, train)
	d.att.rotate(d.e, rows, d.qkvRows, d.rotary.Cos, d.rotary.Sin)
	d.attended = grow(d.attended, rows*d.w.Heads*d.w.HeadDim)
}

// mlp is what follows the attention, up to the last product: the output product, the residual and the MLP.
func (d *Decoder) mlp(rows int, x []float32, train bool) {
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols
	d.y = grow(d.y, rows*hidden)
	d.o.run(d.e, rows, d.attended, x, d.y, d.batch, train)

	d.yn = grow(d.yn, rows*hidden)
	d.norm2.run(d.e, rows, d.y, d.yn)
	d.gu = grow(d.gu, rows*2*inner)
	d.gateUp.run(d.e, rows, d.yn, nil, d.gu, d.batch, train)
	d.hidden = grow(d.hidden, rows*inner)
	d.e.Team.For(rows, 4, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			gu := d.gu[t*2*inner : (t+1)*2*inner]
			blas.SiLUMul(d.hidden[t*inner:(t+1)*inner], gu[:inner], gu[inner:])
		}
	})
}

// finish is the last product.
func (d *Decoder) finish(rows int, train bool) []float32 {
	d.out = grow(d.out, rows*d.w.Down.W.Rows)
	d.down.run(d.e, rows, d.hidden, d.y, d.out, d.batch, train)
	return d.out
}

// Backward adds the gradients of the trained parameters and returns dx [T, hidden].
func (d *Decoder) Backward(x, dout []float32, needDX bool) []float32 {
	e, b, rows := d.e, d.batch, d.batch.T()
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols

	// out = y + Down·h, h = silu(g) ⊙ u
	dh := e.take(scratchA, rows*inner)
	d.down.back(e, rows, d.hidden, dout, dh, b)
	dgu := e.take(scratchB, rows*2*inner)
	e.Team.For(rows, 4, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			gu, g := d.gu[t*2*inner:(t+1)*2*inner], dgu[t*2*inner:(t+1)*2*inner]
			blas.SiLUMulBackward(g[:inner], g[inner:], dh[t*inner:(t+1)*inner], gu[:inner], gu[inner:])
		}
	})
	dn := e.take(scratchC, rows*hidden)
	d.gateUp.back(e, rows, d.yn, dgu, dn, b)
	dy := e.take(scratchD, rows*hidden)
	d.norm2.back(e, rows, d.y, dn, dout, dy)

	// y = x + O·a
	da := e.take(scratchE, rows*d.w.Heads*d.w.HeadDim)
	d.o.back(e, rows, d.attended, dy, da, b)
	dqkv := e.take(scratchA, rows*d.att.width())
	d.att.back(e, b.Starts, d.qkvRows, d.attended, da, dqkv, d.rotary.Cos, d.rotary.Sin)
	if !needDX && d.norm1.WSpan.Shape == nil {
		d.qkv.back(e, rows, d.xn, dqkv, nil, b)
		return nil
	}
	d.qkv.back(e, rows, d.xn, dqkv, dn, b)
	if !needDX {
		d.norm1.back(e, rows, x, dn, nil, nil)
		return nil
	}
	d.dx = grow(d.dx, rows*hidden)
	d.norm1.back(e, rows, x, dn, dy, d.dx)
	return d.dx
}
