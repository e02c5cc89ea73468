package nn

import (
	"math"
	"sync"

	"finetui/ml/blas"
)

// attention is softmax(q kᵀ/√d) v within each sequence, with grouped queries (Ainslie et al. 2023, arXiv 2305.13245).
// Its input holds the rows [q heads | k heads | v heads] × head dim, as one fused product writes them.
type attention struct {
	heads, kvHeads, headDim int
	causal                  bool

	p   []float32 // probabilities, sequence after sequence: [heads, L, L]
	off []int     // [sequences+1] start of each sequence in p, in units of one head
	neg []float32 // −sin
}

const queryBlock = 64 // rows of q that are handled at once: their scores stay in the cache

func (a *attention) width() int { return (a.heads + 2*a.kvHeads) * a.headDim }

// rotate turns q and k of qkv [rows, width] by the angles of r.
func (a *attention) rotate(e *Exec, rows int, qkv []float32, cos, sin []float32) {
	w, hd, half := a.width(), a.headDim, a.headDim/2
	e.Team.For(rows, 16, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			c, s := cos[t*half:(t+1)*half], sin[t*half:(t+1)*half]
			for h := range a.heads + a.kvHeads {
				blas.Rope(qkv[t*w+h*hd:t*w+(h+1)*hd], c, s)
			}
		}
	})
}

// run sets o [rows, heads·headDim] for rotated qkv. With train set it keeps the probabilities.
func (a *attention) run(e *Exec, starts []int, qkv, o []float32, train bool) {
	hd, w, wo := a.headDim, a.width(), a.heads*a.headDim
	group, seqs := a.heads/a.kvHeads, len(starts)-1
	scale := float32(1 / math.Sqrt(float64(hd)))
	if train {
		a.off = append(a.off[:0], 0)
		for s := range seqs {
			n := starts[s+1] - starts[s]
			a.off = append(a.off, a.off[s]+n*n)
		}
		a.p = grow(a.p, a.off[seqs]*a.heads)
	}
	var solo blas.Team
	e.Team.For(seqs*a.heads, 1, func(lo, hi int) {
		held := buffers.Get().(*[]float32)
		defer buffers.Put(held)
		for j := lo; j < hi; j++ {
			s, h := j/a.heads, j%a.heads
			s0, n := starts[s], starts[s+1]-starts[s]
			if n == 0 {
				continue
			}
			q := qkv[s0*w+h*hd:]
			k := qkv[s0*w+(a.heads+h/group)*hd:]
			v := qkv[s0*w+(a.heads+a.kvHeads+h/group)*hd:]
			out := o[s0*wo+h*hd:]
			for i := 0; i < n; i += queryBlock {
				m := min(queryBlock, n-i)
				keys := n
				if a.causal {
					keys = i + m
				}
				var p []float32 // [m, n] or [m, keys]
				ld := n
				if train {
					p = a.p[a.off[s]*a.heads+h*n*n+i*n:]
				} else {
					*held, ld = grow(*held, m*keys), keys
					p = *held
				}
				solo.Gemm(false, true, m, keys, hd, q[i*w:], w, k, w, false, p, ld)
				for r := range m {
					seen := keys
					if a.causal {
						seen = i + r + 1
					}
					softmax(p[r*ld:r*ld+seen], scale)
					clear(p[r*ld+seen : r*ld+keys])
				}
				solo.Gemm(false, false, m, hd, keys, p, ld, v, w, false, out[i*wo:], wo)
			}
		}
	})
}

// softmax replaces row by softmax(scale · row).
func softmax(row []float32, scale float32) {
	sum := blas.ExpSum(row, row, scale, blas.Max(row)*scale)
	blas.Scale(row, 1/sum)
}

var buffers = sync.Pool{New: func() any { return new([]float32) }}

// back sets dqkv (before rotation) for the qkv and o of the last run with train set.
//
//	dv = pᵀ do;  dp = do vᵀ;  ds = p (dp − rowsum(do·o)) / √d;  dq = ds k;  dk = dsᵀ q
func (a *attention) back(e *Exec, starts []int, qkv, o, do, dqkv []float32, cos, sin []float32) {
	hd, w, wo := a.headDim, a.width(), a.heads*a.headDim
	group, seqs := a.heads/a.kvHeads, len(starts)-1
	scale := float32(1 / math.Sqrt(float64(hd)))
	rows := starts[seqs]
	var solo blas.Team
	e.Team.For(seqs*a.kvHeads, 1, func(lo, hi int) {
		held := buffers.Get().(*[]float32)
		defer buffers.Put(held)
		for j := lo; j < hi; j++ {
			s, kv := j/a.kvHeads, j%a.kvHeads
			s0, n := starts[s], starts[s+1]-starts[s]
			if n == 0 {
				continue
			}
			*held = grow(*held, min(queryBlock, n)*n)
			ds := *held
			kAt, vAt := s0*w+(a.heads+kv)*hd, s0*w+(a.heads+a.kvHeads+kv)*hd
			k, v, dk, dv := qkv[kAt:], qkv[vAt:], dqkv[kAt:], dqkv[vAt:]
			for h := kv * group; h < (kv+1)*group; h++ {
				first := h == kv*group
				q, dq := qkv[s0*w+h*hd:], dqkv[s0*w+h*hd:]
				out, dout := o[s0*wo+h*hd:], do[s0*wo+h*hd:]
				if first {
					for t := range n {
						clear(dk[t*w : t*w+hd])
						clear(dv[t*w : t*w+hd])
					}
				}
				for i := 0; i < n; i += queryBlock {
					m := min(queryBlock, n-i)
					keys := n
					if a.causal {
						keys = i + m
					}
					p := a.p[a.off[s]*a.heads+h*n*n+i*n:]
					solo.Gemm(false, true, m, keys, hd, dout[i*wo:], wo, v, w, false, ds, keys)
					solo.Gemm(true, false, keys, hd, m, p, n, dout[i*wo:], wo, true, dv, w)
					for r := range m {
						t := i + r
						d := blas.Dot(out[t*wo:t*wo+hd], dout[t*wo:t*wo+hd])
						row := ds[r*keys : (r+1)*keys]
						blas.SoftmaxBackward(row, p[r*n:r*n+keys], row, d, scale)
					}
					solo.Gemm(false, false, m, hd, keys, ds, keys, k, w, false, dq[i*w:], w)
					solo.Gemm(true, false, keys, hd, m, ds, keys, q[i*w:], w, true, dk, w)
				}
			}
		}
	})
	a.neg = grow(a.neg, len(sin))
	for i, v := range sin {
		a.neg[i] = -v
	}
	a.rotate(e, rows, dqkv, cos, a.neg)
}

// Cache holds the rotated keys and the values of one sequence in one layer.
type Cache struct {
	Len  int       // tokens held
	K, V []float32 // [Len, kvHeads·headDim]
}

// decode appends the new tokens of each sequence to its cache and sets o [rows, heads·headDim]: every new token sees all
// that its cache holds up to itself. qkv is rotated.
func (a *attention) decode(e *Exec, starts []int, qkv, o []float32, caches []*Cache) {
	hd, w, wo, kvw := a.headDim, a.width(), a.heads*a.headDim, a.kvHeads*a.headDim
	group, seqs := a.heads/a.kvHeads, len(starts)-1
	scale := float32(1 / math.Sqrt(float64(hd)))
	for s, c := range caches {
		for t := starts[s]; t < starts[s+1]; t++ {
			kv := qkv[t*w+wo : (t+1)*w]
			c.K, c.V = append(c.K, kv[:kvw]...), append(c.V, kv[kvw:]...)
		}
		c.Len += starts[s+1] - starts[s]
	}
	var solo blas.Team
	e.Team.For(seqs*a.heads, 1, func(lo, hi int) {
		held := buffers.Get().(*[]float32)
		defer buffers.Put(held)
		for j := lo; j < hi; j++ {
			s, h := j/a.heads, j%a.heads
			c, s0, n := caches[s], starts[s], starts[s+1]-starts[s]
			before := c.Len - n
			k, v := c.K[h/group*hd:], c.V[h/group*hd:]
			for i := 0; i < n; i += queryBlock {
				m := min(queryBlock, n-i)
				keys := before + i + m
				*held = grow(*held, m*keys)
				p := *held
				solo.Gemm(false, true, m, keys, hd, qkv[(s0+i)*w+h*hd:], w, k, kvw, false, p, keys)
				for r := range m {
					seen := before + i + r + 1
					softmax(p[r*keys:r*keys+seen], scale)
					clear(p[r*keys+seen : (r+1)*keys])
				}
				solo.Gemm(false, false, m, hd, keys, p, keys, v, kvw, false, o[(s0+i)*wo+h*hd:], wo)
			}
		}
	})
}
