package model

import (
	"context"
	"fmt"
	"math"

	"finetui/ml/generate"
)

// branchBytes is how much the copies of a question's keys and values may take while the answers of a closed list are
// gone through; more answers are gone through group by group.
const branchBytes = 1 << 30

// LogProbs is how likely each answer of a closed list is to each question: ln p of its tokens and of the one that ends
// it, [n][answers]. Of a only View and Progress count.
func (s *Subject) LogProbs(ctx context.Context, n int, get func(i int) (Question, error), answers []string,
	a Asking) ([][]float64, error) {
	ids := make([][]int32, len(answers))
	for i, answer := range answers {
		var err error
		if ids[i], err = s.Base.answer(answer); err != nil {
			return nil, fmt.Errorf("answer %q: %w", answer, err)
		}
	}
	out := make([][]float64, n)
	return out, s.each(ctx, n, 1, a.Progress, "closed list", func(ctx context.Context, w *worker, i,
		_ int) (err error) {
		out[i], err = w.logProbs(ctx, i, get, ids, a)
		return err
	})
}

func (w *worker) logProbs(ctx context.Context, i int, get func(int) (Question, error), answers [][]int32,
	a Asking) ([]float64, error) {
	questions, err := w.questions(ctx, i, i+1, get, a)
	if err != nil {
		return nil, err
	}
	plain := Work{Rank: func(string) int { return 0 }, Weight: 4}
	bytes := w.base.Kind.Footprint(plain).Keys() * int64(len(questions[0].IDs))
	group := int(max(1, branchBytes/max(1, bytes)))
	out := make([]float64, 0, len(answers))
	for from := 0; from < len(answers); from += group {
		logits, err := w.session.Prompt(ctx, questions)
		if err != nil {
			return nil, err
		}
		found, err := logProbs(w.session, logits, answers[from:min(from+group, len(answers))])
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// branch is a beginning that several answers share.
type branch struct {
	row     int     // of the logits after it
	sum     float64 // ln p of it
	answers []int   // that begin so and are longer
}

// logProbs goes through all answers at once, so that a beginning which several share is computed once. logits are those
// after the question, which is the session's one sequence.
func logProbs(s generate.Session, logits []float32, answers [][]int32) ([]float64, error) {
	out := make([]float64, len(answers))
	root := branch{}
	for i, ids := range answers {
		if len(ids) > 0 {
			root.answers = append(root.answers, i)
		}
	}
	live := []branch{root}
	for depth := 0; ; depth++ {
		var next []branch
		var rows []int
		var ids []int32
		for _, b := range live {
			row := logits[b.row*s.Vocab() : (b.row+1)*s.Vocab()]
			all := logSum(row)
			at := map[int32]int{} // of the branch in next
			for _, i := range b.answers {
				id := answers[i][depth]
				sum := b.sum + float64(row[id]) - all
				if depth == len(answers[i])-1 {
					out[i] = sum
					continue
				}
				k, ok := at[id]
				if !ok {
					k, at[id] = len(next), len(next)
					next = append(next, branch{row: k, sum: sum})
					rows, ids = append(rows, b.row), append(ids, id)
				}
				next[k].answers = append(next[k].answers, i)
			}
		}
		if len(next) == 0 {
			return out, nil
		}
		s.Keep(rows)
		var err error
		if logits, err = s.Next(ids); err != nil {
			return nil, err
		}
		live = next
	}
}

// logSum is ln Σ eˣ.
func logSum(x []float32) float64 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(float64(v - top))
	}
	return float64(top) + math.Log(sum)
}
