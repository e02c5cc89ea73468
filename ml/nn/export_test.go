package nn

import "finetui/ml/blas"

// Stages runs a block on rows that are normalised already, and returns what each stage gives: forwards in order,
// backwards from the last token on unless the two are put together.
func (m *Mamba) Stages(xn []float32) map[string][]float32 {
	rows, inner := m.patches.P(), m.w.Out.W.Cols
	m.xn = xn
	m.mix(rows, true)
	out := map[string][]float32{"xz": m.xz}
	for i := range m.ways {
		w := &m.ways[i]
		name, back := []string{"forward", "backward"}[i], i == 1
		gated := make([]float32, rows*inner)
		for t := range rows {
			blas.SiLUMul(gated[t*inner:(t+1)*inner], m.xz[(2*t+1)*inner:(2*t+2)*inner], w.y[t*inner:(t+1)*inner])
		}
		out[name] = gated
		if back {
			name += "_flipped"
		}
		keep := func(stage string, v []float32, from, width, ld int) {
			var kept []float32
			for t := range rows {
				if back {
					t = rows - 1 - t
				}
				kept = append(kept, v[t*ld+from:t*ld+from+width]...)
			}
			out[name+"."+stage] = kept
		}
		rank, states, wide := w.Rank(), w.States(), w.X.W.Rows
		keep("conv", w.conv, 0, inner, inner)
		keep("dt", w.dt, 0, inner, inner)
		keep("B", w.low, rank, states, wide)
		keep("C", w.low, rank+states, states, wide)
		keep("scan", w.y, 0, inner, inner)
	}
	y := make([]float32, rows*len(m.w.Norm.W))
	m.out.run(m.e, rows, m.gate, nil, y, nil, false)
	out["output"] = y
	return out
}

// Run normalises rows.
func (n *Norm) Run(x []float32) []float32 {
	y := make([]float32, len(x))
	one := newNorm(n, Params{})
	one.run(NewExec(1), len(x)/len(n.W), x, y)
	return y
}

// Stages are what the last Forward found between the MLP and the result.
func (m *ETProj) Stages() (mapped, pooled []float32) { return m.mapped, m.pooled }
