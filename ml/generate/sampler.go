package generate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// sampler picks the tokens of one sequence. It applies what transformers calls logits processors, in its order: the
// repetition penalty, then, where tokens are drawn, the temperature and top-p.
type sampler struct {
	o       Options
	draws   *rand.Rand
	came    []bool    // [vocab] tokens of the prompt and of the answer so far; nil without a penalty
	scores  []float32 // [vocab] the row that is worked on
	weights []float64 // [vocab] softmax of scores, up to a factor
	heap    []int32
}

func newSampler(o Options, sequence, vocab int) *sampler {
	s := &sampler{o: o, draws: o.draws(sequence)}
	if o.penalized() {
		s.came = make([]bool, vocab)
		for _, id := range o.Prompts[sequence] {
			s.note(id)
		}
	}
	return s
}

// note counts a token for the penalty.
func (s *sampler) note(id int32) {
	if id >= 0 && int(id) < len(s.came) {
		s.came[id] = true
	}
}

// pick returns the next token: the likeliest, of equals the first, or one that is drawn. It leaves logits as they are.
func (s *sampler) pick(logits []float32) (int32, error) {
	for _, v := range logits {
		if v != v {
			return 0, fmt.Errorf("the model's output is not a number: its weights or its input are broken")
		}
	}
	scores := s.process(logits)
	id := likeliest(scores)
	if s.o.Temperature > 0 {
		id = s.draw(scores, id)
	}
	s.note(id)
	return id, nil
}

// process returns the logits after all processors. What top-p cuts off is −∞.
func (s *sampler) process(logits []float32) []float32 {
	s.scores = append(s.scores[:0], logits...)
	if s.came != nil {
		penalize(s.scores, s.came, float32(s.o.RepetitionPenalty))
	}
	if s.o.Temperature <= 0 {
		return s.scores
	}
	if t := float32(s.o.Temperature); t != 1 {
		for i := range s.scores {
			s.scores[i] /= t
		}
	}
	if s.o.TopP > 0 && s.o.TopP < 1 {
		s.cutTail()
	}
	return s.scores
}

// penalize divides the score of each token that came by the penalty, or multiplies where it is negative, once however
// often it came (Keskar et al. 2019, arXiv 1909.05858).
func penalize(scores []float32, came []bool, penalty float32) {
	for id, c := range came {
		switch {
		case !c:
		case scores[id] < 0:
			scores[id] *= penalty
		default:
			scores[id] /= penalty
		}
	}
}

// cutTail keeps the likeliest tokens up to and with the one that brings them to probability
// TopP (Holtzman et al. 2020, arXiv 1904.09751), and always one. Of equals the later tokens
// are kept first, as a stable ascending sort would have it.
func (s *sampler) cutTail() {
	top := slices.Max(s.scores)
	var sum float64
	s.weights, s.heap = s.weights[:0], s.heap[:0]
	for _, v := range s.scores {
		w := math.Exp(float64(v - top))
		s.weights = append(s.weights, w)
		sum += w
	}
	// What lies below this makes less than the tail even if every token did: most of a vocabulary need not be sorted.
	least := (1 - s.o.TopP) * sum / float64(len(s.scores))
	for i, w := range s.weights {
		if w > least {
			s.heap = append(s.heap, int32(i))
		} else {
			s.scores[i] = float32(math.Inf(-1))
		}
	}
	for i := len(s.heap)/2 - 1; i >= 0; i-- {
		s.sink(i)
	}
	for kept := 0.0; kept < s.o.TopP*sum && len(s.heap) > 0; {
		kept += s.weights[s.heap[0]]
		s.heap[0] = s.heap[len(s.heap)-1]
		s.heap = s.heap[:len(s.heap)-1]
		s.sink(0)
	}
	for _, id := range s.heap {
		s.scores[id] = float32(math.Inf(-1))
	}
}

// sink restores the order of the heap, whose first is the likeliest, below i.
func (s *sampler) sink(i int) {
	above := func(a, b int32) bool {
		return s.scores[a] > s.scores[b] || s.scores[a] == s.scores[b] && a > b
	}
	for {
		child := 2*i + 1
		if child+1 < len(s.heap) && above(s.heap[child+1], s.heap[child]) {
			child++
		}
		if child >= len(s.heap) || above(s.heap[i], s.heap[child]) {
			return
		}
		s.heap[i], s.heap[child] = s.heap[child], s.heap[i]
		i = child
	}
}

// likeliest is the token with the largest score, of equals the first.
func likeliest(scores []float32) int32 {
	best := 0
	for i, v := range scores {
		if v > scores[best] {
			best = i
		}
	}
	return int32(best)
}

// draw picks a token from softmax(scores), whose likeliest is best.
func (s *sampler) draw(scores []float32, best int32) int32 {
	var sum float64
	s.weights = s.weights[:0]
	for _, v := range scores {
		w := math.Exp(float64(v - scores[best]))
		s.weights = append(s.weights, w)
		sum += w
	}
	u := s.draws.Float64() * sum
	for i, w := range s.weights {
		if u -= w; u < 0 {
			return int32(i)
		}
	}
	return best
}
