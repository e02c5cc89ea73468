package nn

import (
	"sort"

	"finetui/ml/blas"
)

// Adapter is LoRA on the rows Off … Off+Out of a Linear (q, k and v are rows of one product):
// y[Off:Off+Out] += Scale · B (A dropout(x)), A [R, in], B [Out, R] (Hu et al. 2021, arXiv 2106.09685).
type Adapter struct {
	Off, Out, R    int
	Scale, Dropout float32
	A, B           Span   // in the block's flat vector
	Use            uint64 // names the dropout stream of this adapter
}

// stackedRows is from how many rows on it pays to copy the A of adapters that share an input one below the other.
const stackedRows = 32

// lower makes what the adapters' A make of x, which the pass back needs as well.
func (p *product) lower(e *Exec, rows int, x []float32, b *Batch, train bool) {
	if p.ranks == 0 {
		return
	}
	in, low := p.W.Cols, p.low.grow(rows*p.ranks)
	if p.stacks(rows, b, train) {
		e.Team.Gemm(false, true, rows, p.ranks, in, x, in, p.stack(e), in, false, low, p.ranks)
	} else {
		p.each(func(a *Adapter, at int) {
			xd := x
			if train && a.drops(b) {
				xd = e.take(scratchDropped, rows*in)
				a.drop(e, b, in, func(m blas.Mask, lo, hi, first int) { m.Apply(xd[lo:hi], x[lo:hi], first) })
			}
			e.Team.Gemm(false, true, rows, a.R, in, xd, in, a.A.Of(p.params.Value), in, false, low[at:], p.ranks)
		})
	}
	p.scale(rows, low)
}

// adapt adds the adapters' part to y [rows, out].
func (p *product) adapt(e *Exec, rows int, y []float32) {
	p.each(func(a *Adapter, at int) {
		e.Team.Gemm(false, true, rows, a.Out, a.R, p.low.v[at:], p.ranks, a.B.Of(p.params.Value), a.R, true,
			y[a.Off:], p.W.Rows)
	})
}

// adaptBack adds the gradients of the adapters for the x of the last run, and their part of dx unless that is nil:
//
//	dB = dyᵀ low;  dlow = Scale · dy B;  dA = dlowᵀ dropout(x);  dx += dropout(dlow A)
func (p *product) adaptBack(e *Exec, rows int, x, dy, dx []float32, b *Batch) {
	in, out := p.W.Cols, p.W.Rows
	dlow := e.take(scratchLow, rows*p.ranks)
	p.each(func(a *Adapter, at int) {
		e.Team.Gemm(true, false, a.Out, a.R, rows, dy[a.Off:], out, p.low.v[at:], p.ranks, true,
			a.B.Of(p.params.Grad), a.R)
		e.Team.Gemm(false, false, rows, a.R, a.Out, dy[a.Off:], out, a.B.Of(p.params.Value), a.R, false,
			dlow[at:], p.ranks)
	})
	p.scale(rows, dlow)
	if p.stacks(rows, b, true) {
		grad := e.take(scratchStackGrad, p.ranks*in)
		e.Team.Gemm(true, false, p.ranks, in, rows, dlow, p.ranks, x, in, false, grad, in)
		p.each(func(a *Adapter, at int) { blas.Add(a.A.Of(p.params.Grad), grad[at*in:(at+a.R)*in]) })
		if dx != nil {
			e.Team.Gemm(false, false, rows, in, p.ranks, dlow, p.ranks, p.stack(e), in, true, dx, in)
		}
		return
	}
	p.each(func(a *Adapter, at int) {
		A, gradA := a.A.Of(p.params.Value), a.A.Of(p.params.Grad)
		if !a.drops(b) {
			e.Team.Gemm(true, false, a.R, in, rows, dlow[at:], p.ranks, x, in, true, gradA, in)
			if dx != nil {
				e.Team.Gemm(false, false, rows, in, a.R, dlow[at:], p.ranks, A, in, true, dx, in)
			}
			return
		}
		xd := e.take(scratchDropped, rows*in)
		a.drop(e, b, in, func(m blas.Mask, lo, hi, first int) { m.Apply(xd[lo:hi], x[lo:hi], first) })
		e.Team.Gemm(true, false, a.R, in, rows, dlow[at:], p.ranks, xd, in, true, gradA, in)
		if dx != nil {
			e.Team.Gemm(false, false, rows, in, a.R, dlow[at:], p.ranks, A, in, false, xd, in)
			a.drop(e, b, in, func(m blas.Mask, lo, hi, first int) { m.Add(dx[lo:hi], xd[lo:hi], first) })
		}
	})
}

// each calls do for every adapter with its first column in low.
func (p *product) each(do func(a *Adapter, at int)) {
	at := 0
	for _, a := range p.Adapters {
		do(a, at)
		at += a.R
	}
}

// stacks is whether the adapters are one product: they share an input, unless each drops other values of it.
func (p *product) stacks(rows int, b *Batch, train bool) bool {
	if len(p.Adapters) < 2 || rows < stackedRows {
		return false
	}
	for _, a := range p.Adapters {
		if train && a.drops(b) {
			return false
		}
	}
	return true
}

// stack is the A of all adapters, one below the other: [ranks, in].
func (p *product) stack(e *Exec) []float32 {
	in := p.W.Cols
	s := e.take(scratchStack, p.ranks*in)
	p.each(func(a *Adapter, at int) { copy(s[at*in:], a.A.Of(p.params.Value)) })
	return s
}

// scale multiplies the adapters' columns of low by their scales.
func (p *product) scale(rows int, low []float32) {
	same := true
	for _, a := range p.Adapters {
		same = same && a.Scale == p.Adapters[0].Scale
	}
	if same {
		blas.Scale(low[:rows*p.ranks], p.Adapters[0].Scale)
		return
	}
	p.each(func(a *Adapter, at int) {
		for t := range rows {
			blas.Scale(low[t*p.ranks+at:t*p.ranks+at+a.R], a.Scale)
		}
	})
}

func (a *Adapter) drops(b *Batch) bool { return a.Dropout > 0 && b != nil && b.Keys != nil }

// drop calls do for all values of rows that are width wide, piece by piece: lo to hi, whose first is number
// first of a sequence's mask. The mask depends on the sequence's key and the adapter alone, so it is the same
// whichever replica runs the sequence, in both passes, and whichever rows there are.
func (a *Adapter) drop(e *Exec, b *Batch, width int, do func(m blas.Mask, lo, hi, first int)) {
	mask := func(s int) blas.Mask { return blas.NewMask(a.Dropout, b.Keys[s]^a.Use*0x9e3779b97f4a7c15) }
	if b.rows != nil {
		for i, t := range b.rows {
			s := sort.SearchInts(b.Starts, t+1) - 1
			do(mask(s), i*width, (i+1)*width, (t-b.Starts[s])*width)
		}
		return
	}
	e.Team.For(b.T(), 16, func(lo, hi int) {
		for s := sort.SearchInts(b.Starts, lo+1) - 1; lo < hi; s++ {
			end := min(hi, b.Starts[s+1])
			if lo < end {
				do(mask(s), lo*width, end*width, (lo-b.Starts[s])*width)
				lo = end
			}
		}
	})
}
