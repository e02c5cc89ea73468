package printable

import "math"

// Ticks are the round values of an axis between two ends, those among them: multiples of the least of 1, 2 and 5 times a
// power of ten that makes at most n+1 of them. There are none where the ends are no axis.
func Ticks(from, to float64, n int) (ticks []float64) {
	least := (to - from) / float64(n)
	if !(least > 0) {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*step >= least*(1-1e-9) {
			step *= m
			break
		}
	}
	const near = 1e-9 // of a step, which rounding takes an end away by
	for i := math.Ceil(from/step - near); i <= to/step+near && len(ticks) <= n; i++ {
		ticks = append(ticks, i*step+0) // not −0
	}
	return ticks
}
