package nn

import (
	"math"
	"slices"
	"sort"
	"sync"

	"finetui/ml/blas"
)

// attention is softmax(q kᵀ/√d) v within each sequence, with grouped queries (Ainslie et al. 2023, arXiv 2305.13245).
// Its input holds the rows [q heads | k heads | v heads] × head dim, as one fused product writes them.
//
// A block of queries meets the keys block by block, with a running maximum and sum (Milakov and Gimelshein 2018, arXiv
// 1805.02867), and the backward pass makes the probabilities anew from the logarithm of that sum (Dao et al. 2022,
// arXiv 2205.14135). So no more than a block of probabilities exists at a time, however long the sequence is.
type attention struct {
	heads, kvHeads, headDim int
	causal                  bool

	lse    *kept     // [rows, heads] log Σ exp(score) of the last run with train set
	units  []unit    // what a forward pass is cut into
	ranges []unit    // and a backward pass
	neg    []float32 // −sin
}

// unit is a range of the queries, all of one sequence, that meets the keys of one key head.
type unit struct{ sequence, kv, from, to int }

// asking are the queries of a pass, counted through all sequences.
type asking struct {
	starts []int // [sequences+1] where the tokens of each sequence begin; the last is their number
	rows   []int // [queries] the tokens that ask, ascending; nil: all do
}

// inOrder takes the rows of queries as they lie in o: one after the other, whichever tokens ask.
var inOrder asking

// count is the number of queries.
func (q *asking) count() int { return q.before(q.starts[len(q.starts)-1]) }

// before is the number of queries of tokens before row t.
func (q *asking) before(t int) int {
	if q.rows == nil {
		return t
	}
	return sort.SearchInts(q.rows, t)
}

// of are the queries of a sequence, to excluded.
func (q *asking) of(sequence int) (from, to int) {
	return q.before(q.starts[sequence]), q.before(q.starts[sequence+1])
}

// row is the token whose query is number i.
func (q *asking) row(i int) int {
	if q.rows == nil {
		return i
	}
	return q.rows[i]
}

// place is the token of query i, counted from the beginning of its sequence.
func (q *asking) place(sequence, i int) int { return q.row(i) - q.starts[sequence] }

// gather copies the rows of u's tokens, width values each and ld apart in src, to consecutive places; scatter copies
// them back.
func (q *asking) gather(dst, src []float32, u unit, width, ld int) {
	for i := u.from; i < u.to; i++ {
		copy(dst[(i-u.from)*width:(i-u.from+1)*width], src[q.row(i)*ld:])
	}
}

func (q *asking) scatter(dst, src []float32, u unit, width, ld int) {
	for i := u.from; i < u.to; i++ {
		copy(dst[q.row(i)*ld:q.row(i)*ld+width], src[(i-u.from)*width:])
	}
}

// Blocks that meet in the second level of the cache: rows of queries, all heads of a group among them, and keys. The
// backward pass has two matrices of that size. Keys are laid out for the products once for several blocks of queries.
const (
	queryRows    = 256
	keyBlock     = 256
	keyBlockBack = 128
	queryBlocks  = 4  // of a unit of the forward pass
	packedRows   = 48 // of queries, from which on laying the keys out pays
)

func (a *attention) width() int { return (a.heads + 2*a.kvHeads) * a.headDim }

// group is the number of query heads that share a key head.
func (a *attention) group() int { return a.heads / a.kvHeads }

// blockTokens is the number of tokens whose queries make a block, however long their sequence is.
func (a *attention) blockTokens() int { return max(1, queryRows/a.group()) }

func (a *attention) unitTokens(int) int { return queryBlocks * a.blockTokens() }

func (a *attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.headDim))) }

// cut divides the n queries of each sequence into units of at most length(n). Late queries come first: where the future
// is hidden they take the longest.
func (a *attention) cut(units []unit, q *asking, length func(n int) int) []unit {
	units = units[:0]
	for s := range len(q.starts) - 1 {
		first, end := q.of(s)
		if first == end {
			continue
		}
		step := length(end - first)
		for from := first + (end-first-1)/step*step; from >= first; from -= step {
			for kv := range a.kvHeads {
				units = append(units, unit{s, kv, from, min(end, from+step)})
			}
		}
	}
	return units
}

// rotate turns q and k of qkv [rows, width] by the angles given; nil: the model has none.
func (a *attention) rotate(e *Exec, rows int, qkv []float32, cos, sin []float32) {
	if cos == nil {
		return
	}
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

// keys are those of one head that a block of queries may see: rows ld apart, the first total of them, or with causal
// set, for query token t, the first before+t+1.
type keys struct {
	k, v          []float32
	ld            int
	before, total int
	causal        bool
}

// seen is how many of the n keys from first on token t may see.
func (k *keys) seen(t, first, n int) int {
	if !k.causal {
		return n
	}
	return min(n, max(0, k.before+t+1-first))
}

// ownKeys are those of the sequence itself that the queries of u see.
func (a *attention) ownKeys(qkv []float32, u unit, q *asking) keys {
	w, s0 := a.width(), q.starts[u.sequence]
	n := q.starts[u.sequence+1] - s0
	if a.causal {
		n = q.place(u.sequence, u.to-1) + 1
	}
	at := qkv[s0*w+(a.heads+u.kv)*a.headDim:]
	return keys{k: at, v: at[a.kvHeads*a.headDim:], ld: w, total: n, causal: a.causal}
}

// block is the room for one block of queries, whose rows are
// (token, head of the group), and for the keys that it meets.
type block struct {
	q, o, do, dq  []float32 // [rows, head dim]
	p, ds         []float32 // [rows, keys]
	top, sum, dot []float32 // [rows]

	keys []keyPanels // of the unit, block by block
	part blas.Panels
}

// keyPanels are a block of n keys and values as right-hand sides: kᵀ and vᵀ are [head dim, n], k and v [n, head dim].
type keyPanels struct{ kT, k, vT, v blas.Panels }

// layOut lays the keys out in blocks of size, for the forward pass or for both directions.
func (b *block) layOut(k *keys, hd, size int, back bool) {
	count := (k.total + size - 1) / size
	for len(b.keys) < count {
		b.keys = append(b.keys, keyPanels{})
	}
	for i := range count {
		first := i * size
		n, to := min(size, k.total-first), &b.keys[i]
		to.kT.Set(true, n, hd, k.k[first*k.ld:], k.ld)
		if back {
			to.k.Set(false, hd, n, k.k[first*k.ld:], k.ld)
			to.vT.Set(true, n, hd, k.v[first*k.ld:], k.ld)
		} else {
			to.v.Set(false, hd, n, k.v[first*k.ld:], k.ld)
		}
	}
}

// mul sets c [rows, n] to the product of x [rows, k] with the first k rows and n columns of p, or adds it.
func (b *block) mul(rows, k, n int, x []float32, p *blas.Panels, acc bool, c []float32) {
	b.part = p.Part(k, n)
	blas.Team{}.Mul(rows, x, k, &b.part, acc, c, n)
}

var blocks = sync.Pool{New: func() any { return new(block) }}

// run sets o [queries, heads·headDim] for rotated qkv. With train set it keeps what back needs.
func (a *attention) run(e *Exec, q asking, qkv, o []float32, train bool) {
	if train {
		if a.lse == nil {
			a.lse = &kept{}
		}
		a.lse.grow(q.count() * a.heads)
	}
	a.units = a.cut(a.units, &q, a.unitTokens)
	e.Team.For(len(a.units), 1, func(lo, hi int) {
		b := blocks.Get().(*block)
		defer blocks.Put(b)
		for _, u := range a.units[lo:hi] {
			k := a.ownKeys(qkv, u, &q)
			a.attend(b, u, &q, qkv, o, &k, train)
		}
	})
}

// attend sets the rows of o for the queries of u. With train set it notes the logarithms of the sums.
func (a *attention) attend(b *block, u unit, q *asking, qkv, o []float32, k *keys, train bool) {
	packed := (u.to-u.from)*a.group() >= packedRows
	if packed {
		b.layOut(k, a.headDim, keyBlock, false)
	}
	for from := u.from; from < u.to; from += a.blockTokens() {
		part := unit{u.sequence, u.kv, from, min(u.to, from+a.blockTokens())}
		a.attendBlock(b, part, q, qkv, o, k, packed)
		if train {
			a.keep(b, part)
		}
	}
}

// attendBlock is attend for one block of queries. It leaves their maxima and sums in b.
func (a *attention) attendBlock(b *block, u unit, q *asking, qkv, o []float32, k *keys, packed bool) {
	hd, w, wo, group, scale := a.headDim, a.width(), a.heads*a.headDim, a.group(), a.scale()
	tokens, head := u.to-u.from, u.kv*group*hd
	rows := tokens * group
	b.q, b.o = grow(b.q, rows*hd), grow(b.o, rows*hd)
	b.top, b.sum = grow(b.top, rows), grow(b.sum, rows)
	q.gather(b.q, qkv[head:], u, group*hd, w)
	var solo blas.Team
	total := k.seen(q.place(u.sequence, u.to-1), 0, k.total)
	for first := 0; first < total; first += keyBlock {
		n := min(keyBlock, total-first)
		b.p = grow(b.p, rows*n)
		if packed {
			b.mul(rows, hd, n, b.q, &b.keys[first/keyBlock].kT, false, b.p)
		} else {
			solo.Gemm(false, true, rows, n, hd, b.q, hd, k.k[first*k.ld:], k.ld, false, b.p, n)
		}
		for r := range rows {
			seen := k.seen(q.place(u.sequence, u.from+r/group), first, n)
			b.soften(r, b.p[r*n:(r+1)*n], seen, hd, scale, first == 0)
		}
		if packed {
			b.mul(rows, n, hd, b.p, &b.keys[first/keyBlock].v, first > 0, b.o)
		} else {
			solo.Gemm(false, false, rows, hd, n, b.p, n, k.v[first*k.ld:], k.ld, first > 0, b.o, hd)
		}
	}
	for r := range rows {
		blas.Scale(b.o[r*hd:(r+1)*hd], 1/b.sum[r])
	}
	inOrder.scatter(o[head:], b.o, u, group*hd, wo)
}

// soften replaces the scores of query r for a block of keys, of which it sees the first ones, by exponentials relative
// to its maximum so far, and adds them to its sum. Where the maximum grows, what was added up before shrinks.
func (b *block) soften(r int, row []float32, seen, hd int, scale float32, first bool) {
	clear(row[seen:])
	if seen == 0 {
		return
	}
	row = row[:seen]
	top := blas.Max(row) * scale
	switch {
	case first:
		b.top[r], b.sum[r] = top, 0
	case top > b.top[r]:
		shrink := float32(math.Exp(float64(b.top[r] - top)))
		b.top[r], b.sum[r] = top, b.sum[r]*shrink
		blas.Scale(b.o[r*hd:(r+1)*hd], shrink)
	}
	b.sum[r] += blas.ExpSum(row, row, scale, b.top[r])
}

// keep notes the logarithms of the sums for the backward pass.
func (a *attention) keep(b *block, u unit) {
	group := a.group()
	for r, sum := range b.sum {
		i, h := u.from+r/group, u.kv*group+r%group
		a.lse.v[i*a.heads+h] = b.top[r] + float32(math.Log(float64(sum)))
	}
}

// Cache holds the rotated keys and the values of one sequence in one layer.
type Cache struct {
	Len  int       // tokens held
	K, V []float32 // [Len, kvHeads·headDim]
}

// Clone is a copy that goes on by itself.
func (c *Cache) Clone() *Cache { return &Cache{Len: c.Len, K: slices.Clone(c.K), V: slices.Clone(c.V)} }

// decode appends the new tokens of each sequence to its cache and sets o [queries, heads·headDim]: every new token sees
// all that its cache holds up to itself. qkv is rotated.
func (a *attention) decode(e *Exec, q asking, qkv, o []float32, caches []*Cache) {
	hd, w, wo, kvw := a.headDim, a.width(), a.heads*a.headDim, a.kvHeads*a.headDim
	for s, c := range caches {
		n := q.starts[s+1] - q.starts[s]
		c.K, c.V = slices.Grow(c.K, n*kvw), slices.Grow(c.V, n*kvw) // a long prompt's at once
		for t := q.starts[s]; t < q.starts[s+1]; t++ {
			kv := qkv[t*w+wo : (t+1)*w]
			c.K, c.V = append(c.K, kv[:kvw]...), append(c.V, kv[kvw:]...)
		}
		c.Len += n
	}
	a.units = a.cut(a.units, &q, a.unitTokens)
	e.Team.For(len(a.units), 1, func(lo, hi int) {
		b := blocks.Get().(*block)
		defer blocks.Put(b)
		for _, u := range a.units[lo:hi] {
			c := caches[u.sequence]
			before := c.Len - (q.starts[u.sequence+1] - q.starts[u.sequence])
			a.attend(b, u, &q, qkv, o, &keys{k: c.K[u.kv*hd:], v: c.V[u.kv*hd:], ld: kvw, before: before,
				total: before + q.place(u.sequence, u.to-1) + 1, causal: true}, false)
		}
	})
}
