package eval

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAQuantileIsWhereTheDistributionComesToIt looks the quantiles of mixtures of all shapes up in their distribution.
func TestAQuantileIsWhereTheDistributionComesToIt(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	for _, n := range []int{1, 3, 200} {
		for _, scale := range []float64{1e-6, .01, 3} {
			for _, df := range []int{1, 2, 20} {
				values := make([]float64, n)
				for i := range values {
					values[i] = .02 * rng.NormFloat64()
				}
				m := newMixture(values, scale, df)
				for _, q := range []float64{.005, .025, .5, .975} {
					if at := m.cdf(m.quantile(q)); math.Abs(at-q) > 1e-9 {
						t.Errorf("%d values, scale %g, %d degrees of freedom: the quantile of %g is that of %.12g", n,
							scale, df, q, at)
					}
				}
			}
		}
	}
}
