package recipe

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"finetui/core/config"
)

// Weight is a factor in the loss. A class without an item has none: NaN here, null in JSON, "–" in text.
type Weight float64

// Undefined is the weight of a class that has no item.
var Undefined = Weight(math.NaN())

// Defined tells whether the class has an item to weigh.
func (w Weight) Defined() bool { return !math.IsNaN(float64(w)) }

// MarshalJSON writes null where the weight is undefined.
func (w Weight) MarshalJSON() ([]byte, error) {
	if !w.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(w))
}

// UnmarshalJSON reads null as Undefined.
func (w *Weight) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*w = Undefined
		return nil
	}
	return json.Unmarshal(b, (*float64)(w))
}

// String writes two digits, or a dash where the weight is undefined.
func (w Weight) String() string {
	if !w.Defined() {
		return "–"
	}
	return strconv.FormatFloat(float64(w), 'f', 2, 64)
}

// Weights returns the weight of each class by the formula named in RECIPE.CLASS_WEIGHTS and CONDITION_WEIGHTS:
// none, max_ratio, balanced, effective_number (with beta) or inverse_sqrt.
func Weights(formula config.Weighting, counts []int, beta float64) ([]Weight, error) {
	switch formula {
	case config.WeightNone:
		return weigh(counts, func(int) float64 { return 1 }), nil
	case config.WeightMaxRatio:
		return MaxRatio(counts), nil
	case config.WeightBalanced:
		return Balanced(counts), nil
	case config.WeightEffectiveNumber:
		if beta < 0 || beta >= 1 {
			return nil, fmt.Errorf("RECIPE.EFFECTIVE_BETA is %v: choose a value from 0 to below 1", beta)
		}
		return EffectiveNumber(counts, beta), nil
	case config.WeightInverseSqrt:
		return InverseSqrt(counts), nil
	}
	return nil, fmt.Errorf("unknown weights %q: choose one of %s", string(formula),
		strings.Join(formula.Choices(), ", "))
}

// MaxRatio is w_c = max_k n_k / n_c.
func MaxRatio(counts []int) []Weight {
	most := 0
	for _, n := range counts {
		most = max(most, n)
	}
	return weigh(counts, func(n int) float64 { return float64(most) / float64(n) })
}

// Balanced is w_c = N / (C · n_c), as scikit-learn's compute_class_weight; C counts the classes that have an item.
func Balanced(counts []int) []Weight {
	present, items := tally(counts)
	return weigh(counts, func(n int) float64 { return float64(items) / (float64(present) * float64(n)) })
}

// EffectiveNumber is w_c ∝ (1−β)/(1−β^{n_c}), scaled so that the weights sum to the number of classes that have an
// item (Cui et al., CVPR 2019, arXiv 1901.05555).
func EffectiveNumber(counts []int, beta float64) []Weight {
	// Near β = 1 the plain power loses the digits that matter; expm1 and log1p keep them.
	logBeta := math.Log1p(-(1 - beta))
	w := weigh(counts, func(n int) float64 { return (1 - beta) / -math.Expm1(float64(n)*logBeta) })
	present, _ := tally(counts)
	var sum float64
	for _, v := range w {
		if v.Defined() {
			sum += float64(v)
		}
	}
	return scale(w, float64(present)/sum)
}

// InverseSqrt is w_c ∝ 1/√n_c, scaled to mean 1 over the items.
func InverseSqrt(counts []int) []Weight {
	return MeanOne(weigh(counts, func(n int) float64 { return 1 / math.Sqrt(float64(n)) }), floats(counts))
}

// MeanOne scales weights so that their mean over the samples is 1: the learning rate keeps its meaning.
// samples is how many of each class an epoch holds.
func MeanOne(w []Weight, samples []float64) []Weight {
	var mass, n float64
	for c, v := range w {
		if v.Defined() {
			mass += samples[c] * float64(v)
			n += samples[c]
		}
	}
	if mass == 0 {
		return w
	}
	return scale(w, n/mass)
}

// Round2 keeps two decimal digits, as Python's round(w, 2) does: by the exact decimal value, not after scaling by 100.
func Round2(w []Weight) []Weight {
	out := make([]Weight, len(w))
	for i, v := range w {
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'f', 2, 64), 64)
		if err != nil {
			f = float64(v)
		}
		out[i] = Weight(f)
	}
	return out
}

// ClassShares is the probability p_c ∝ n_c^q of drawing class c; a class without an item is never drawn
// (Kang et al., ICLR 2020, arXiv 1910.09217).
func ClassShares(counts []int, q float64) []float64 {
	p := make([]float64, len(counts))
	var sum float64
	for c, n := range counts {
		if n > 0 {
			p[c] = math.Pow(float64(n), q)
			sum += p[c]
		}
	}
	if sum == 0 {
		return p
	}
	for c := range p {
		p[c] /= sum
	}
	return p
}

func weigh(counts []int, f func(n int) float64) []Weight {
	w := make([]Weight, len(counts))
	for c, n := range counts {
		w[c] = Undefined
		if n > 0 {
			w[c] = Weight(f(n))
		}
	}
	return w
}

func scale(w []Weight, by float64) []Weight {
	out := make([]Weight, len(w))
	for c := range w {
		out[c] = w[c] * Weight(by)
	}
	return out
}

func tally(counts []int) (present, items int) {
	for _, n := range counts {
		if n > 0 {
			present++
			items += n
		}
	}
	return present, items
}

func floats(counts []int) []float64 {
	f := make([]float64, len(counts))
	for i, n := range counts {
		f[i] = float64(n)
	}
	return f
}
