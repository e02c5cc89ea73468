package mobilevideogpt

import (
	"slices"

	"finetui/ml/nn"
)

// Scores is the attention that each frame of a chunk receives, x [frames·patches, width] being its features.
func Scores(e *nn.Exec, x []float32, frames, width int) []float64 {
	received := nn.AttentionReceived(e, x, width)
	scores := make([]float64, frames)
	each := len(received) / frames
	for i, v := range received {
		scores[i/each] += v
	}
	return scores
}

// Choose are the k frames of the highest scores, or of the lowest, in time order. Of frames with equal scores the
// earlier one is chosen.
func Choose(scores []float64, k int, highest bool) []int {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if !highest {
			a, b = b, a
		}
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	chosen := order[:min(k, len(order))]
	slices.Sort(chosen)
	return chosen
}
