package blas

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestGemmPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tm := range []Team{{}, NewTeam(2), NewTeam(0)} {
		for try := range 60 {
			m, n, k := r.IntN(70), r.IntN(70), r.IntN(70)
			if try%20 == 0 {
				m, n, k = m+150, n+150, k+150
			}
			ta, tb, acc := r.IntN(2) == 1, r.IntN(2) == 1, r.IntN(2) == 1
			lda, ldb, ldc := max(m, k)+3, max(n, k)+1, n+2
			mk := func(n int) []float32 {
				x := make([]float32, n)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				return x
			}
			a, b, c := mk(lda*max(m, k)), mk(ldb*max(n, k)), mk(ldc*(m+1))
			want := append([]float32(nil), c...)
			for i := range m {
				for j := range n {
					s := 0.0
					for q := range k {
						x := a[i*lda+q*1]
						if ta {
							x = a[q*lda+i]
						}
						y := b[q*ldb+j]
						if tb {
							y = b[j*ldb+q]
						}
						s += float64(x) * float64(y)
					}
					if acc {
						s += float64(c[i*ldc+j])
					}
					want[i*ldc+j] = float32(s)
				}
			}
			c2 := append([]float32(nil), c...)
			tm.Gemm(ta, tb, m, n, k, a, lda, b, ldb, acc, c, ldc)
			for i := range c {
				if math.Abs(float64(c[i]-want[i])) > 1e-4 {
					t.Fatal(try, m, n, k, ta, tb, acc, i, c[i], want[i])
				}
			}
			if !ta {
				tm.Mul(m, a, lda, Pack(tb, n, k, b, ldb), acc, c2, ldc)
				for i := range c {
					if math.Abs(float64(c2[i]-want[i])) > 1e-4 {
						t.Fatal(try, m, n, k, ta, tb, acc, i, c2[i], want[i])
					}
				}
			}
		}
	}
}
