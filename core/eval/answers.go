// Package eval scores answers and says how sure the scores are: Score for those that name a class of a closed list,
// ScoreFreeText for those in free words (by the measures of package textmetric), ScoreTimed for feedback that has its
// moment. Each has a result that is written as a file of its kind and as plain lines; Compare and CompareFreeText put
// two subjects beside each other on the same items. The package knows no model, asks nothing, and prints nothing.
package eval

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"finetui/core/dataset"
)

// Unparsed is the class of an answer that names none. It counts as wrong, and is shown.
const Unparsed = -1

// Parser maps an answer to a class.
type Parser struct{ names []string } // normalised, in the order of the closed list

// NewParser prepares the closed list.
func NewParser(classes []dataset.Class) Parser {
	p := Parser{names: make([]string, len(classes))}
	for c := range classes {
		p.names[c] = Normalize(classes[c].Name)
	}
	return p
}

// Parse returns the class that an answer names: the one it equals but for case, spaces and punctuation, else the
// longest name it holds (of two equally long ones the first named), else Unparsed. Names are held as whole words:
// "brock toes" holds no "rock toe".
func (p Parser) Parse(answer string) int {
	text := Normalize(answer)
	for c, name := range p.names {
		if name != "" && name == text {
			return c
		}
	}
	best, bestAt := Unparsed, 0
	for c, name := range p.names {
		at := IndexWords(text, name)
		if at < 0 {
			continue
		}
		longer := best == Unparsed || len(name) > len(p.names[best])
		if longer || len(name) == len(p.names[best]) && at < bestAt {
			best, bestAt = c, at
		}
	}
	return best
}

// Normalize makes answers comparable: lower case, every run of anything but letters and digits one space.
func Normalize(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}), " ")
}

// IndexWords is the byte at which normalised words stand in a normalised text, not as part of a longer word; -1 where
// they do not. Scripts written without spaces have no such edge.
func IndexWords(text, words string) int {
	if words == "" {
		return -1
	}
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return -1
		}
		at, end := from+i, from+i+len(words)
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[end:])
		first, size := utf8.DecodeRuneInString(words)
		last, _ := utf8.DecodeLastRuneInString(words)
		if (at == 0 || wordEdge(before, first)) && (end == len(text) || wordEdge(last, after)) {
			return at
		}
		from = at + size
	}
}

// wordEdge tells whether a word can end between two runes.
func wordEdge(a, b rune) bool {
	return a == ' ' || b == ' ' || unspaced(a) || unspaced(b)
}

func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer,
		unicode.Myanmar)
}

// SelfTest feeds every class name through the parser, as a perfect model would answer, and returns the share that comes
// back as itself. The error names the classes that cannot be told apart; no score means anything before that is mended.
func SelfTest(classes []dataset.Class) (accuracy float64, err error) {
	if len(classes) == 0 {
		return 0, fmt.Errorf("the closed list is empty: name at least one class")
	}
	p := NewParser(classes)
	var wrong []string
	for c := range classes {
		switch got := p.Parse(classes[c].Name); {
		case p.names[c] == UnparsedLabel:
			wrong = append(wrong, fmt.Sprintf("class %d %q is the word for an answer that names none", c,
				classes[c].Name))
		case got == c:
		case got == Unparsed:
			wrong = append(wrong, fmt.Sprintf("class %d %q has neither letter nor digit", c, classes[c].Name))
		default:
			wrong = append(wrong, fmt.Sprintf("class %d %q reads as class %d %q", c, classes[c].Name, got,
				classes[got].Name))
		}
	}
	accuracy = float64(len(classes)-len(wrong)) / float64(len(classes))
	if len(wrong) > 0 {
		return accuracy, fmt.Errorf("a perfect model would score %.1f %%: %s; names must differ in more than case, "+
			"spaces and punctuation",
			100*accuracy, strings.Join(wrong, "; "))
	}
	return accuracy, nil
}
