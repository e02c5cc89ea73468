// Package generate continues token sequences: it picks tokens from logits and stops where an answer ends. It knows no
// model but through Session, and no text.
package generate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
)

// Session decodes several sequences together. *qwen2.Session is one.
type Session interface {
	// Next appends one token to each sequence and returns the logits [sequences, vocab] after it.
	Next(ids []int32) ([]float32, error)
	// Keep goes on with the sequences of these indices only, in this order; one that comes more than once goes on in so
	// many ways.
	Keep(sequences []int)
	Vocab() int
}

// Options say how tokens are picked and when an answer ends. The settings mean what they mean in transformers'
// generate(), where a temperature of 0 is do_sample=False.
type Options struct {
	MaxNew            int     // most tokens of an answer, at least 1
	Temperature       float64 // logits are divided by it before the draw; 0: always the likeliest token
	TopP              float64 // draw from the likeliest tokens that reach this probability together; 0, 1: from all
	RepetitionPenalty float64 // above 1 tokens that came before become less likely; 0, 1: off
	Stop              []int32 // tokens that end an answer; they are not part of it
	Seed              uint64  // of the draws, together with the number of the sequence

	// Prompts [sequences][tokens] is what each sequence began with: the repetition penalty counts it, pads of pictures
	// and tokens of the template included. Nothing else reads it.
	Prompts [][]int32
}

// coldest is the lowest temperature that logits are divided by: they stay finite, and whatever they are, the likeliest
// token comes practically always.
const coldest = 1e-6

// Check reports settings that no sequence can be continued with.
func (o Options) Check() error {
	switch {
	case o.MaxNew < 1:
		return fmt.Errorf("an answer of at most %d tokens is none: the most tokens of an answer are 1 or more",
			o.MaxNew)
	case !(o.Temperature >= 0) || o.Temperature > 0 && o.Temperature < coldest:
		return fmt.Errorf("the temperature is %v: it is 0 for the likeliest token, or %g and above",
			o.Temperature, coldest)
	case !(o.TopP >= 0 && o.TopP <= 1):
		return fmt.Errorf("top-p is %v: it is a probability from 0 to 1, where 0 and 1 cut nothing off", o.TopP)
	case !(o.RepetitionPenalty >= 0):
		return fmt.Errorf("the repetition penalty is %v: it is 1 for none, or a factor above 0", o.RepetitionPenalty)
	}
	return nil
}

// Run continues the sequences of s, whose prompts ended in logits [sequences, vocab], until each has stopped. heard is
// told each token as it comes, with the number of its sequence; it may be nil. With a cancelled context the answers so
// far come back with its error.
func Run(ctx context.Context, s Session, logits []float32, o Options, heard func(sequence int, id int32)) ([][]int32,
	error) {
	vocab := s.Vocab()
	n := len(logits) / vocab
	if err := o.check(n); err != nil {
		return nil, err
	}
	answers, live := make([][]int32, n), make([]int, n)
	samplers := make([]*sampler, n)
	for q := range n {
		live[q], samplers[q] = q, newSampler(o, q, vocab)
	}
	for len(live) > 0 {
		var ids []int32
		var kept, next []int
		for i, q := range live {
			id, err := samplers[q].pick(logits[i*vocab : (i+1)*vocab])
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

// check is Check for a number of sequences.
func (o Options) check(sequences int) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.penalized() && len(o.Prompts) != sequences {
		return fmt.Errorf("the repetition penalty counts the prompts' tokens: %d prompts came with %d sequences",
			len(o.Prompts), sequences)
	}
	return nil
}

// penalized says whether the repetition penalty is on.
func (o Options) penalized() bool { return o.RepetitionPenalty != 0 && o.RepetitionPenalty != 1 }

// draws is the stream of random numbers of a sequence.
func (o Options) draws(sequence int) *rand.Rand {
	return rand.New(rand.NewPCG(o.Seed, uint64(sequence)))
}
