package goldentest

import (
	"math"
	"slices"
)

// Session continues token sequences. *qwen2.Session is one.
type Session interface {
	Next(ids []int32) ([]float32, error)
	Vocab() int
}

// Greedy is what a reference decoding found: its tokens, and the file with the five best of each step under Prefix.
type Greedy struct {
	Tokens []int32
	File   *Golden
	Prefix string
}

// CheckGreedy always takes the likeliest token, of several sequences together, and compares the tokens, the five best
// of each step and their log-probabilities. logits [sequences, vocab] follow the prompts.
func CheckGreedy(s Session, logits []float32, want []Greedy) {
	named, best := make([][]float32, len(want)), make([][]float32, len(want))
	for step := range want[0].Tokens {
		ids := make([]int32, len(want))
		for q, w := range want {
			w.File.t.Helper()
			row := logits[q*s.Vocab() : (q+1)*s.Vocab()]
			norm := logSumExp(row)
			// Ranks below the first may be nearer than rounding, so probabilities are compared: of the tokens that the
			// reference names, and of ours in order.
			for _, id := range w.File.IDs(w.Prefix + "top5.ids")[step*5 : step*5+5] {
				named[q] = append(named[q], row[id]-norm)
			}
			order := top(row, 5)
			for _, id := range order {
				best[q] = append(best[q], row[id]-norm)
			}
			if ids[q] = order[0]; ids[q] != w.Tokens[step] {
				w.File.t.Fatalf("%s: %stoken %d is %d, want %d", w.File.name, w.Prefix, step, ids[q], w.Tokens[step])
			}
		}
		var err error
		if logits, err = s.Next(ids); err != nil {
			want[0].File.t.Fatal(err)
		}
	}
	for q, w := range want {
		w.File.Check(w.Prefix+"top5.logprobs", named[q])
		w.File.Check(w.Prefix+"top5.logprobs", best[q])
	}
}

// top are the n likeliest tokens, best first.
func top(row []float32, n int) []int32 {
	ids := make([]int32, len(row))
	for i := range ids {
		ids[i] = int32(i)
	}
	slices.SortStableFunc(ids, func(a, b int32) int {
		switch {
		case row[a] > row[b]:
			return -1
		case row[a] < row[b]:
			return 1
		}
		return 0
	})
	return ids[:n]
}

func logSumExp(row []float32) float32 {
	best := slices.Max(row)
	var sum float64
	for _, v := range row {
		sum += math.Exp(float64(v - best))
	}
	return best + float32(math.Log(sum))
}
