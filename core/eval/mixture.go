package eval

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// mixture is the distribution of a resampled value plus scale times a Student's t of df degrees of freedom.
type mixture struct {
	values []float64 // ascending
	scale  float64   // 0: the values alone
	t      distuv.StudentsT
}

func newMixture(values []float64, scale float64, df int) mixture {
	sorted := slices.Sorted(slices.Values(values))
	if df == 0 {
		scale = 0
	}
	return mixture{sorted, scale, distuv.StudentsT{Sigma: 1, Nu: float64(max(1, df))}}
}

// cdf is the share of the distribution at or below x; half of what lies at x itself.
func (m mixture) cdf(x float64) float64 {
	var sum float64
	for _, v := range m.values {
		switch {
		case m.scale > 0:
			sum += m.t.CDF((x - v) / m.scale)
		case v < x:
			sum++
		case v == x:
			sum += 0.5
		}
	}
	return sum / float64(len(m.values))
}

// quantile is where cdf comes to q.
func (m mixture) quantile(q float64) float64 {
	if m.scale == 0 {
		return Quantile(m.values, q)
	}
	far := m.scale * math.Abs(m.t.Quantile(min(q, 1-q)/2))
	low, high := m.values[0]-far, m.values[len(m.values)-1]+far
	below, above := m.cdf(low)-q, m.cdf(high)-q
	const near = 1e-12
	for range 100 { // regula falsi, as the Illinois variant has it: it comes near in ten looks, halving in forty
		x := high - above*(high-low)/(above-below)
		switch at := m.cdf(x) - q; {
		case math.Abs(at) < near || x <= low || x >= high:
			return x
		case (at < 0) == (below < 0):
			low, below, above = x, at, above/2
		default:
			high, above, below = x, at, below/2
		}
	}
	return (low + high) / 2
}

// twoSided is the p of 0: twice the smaller side, no less than the resamples can show.
func (m mixture) twoSided() float64 {
	below := m.cdf(0)
	least := 1 / float64(len(m.values)+1)
	if m.scale > 0 {
		least = 0
	}
	return min(1, 2*max(least, min(below, 1-below)))
}

// normalQuantile is the standard normal's.
func normalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
