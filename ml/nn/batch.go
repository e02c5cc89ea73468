package nn

import "fmt"

// Batch is a set of sequences laid end to end, without padding. T is the number of all their tokens.
type Batch struct {
	Starts   []int      // [sequences+1] where each sequence begins; the last is T
	IDs      []int32    // [T] tokens
	Features []int32    // [T] row of the feature matrix that stands in the token's place, −1: none; nil: none anywhere
	Pos      [3][]int32 // [T] rotary positions: rows t, h, w of M-RoPE; equal for text
	// [T] the token to predict here, that is, the next one; −1: not supervised. nil where nothing is learnt
	Targets []int32
	Weights []float32 // [T] weight of this position's loss; nil where nothing is learnt
	Scale   float32   // of loss and gradient: 1 / sum of the weights over the whole optimizer step
	Keys    []uint64  // [sequences] dropout stream of each sequence in this pass; nil: no dropout
	Read    []int     // the tokens whose last hidden state is read, ascending; nil: all

	rows []int // the tokens that these rows are of, ascending; nil: all
}

// T is the number of tokens.
func (b *Batch) T() int {
	if len(b.Starts) == 0 {
		return 0
	}
	return b.Starts[len(b.Starts)-1]
}

// Supervised adds the positions that the loss counts to at.
func (b *Batch) Supervised(at []int) []int {
	for t, w := range b.Weights {
		if w != 0 && b.Targets[t] >= 0 {
			at = append(at, t)
		}
	}
	return at
}

// Sequences is the number of sequences.
func (b *Batch) Sequences() int { return max(0, len(b.Starts)-1) }

// feature is the feature row in the place of token t, or −1.
func (b *Batch) feature(t int) int {
	if len(b.Features) == 0 {
		return -1
	}
	return int(b.Features[t])
}

// Check reports a batch that a language model would index out of range with, its vocabulary
// and the rows of features that come with the batch given.
func (b *Batch) Check(vocab, features int) error {
	if err := b.checkLengths(); err != nil {
		return err
	}
	for t, id := range b.IDs {
		if id < 0 || int(id) >= vocab {
			return fmt.Errorf("batch: token %d at position %d lies outside the vocabulary of %d", id, t, vocab)
		}
		if f := b.feature(t); f >= features {
			return fmt.Errorf("batch: position %d wants feature row %d of %d", t, f, features)
		}
	}
	for t, id := range b.Targets {
		if int(id) >= vocab {
			return fmt.Errorf("batch: target %d at position %d lies outside the vocabulary of %d", id, t, vocab)
		}
	}
	return nil
}

// checkLengths holds the slices against one another.
func (b *Batch) checkLengths() error {
	for s, at := range b.Starts {
		if s == 0 && at != 0 || s > 0 && at < b.Starts[s-1] {
			return fmt.Errorf("batch: sequence %d begins at %d: sequences lie end to end from 0 on", s, at)
		}
	}
	T := b.T()
	if len(b.IDs) != T {
		return fmt.Errorf("batch: %d tokens, but the last sequence ends at %d", len(b.IDs), T)
	}
	for r, row := range b.Pos {
		if len(row) != T {
			return fmt.Errorf("batch: %d tokens, but %d positions in row %d", T, len(row), r)
		}
	}
	if n := len(b.Features); n != 0 && n != T {
		return fmt.Errorf("batch: %d tokens, but places for the features of %d", T, n)
	}
	if n, w := len(b.Targets), len(b.Weights); n != 0 && n != T || w != n {
		return fmt.Errorf("batch: %d tokens, but %d targets and %d weights", T, n, w)
	}
	if b.Keys != nil && len(b.Keys) != b.Sequences() {
		return fmt.Errorf("batch: %d sequences, but %d dropout streams", b.Sequences(), len(b.Keys))
	}
	return nil
}
