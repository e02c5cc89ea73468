package nn

import (
	"fmt"
	"math"
	"sync"

	"finetui/ml/blas"
)

// MambaWeights are one block of VideoMamba (Li et al. 2024, arXiv 2403.06977): a selective state space that runs over
// the tokens both ways (Gu and Dao 2023, arXiv 2312.00752; Zhu et al. 2024, arXiv 2401.09417).
type MambaWeights struct {
	Index  int
	Norm   *Norm          // RMSNorm
	In     *Linear        // [2·inner, width]: what is scanned, and its gate
	Ways   [2]ScanWeights // from the first token to the last, and back
	Out    *Linear        // [width, inner]
	Layout Layout
	Value  []float32
}

// ScanWeights are one direction of a block.
type ScanWeights struct {
	Conv *Linear   // [inner, taps] a kernel a channel, over a token and those before it, with bias
	X    *Linear   // [rank + 2·states, inner]: dt | B | C
	DT   *Linear   // [inner, rank], with bias
	ALog []float32 // [inner, states]: A = −exp(ALog)
	D    []float32 // [inner]

	ALogSpan, DSpan Span // zero: frozen

	once sync.Once
	laid *scanLayout
}

// Inner is the number of channels that are scanned.
func (w *ScanWeights) Inner() int { return w.DT.W.Rows }

// Rank is the width of the step sizes before they are spread over the channels.
func (w *ScanWeights) Rank() int { return w.DT.W.Cols }

// States is the number of states of a channel.
func (w *ScanWeights) States() int { return len(w.ALog) / w.Inner() }

// trained says whether anything of the direction is.
func (w *ScanWeights) trained() bool {
	return w.ALogSpan.Shape != nil || w.DSpan.Shape != nil || w.Conv.WSpan.Shape != nil
}

// scanLayout is a direction as its kernels read it.
type scanLayout struct {
	taps []float32 // [taps, inner]
	a    []float32 // [states, inner] A in units of ln 2
}

// layout is made once where the weights are frozen, else anew.
func (w *ScanWeights) layout() *scanLayout {
	if w.trained() {
		return w.layOut()
	}
	w.once.Do(func() { w.laid = w.layOut() })
	return w.laid
}

func (w *ScanWeights) layOut() *scanLayout {
	inner, states := w.Inner(), w.States()
	row := make([]float32, w.Conv.W.Cols)
	l := &scanLayout{taps: make([]float32, len(row)*inner), a: make([]float32, inner*states)}
	for c := range inner {
		w.Conv.W.Row(c, row)
		for k, v := range row {
			l.taps[k*inner+c] = v
		}
		for n := range states {
			a := -math.Exp(float64(w.ALog[c*states+n])) * math.Log2E
			l.a[n*inner+c] = float32(a)
		}
	}
	return l
}

// Mamba is one replica's block:
//
//	x, z = In·norm(r);  y = Σ over both ways of scan(silu(conv(x)));  out = r + Out·(y ⊙ silu(z))
//
// The original hands the sum of all blocks on beside the last block's own part; here they are one, as in any other
// residual stream. The way back is in mamba_back.go.
type Mamba struct {
	w       *MambaWeights
	e       *Exec
	patches *Patches
	params  Params

	norm    norm
	in, out product
	ways    [2]way

	xn   []float32 // [T, width] norm(r)
	xz   []float32 // [T, 2·inner] x | z
	gate []float32 // [T, inner] the sum of both ways ⊙ silu(z)
	y    []float32 // [T, width]

	room    backRoom
	dxz, dx []float32 // [T, 2·inner], [T, width]
}

// way is one direction of a replica's block.
type way struct {
	*ScanWeights
	back bool // from the last token to the first
	x    product
	laid *scanLayout

	conv []float32 // [T, inner] silu(conv(x))
	low  []float32 // [T, rank + 2·states] dt | B | C
	dt   []float32 // [T, inner], only where the pass back needs it
	y    []float32 // [T, inner]
}

// NewMamba returns a replica of w. The tokens of each of the slices of patches are one sequence.
func NewMamba(w *MambaWeights, e *Exec, patches *Patches) *Mamba {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	m := &Mamba{w: w, e: e, patches: patches, params: p, norm: newNorm(w.Norm, p), in: newProduct(w.In, p),
		out: newProduct(w.Out, p)}
	for i := range m.ways {
		s := &w.Ways[i]
		m.ways[i] = way{ScanWeights: s, back: i == 1, x: newProduct(s.X, p)}
	}
	return m
}

// Name is "mamba.N".
func (m *Mamba) Name() string { return fmt.Sprintf("mamba.%d", m.w.Index) }

// Params are the block's trained parameters.
func (m *Mamba) Params() Params { return m.params }

// Forward maps r [T, width] to [T, width].
func (m *Mamba) Forward(r []float32, train bool) []float32 {
	e, rows, d := m.e, m.patches.P(), len(m.w.Norm.W)
	m.xn = grow(m.xn, rows*d)
	m.norm.run(e, rows, r, m.xn)
	m.mix(rows, train)
	m.y = grow(m.y, rows*d)
	m.out.run(e, rows, m.gate, r, m.y, nil, train)
	return m.y
}

// mix sets gate to y ⊙ silu(z) for xn.
func (m *Mamba) mix(rows int, train bool) {
	e, inner := m.e, m.w.Out.W.Cols
	m.xz = grow(m.xz, rows*2*inner)
	m.in.run(e, rows, m.xn, nil, m.xz, nil, train)
	m.prepare()
	m.scan(train)
	m.gate = grow(m.gate, rows*inner)
	e.Team.For(rows, 8, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			at, end := t*inner, (t+1)*inner
			blas.SiLUMulSum(m.gate[at:end], m.xz[at+end:2*end], m.ways[0].y[at:end], m.ways[1].y[at:end])
		}
	})
}

// convRows are the tokens that go through the convolution and the product behind it at a time: few enough to stay in the
// second level of the cache, and enough for products at their speed.
const convRows = 48

// prepare makes what the scans of both directions read of xz, but for their steps.
func (m *Mamba) prepare() {
	starts := m.patches.Starts
	rows := starts[len(starts)-1]
	for i := range m.ways {
		w := &m.ways[i]
		w.laid = w.layout()
		w.conv, w.low = grow(w.conv, rows*w.Inner()), grow(w.low, rows*w.X.W.Rows)
	}
	pieces := (rows + convRows - 1) / convRows
	m.e.Team.For(2*pieces, 1, func(lo, hi int) {
		for j := lo; j < hi; j++ {
			from := j / 2 * convRows
			m.ways[j%2].prepare(starts, from, min(from+convRows, rows), m.xz)
		}
	})
}

// prepare makes conv and low of the tokens from lo to hi.
func (w *way) prepare(starts []int, lo, hi int, xz []float32) {
	inner, wide := w.Inner(), w.X.W.Rows
	at := sequenceOf(starts, lo)
	for t := lo; t < hi; t++ {
		for t >= starts[at+1] {
			at++
		}
		x, taps, n := w.reach(t, starts[at], starts[at+1], xz)
		blas.ConvSiLU(w.conv[t*inner:(t+1)*inner], w.Conv.B, n, x, taps)
	}
	w.X.mulFrom(blas.Team{}, hi-lo, w.conv[lo*inner:], nil, 0, w.low[lo*wide:])
}

// reach are the tokens of xz that the kernel at t reaches, from the farthest one on, the taps that it has there, and
// their number.
func (w *way) reach(t, start, end int, xz []float32) (x, taps blas.Walk, n int) {
	inner := w.Inner()
	all := len(w.laid.taps) / inner
	if w.back {
		n = min(all, end-t)
		x = blas.Walk{V: xz, First: 2 * (t + n - 1) * inner, Ld: -2 * inner}
	} else {
		n = min(all, t+1-start)
		x = blas.Walk{V: xz, First: 2 * (t - n + 1) * inner, Ld: 2 * inner}
	}
	return x, blas.Walk{V: w.laid.taps, First: (all - n) * inner, Ld: inner}, n
}

// steps sets dt [n, end-c], rows ld apart, to the step sizes of some channels in n tokens from row t on: softplus of a
// product of the first columns of low.
func (w *way) steps(t, n, c, end int, dt []float32, ld int) {
	rank, wide := w.Rank(), w.X.W.Rows
	var solo blas.Team
	low := w.low[t*wide:]
	if w.DT.WSpan.Shape == nil {
		part := w.DT.packed(&w.DT.onceF, &w.DT.forward, true).Columns(c, end)
		solo.MulFrom(n, low, wide, &part, w.DT.B[c:end], 0, dt, ld)
	} else {
		for i := range n {
			copy(dt[i*ld:i*ld+end-c], w.DT.B[c:end])
		}
		solo.Gemm(false, true, n, end-c, rank, low, wide, w.DT.W.F32[c*rank:], rank, true, dt, ld)
	}
	for i := range n {
		row := dt[i*ld : i*ld+end-c]
		blas.Softplus(row, row)
	}
}

// A piece of a scan is some channels of one sequence, which meet so many steps at a time. More channels lie beside each
// other in memory, which is read ahead then; with few steps what they read stays in a cache.
const (
	scanChannels    = 64
	mostChannels    = 3 * scanChannels
	scanSteps       = 12
	piecesOfAThread = 4 // at least, where there are enough: so that all end at about the same time
)

// scan runs all sequences through both directions. With keep set their steps are kept for the pass back.
func (m *Mamba) scan(keep bool) {
	starts, inner := m.patches.Starts, m.w.Out.W.Cols
	rows := starts[len(starts)-1]
	for i := range m.ways {
		w := &m.ways[i]
		w.y = grow(w.y, rows*inner)
		if keep {
			w.dt = grow(w.dt, rows*inner)
		}
	}
	scans := (len(starts) - 1) * 2
	each := inner * scans / (piecesOfAThread * m.e.Team.Size()) / scanChannels * scanChannels
	each = min(max(each, scanChannels), mostChannels)
	pieces := (inner + each - 1) / each
	m.e.Team.For(scans*pieces, 1, func(lo, hi int) {
		h, dt := make([]float32, each*m.ways[0].States()), make([]float32, each*scanSteps)
		for j := lo; j < hi; j++ {
			w, s, c := &m.ways[j%2], j/2/pieces, j/2%pieces*each
			clear(h)
			w.run(starts[s], starts[s+1], c, min(c+each, inner), h, dt, keep)
		}
	})
}

// run scans channels c to end of the tokens from start to stop, beginning with the state h, and leaves the last one
// there. dt is room for scanSteps steps.
func (w *way) run(start, stop, c, end int, h, dt []float32, keep bool) {
	inner, rank, states, wide := w.Inner(), w.Rank(), w.States(), w.X.W.Rows
	for at := start; at < stop; at += scanSteps {
		n := min(scanSteps, stop-at)
		first := at // row of the first in memory
		if w.back {
			first = start + stop - at - n
		}
		dt, ld := dt, end-c
		if keep {
			dt, ld = w.dt[first*inner+c:], inner
		}
		w.steps(first, n, c, end, dt, ld)
		walk := func(v []float32, at, ld int) blas.Walk {
			if w.back {
				return blas.Walk{V: v, First: at + (n-1)*ld, Ld: -ld}
			}
			return blas.Walk{V: v, First: at, Ld: ld}
		}
		s := blas.Scan{Steps: n, Channels: end - c, States: states, Y: walk(w.y, first*inner+c, inner),
			U: walk(w.conv, first*inner+c, inner), DT: walk(dt, 0, ld), B: walk(w.low, first*wide+rank, wide),
			C: walk(w.low, first*wide+rank+states, wide), A: blas.Walk{V: w.laid.a, First: c, Ld: inner},
			D: w.D[c:end], H: blas.Walk{V: h, Ld: end - c}}
		s.Run()
	}
}

// token is the row of a step.
func (w *way) token(start, stop, step int) int {
	if w.back {
		return stop - 1 - step
	}
	return start + step
}

// sequenceOf is the sequence that row t belongs to.
func sequenceOf(starts []int, t int) int {
	s := 0
	for t >= starts[s+1] {
		s++
	}
	return s
}
