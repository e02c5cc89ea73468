package model

import (
	"math"
	"math/rand/v2"
	"testing"
)

// madeSession gives logits that are drawn anew from all tokens that came before.
type madeSession struct {
	vocab int
	seqs  [][]int32
}

func (s *madeSession) Vocab() int { return s.vocab }

func (s *madeSession) Keep(sequences []int) {
	kept := make([][]int32, len(sequences))
	for i, at := range sequences {
		kept[i] = append([]int32(nil), s.seqs[at]...)
	}
	s.seqs = kept
}

func (s *madeSession) Next(ids []int32) (logits []float32, err error) {
	for i, id := range ids {
		s.seqs[i] = append(s.seqs[i], id)
		logits = append(logits, madeLogits(s.seqs[i], s.vocab)...)
	}
	return logits, nil
}

func madeLogits(after []int32, vocab int) []float32 {
	seed := uint64(1)
	for _, id := range after {
		seed = seed*1_000_003 + uint64(id) + 1
	}
	random, logits := rand.New(rand.NewPCG(seed, 7)), make([]float32, vocab)
	for i := range logits {
		logits[i] = float32(30 * random.NormFloat64())
	}
	return logits
}

// The tree of answers with shared beginnings against the definition, one answer and one token at a time in float64.
func TestLogProbsAgainstAPlainComputation(t *testing.T) {
	const vocab = 50
	answers := [][]int32{{3, 4, 5, 0}, {3, 4, 0}, {3, 0}, {9, 8, 7, 6, 0}, {3, 4, 5, 0}, {0}}
	got, err := logProbs(&madeSession{vocab: vocab, seqs: [][]int32{nil}}, madeLogits(nil, vocab), answers)
	if err != nil {
		t.Fatal(err)
	}
	for i, ids := range answers {
		want := 0.0
		for k, id := range ids {
			logits, sum := madeLogits(ids[:k], vocab), 0.0
			for _, v := range logits {
				sum += math.Exp(float64(v) - float64(logits[id]))
			}
			want -= math.Log(sum)
		}
		if math.Abs(got[i]-want) > 1e-4*math.Max(1, math.Abs(want)) {
			t.Errorf("%v: ln p %v, plainly %v", ids, got[i], want)
		}
	}
}
