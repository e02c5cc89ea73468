package nn

import (
	"math/rand/v2"
	"sync"

	"finetui/ml/blas"
)

// Linear is y = x Wᵀ + b, and the adapters on it. It is shared by all replicas. Where WSpan is set, W.F32 is a view of
// the block's flat vector and is trained; otherwise W is frozen and laid out once for the kernels.
type Linear struct {
	W            Matrix
	B            []float32 // [out]; nil: no bias
	WSpan, BSpan Span      // zero: frozen
	Adapters     []*Adapter

	onceF, onceB sync.Once
	forward      *blas.Panels // x Wᵀ
	backward     *blas.Panels // dy W
}

// Adapter is LoRA on the rows Off … Off+Out of a Linear (q, k and v are rows of one product):
// y[Off:Off+Out] += Scale · B (A dropout(x)), A [R, in], B [Out, R] (Hu et al. 2021, arXiv 2106.09685).
type Adapter struct {
	Off, Out, R    int
	Scale, Dropout float32
	A, B           Span   // in the block's flat vector
	Use            uint64 // names the dropout stream of this adapter
}

// Mul sets y [rows, out] to the bare product x Wᵀ, or adds it with acc.
func (l *Linear) Mul(t blas.Team, rows int, x []float32, acc bool, y []float32) {
	in, out := l.W.Cols, l.W.Rows
	if l.WSpan.Shape != nil {
		t.Gemm(false, true, rows, out, in, x, in, l.W.F32, in, acc, y, out)
		return
	}
	l.onceF.Do(func() { l.forward = l.pack(true) })
	t.Mul(rows, x, in, l.forward, acc, y, out)
}

// MulBack sets dx [rows, in] to the bare product dy W.
func (l *Linear) MulBack(t blas.Team, rows int, dy, dx []float32) {
	in, out := l.W.Cols, l.W.Rows
	if l.WSpan.Shape != nil {
		t.Gemm(false, false, rows, in, out, dy, out, l.W.F32, in, false, dx, in)
		return
	}
	l.onceB.Do(func() { l.backward = l.pack(false) })
	t.Mul(rows, dy, out, l.backward, false, dx, in)
}

func (l *Linear) pack(transposed bool) *blas.Panels {
	n, k := l.W.Cols, l.W.Rows
	if transposed {
		n, k = k, n
	}
	w, done := l.W.joined()
	defer done()
	if w.F32 != nil {
		return blas.Pack(transposed, n, k, w.F32, w.Cols)
	}
	return blas.PackBF16(transposed, n, k, w.BF16, w.Cols)
}

// product is a Linear in one replica: the shared weights, the block's flat vectors, and what the backward pass needs.
type product struct {
	*Linear
	params Params
	low    [][]float32 // per adapter: Scale · A dropout(x), [rows, R]
}

func newProduct(l *Linear, p Params) product {
	return product{Linear: l, params: p, low: make([][]float32, len(l.Adapters))}
}

// run computes y [rows, out] = x Wᵀ + b + adapters, added to what is in y where acc is set. Batch b may be nil; it gives
// dropout its streams and is looked at only where train is set.
func (p *product) run(e *Exec, rows int, x []float32, acc bool, y []float32, b *Batch, train bool) {
	out := p.W.Rows
	if p.B != nil {
		for t := range rows {
			if acc {
				blas.Add(y[t*out:(t+1)*out], p.B)
			} else {
				copy(y[t*out:(t+1)*out], p.B)
			}
		}
		acc = true
	}
	p.Mul(e.Team, rows, x, acc, y)
	in := p.W.Cols
	for i, a := range p.Adapters {
		xd := x
		if train && a.drops(b) {
			xd = e.take(scratchDropped, rows*in)
			a.drop(b, in, xd, x)
		}
		p.low[i] = grow(p.low[i], rows*a.R)
		low := p.low[i]
		e.Team.Gemm(false, true, rows, a.R, in, xd, in, a.A.Of(p.params.Value), in, false, low, a.R)
		blas.Scale(low, a.Scale)
		e.Team.Gemm(false, true, rows, a.Out, a.R, low, a.R, a.B.Of(p.params.Value), a.R, true, y[a.Off:], out)
	}
}

// back adds the gradients of weights, bias and adapters for the x of the last run, and sets dx [rows, in] unless it is nil.
func (p *product) back(e *Exec, rows int, x, dy, dx []float32, b *Batch) {
	in, out := p.W.Cols, p.W.Rows
	if g := p.WSpan.Of(p.params.Grad); g != nil {
		e.Team.Gemm(true, false, out, in, rows, dy, out, x, in, true, g, in)
	}
	if g := p.BSpan.Of(p.params.Grad); g != nil {
		for t := range rows {
			blas.Add(g, dy[t*out:(t+1)*out])
		}
	}
	if dx != nil {
		p.MulBack(e.Team, rows, dy, dx)
	}
	for i, a := range p.Adapters {
		dropped := a.drops(b)
		xd := x
		if dropped {
			xd = e.take(scratchDropped, rows*in)
			a.drop(b, in, xd, x)
		}
		A, B := a.A.Of(p.params.Value), a.B.Of(p.params.Value)
		gA, gB := a.A.Of(p.params.Grad), a.B.Of(p.params.Grad)
		e.Team.Gemm(true, false, a.Out, a.R, rows, dy[a.Off:], out, p.low[i], a.R, true, gB, a.R)
		dlow := e.take(scratchLow, rows*a.R)
		e.Team.Gemm(false, false, rows, a.R, a.Out, dy[a.Off:], out, B, a.R, false, dlow, a.R)
		blas.Scale(dlow, a.Scale)
		e.Team.Gemm(true, false, a.R, in, rows, dlow, a.R, xd, in, true, gA, in)
		switch {
		case dx == nil:
		case dropped:
			spread := e.take(scratchSpread, rows*in)
			e.Team.Gemm(false, false, rows, in, a.R, dlow, a.R, A, in, false, spread, in)
			a.drop(b, in, spread, spread)
			blas.Add(dx[:rows*in], spread)
		default:
			e.Team.Gemm(false, false, rows, in, a.R, dlow, a.R, A, in, true, dx, in)
		}
	}
}

func (a *Adapter) drops(b *Batch) bool { return a.Dropout > 0 && b != nil && b.Keys != nil }

// drop zeroes each value of src [rows, width] with probability Dropout and scales the others by 1/(1−Dropout). The mask
// depends on the sequence's key and the adapter alone, so it is the same whichever replica runs the sequence, and in both
// passes.
func (a *Adapter) drop(b *Batch, width int, dst, src []float32) {
	const lanes = 4 // 16 random bits decide one value
	limit := uint64(a.Dropout * (1 << 16))
	keep := 1 / (1 - a.Dropout)
	for s := range b.Sequences() {
		rng := rand.NewPCG(b.Keys[s], a.Use)
		lo, hi := b.Starts[s]*width, b.Starts[s+1]*width
		for i := lo; i < hi; i += lanes {
			bits := rng.Uint64()
			for j := i; j < min(i+lanes, hi); j++ {
				if bits&0xffff < limit {
					dst[j] = 0
				} else {
					dst[j] = src[j] * keep
				}
				bits >>= 16
			}
		}
	}
}
