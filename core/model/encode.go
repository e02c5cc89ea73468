package model

import (
	"slices"

	"finetui/ml/train"
)

// Measure says how the model cuts media of these sizes.
func (b *Base) Measure(v View, media []Size) ([]Shape, error) {
	shapes, err := b.Kind.Measure(v, media)
	return shapes, b.named(err)
}

// Prepare cuts media into what a network reads that sees for itself.
func (b *Base) Prepare(v View, media []Shown) (train.Visual, []Shape, error) {
	prepared, shapes, err := b.Kind.Prepare(v, media)
	return prepared, shapes, b.named(err)
}

// Sample is a question with its answer as tokens to learn from; only the answer and the token that ends it are
// supervised, each with weight. What its media show is the caller's to add.
func (b *Base) Sample(shapes []Shape, prompt, answer string, weight float64) (train.Sample, error) {
	return b.sample(shapes, []Turn{{Text: prompt, Shown: len(shapes)}, {Answer: true, Text: answer}}, weight)
}

// Question is one that is to be answered, as tokens.
func (b *Base) Question(shapes []Shape, prompt string) (train.Sample, error) {
	return b.sample(shapes, []Turn{{Text: prompt, Shown: len(shapes)}}, 0)
}

func (b *Base) sample(shapes []Shape, turns []Turn, weight float64) (train.Sample, error) {
	t, err := b.Kind.Encode(b.Tokenizer, shapes, turns)
	if err != nil {
		return train.Sample{}, err
	}
	s := train.Sample{IDs: t.IDs, Pos: t.Pos, Places: t.Places}
	s.Targets, s.Weights = train.Shift(t.Labels)
	for i := range s.Weights {
		s.Weights[i] *= float32(weight)
	}
	return s, nil
}

// AnswerTokens is how many tokens the loss counts in an answer, with the one that ends it; 0 where it cannot be said.
func (b *Base) AnswerTokens(answer string) int {
	ids, _ := b.answer(answer)
	return len(ids)
}

// answer is an answer as the tokens that are learned of it, the one that ends it last.
func (b *Base) answer(text string) (ids []int32, err error) {
	s, err := b.Sample(nil, "", text, 1)
	return s.Supervised(), err
}

// Reply is an answer of these tokens, as Ask returns it; the one that ends it is no part of it.
func (b *Base) Reply(ids []int32) Reply {
	s := newAnswerStream(b.Tokenizer)
	for _, id := range ids {
		if slices.Contains(b.Stop, id) {
			break
		}
		s.push(id)
	}
	s.flush()
	return Reply{Text: s.text, Tokens: s.tokens}
}

// Supervised is the text that a sample is trained to say.
func (b *Base) Supervised(s train.Sample) string {
	var ids []int32
	for t, id := range s.Targets {
		if id >= 0 && s.Weights[t] != 0 {
			ids = append(ids, id)
		}
	}
	return b.Tokenizer.Decode(ids, false)
}
