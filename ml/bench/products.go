package main

import (
	"fmt"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/blas"
)

const (
	peakRounds = 10_000_000 // of the multiply-add loop on each core: some 20 ms
	peakPieces = 32         // of a core's rounds: as with a product, no core waits long for the other
)

// multiplyPeak runs the multiply-add loop on every core; it returns how many operations that is as well.
func (b *bench) multiplyPeak() (work float64, run func() table.Span) {
	cores := b.team.Size()
	work = float64(cores * blas.Multiply(1) * peakRounds)
	return work, func() table.Span {
		return table.Clock(func() {
			b.team.For(cores*peakPieces, 1, func(_, _ int) { blas.Multiply(peakRounds / peakPieces) })
		})
	}
}

// gemmRows are the products of two float32 matrices, both plain.
func gemmRows() (all []row) {
	sizes := [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {256, 4864, 896}, {256, 896, 4864}}
	for _, form := range []string{"NN", "NT", "TN"} {
		for _, s := range sizes {
			m, n, k := s[0], s[1], s[2]
			all = append(all, row{
				name: "gemm", what: fmt.Sprintf("SGEMM %s %d×%d×%d", form, m, n, k), against: "multiply-add loop",
				goal: table.AtLeastPercent(75),
				measure: func(b *bench) table.Result {
					ta, tb := form[0] == 'T', form[1] == 'T'
					lda, ldb := k, n
					if ta {
						lda = m
					}
					if tb {
						ldb = k
					}
					x, y, z := drawn.Values(m*k), drawn.Values(k*n), make([]float32, m*n)
					work, peak := b.multiplyPeak()
					product := table.Repeated(func() { b.team.Gemm(ta, tb, m, n, k, x, lda, y, ldb, false, z, n) })
					return table.Rates(table.Rounds(b.rounds, product, peak), 2*float64(m)*float64(n)*float64(k), work,
						1e9, "GFLOP/s")
				},
			})
		}
	}
	return all
}

// frozenRows are products with frozen weights in bfloat16. The four matrices of a layer take turns, over several
// layers, so that they come from memory as they do in a model.
func frozenRows() (all []row) {
	for _, c := range []struct {
		m    int
		goal float64
	}{{8, 35}, {64, 65}, {256, 75}} {
		all = append(all, row{
			name: "frozen", what: fmt.Sprintf("frozen bf16 product, %d rows", c.m), against: "multiply-add loop",
			goal: table.AtLeastPercent(c.goal),
			measure: func(b *bench) table.Result {
				t := b.model()
				x, y := drawn.Values(c.m*textInner), make([]float32, c.m*2*textInner)
				work, peak := b.multiplyPeak()
				layer := 0
				product := table.Repeated(func() {
					t.forward(b.team, layer, c.m, x, y)
					layer = (layer + 1) % len(t.model.Layers)
				})
				return table.Rates(table.Rounds(b.rounds, product, peak), 2*float64(c.m)*float64(layerWeights), work,
					1e9, "GFLOP/s")
			},
		})
	}
	return all
}
