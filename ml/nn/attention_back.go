package nn

import (
	"finetui/ml/blas"
)

// What a backward pass is cut into. Each range of queries adds up the gradients of its keys in a place of its own, so
// that a long sequence keeps several cores busy; a tower has heads enough for that.
const (
	shortestRange = 512
	mostRanges    = 8
	manyHeads     = 8
)

// rangeTokens is the length of the query ranges of a sequence of n tokens: whole blocks. It depends
// on the shape alone, as it decides the order of the sums.
func (a *attention) rangeTokens(n int) int {
	if a.kvHeads >= manyHeads {
		return max(1, n)
	}
	length := max(shortestRange, (n+mostRanges-1)/mostRanges)
	return (length + a.blockTokens() - 1) / a.blockTokens() * a.blockTokens()
}

// back sets dqkv (before rotation) for the qkv and o of the last run with train set.
//
//	p = exp(q kᵀ/√d − lse);  dv = pᵀ do;  dp = do vᵀ;  ds = p (dp − rowsum(do·o)) / √d;  dq = ds k;  dk = dsᵀ q
func (a *attention) back(e *Exec, q asking, qkv, o, do, dqkv []float32, cos, sin []float32) {
	hd, w, rows := a.headDim, a.width(), q.starts[len(q.starts)-1]
	kvw := 2 * a.kvHeads * a.headDim
	if q.rows != nil {
		clear(dqkv[:rows*w]) // a token need not ask, and a sequence need not hold one that does
	}
	a.ranges = a.cut(a.ranges, &q, a.rangeTokens)
	more := 0
	for _, u := range a.ranges {
		more = max(more, a.rangeOf(&q, u))
	}
	later := e.take(scratchKeys, more*rows*kvw) // dk and dv of all ranges but the first
	e.Team.For(len(a.ranges), 1, func(lo, hi int) {
		b := blocks.Get().(*block)
		defer blocks.Put(b)
		for _, u := range a.ranges[lo:hi] {
			s0, n := q.starts[u.sequence], q.starts[u.sequence+1]-q.starts[u.sequence]
			k := a.ownKeys(qkv, u, &q)
			g := keyGradients{dk: dqkv[s0*w+(a.heads+u.kv)*hd:], ld: w}
			if i := a.rangeOf(&q, u); i > 0 {
				g = keyGradients{dk: later[((i-1)*rows+s0)*kvw+u.kv*hd:], ld: kvw}
				n = k.total
			}
			g.dv = g.dk[a.kvHeads*hd:]
			for t := range n {
				clear(g.dk[t*g.ld : t*g.ld+hd])
				clear(g.dv[t*g.ld : t*g.ld+hd])
			}
			b.layOut(&k, hd, keyBlockBack, true)
			for from := u.from; from < u.to; from += a.blockTokens() {
				a.attendBack(b, unit{u.sequence, u.kv, from, min(u.to, from+a.blockTokens())}, &q, qkv, o, do,
					dqkv, &k, g)
			}
		}
	})
	a.addLater(e, &q, later, dqkv)
	a.neg = grow(a.neg, len(sin))
	for i, v := range sin {
		a.neg[i] = -v
	}
	a.rotate(e, rows, dqkv, cos, a.neg)
}

// rangeOf is which range of its sequence's queries u is.
func (a *attention) rangeOf(q *asking, u unit) int {
	from, to := q.of(u.sequence)
	return (u.from - from) / a.rangeTokens(to-from)
}

// keyGradients are dk and dv of one key head, rows ld apart.
type keyGradients struct {
	dk, dv []float32
	ld     int
}

// addLater adds what later ranges found for their keys, in the order of the ranges.
func (a *attention) addLater(e *Exec, q *asking, later, dqkv []float32) {
	w, wo, kvw, rows := a.width(), a.heads*a.headDim, 2*a.kvHeads*a.headDim, q.starts[len(q.starts)-1]
	for s := range len(q.starts) - 1 {
		from, to := q.of(s)
		length := a.rangeTokens(to - from)
		if to-from <= length {
			continue
		}
		s0 := q.starts[s]
		e.Team.For(q.starts[s+1]-s0, 32, func(lo, hi int) {
			for t := lo; t < hi; t++ {
				for i := 1; from+i*length < to; i++ {
					if a.causal && t > q.place(s, min(to, from+(i+1)*length)-1) {
						continue
					}
					at := ((i-1)*rows + s0 + t) * kvw
					blas.Add(dqkv[(s0+t)*w+wo:(s0+t+1)*w], later[at:at+kvw])
				}
			}
		})
	}
}

// attendBack sets dq for the queries of u and adds to the gradients of the keys that they see.
func (a *attention) attendBack(b *block, u unit, q *asking, qkv, o, do, dqkv []float32, k *keys, g keyGradients) {
	hd, w, wo, group, scale := a.headDim, a.width(), a.heads*a.headDim, a.group(), a.scale()
	tokens, head := u.to-u.from, u.kv*group*hd
	rows := tokens * group
	b.q, b.o, b.do, b.dq = grow(b.q, rows*hd), grow(b.o, rows*hd), grow(b.do, rows*hd), grow(b.dq, rows*hd)
	q.gather(b.q, qkv[head:], u, group*hd, w)
	inOrder.gather(b.o, o[head:], u, group*hd, wo)
	inOrder.gather(b.do, do[head:], u, group*hd, wo)
	b.dot = grow(b.dot, rows)
	for r := range rows {
		b.dot[r] = blas.Dot(b.o[r*hd:(r+1)*hd], b.do[r*hd:(r+1)*hd])
	}
	var solo blas.Team
	total := k.seen(q.place(u.sequence, u.to-1), 0, k.total)
	for first := 0; first < total; first += keyBlockBack {
		n := min(keyBlockBack, total-first)
		key, dkf, dvf := &b.keys[first/keyBlockBack], g.dk[first*g.ld:], g.dv[first*g.ld:]
		b.p, b.ds = grow(b.p, rows*n), grow(b.ds, rows*n)
		b.mul(rows, hd, n, b.q, &key.kT, false, b.p)
		b.mul(rows, hd, n, b.do, &key.vT, false, b.ds)
		for r := range rows {
			p, ds := b.p[r*n:(r+1)*n], b.ds[r*n:(r+1)*n]
			seen := k.seen(q.place(u.sequence, u.from+r/group), first, n)
			blas.ExpSum(p[:seen], p[:seen], scale, a.lse.v[(u.from+r/group)*a.heads+u.kv*group+r%group])
			blas.SoftmaxBackward(ds[:seen], p[:seen], ds[:seen], b.dot[r], scale)
			clear(p[seen:])
			clear(ds[seen:])
		}
		solo.Gemm(true, false, n, hd, rows, b.p, n, b.do, hd, true, dvf, g.ld)
		solo.Gemm(true, false, n, hd, rows, b.ds, n, b.q, hd, true, dkf, g.ld)
		b.mul(rows, n, hd, b.ds, &key.k, first > 0, b.dq)
	}
	q.scatter(dqkv[head:], b.dq, u, group*hd, w)
}
