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
	// Last says that nothing but the head reads the result. Then out is made of the rows of Batch.Read alone, and is 0
	// elsewhere, unless something is trained in what makes it: values and gradients are the same to the bit.
	Last bool

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
	few []float32 // [R, hidden] the rows of out that are read, where they are few
}

// decoderKept is what a layer keeps for its pass back, beside its result: of its own, or of several in turn.
type decoderKept struct {
	of       *Decoder  // whose; nil: nobody's
	xn       []float32 // [T, hidden] norm1(x)
	qkvRows  []float32 // [T, (heads + 2·kvHeads)·head dim] q | k | v, of which q and k are rotated
	attended []float32 // [T, heads·head dim]
	y        []float32 // [T, hidden] x + O·attended
	fewY     []float32 // [R, hidden] the rows of y that the MLP takes, where it does not take all
	yn       []float32 // [T or R, hidden] norm2(y)
	gu       []float32 // [T or R, 2·inner] gate | up
	hidden   []float32 // [T or R, inner] silu(gate) ⊙ up
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
	d.join(rows, x, train)
	if d.of = nil; train {
		d.of = d
	}
	return d.feed(rows, train)
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
	d.join(rows, x, true)
	y, rows := d.taken(rows, true)
	d.open(rows, y)
	d.gate(0, rows, true)
	d.down.lower(d.e, rows, d.hidden, d.batch, true)
	d.of = d
}

// Decode is Forward for new tokens of sequences whose earlier
// tokens are in caches, one per sequence; it appends to them.
func (d *Decoder) Decode(x []float32, caches []*Cache) []float32 {
	rows := d.batch.T()
	d.project(rows, x, false)
	d.att.decode(d.e, d.batch.Starts, d.qkvRows, d.attended, caches)
	d.join(rows, x, false)
	return d.feed(rows, false)
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

// join is what follows the attention: the output product and the residual.
func (d *Decoder) join(rows int, x []float32, train bool) {
	d.y = grow(d.y, rows*len(d.w.Norm1.W))
	d.o.run(d.e, rows, d.attended, x, d.y, d.batch, train)
}

// feed is the MLP and its residual.
func (d *Decoder) feed(all int, train bool) []float32 {
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols
	y, rows := d.taken(all, train)
	d.out = grow(d.out, all*hidden)
	out := d.out
	if rows < all {
		d.few = grow(d.few, rows*hidden)
		out = d.few
	}
	d.open(rows, y)
	step := d.slice(rows)
	for lo := 0; lo < rows; lo += step {
		n := min(step, rows-lo)
		d.gate(lo, n, train)
		d.down.run(d.e, n, d.hidden[lo*inner:], y[lo*hidden:], out[lo*hidden:], d.batch, train)
	}
	if rows < all {
		spread(d.out, out, d.batch.Read, hidden)
	}
	return d.out
}

// taken are the rows of y that the MLP takes.
func (d *Decoder) taken(all int, train bool) (y []float32, rows int) {
	read, hidden := d.batch.Read, len(d.w.Norm1.W)
	if !d.Last || read == nil || len(read) >= all || train && !d.plain() {
		return d.y, all
	}
	d.fewY = grow(d.fewY, len(read)*hidden)
	pick(d.fewY, d.y, read, hidden)
	return d.fewY, len(read)
}

// plain says that nothing is trained in the MLP.
func (d *Decoder) plain() bool {
	w := d.w
	return len(w.GateUp.Adapters) == 0 && len(w.Down.Adapters) == 0 && w.GateUp.WSpan.Shape == nil &&
		w.Down.WSpan.Shape == nil && w.Norm2.WSpan.Shape == nil
}

// sliceValues is how many values of gate and up at a time stay in the cache of one core.
const sliceValues = 96 << 10

// slice is how many rows at a time go through the MLP. A large model's go all at once: its weights would not stay in
// the cache meanwhile.
func (d *Decoder) slice(rows int) int {
	const least = 48 // from which on products are at their speed
	n := sliceValues / (2 * d.w.Down.W.Cols) / least * least
	if n == 0 || d.e.Team.Size() > 1 || !d.plain() {
		return max(1, rows)
	}
	return n
}

// open makes the MLP ready for so many rows of y.
func (d *Decoder) open(rows int, y []float32) {
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols
	d.yn = grow(d.yn, rows*hidden)
	d.norm2.run(d.e, rows, y, d.yn)
	d.gu, d.hidden = grow(d.gu, rows*2*inner), grow(d.hidden, rows*inner)
}

// gate is the MLP up to its last product for n rows from lo on.
func (d *Decoder) gate(lo, n int, train bool) {
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols
	all, to := d.gu[lo*2*inner:], d.hidden[lo*inner:]
	d.gateUp.run(d.e, n, d.yn[lo*hidden:], nil, all, d.batch, train)
	d.e.Team.For(n, 4, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			gu := all[t*2*inner : (t+1)*2*inner]
			blas.SiLUMul(to[t*inner:(t+1)*inner], gu[:inner], gu[inner:])
		}
	})
}

// pick sets to to the rows at of from; spread puts them back, with 0 in all others.
func pick(to, from []float32, at []int, width int) {
	for i, t := range at {
		copy(to[i*width:(i+1)*width], from[t*width:])
	}
}

func spread(to, from []float32, at []int, width int) {
	clear(to)
	for i, t := range at {
		copy(to[t*width:(t+1)*width], from[i*width:(i+1)*width])
	}
}

// Backward adds the gradients of the trained parameters and returns dx [T, hidden].
func (d *Decoder) Backward(x, dout []float32, needDX bool) []float32 {
	e, b, rows := d.e, d.batch, d.batch.T()
	hidden := len(d.w.Norm1.W)
	dy := d.feedBack(rows, dout)

	// y = x + O·a
	da := e.take(scratchE, rows*d.w.Heads*d.w.HeadDim)
	d.o.back(e, rows, d.attended, dy, da, b)
	dqkv := e.take(scratchA, rows*d.att.width())
	d.att.back(e, b.Starts, d.qkvRows, d.attended, da, dqkv, d.rotary.Cos, d.rotary.Sin)
	if !needDX && d.norm1.WSpan.Shape == nil {
		d.qkv.back(e, rows, d.xn, dqkv, nil, b)
		return nil
	}
	dn := e.take(scratchC, rows*hidden)
	d.qkv.back(e, rows, d.xn, dqkv, dn, b)
	if !needDX {
		d.norm1.back(e, rows, x, dn, nil, nil)
		return nil
	}
	d.dx = grow(d.dx, rows*hidden)
	d.norm1.back(e, rows, x, dn, dy, d.dx)
	return d.dx
}

// feedBack is the pass back of feed: it returns dy [T, hidden].
func (d *Decoder) feedBack(all int, dout []float32) []float32 {
	e, b, hidden, inner := d.e, d.batch, len(d.w.Norm1.W), d.w.Down.W.Cols
	y, rows := d.taken(all, true)
	if rows < all {
		d.few = grow(d.few, rows*hidden)
		pick(d.few, dout, b.Read, hidden)
		dout = d.few
	}

	// out = y + Down·h, h = silu(g) ⊙ u
	dn, step := e.take(scratchC, rows*hidden), d.slice(rows)
	dh, dgu := e.take(scratchA, min(step, rows)*inner), e.take(scratchB, min(step, rows)*2*inner)
	for from := 0; from < rows; from += step {
		n, kept := min(step, rows-from), d.gu[from*2*inner:]
		d.down.back(e, n, d.hidden[from*inner:], dout[from*hidden:], dh, b)
		e.Team.For(n, 4, func(lo, hi int) {
			for t := lo; t < hi; t++ {
				gu, g := kept[t*2*inner:(t+1)*2*inner], dgu[t*2*inner:(t+1)*2*inner]
				blas.SiLUMulBackward(g[:inner], g[inner:], dh[t*inner:(t+1)*inner], gu[:inner], gu[inner:])
			}
		})
		d.gateUp.back(e, n, d.yn[from*hidden:], dgu, dn[from*hidden:], b)
	}
	dy := e.take(scratchD, all*hidden)
	if rows == all {
		d.norm2.back(e, rows, y, dn, dout, dy)
		return dy
	}
	few := e.take(scratchE, rows*hidden)
	d.norm2.back(e, rows, y, dn, dout, few)
	spread(dy, few, b.Read, hidden)
	return dy
}
