package nn

import (
	"math"

	"finetui/ml/blas"
)

// PoolWindow is the part of n places that place i of m averages: PyTorch's adaptive pooling, from start up to, without,
// end.
func PoolWindow(i, n, m int) (start, end int) { return i * n / m, ((i+1)*n + m - 1) / m }

// PoolGrid averages the square map x [side², width] to y [grid², width], window by window.
func PoolGrid(x, y []float32, side, grid, width int) {
	for r := range grid {
		r0, r1 := PoolWindow(r, side, grid)
		for c := range grid {
			c0, c1 := PoolWindow(c, side, grid)
			to := y[(r*grid+c)*width : (r*grid+c+1)*width]
			clear(to)
			for i := r0; i < r1; i++ {
				for j := c0; j < c1; j++ {
					blas.Add(to, x[(i*side+j)*width:(i*side+j+1)*width])
				}
			}
			blas.Scale(to, 1/float32((r1-r0)*(c1-c0)))
		}
	}
}

// poolGridBack sets dx [side², width] to the gradient of PoolGrid for dy.
func poolGridBack(dx, dy []float32, side, grid, width int) {
	clear(dx)
	for r := range grid {
		r0, r1 := PoolWindow(r, side, grid)
		for c := range grid {
			c0, c1 := PoolWindow(c, side, grid)
			from := dy[(r*grid+c)*width : (r*grid+c+1)*width]
			for i := r0; i < r1; i++ {
				for j := c0; j < c1; j++ {
					blas.Axpy(dx[(i*side+j)*width:(i*side+j+1)*width], from, 1/float32((r1-r0)*(c1-c0)))
				}
			}
		}
	}
}

// ETProjWeights are the efficient token projector of Mobile-VideoGPT (Shaker et al. 2025, arXiv 2503.21782).
type ETProjWeights struct {
	Called   string  // "mm_projector"
	FC1, FC2 *Linear // [hidden, in] and [hidden, hidden], with biases
	Peg      *Linear // [hidden, 9]: a 3×3 kernel a channel, with bias
	Side     int     // of the square map of tokens that it reads
	Grid     int     // of the map that it gives
}

// ETProj is a replica of ETProjWeights, over maps that lie end to end:
//
//	m = FC2·gelu(FC1·x);  p = m averaged from side² to grid² places;  out = p + peg(p)
//
// with gelu in its erf form and peg a depthwise convolution of 3×3 places, zero beyond the edge.
type ETProj struct {
	w        *ETProjWeights
	e        *Exec
	params   Params
	fc1, fc2 product

	taps        [9][]float32 // [hidden] of the kernel
	pre, hidden []float32    // [maps·side², hidden] FC1·x, gelu(pre)
	mapped      []float32    // [maps·side², hidden] FC2·hidden
	pooled, out []float32    // [maps·grid², hidden]
	dp          []float32    // [maps·grid², hidden]
	dm, dh, dx  []float32
}

// NewETProj returns a replica of w, whose trained parameters lie in p.
func NewETProj(w *ETProjWeights, e *Exec, p Params) *ETProj {
	return &ETProj{w: w, e: e, params: p, fc1: newProduct(w.FC1, p), fc2: newProduct(w.FC2, p)}
}

// Name is what the weights are called.
func (m *ETProj) Name() string { return m.w.Called }

// Params are what NewETProj was given.
func (m *ETProj) Params() Params { return m.params }

// maps is the number of maps in x.
func (m *ETProj) maps(x []float32) int { return len(x) / (m.w.Side * m.w.Side * m.w.FC1.W.Cols) }

// Forward maps x [maps·side², in] to [maps·grid², hidden].
func (m *ETProj) Forward(x []float32, train bool) []float32 {
	maps, h := m.maps(x), m.w.FC2.W.Rows
	in, out := m.w.Side*m.w.Side, m.w.Grid*m.w.Grid
	rows := maps * in
	m.readTaps()
	m.pre, m.hidden, m.mapped = grow(m.pre, rows*h), grow(m.hidden, rows*h), grow(m.mapped, rows*h)
	m.fc1.run(m.e, rows, x, nil, m.pre, nil, train)
	m.e.Team.For(rows, 4, func(lo, hi int) { blas.GELU(m.hidden[lo*h:hi*h], m.pre[lo*h:hi*h]) })
	m.fc2.run(m.e, rows, m.hidden, nil, m.mapped, nil, train)
	m.pooled, m.out = grow(m.pooled, maps*out*h), grow(m.out, maps*out*h)
	m.e.Team.For(maps, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			PoolGrid(m.mapped[i*in*h:(i+1)*in*h], m.pooled[i*out*h:(i+1)*out*h], m.w.Side, m.w.Grid, h)
		}
	})
	m.e.Team.For(maps*out, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			y := m.out[r*h : (r+1)*h]
			copy(y, m.pooled[r*h:])
			blas.Add(y, m.w.Peg.B)
			m.around(r, func(tap, other int) { blas.MulAdd(y, m.pooled[other*h:(other+1)*h], m.taps[tap]) })
		}
	})
	return m.out
}

// readTaps lays the kernel out, tap by tap.
func (m *ETProj) readTaps() {
	var kernel [9]float32
	for k := range m.taps {
		m.taps[k] = grow(m.taps[k], m.w.Peg.W.Rows)
	}
	for c := range m.w.Peg.W.Rows {
		m.w.Peg.W.Row(c, kernel[:])
		for k, v := range kernel {
			m.taps[k][c] = v
		}
	}
}

// around calls do for every place that the kernel reaches from row r of the pooled maps, with the tap that it has
// there.
func (m *ETProj) around(r int, do func(tap, other int)) {
	g := m.w.Grid
	row, col := r/g%g, r%g
	for i := -1; i <= 1; i++ {
		for j := -1; j <= 1; j++ {
			if row+i >= 0 && row+i < g && col+j >= 0 && col+j < g {
				do(3*(i+1)+j+1, r+i*g+j)
			}
		}
	}
}

// Backward adds the gradients of the trained parameters and returns dx [maps·side², in].
func (m *ETProj) Backward(x, dout []float32, needDX bool) []float32 {
	maps, h := m.maps(x), m.w.FC2.W.Rows
	in, out := m.w.Side*m.w.Side, m.w.Grid*m.w.Grid
	rows := maps * in
	m.pegBack(maps*out, dout)
	m.dp, m.dm = grow(m.dp, maps*out*h), grow(m.dm, rows*h)
	m.e.Team.For(maps*out, 8, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			y := m.dp[r*h : (r+1)*h]
			copy(y, dout[r*h:])
			m.around(r, func(tap, other int) { blas.MulAdd(y, dout[other*h:(other+1)*h], m.taps[8-tap]) })
		}
	})
	m.e.Team.For(maps, 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			poolGridBack(m.dm[i*in*h:(i+1)*in*h], m.dp[i*out*h:(i+1)*out*h], m.w.Side, m.w.Grid, h)
		}
	})
	m.dh = grow(m.dh, rows*h)
	m.fc2.back(m.e, rows, m.hidden, m.dm, m.dh, nil)
	m.e.Team.For(rows, 4, func(lo, hi int) {
		blas.GELUBackward(m.dh[lo*h:hi*h], m.dh[lo*h:hi*h], m.pre[lo*h:hi*h])
	})
	if !needDX {
		m.fc1.back(m.e, rows, x, m.dh, nil, nil)
		return nil
	}
	m.dx = grow(m.dx, rows*m.w.FC1.W.Cols)
	m.fc1.back(m.e, rows, x, m.dh, m.dx, nil)
	return m.dx
}

// pegBack adds the gradients of the kernel and its bias, rows of places.
func (m *ETProj) pegBack(rows int, dout []float32) {
	kernel, bias := m.w.Peg.WSpan.Of(m.params.Grad), m.w.Peg.BSpan.Of(m.params.Grad)
	h := m.w.Peg.W.Rows
	if kernel == nil && bias == nil {
		return
	}
	m.e.Team.For(h, 64, func(lo, hi int) {
		sums := make([]float32, 9*(hi-lo))
		for r := range rows {
			dy := dout[r*h+lo : r*h+hi]
			if bias != nil {
				blas.Add(bias[lo:hi], dy)
			}
			m.around(r, func(tap, other int) {
				blas.MulAdd(sums[tap*(hi-lo):(tap+1)*(hi-lo)], dy, m.pooled[other*h+lo:other*h+hi])
			})
		}
		for i := range hi - lo {
			for tap := 0; kernel != nil && tap < 9; tap++ {
				kernel[(lo+i)*9+tap] += sums[tap*(hi-lo)+i]
			}
		}
	})
}

// AttentionReceived is how much attention each of the tokens x [rows, width] receives, where each attends to all of
// them, itself among them: the sums of the columns of softmax(x xᵀ/√width), which together are the number of rows. No
// more than a block of the attention exists at a time.
func AttentionReceived(e *Exec, x []float32, width int) []float64 {
	const block = 64
	rows := len(x) / width
	scale := float32(1 / math.Sqrt(float64(width)))
	keys := new(blas.Panels)
	keys.Set(true, rows, width, x, width)
	blocks := (rows + block - 1) / block
	parts := make([][]float32, blocks)
	e.Team.For(blocks, 1, func(lo, hi int) {
		p := make([]float32, block*rows)
		var solo blas.Team
		for b := lo; b < hi; b++ {
			n := min(block, rows-b*block)
			solo.Mul(n, x[b*block*width:], width, keys, false, p, rows)
			parts[b] = make([]float32, rows)
			for r := range n {
				row := p[r*rows : (r+1)*rows]
				sum := blas.ExpSum(row, row, scale, blas.Max(row)*scale)
				blas.Axpy(parts[b], row, 1/sum)
			}
		}
	})
	received := make([]float64, rows)
	for _, part := range parts {
		for i, v := range part {
			received[i] += float64(v)
		}
	}
	return received
}
