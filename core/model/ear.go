package model

import "finetui/ml/tokenizer"

// ear turns an answer's tokens into text as they come.
type ear struct {
	stream *tokenizer.Stream
	text   string
	tokens int
}

func newEar(t *tokenizer.Tokenizer) *ear {
	s := tokenizer.NewStream(t)
	s.SkipSpecial = true
	return &ear{stream: s}
}

// hear takes a token and returns the text that it completes.
func (e *ear) hear(id int32) string {
	e.tokens++
	return e.add(e.stream.Push(id))
}

// flush ends the answer and returns what was left of an unfinished character.
func (e *ear) flush() string { return e.add(e.stream.Flush()) }

func (e *ear) add(text string) string {
	e.text += text
	return text
}
