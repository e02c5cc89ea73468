package train

import "finetui/core/run"

// shrink gives w values for a line of w cells: the mean of those that fall into each.
func shrink(y []float64, w int) []float64 {
	if len(y) <= w || w <= 0 {
		return y
	}
	out := make([]float64, w)
	for i := range out {
		out[i] = run.Mean(y[i*len(y)/w : (i+1)*len(y)/w])
	}
	return out
}
