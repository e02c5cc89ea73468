// Package generate continues token sequences: it picks tokens from logits and stops where an answer ends. It knows no
// model but through Session, and no text.
package generate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Session decodes several sequences together. *qwen2.Session is one.
type Session interface {
	// Next appends one token to each sequence and returns the logits [sequences, vocab] after it.
	Next(ids []int32) ([]float32, error)
	// Keep goes on with the sequences of these indices only, in this order.
	Keep(sequences []int)
	Vocab() int
}

// Options say how tokens are picked and when an answer ends.
type Options struct {
	MaxNew      int     // most tokens of an answer
	Temperature float64 // 0: always the likeliest token
	Stop        []int32 // tokens that end an answer; they are not part of it
	Seed        uint64  // of the draws, together with the number of the sequence
}

// Run continues the sequences of s, whose prompts ended in logits [sequences, vocab], until each has stopped. heard is
// told each token as it comes, with the number of its sequence; it may be nil. With a cancelled context the answers so
// far come back with its error.
func Run(ctx context.Context, s Session, logits []float32, o Options, heard func(sequence int, id int32)) ([][]int32, error) {
	vocab := s.Vocab()
	n := len(logits) / vocab
	answers, live := make([][]int32, n), make([]int, n)
	draws := make([]*rand.Rand, n)
	for q := range n {
		live[q], draws[q] = q, rand.New(rand.NewPCG(o.Seed, uint64(q)))
	}
	for len(live) > 0 {
		var ids []int32
		var kept, next []int
		for i, q := range live {
			id, err := pick(logits[i*vocab:(i+1)*vocab], o.Temperature, draws[q])
			if err != nil {
				return answers, err
			}
			if slices.Contains(o.Stop, id) {
				continue
			}
			answers[q] = append(answers[q], id)
			if heard != nil {
				heard(q, id)
			}
			if len(answers[q]) < o.MaxNew {
				ids, kept, next = append(ids, id), append(kept, i), append(next, q)
			}
		}
		if len(next) == 0 {
			return answers, nil
		}
		if err := ctx.Err(); err != nil {
			return answers, err
		}
		if len(next) < len(live) {
			s.Keep(kept)
		}
		live = next
		var err error
		if logits, err = s.Next(ids); err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// pick returns the likeliest token, of equals the first, or draws one from softmax(logits / temperature).
func pick(logits []float32, temperature float64, rng *rand.Rand) (int32, error) {
	best := 0
	for i, v := range logits {
		if v != v {
			return 0, fmt.Errorf("the model's output is not a number: its weights or its input are broken")
		}
		if v > logits[best] {
			best = i
		}
	}
	if temperature <= 0 {
		return int32(best), nil
	}
	weights := make([]float64, len(logits))
	var sum float64
	for i, v := range logits {
		weights[i] = math.Exp(float64(v-logits[best]) / temperature)
		sum += weights[i]
	}
	u := rng.Float64() * sum
	for i, w := range weights {
		if u -= w; u < 0 {
			return int32(i), nil
		}
	}
	return int32(best), nil
}
