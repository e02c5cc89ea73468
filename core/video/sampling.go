package video

import "math"

// Sampling is the rule by which frames are taken for Mobile-VideoGPT: one a second, thinned to Most, and closer
// together where that gives fewer than Least.
type Sampling struct {
	Least int // 8 in training, 16 in evaluation
	Most  int // 16
}

// Indices are the frames taken of n at that many a second, ascending. A clip of fewer frames than Least gives all.
func (s Sampling) Indices(n int, fps float64) []int { return s.within(0, n-1, fps) }

// Between are the frames taken of the part from one second to another.
func (s Sampling) Between(n int, fps, from, to float64) []int {
	if n < 1 {
		return nil
	}
	last := n - 1
	limit := func(seconds float64) int { return int(min(max(seconds*fps, 0), float64(last))) }
	return s.within(limit(from), limit(to), fps)
}

// within applies the rule to the frames from start to end, both taken.
func (s Sampling) within(start, end int, fps float64) []int {
	n := end - start + 1
	if n <= 0 {
		return nil
	}
	if !(fps > 0) {
		fps = 1
	}
	list := strided(start, end, int(max(min(math.RoundToEven(fps), float64(n)), 1)))
	if least := min(s.Least, n); len(list) < least {
		if list = strided(start, end, max((n-1)/max(least-1, 1), 1)); len(list) > least {
			list = list[:least]
		}
	}
	if len(list) <= s.Most || s.Most < 1 {
		return list
	}
	thin := make([]int, s.Most)
	for i := range thin {
		thin[i] = list[i*(len(list)-1)/max(s.Most-1, 1)]
	}
	return thin
}

func strided(start, end, stride int) (list []int) {
	for i := start; i <= end; i += stride {
		list = append(list, i)
	}
	return list
}
