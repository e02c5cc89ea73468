package train

// Shift turns labels [T], given at each token itself with negative where it is not supervised, into targets and weights
// given where the token is predicted: one place earlier. Weights are 1 there and 0 elsewhere; the first token is never
// predicted.
func Shift(labels []int32) (targets []int32, weights []float32) {
	targets, weights = make([]int32, len(labels)), make([]float32, len(labels))
	for t := range labels {
		targets[t] = -1
		if t+1 < len(labels) && labels[t+1] >= 0 {
			targets[t], weights[t] = labels[t+1], 1
		}
	}
	return targets, weights
}
