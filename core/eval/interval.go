package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a range that holds the true value with the confidence it was made for; nil where there is nothing to
// estimate from.
type Interval [2]float64

// Confidence of every interval in a Result.
const Confidence = 0.95

// Wilson is the score interval of k of n (Wilson, 1927), nil for n = 0.
func Wilson(k, n int, confidence float64) *Interval {
	if n <= 0 {
		return nil
	}
	z := math.Sqrt2 * math.Erfinv(confidence)
	p, m := float64(k)/float64(n), float64(n)
	scale := 1 + z*z/m
	middle := (p + z*z/(2*m)) / scale
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m)) / scale
	return &Interval{max(0, middle-half), min(1, middle+half)}
}

// Quantile interpolates between order statistics, type 7 of Hyndman and Fan (numpy's default). sorted is ascending;
// NaN for none.
func Quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low < 0 {
		return sorted[0]
	}
	if low >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// percentiles is the middle part of bootstrapped values, nil for none. It sorts them.
func percentiles(values []float64, confidence float64) *Interval {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	tail := (1 - confidence) / 2
	return &Interval{Quantile(values, tail), Quantile(values, 1-tail)}
}

// resampler draws the items of one bootstrap sample after another, with replacement.
type resampler struct {
	rng *rand.Rand
	at  []int
}

const bootstrapStream = 0x626f6f7473747261

func newResampler(items int, seed uint64) *resampler {
	return &resampler{rng: rand.New(rand.NewPCG(seed, bootstrapStream)), at: make([]int, items)}
}

// next returns item indices that are overwritten by the following call.
func (r *resampler) next() []int {
	for i := range r.at {
		r.at[i] = r.rng.IntN(len(r.at))
	}
	return r.at
}
