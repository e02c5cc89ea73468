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
	// Last says that nothing but the head reads the result. Then only the tokens of Batch.Read ask others by attention
	// and go through what follows it, and out is 0 elsewhere: their values are the same, and so are the gradients but
	// for the order of their sums, since what is not read has none.
	Last bool

	w      *DecoderWeights
	e      *Exec
	batch  *Batch
	read   Batch // batch, of the rows that are read, where they are few
	rotary *Rotary
	params Params
	att    attention

	norm1, norm2         norm
	qkv, o, gateUp, down product

	*decoderKept
	out []float32 // [T, hidden]
	few []float32 // [R, hidden] rows of x, out or dout, where they are few
}

// decoderKept is what a layer keeps for its pass back, beside its result: of its own, or of several in turn. R is T, or
// the number of rows that are read.
type decoderKept struct {
	of       *Decoder  // whose; nil: nobody's
	xn       []float32 // [T, hidden] norm1(x)
	qkvRows  []float32 // [T, (heads + 2·kvHeads)·head dim] q | k | v, of which q and k are rotated
	attended []float32 // [R, heads·head dim]
	y        []float32 // [R, hidden] x + O·attended
	yn       []float32 // [R, hidden] norm2(y)
	gu       []float32 // [R, 2·inner] gate | up
	hidden   []float32 // [R, inner] silu(gate) ⊙ up
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
	d.project(x, train)
	d.att.run(d.e, d.asking(), d.qkvRows, d.attended, train)
	d.join(x, train)
	if d.of = nil; train {
		d.of = d
	}
	return d.feed(train)
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
	d.project(x, true)
	d.att.run(d.e, d.asking(), d.qkvRows, d.attended, true)
	d.join(x, true)
	rows := d.rows()
	d.open(rows)
	d.gate(0, rows, true)
	d.down.lower(d.e, rows, d.hidden, d.taken(), true)
	d.of = d
}

// Decode is Forward for new tokens of sequences whose earlier
// tokens are in caches, one per sequence; it appends to them.
func (d *Decoder) Decode(x []float32, caches []*Cache) []float32 {
	d.project(x, false)
	d.att.decode(d.e, d.asking(), d.qkvRows, d.attended, caches)
	d.join(x, false)
	return d.feed(false)
}

// fewer is whether not all rows are needed behind the keys and values.
func (d *Decoder) fewer() bool {
	return d.Last && d.batch.Read != nil && len(d.batch.Read) < d.batch.T()
}

// rows is the number of rows that ask and go through what follows: R.
func (d *Decoder) rows() int {
	if d.fewer() {
		return len(d.batch.Read)
	}
	return d.batch.T()
}

func (d *Decoder) asking() asking {
	if d.fewer() {
		return asking{d.batch.Starts, d.batch.Read}
	}
	return asking{starts: d.batch.Starts}
}

// taken is the batch of the rows that ask, by which dropout finds their places.
func (d *Decoder) taken() *Batch {
	if !d.fewer() {
		return d.batch
	}
	d.read = Batch{Starts: d.batch.Starts, Keys: d.batch.Keys, rows: d.batch.Read}
	return &d.read
}

// project makes the rotated q, k, v rows of x.
func (d *Decoder) project(x []float32, train bool) {
	all := d.batch.T()
	d.xn = grow(d.xn, all*len(d.w.Norm1.W))
	d.norm1.run(d.e, all, x, d.xn)
	d.qkvRows = grow(d.qkvRows, all*d.att.width())
	d.qkv.run(d.e, all, d.xn, nil, d.qkvRows, d.batch, train)
	d.att.rotate(d.e, all, d.qkvRows, d.rotary.Cos, d.rotary.Sin)
	d.attended = grow(d.attended, d.rows()*d.w.Heads*d.w.HeadDim)
}

// join is what follows the attention: the output product and the residual.
func (d *Decoder) join(x []float32, train bool) {
	rows, hidden := d.rows(), len(d.w.Norm1.W)
	if d.fewer() {
		d.few = grow(d.few, rows*hidden)
		pick(d.few, x, d.batch.Read, hidden)
		x = d.few
	}
	d.y = grow(d.y, rows*hidden)
	d.o.run(d.e, rows, d.attended, x, d.y, d.taken(), train)
}

// feed is the MLP and its residual.
func (d *Decoder) feed(train bool) []float32 {
	all, rows, hidden, inner := d.batch.T(), d.rows(), len(d.w.Norm1.W), d.w.Down.W.Cols
	d.out = grow(d.out, all*hidden)
	out := d.out
	if d.fewer() {
		d.few = grow(d.few, rows*hidden)
		out = d.few
	}
	d.open(rows)
	step := d.slice(rows)
	for lo := 0; lo < rows; lo += step {
		n := min(step, rows-lo)
		d.gate(lo, n, train)
		d.down.run(d.e, n, d.hidden[lo*inner:], d.y[lo*hidden:], out[lo*hidden:], d.taken(), train)
	}
	if d.fewer() {
		spread(d.out, out, d.batch.Read, hidden)
	}
	return d.out
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

// open makes the MLP ready for so many rows.
func (d *Decoder) open(rows int) {
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols
	d.yn = grow(d.yn, rows*hidden)
	d.norm2.run(d.e, rows, d.y, d.yn)
	d.gu, d.hidden = grow(d.gu, rows*2*inner), grow(d.hidden, rows*inner)
}

// gate is the MLP up to its last product for n rows from lo on.
func (d *Decoder) gate(lo, n int, train bool) {
	hidden, inner := len(d.w.Norm1.W), d.w.Down.W.Cols
	all, to := d.gu[lo*2*inner:], d.hidden[lo*inner:]
	d.gateUp.run(d.e, n, d.yn[lo*hidden:], nil, all, d.taken(), train)
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
	e, b, all, rows := d.e, d.batch, d.batch.T(), d.rows()
	hidden := len(d.w.Norm1.W)
	if d.fewer() {
		d.few = grow(d.few, rows*hidden)
		pick(d.few, dout, b.Read, hidden)
		dout = d.few
	}
	dy := d.feedBack(rows, dout)

	// y = x + O·a
	da := e.take(scratchE, rows*d.w.Heads*d.w.HeadDim)
	d.o.back(e, rows, d.attended, dy, da, d.taken())
	dqkv := e.take(scratchA, all*d.att.width())
	d.att.back(e, d.asking(), d.qkvRows, d.attended, da, dqkv, d.rotary.Cos, d.rotary.Sin)
	if !needDX && d.norm1.WSpan.Shape == nil {
		d.qkv.back(e, all, d.xn, dqkv, nil, b)
		return nil
	}
	dn := e.take(scratchC, all*hidden)
	d.qkv.back(e, all, d.xn, dqkv, dn, b)
	if !needDX {
		d.norm1.back(e, all, x, dn, nil, nil)
		return nil
	}
	d.dx = grow(d.dx, all*hidden)
	if !d.fewer() {
		d.norm1.back(e, all, x, dn, dy, d.dx)
		return d.dx
	}
	d.norm1.back(e, all, x, dn, nil, d.dx)
	for i, t := range b.Read {
		blas.Add(d.dx[t*hidden:(t+1)*hidden], dy[i*hidden:(i+1)*hidden])
	}
	return d.dx
}

// feedBack is the pass back of feed for the gradient of its rows; it returns dy [R, hidden].
func (d *Decoder) feedBack(rows int, dout []float32) []float32 {
	e, b, hidden, inner := d.e, d.taken(), len(d.w.Norm1.W), d.w.Down.W.Cols

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
	dy := e.take(scratchD, rows*hidden)
	d.norm2.back(e, rows, d.y, dn, dout, dy)
	return dy
}
