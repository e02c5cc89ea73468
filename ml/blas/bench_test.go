//go:build amd64

package blas

import (
	"fmt"
	"testing"
	"time"
)

// peakOf is the multiply-add rate of one core at this moment, in GFLOP/s.
func peakOf() float64 {
	if !avx2.available {
		return 0
	}
	best := time.Duration(1 << 62)
	const rounds = 100000
	for range 8 {
		t := time.Now()
		peakAVX2(rounds)
		best = min(best, time.Since(t))
	}
	return rounds * 12 * 16 / best.Seconds() / 1e9
}

func report(b *testing.B, cores int, flops float64) {
	rate := flops * float64(b.N) / b.Elapsed().Seconds() / 1e9
	b.ReportMetric(rate, "GFLOP/s")
	b.ReportMetric(100*rate/peakOf()/float64(cores), "%peak")
}

func filled(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%17)/8 - 1
	}
	return x
}

func BenchmarkGemm(b *testing.B) {
	for _, cores := range []int{1, 2} {
		for _, s := range [][3]int{{512, 512, 512}, {1024, 1024, 1024}, {100, 128, 128}, {100, 384, 128}, {100, 128, 384}, {128, 128, 100}, {128, 384, 100}, {64, 16, 32}, {64, 64, 32}, {64, 32, 64}, {100, 100, 32}, {100, 32, 100}, {100, 16, 128}, {100, 128, 16}, {128, 16, 100}, {1, 128, 128}} {
			if cores > 1 && s[0]*s[1]*s[2] < 1<<20 {
				continue
			}
			for _, form := range []string{"NN", "NT", "TN"} {
				b.Run(fmt.Sprintf("%s/%dx%dx%d/cores=%d", form, s[0], s[1], s[2], cores), func(b *testing.B) {
					m, n, k := s[0], s[1], s[2]
					ta, tb := form[0] == 'T', form[1] == 'T'
					lda, ldb := k, n
					if ta {
						lda = m
					}
					if tb {
						ldb = k
					}
					x, y, z := filled(m*k), filled(k*n), filled(m*n)
					t := NewTeam(cores)
					b.ReportAllocs()
					for b.Loop() {
						t.Gemm(ta, tb, m, n, k, x, lda, y, ldb, false, z, n)
					}
					report(b, cores, 2*float64(m)*float64(n)*float64(k))
				})
			}
		}
	}
}
