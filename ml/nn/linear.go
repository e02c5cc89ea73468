package nn

import (
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

// Mul sets y [rows, out] to the bare product x Wᵀ.
func (l *Linear) Mul(t blas.Team, rows int, x, y []float32) { l.mulFrom(t, rows, x, nil, 0, y) }

// mulFrom sets y [rows, out] to from + x Wᵀ: from has rows that
// are ld apart, or with ld = 0 is one row for all; nil: 0.
func (l *Linear) mulFrom(t blas.Team, rows int, x, from []float32, ld int, y []float32) {
	in, out := l.W.Cols, l.W.Rows
	if l.WSpan.Shape == nil {
		t.MulFrom(rows, x, in, l.packed(&l.onceF, &l.forward, true), from, ld, y, out)
		return
	}
	if from != nil {
		t.For(rows, 16, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				copy(y[i*out:(i+1)*out], from[i*ld:])
			}
		})
	}
	t.Gemm(false, true, rows, out, in, x, in, l.W.F32, in, from != nil, y, out)
}

// MulBack sets dx [rows, in] to the bare product dy W.
func (l *Linear) MulBack(t blas.Team, rows int, dy, dx []float32) {
	in, out := l.W.Cols, l.W.Rows
	if l.WSpan.Shape != nil {
		t.Gemm(false, false, rows, in, out, dy, out, l.W.F32, in, false, dx, in)
		return
	}
	t.Mul(rows, dy, out, l.packed(&l.onceB, &l.backward, false), false, dx, in)
}

// packed are the panels that once made. Where their making panicked, since the weights' file was lost, each who asks
// finds that out for itself.
func (l *Linear) packed(once *sync.Once, panels **blas.Panels, transposed bool) *blas.Panels {
	once.Do(func() { *panels = l.pack(transposed) })
	if *panels == nil {
		return l.pack(transposed)
	}
	return *panels
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
	ranks  int   // of all adapters together
	low    *kept // [rows, ranks] Scale · A dropout(x) of the adapters, side by side
}

func newProduct(l *Linear, p Params) product {
	made := product{low: &kept{}}
	made.turn(l, p)
	return made
}

// run computes y [rows, out] = residual + x Wᵀ + b + adapters; residual may be nil. Batch b may be nil; it gives
// dropout its streams and is looked at only where train is set.
func (p *product) run(e *Exec, rows int, x, residual, y []float32, b *Batch, train bool) {
	out := p.W.Rows
	switch {
	case residual == nil && p.B == nil:
		p.mulFrom(e.Team, rows, x, nil, 0, y)
	case residual == nil:
		p.mulFrom(e.Team, rows, x, p.B, 0, y)
	case p.B == nil:
		p.mulFrom(e.Team, rows, x, residual, out, y)
	default:
		e.Team.For(rows, 16, func(lo, hi int) {
			for t := lo; t < hi; t++ {
				copy(y[t*out:(t+1)*out], residual[t*out:])
				blas.Add(y[t*out:(t+1)*out], p.B)
			}
		})
		p.mulFrom(e.Team, rows, x, y, out, y)
	}
	p.lower(e, rows, x, b, train)
	p.adapt(e, rows, y)
}

// back adds the gradients of weights, bias and adapters for the
// x of the last run, and sets dx [rows, in] unless it is nil.
func (p *product) back(e *Exec, rows int, x, dy, dx []float32, b *Batch) {
	in, out := p.W.Cols, p.W.Rows
	if g := p.WSpan.Of(p.params.Grad); g != nil {
		e.Team.Gemm(true, false, out, in, rows, dy, out, x, in, true, g, in)
	}
	if g := p.BSpan.Of(p.params.Grad); g != nil {
		e.Team.For(out, 64, func(lo, hi int) {
			for t := range rows {
				blas.Add(g[lo:hi], dy[t*out+lo:t*out+hi])
			}
		})
	}
	if dx != nil {
		p.MulBack(e.Team, rows, dy, dx)
	}
	if p.ranks > 0 {
		p.adaptBack(e, rows, x, dy, dx, b)
	}
}
