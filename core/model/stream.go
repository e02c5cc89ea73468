package model

import "finetui/ml/tokenizer"

// answerStream turns an answer's tokens into text as they come.
type answerStream struct {
	stream *tokenizer.Stream
	text   string
	tokens int
}

func newAnswerStream(t *tokenizer.Tokenizer) *answerStream {
	s := tokenizer.NewStream(t)
	s.SkipSpecial = true
	return &answerStream{stream: s}
}

// push takes a token and returns the text that it completes.
func (s *answerStream) push(id int32) string {
	s.tokens++
	return s.add(s.stream.Push(id))
}

// flush ends the answer and returns what was left of an unfinished character.
func (s *answerStream) flush() string { return s.add(s.stream.Flush()) }

func (s *answerStream) add(text string) string {
	s.text += text
	return text
}
