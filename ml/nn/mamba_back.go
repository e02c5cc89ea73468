package nn

import (
	"math"

	"finetui/ml/blas"
)

// backRoom is what a backward pass needs of one direction.
type backRoom struct {
	ds, dv, ddt, pre []float32 // [T, inner]
	dlow             []float32 // [T, rank + 2·states]
	dr               []float32 // [T, rank]
	dx               []float32 // [T, inner] of the product behind dlow
	scanned          []float32 // [pieces, 1 + 2·the longest sequence, states, scanChannels]
	parts            []float32 // [pieces, T, 2·states] dB | dC of each piece of channels
}

// Backward adds the gradients of the trained parameters and returns dx [T, width]. It is made for small models: the
// scan's way back keeps all its states.
func (m *Mamba) Backward(x, dout []float32, needDX bool) []float32 {
	e, rows, d, inner := m.e, m.patches.P(), len(m.w.Norm.W), m.w.Out.W.Cols
	dg := e.take(scratchA, rows*inner)
	m.out.back(e, rows, m.gate, dout, dg, nil)
	m.dxz = grow(m.dxz, rows*2*inner)
	room := &m.room
	room.ds = grow(room.ds, rows*inner)
	e.Team.For(rows, 8, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			at, end := t*inner, (t+1)*inner
			sum := room.ds[at:end]
			copy(sum, m.ways[0].y[at:end])
			blas.Add(sum, m.ways[1].y[at:end])
			clear(m.dxz[2*at : at+end])
			blas.SiLUMulBackward(m.dxz[at+end:2*end], sum, dg[at:end], m.xz[at+end:2*end], sum)
		}
	})
	for i := range m.ways {
		m.ways[i].backward(e, m.patches.Starts, m.xz, m.dxz, room)
	}
	dn := e.take(scratchC, rows*d)
	m.in.back(e, rows, m.xn, m.dxz, dn, nil)
	if !needDX {
		m.norm.back(e, rows, x, dn, nil, nil)
		return nil
	}
	m.dx = grow(m.dx, rows*d)
	m.norm.back(e, rows, x, dn, dout, m.dx)
	return m.dx
}

// backward adds the gradients of one direction, and its part of those of x to dxz, for the gradient r.ds of its y.
func (w *way) backward(e *Exec, starts []int, xz, dxz []float32, r *backRoom) {
	rows, inner, rank, wide := starts[len(starts)-1], w.Inner(), w.Rank(), w.X.W.Rows
	p := w.x.params
	r.dv, r.ddt = grow(r.dv, rows*inner), grow(r.ddt, rows*inner)
	r.dlow, r.dr = grow(r.dlow, rows*wide), grow(r.dr, rows*rank)
	w.scanBack(e, starts, r)
	if g := w.DT.WSpan.Of(p.Grad); g != nil {
		e.Team.Gemm(true, false, inner, rank, rows, r.ddt, inner, w.low, wide, true, g, rank)
	}
	if g := w.DT.BSpan.Of(p.Grad); g != nil {
		for t := range rows {
			blas.Add(g, r.ddt[t*inner:(t+1)*inner])
		}
	}
	w.DT.MulBack(e.Team, rows, r.ddt, r.dr)
	for t := range rows {
		copy(r.dlow[t*wide:t*wide+rank], r.dr[t*rank:])
	}
	r.dx = grow(r.dx, rows*inner)
	w.x.back(e, rows, w.conv, r.dlow, r.dx, nil)
	blas.Add(r.dv[:rows*inner], r.dx[:rows*inner])
	w.convBack(e, starts, xz, dxz, r)
}

// convBack is the way back through silu and the kernels, for the gradient r.dv of what comes of them.
func (w *way) convBack(e *Exec, starts []int, xz, dxz []float32, r *backRoom) {
	rows, inner := starts[len(starts)-1], w.Inner()
	taps := len(w.laid.taps) / inner
	kernel, bias := w.Conv.WSpan.Of(w.x.params.Grad), w.Conv.BSpan.Of(w.x.params.Grad)
	r.pre = grow(r.pre, rows*inner)
	e.Team.For(inner, 64, func(lo, hi int) {
		n := hi - lo
		ones, sums := make([]float32, n), make([]float32, taps*n)
		for i := range ones {
			ones[i] = 1
		}
		for s := range len(starts) - 1 {
			for t := starts[s]; t < starts[s+1]; t++ {
				x, tap, reached := w.reach(t, starts[s], starts[s+1], xz)
				pre, dv := r.pre[t*inner+lo:t*inner+hi], r.dv[t*inner+lo:t*inner+hi]
				copy(pre, w.Conv.B[lo:hi])
				for k := range reached {
					blas.MulAdd(pre, x.V[x.First+k*x.Ld+lo:][:n], tap.V[tap.First+k*tap.Ld+lo:][:n])
				}
				blas.SiLUMulBackward(dv, pre, dv, pre, ones) // dv is that of the sum now
				if bias != nil {
					blas.Add(bias[lo:hi], dv)
				}
				for k := range reached {
					at := x.First + k*x.Ld + lo
					blas.MulAdd(dxz[at:at+n], dv, tap.V[tap.First+k*tap.Ld+lo:][:n])
					if kernel != nil {
						blas.MulAdd(sums[(taps-reached+k)*n:][:n], dv, x.V[at:at+n])
					}
				}
			}
		}
		for c := 0; kernel != nil && c < n; c++ {
			for k := range taps {
				kernel[(lo+c)*taps+k] += sums[k*n+c]
			}
		}
	})
}

// scanBack sets the gradients of v, of dt before softplus and of B and C, for the gradient r.ds of y, and adds those of
// A and D. From the last step on, with dh = 0 behind it:
//
//	dh += C·dy;  dC = dy·h;  dB = dh·Δ·v;  dv = D·dy + Δ·(dh·B);  dΔ = dh·(A·e^(Δ·A)·h₋ + v·B);
//	dA += dh·Δ·e^(Δ·A)·h₋;  dh ← e^(Δ·A)·dh
func (w *way) scanBack(e *Exec, starts []int, r *backRoom) {
	rows, inner, rank, states, wide := starts[len(starts)-1], w.Inner(), w.Rank(), w.States(), w.X.W.Rows
	pieces := (inner + scanChannels - 1) / scanChannels
	r.parts = grow(r.parts, pieces*rows*2*states)
	clear(r.parts)
	longest := 0
	for s := range len(starts) - 1 {
		longest = max(longest, starts[s+1]-starts[s])
	}
	each := (1 + 2*longest) * states * scanChannels
	r.scanned = grow(r.scanned, pieces*each)
	e.Team.For(pieces, 1, func(lo, hi int) {
		for piece := lo; piece < hi; piece++ {
			dbc := r.parts[piece*rows*2*states : (piece+1)*rows*2*states]
			for s := range len(starts) - 1 {
				c := piece * scanChannels
				w.pieceBack(starts[s], starts[s+1], c, min(inner, c+scanChannels), r, dbc,
					r.scanned[piece*each:(piece+1)*each])
			}
		}
	})
	e.Team.For(rows, 16, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			to := r.dlow[t*wide+rank : (t+1)*wide]
			clear(to)
			for piece := range pieces {
				blas.Add(to, r.parts[(piece*rows+t)*2*states:][:2*states])
			}
		}
	})
}

// pieceBack is scanBack for the channels from c to end of one sequence. dbc [T, 2·states] gathers dB | dC;
// scanned [1 + 2·(stop−start), states, end−c] is room.
func (w *way) pieceBack(start, stop, c, end int, r *backRoom, dbc, scanned []float32) {
	inner, rank, states, wide := w.Inner(), w.Rank(), w.States(), w.X.W.Rows
	gradA, gradD := w.ALogSpan.Of(w.x.params.Grad), w.DSpan.Of(w.x.params.Grad)
	lanes, steps := end-c, stop-start
	all := states * lanes // values of a step: those of all channels in the first state, in the second, …
	row := func(n int) []float32 { return make([]float32, n*lanes) }
	factor, h := scanned[:steps*all], scanned[steps*all:][:(1+steps)*all] // e^(Δ·A), and h from before on
	clear(h[:all])
	dtv := row(1)
	for i := range steps {
		t := w.token(start, stop, i)
		dt, low := w.dt[t*inner+c:][:lanes], w.low[t*wide+rank:][:states]
		blas.MulScaled(dtv, dt, w.conv[t*inner+c:][:lanes], 1)
		f := factor[i*all:][:all]
		for n := range states {
			blas.MulScaled(f[n*lanes:][:lanes], dt, w.laid.a[n*inner+c:][:lanes], math.Ln2)
		}
		blas.ExpSum(f, f, 1, 0)
		after := h[(i+1)*all:][:all]
		blas.MulScaled(after, f, h[i*all:][:all], 1)
		for n, b := range low {
			blas.Axpy(after[n*lanes:][:lanes], dtv, b)
		}
	}
	dh, dA, before, dgt, slope := row(states), row(states), row(states), row(1), row(1)
	for i := steps - 1; i >= 0; i-- {
		t := w.token(start, stop, i)
		dt, v, dy := w.dt[t*inner+c:][:lanes], w.conv[t*inner+c:][:lanes], r.ds[t*inner+c:][:lanes]
		dv, ddt := r.dv[t*inner+c:][:lanes], r.ddt[t*inner+c:][:lanes]
		b, cs := w.low[t*wide+rank:][:states], w.low[t*wide+rank+states:][:states]
		db, dc := dbc[t*2*states:][:states], dbc[t*2*states+states:][:states]
		f, later := factor[i*all:][:all], h[(i+1)*all:][:all]
		blas.MulScaled(before, h[i*all:][:all], f, 1)
		blas.MulScaled(dtv, dt, v, 1)
		blas.MulScaled(dv, dy, w.D[c:end], 1)
		clear(ddt)
		for n := range states {
			g, was := dh[n*lanes:][:lanes], before[n*lanes:][:lanes]
			blas.Axpy(g, dy, cs[n])
			db[n] += blas.Dot(g, dtv)
			dc[n] += blas.Dot(dy, later[n*lanes:][:lanes])
			blas.MulScaled(dgt, g, dt, 1)
			blas.Axpy(dv, dgt, b[n])
			blas.MulAdd(dA[n*lanes:][:lanes], dgt, was)
			blas.MulScaled(was, was, w.laid.a[n*inner+c:][:lanes], math.Ln2)
			blas.Axpy(was, v, b[n])
			blas.MulAdd(ddt, g, was)
		}
		blas.MulScaled(dh, dh, f, 1)
		blas.ExpSum(slope, dt, -1, 0) // softplus rises by 1 − e^(−Δ), by its value
		blas.MulScaled(slope, slope, ddt, -1)
		blas.Add(ddt, slope)
		if gradD != nil {
			blas.MulAdd(gradD[c:end], dy, v)
		}
	}
	for k := 0; gradA != nil && k < lanes; k++ {
		for n := range states {
			gradA[(c+k)*states+n] += dA[n*lanes+k] * w.laid.a[n*inner+c+k] * math.Ln2
		}
	}
}
