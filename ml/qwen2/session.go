package qwen2

import (
	"fmt"

	"finetui/ml/nn"
)

// Session decodes several sequences together, each with its own cache of keys and values.
type Session struct {
	// Check is asked before each layer, so that a long prompt can be stopped; its error ends the call, after which the
	// session must begin anew with Prompt. It may be nil.
	Check func() error

	model   *Model
	replica *Replica      // without layers
	layer   *nn.Decoder   // in turn each layer's
	caches  [][]*nn.Cache // [layer][sequence]
	length  []int         // tokens so far
	delta   []int32       // position of the next token = length + delta
}

// NewSession returns a session that works on e. Beside the keys and values it needs the room of one layer.
func (m *Model) NewSession(e *nn.Exec) *Session {
	s := &Session{model: m, replica: m.open(e), caches: make([][]*nn.Cache, len(m.Layers))}
	if len(m.Layers) > 0 {
		s.layer = nn.NewDecoder(m.Layers[0], e, s.replica.Batch, s.replica.Rotary)
	}
	return s
}

// Vocab is the number of logits of a sequence.
func (s *Session) Vocab() int { return s.model.Config.Vocab }

// Sequences is the number of sequences that are being decoded.
func (s *Session) Sequences() int { return len(s.length) }

// Prompt begins anew with the sequences of b, whose features [F, hidden] may be nil, and returns the logits
// [sequences, vocab] after each one's last token.
func (s *Session) Prompt(b nn.Batch, features []float32) ([]float32, error) {
	if err := b.Check(s.model.Config.Vocab, len(features)/s.model.Config.Hidden); err != nil {
		return nil, err
	}
	s.length, s.delta = s.length[:0], s.delta[:0]
	for i := range s.caches {
		s.caches[i] = s.caches[i][:0]
		for range b.Sequences() {
			s.caches[i] = append(s.caches[i], &nn.Cache{})
		}
	}
	for q := range b.Sequences() {
		n := b.Starts[q+1] - b.Starts[q]
		if n == 0 {
			return nil, fmt.Errorf("prompt %d is empty", q)
		}
		top := int32(0)
		for _, row := range b.Pos {
			for _, p := range row[b.Starts[q]:b.Starts[q+1]] {
				top = max(top, p)
			}
		}
		s.length, s.delta = append(s.length, n), append(s.delta, top+1-int32(n))
	}
	return s.run(b, features)
}

// Next appends one token to each sequence and returns the logits after it.
func (s *Session) Next(ids []int32) ([]float32, error) {
	if len(ids) != len(s.length) {
		return nil, fmt.Errorf("%d tokens for %d sequences: each takes one", len(ids), len(s.length))
	}
	b := nn.Batch{Starts: []int{0}, IDs: ids}
	for q := range ids {
		b.Starts = append(b.Starts, q+1)
		for r := range b.Pos {
			b.Pos[r] = append(b.Pos[r], int32(s.length[q])+s.delta[q])
		}
	}
	if err := b.Check(s.model.Config.Vocab, 0); err != nil {
		return nil, err
	}
	for q := range s.length {
		s.length[q]++
	}
	return s.run(b, nil)
}

// Keep goes on with the sequences of these indices only, in this order; one that comes more than once goes on in so
// many ways, each with a copy of the cache.
func (s *Session) Keep(sequences []int) {
	for i, layer := range s.caches {
		kept, taken := make([]*nn.Cache, 0, len(sequences)), make([]bool, len(layer))
		for _, q := range sequences {
			cache := layer[q]
			if taken[q] {
				cache = cache.Clone()
			}
			kept, taken[q] = append(kept, cache), true
		}
		s.caches[i] = kept
	}
	length, delta := make([]int, 0, len(sequences)), make([]int32, 0, len(sequences))
	for _, q := range sequences {
		length, delta = append(length, s.length[q]), append(delta, s.delta[q])
	}
	s.length, s.delta = length, delta
}

// Cache returns what layer holds of a sequence: the rotated keys and the values, [tokens, kvHeads·headDim].
func (s *Session) Cache(layer, sequence int) *nn.Cache { return s.caches[layer][sequence] }

func (s *Session) run(b nn.Batch, features []float32) ([]float32, error) {
	last := make([]int, b.Sequences())
	for q := range last {
		last[q] = b.Starts[q+1] - 1
	}
	r := s.replica
	b.Read = last
	r.Load(b)
	x := r.Embed.Forward(features, false)
	for i, w := range s.model.Layers {
		if s.Check != nil {
			if err := s.Check(); err != nil {
				return nil, err
			}
		}
		s.layer.Turn(w)
		s.layer.Last = i == len(s.model.Layers)-1
		x = s.layer.Decode(x, s.caches[i])
	}
	logits, _ := r.Head.Logits(x, last)
	return logits, nil
}
