// Package convert writes a recipe's samples as conversations in the dialects of other trainers, and reads them back. It
// trains nothing, changes no data set, and says what a dialect cannot carry instead of dropping it.
package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Roles of turns.
const (
	User      = "user"
	Assistant = "assistant"
)

// Kind tells what a part of a turn is.
type Kind uint8

// The kinds of parts.
const (
	Text Kind = iota
	Image
	Video
)

// Part is a piece of a turn: text, or a picture or clip where it stands among the words.
type Part struct {
	Kind Kind
	Text string // of a Text
	Path string // of an Image or Video, with forward slashes, from the folder of the file that holds the record
}

// Turn is what one side says.
type Turn struct {
	Role  string
	Parts []Part
	// Supervised tells that an answer is learned; of questions it is always false.
	Supervised bool
}

// Record is one conversation, whatever the dialect. Questions and answers alternate, beginning with a question.
type Record struct {
	ID      string
	System  string // "" for the model's own
	Turns   []Turn
	Weight  float64 // of its answers in the loss, 1 for no change
	Split   string  // of the data set
	Channel string  // what its loss is reported under: the class
}

// Say is a turn of text alone; answers are supervised.
func Say(role, text string) Turn {
	return Turn{Role: role, Parts: []Part{{Text: text}}, Supervised: role == Assistant}
}

// Words is the text of a turn, without its media.
func (t Turn) Words() (words string) {
	for _, p := range t.Parts {
		words += p.Text // without new memory where one of the two is empty, as nearly always
	}
	return words
}

// media returns the paths of one kind in the order in which they are mentioned.
func (r Record) media(kind Kind) []string {
	var paths []string
	for _, t := range r.Turns {
		for _, p := range t.Parts {
			if p.Kind == kind {
				paths = append(paths, p.Path)
			}
		}
	}
	return paths
}

// check says what no trainer takes: LLaMA-Factory drops a conversation out of order with a mere warning, and an answer
// without words teaches to say nothing.
func (r Record) check() error {
	if len(r.Turns) == 0 || len(r.Turns)%2 != 0 {
		return fmt.Errorf("has %d turns; write a question and an answer, in pairs", len(r.Turns))
	}
	for i, t := range r.Turns {
		want := [...]string{User, Assistant}[i%2]
		if t.Role != want {
			return fmt.Errorf("turn %d is the %s's and must be the %s's: questions and answers alternate", i+1,
				t.Role, want)
		}
		if t.Role == User {
			continue
		}
		if strings.TrimSpace(t.Words()) == "" {
			return fmt.Errorf("turn %d is an answer without words", i+1)
		}
		if slices.ContainsFunc(t.Parts, func(p Part) bool { return p.Kind != Text }) {
			return fmt.Errorf("turn %d is an answer with a picture or clip; only questions hold them", i+1)
		}
	}
	if !slices.ContainsFunc(r.Turns, func(t Turn) bool { return t.Supervised }) {
		return errors.New("has no answer to learn")
	}
	return nil
}
