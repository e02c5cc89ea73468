package recipe

import "finetui/core/dataset"

// phrases keeps prompts, each text once, and numbers them from 1: there are few where samples are many, so that what is
// worked out of a prompt is found by its number. Of very many the early ones are forgotten, and get other numbers when
// they come again.
type phrases struct {
	known map[string]phrase
	next  int    // number less 1
	text  []byte // memory that is used again
}

// phrase is a prompt and its number.
type phrase struct {
	text   string
	number int
}

// mostPhrases are kept at a time; with a place in each prompt there may be as many as samples.
const mostPhrases = 1 << 16

func newPhrases() *phrases { return &phrases{known: map[string]phrase{}} }

// of is the prompt about an object, without new memory where it is known.
func (p *phrases) of(r *Recipe, it *dataset.Item, focus int) phrase {
	p.text = r.appendPrompt(p.text[:0], it, focus)
	if known, is := p.known[string(p.text)]; is {
		return known
	}
	return p.take(string(p.text))
}

// saying is the prompt of these words.
func (p *phrases) saying(text string) phrase {
	if known, is := p.known[text]; is {
		return known
	}
	return p.take(text)
}

func (p *phrases) take(text string) phrase {
	if p.next%mostPhrases == 0 {
		clear(p.known)
	}
	p.next++
	of := phrase{text, p.next}
	p.known[text] = of
	return of
}

// PhraseTable holds what was worked out of the prompts of an Each, by their numbers. The zero value is empty.
type PhraseTable[T any] struct {
	made []T
	age  int // how often the prompts were forgotten
}

// At is what was worked out of a sample's prompt, or the zero T, to be filled in; nil where the sample is of no Each.
// It holds until the next call.
func (t *PhraseTable[T]) At(s Sample) *T {
	if s.phrase == 0 {
		return nil
	}
	age, at := (s.phrase-1)/mostPhrases, (s.phrase-1)%mostPhrases
	if age != t.age {
		clear(t.made)
		t.made, t.age = t.made[:0], age
	}
	for at >= len(t.made) {
		var none T
		t.made = append(t.made, none)
	}
	return &t.made[at]
}

// forgets says whether the prompts were forgotten before a sample's was numbered.
func (t *PhraseTable[T]) forgets(s Sample) bool {
	return s.phrase > 0 && (s.phrase-1)/mostPhrases != t.age
}
