package train

import (
	"fmt"

	"finetui/ml/nn"
)

// Sample is one sequence to learn from.
type Sample struct {
	IDs     []int32    // [T] tokens
	Pos     [3][]int32 // [T] rotary positions in the rows t, h, w; nil: 0, 1, 2, …
	Targets []int32    // [T] the token to predict here, that is, the next one; −1: not supervised
	Weights []float32  // [T] weight of this position's loss, not negative

	// What it shows beside words, and the tokens in whose place the rows stand that the network has for it.
	Visual Visual
	Places []int32 // indices into IDs, ascending

	// Key names the sample's stream of dropout within an optimizer step. Two draws of one sample in one step should
	// differ in it.
	Key uint64
}

// Visual is what a sample shows its network beside words: the features that a frozen tower made of pictures, or what a
// trained one makes features of. The trainer hands it on, and asks only how much it is; the Network alone reads it.
type Visual interface {
	// Rows is the number of rows that run through blocks for it, beside those of the tokens.
	Rows() int
	// Values is the number of float32 values that it holds.
	Values() int
}

// supervised says whether the loss counts position t.
func (s *Sample) supervised(t int) bool { return s.Targets[t] >= 0 && s.Weights[t] != 0 }

// Supervised are the tokens that are to be learnt, those whose weight is 0 among them.
func (s *Sample) Supervised() (ids []int32) {
	for _, id := range s.Targets {
		if id >= 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// size is what a sample costs, in rows that run through blocks.
func (s *Sample) size() int {
	if s.Visual == nil {
		return len(s.IDs)
	}
	return len(s.IDs) + s.Visual.Rows()
}

// check reports slices that do not belong together.
func (s *Sample) check() error {
	T := len(s.IDs)
	if T == 0 {
		return fmt.Errorf("no tokens")
	}
	if len(s.Targets) != T || len(s.Weights) != T {
		return fmt.Errorf("%d tokens, but %d targets and %d weights", T, len(s.Targets), len(s.Weights))
	}
	for i, p := range s.Pos {
		if len(s.Pos[0]) != len(p) || len(p) != 0 && len(p) != T {
			return fmt.Errorf("%d tokens, but %d positions in row %d", T, len(p), i)
		}
	}
	for i, t := range s.Places {
		if t < 0 || int(t) >= T || i > 0 && t <= s.Places[i-1] {
			return fmt.Errorf("feature %d of its pictures stands in the place of token %d: each has a place of its "+
				"own, in order, among %d tokens", i, t, T)
		}
	}
	if len(s.Places) > 0 && s.Visual == nil {
		return fmt.Errorf("%d tokens stand for a picture that is not there", len(s.Places))
	}
	for t, w := range s.Weights {
		if !(w >= 0) || w-w != 0 {
			return fmt.Errorf("weight %v at position %d: weights are finite and not negative", w, t)
		}
	}
	return nil
}

// Denominator is the sum of the weights of all supervised positions: what PyTorch's weighted mean divides by, here
// taken over all samples of a step, however they are split into passes.
func Denominator(samples []Sample) (sum float64) {
	for i := range samples {
		s := &samples[i]
		for t, w := range s.Weights {
			if s.supervised(t) {
				sum += float64(w)
			}
		}
	}
	return sum
}

// StepDenominator is what the loss of an optimizer step is divided by where the samples weigh differently: the weight
// that so many samples are expected to have, each of them sampleWeight on the mean of an epoch (all its supervised
// tokens together). Divided by its own weights a small step would take back what they are for: a batch of one sample
// counts the same whatever its weight. With sampleWeight 0, where all weigh alike, it is Denominator, the mean over the
// tokens that is usual.
func StepDenominator(samples []Sample, sampleWeight float64) float64 {
	if sampleWeight == 0 {
		return Denominator(samples)
	}
	return float64(len(samples)) * sampleWeight
}

// Pack is what a replica runs in one pass: samples to be laid end to end.
type Pack struct {
	Samples []*Sample
	Scale   float32  // of loss and gradient
	Keys    []uint64 // stream of dropout of each sample; nil: no dropout
	Index   []int    // of each sample in the caller's slice, for errors
}

// Fill lays the samples end to end in b, whose slices it uses again.
func (p *Pack) Fill(b *nn.Batch) {
	b.Starts = append(b.Starts[:0], 0)
	b.IDs, b.Targets, b.Weights, b.Features = b.IDs[:0], b.Targets[:0], b.Weights[:0], b.Features[:0]
	for i := range b.Pos {
		b.Pos[i] = b.Pos[i][:0]
	}
	b.Scale, b.Keys = p.Scale, p.Keys
	rows := int32(0)
	for _, s := range p.Samples {
		start := len(b.IDs)
		b.IDs = append(b.IDs, s.IDs...)
		b.Targets, b.Weights = append(b.Targets, s.Targets...), append(b.Weights, s.Weights...)
		for i, pos := range s.Pos {
			if pos != nil {
				b.Pos[i] = append(b.Pos[i], pos...)
				continue
			}
			for t := range s.IDs {
				b.Pos[i] = append(b.Pos[i], int32(t))
			}
		}
		for range s.IDs {
			b.Features = append(b.Features, -1)
		}
		for _, t := range s.Places {
			b.Features[start+int(t)] = rows
			rows++
		}
		b.Starts = append(b.Starts, len(b.IDs))
	}
}
