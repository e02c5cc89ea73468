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
	back   bool // from the last token to the first
	x, dtp product
	laid   *scanLayout

	conv []float32 // [T, inner] silu(conv(x))
	low  []float32 // [T, rank + 2·states] dt | B | C
	dt   []float32 // [T, inner]
	y    []float32 // [T, inner]
}

// NewMamba returns a replica of w. The tokens of each of the slices of patches are one sequence.
func NewMamba(w *MambaWeights, e *Exec, patches *Patches) *Mamba {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	m := &Mamba{w: w, e: e, patches: patches, params: p, norm: newNorm(w.Norm, p), in: newProduct(w.In, p),
		out: newProduct(w.Out, p)}
	for i := range m.ways {
		s := &w.Ways[i]
		m.ways[i] = way{ScanWeights: s, back: i == 1, x: newProduct(s.X, p), dtp: newProduct(s.DT, p)}
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
	for i := range m.ways {
		m.ways[i].prepare(e, m.patches.Starts, m.xz, train)
	}
	m.scan()
	m.gate = grow(m.gate, rows*inner)
	e.Team.For(rows, 8, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			at, end := t*inner, (t+1)*inner
			blas.SiLUMulSum(m.gate[at:end], m.xz[at+end:2*end], m.ways[0].y[at:end], m.ways[1].y[at:end])
		}
	})
}

// prepare makes what the scan of one direction reads of xz [T, 2·inner].
func (w *way) prepare(e *Exec, starts []int, xz []float32, train bool) {
	rows, inner, wide := starts[len(starts)-1], w.Inner(), w.X.W.Rows
	w.laid = w.layout()
	w.conv, w.low = grow(w.conv, rows*inner), grow(w.low, rows*wide)
	e.Team.For(rows, 16, func(lo, hi int) {
		at := sequenceOf(starts, lo)
		for t := lo; t < hi; t++ {
			for t >= starts[at+1] {
				at++
			}
			x, taps, n := w.reach(t, starts[at], starts[at+1], xz)
			blas.ConvSiLU(w.conv[t*inner:(t+1)*inner], w.Conv.B, n, x, taps)
		}
	})
	w.x.run(e, rows, w.conv, nil, w.low, nil, train)
	w.dt = grow(w.dt, rows*inner)
	w.spread(e, rows)
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

// spread sets dt before softplus: a product of the first columns of low.
func (w *way) spread(e *Exec, rows int) {
	inner, rank, wide := w.Inner(), w.Rank(), w.X.W.Rows
	if w.DT.WSpan.Shape == nil {
		e.Team.MulFrom(rows, w.low, wide, w.DT.packed(&w.DT.onceF, &w.DT.forward, true), w.DT.B, 0, w.dt, inner)
		return
	}
	e.Team.For(rows, 16, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			copy(w.dt[t*inner:(t+1)*inner], w.DT.B)
		}
	})
	e.Team.Gemm(false, true, rows, inner, rank, w.low, wide, w.DT.W.F32, rank, true, w.dt, inner)
}

// A piece of a scan is some channels of one sequence, which meet so many steps at a time. More channels lie beside each
// other in memory, which is read ahead then; with few steps what they read stays in a cache.
const (
	scanChannels    = 64
	mostChannels    = 3 * scanChannels
	scanSteps       = 8
	piecesOfAThread = 4 // at least, where there are enough: so that all end at about the same time
)

// scan runs all sequences through both directions.
func (m *Mamba) scan() {
	starts, inner := m.patches.Starts, m.w.Out.W.Cols
	for i := range m.ways {
		m.ways[i].y = grow(m.ways[i].y, starts[len(starts)-1]*inner)
	}
	scans := (len(starts) - 1) * 2
	each := inner * scans / (piecesOfAThread * m.e.Team.Size()) / scanChannels * scanChannels
	each = min(max(each, scanChannels), mostChannels)
	pieces := (inner + each - 1) / each
	m.e.Team.For(scans*pieces, 1, func(lo, hi int) {
		h := make([]float32, each*m.ways[0].States())
		for j := lo; j < hi; j++ {
			w, s, c := &m.ways[j%2], j/2/pieces, j/2%pieces*each
			clear(h)
			w.run(starts[s], starts[s+1], c, min(c+each, inner), h)
		}
	})
}

// run scans channels c to end of the tokens from start to stop, beginning with the state h, and leaves the last one
// there.
func (w *way) run(start, stop, c, end int, h []float32) {
	rows := stop - start
	for step := 0; step < rows; step += scanSteps {
		n := min(scanSteps, rows-step)
		for i := range n {
			t := w.token(start, stop, step+i)
			dt := w.dt[t*w.Inner()+c : t*w.Inner()+end]
			blas.Softplus(dt, dt)
		}
		s := w.piece(w.token(start, stop, step), n, c, end)
		s.H = blas.Walk{V: h, Ld: end - c}
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

// piece are n steps of some channels, from a row on.
func (w *way) piece(first, n, c, end int) *blas.Scan {
	inner, rank, states, wide := w.Inner(), w.Rank(), w.States(), w.X.W.Rows
	walk := func(v []float32, at, ld int) blas.Walk {
		if w.back {
			return blas.Walk{V: v, First: first*ld + at, Ld: -ld}
		}
		return blas.Walk{V: v, First: first*ld + at, Ld: ld}
	}
	return &blas.Scan{Steps: n, Channels: end - c, States: states, Y: walk(w.y, c, inner), U: walk(w.conv, c, inner),
		DT: walk(w.dt, c, inner), B: walk(w.low, rank, wide), C: walk(w.low, rank+states, wide),
		A: blas.Walk{V: w.laid.a, First: c, Ld: inner}, D: w.D[c:end]}
}

// sequenceOf is the sequence that row t belongs to.
func sequenceOf(starts []int, t int) int {
	s := 0
	for t >= starts[s+1] {
		s++
	}
	return s
}
