package main

import (
	"fmt"

	"finetui/ml/blas"
)

const (
	peakRounds = 10_000_000 // of the multiply-add loop on each core: some 20 ms
	peakPieces = 32         // of a core's rounds: as with a product, no core waits long for the other
)

// multiplyPeak runs the multiply-add loop on every core; it returns how many operations that is as well.
func (b *bench) multiplyPeak() (work float64, run func() span) {
	cores := b.team.Size()
	work = float64(cores * blas.Multiply(1) * peakRounds)
	return work, func() span {
		return clock(func() {
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
				goal: atLeastPercent(75),
				measure: func(b *bench) result {
					ta, tb := form[0] == 'T', form[1] == 'T'
					lda, ldb := k, n
					if ta {
						lda = m
					}
					if tb {
						ldb = k
					}
					x, y, z := gauss(m*k), gauss(k*n), make([]float32, m*n)
					work, peak := b.multiplyPeak()
					product := repeated(func() { b.team.Gemm(ta, tb, m, n, k, x, lda, y, ldb, false, z, n) })
					return rateResult(rounds(b.rounds, product, peak), 2*float64(m)*float64(n)*float64(k), work,
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
			goal: atLeastPercent(c.goal),
			measure: func(b *bench) result {
				t := b.model()
				x, y := gauss(c.m*textInner), make([]float32, c.m*2*textInner)
				work, peak := b.multiplyPeak()
				layer := 0
				product := repeated(func() {
					t.forward(b.team, layer, c.m, x, y)
					layer = (layer + 1) % len(t.model.Layers)
				})
				return rateResult(rounds(b.rounds, product, peak), 2*float64(c.m)*float64(layerWeights), work,
					1e9, "GFLOP/s")
			},
		})
	}
	return all
}
