package nn

import (
	"math"

	"finetui/ml/blas"
)

// Norm is the shared part of a normalisation: its scale and, for LayerNorm, its shift.
type Norm struct {
	W, B         []float32 // [width]; B nil: RMSNorm
	WSpan, BSpan Span      // zero: frozen
	Eps          float32
}

// norm is a Norm in one replica.
type norm struct {
	*Norm
	params Params
	*normKept
	xhat []float32 // one row
}

// normKept is what a norm keeps for the pass back.
type normKept struct {
	rs   []float32 // [rows] 1/σ of each row
	mean []float32 // [rows], LayerNorm only
}

func newNorm(n *Norm, p Params) norm {
	return norm{Norm: n, params: p, normKept: &normKept{}, xhat: make([]float32, len(n.W))}
}

// run sets y [rows, width] to the normalised x: RMSNorm y = x/√(mean x² + ε) · w (Zhang and Sennrich 2019); LayerNorm y
// = (x−mean)/√(var + ε) · w + b (Ba et al. 2016).
func (n *norm) run(e *Exec, rows int, x, y []float32) {
	d := len(n.W)
	n.rs = grow(n.rs, rows)
	if n.B != nil {
		n.mean = grow(n.mean, rows)
	}
	e.Team.For(rows, 16, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			xr, yr := x[t*d:(t+1)*d], y[t*d:(t+1)*d]
			if n.B == nil {
				n.rs[t] = float32(1 / math.Sqrt(float64(blas.Dot(xr, xr)/float32(d)+n.Eps)))
				blas.MulScaled(yr, xr, n.W, n.rs[t])
				continue
			}
			mean := blas.Sum(xr) / float32(d)
			for i, v := range xr {
				yr[i] = v - mean
			}
			n.mean[t] = mean
			n.rs[t] = float32(1 / math.Sqrt(float64(blas.Dot(yr, yr)/float32(d)+n.Eps)))
			blas.MulScaled(yr, yr, n.W, n.rs[t])
			blas.Add(yr, n.B)
		}
	})
}

// back sets dx to base + the gradient of x [rows, width] for dy, where base may be nil for nothing, and adds to the
// gradients of w and b. dy is overwritten. There is no dx where it is nil.
//
//	with g = dy·w and x̂ = (x−mean)/σ:  dx = (g − x̂ · mean(g·x̂) [− mean(g)]) / σ
func (n *norm) back(e *Exec, rows int, x, dy, base, dx []float32) {
	d := len(n.W)
	gw, gb := n.WSpan.Of(n.params.Grad), n.BSpan.Of(n.params.Grad)
	if gw != nil {
		e.Team.For(d, 64, func(lo, hi int) {
			for t := range rows {
				xr, dr, xhat := x[t*d+lo:t*d+hi], dy[t*d+lo:t*d+hi], n.xhat[lo:hi]
				if n.B == nil {
					blas.MulScaled(xhat, xr, dr, n.rs[t])
				} else {
					for i, v := range xr {
						xhat[i] = (v - n.mean[t]) * n.rs[t] * dr[i]
					}
				}
				blas.Add(gw[lo:hi], xhat)
				if gb != nil {
					blas.Add(gb[lo:hi], dr)
				}
			}
		})
	}
	if dx == nil {
		return
	}
	e.Team.For(rows, 16, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			xr, g, o := x[t*d:(t+1)*d], dy[t*d:(t+1)*d], dx[t*d:(t+1)*d]
			if base == nil {
				clear(o)
			} else {
				copy(o, base[t*d:(t+1)*d])
			}
			rs := n.rs[t]
			blas.MulScaled(g, g, n.W, rs)
			if n.B == nil {
				dot := blas.Dot(g, xr) * rs * rs / float32(d)
				blas.Add(o, g)
				blas.Axpy(o, xr, -dot)
				continue
			}
			sum, mean := blas.Sum(g)/float32(d), n.mean[t]
			dot := (blas.Dot(g, xr)/float32(d) - sum*mean) * rs * rs
			for i, v := range xr {
				o[i] += g[i] - sum - (v-mean)*dot
			}
		}
	})
}
