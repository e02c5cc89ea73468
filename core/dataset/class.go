package dataset

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// SplitClass takes a class name apart. The condition is the first of the words, in their order, that stands in the name
// as a word of its own, in any case of letters; the object is the rest, lower case, without the punctuation and space
// around the word. A name without any of the words has the condition otherwise and is its own object.
//
//	"Toe drain- Blocked" → object "toe drain", condition "blocked"
func SplitClass(name string, words []string, otherwise string) Class {
	lower := strings.ToLower(strings.TrimSpace(name))
	for _, word := range words {
		start, end, found := findWord(lower, strings.ToLower(strings.TrimSpace(word)))
		if !found {
			continue
		}
		before := strings.TrimRightFunc(lower[:start], notWord)
		after := strings.TrimLeftFunc(lower[end:], notWord)
		object := strings.TrimSpace(before + " " + after)
		if object == "" {
			object = lower
		}
		return Class{Name: name, Object: object, Condition: strings.ToLower(strings.TrimSpace(word))}
	}
	return Class{Name: name, Object: lower, Condition: otherwise}
}

// findWord finds the first place where word stands in text with no letter or digit on either side.
func findWord(text, word string) (start, end int, found bool) {
	if word == "" {
		return 0, 0, false
	}
	for from := 0; from <= len(text)-len(word); {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return 0, 0, false
		}
		start, end = from+at, from+at+len(word)
		left, _ := utf8.DecodeLastRuneInString(text[:start])
		right, _ := utf8.DecodeRuneInString(text[end:])
		if (start == 0 || notWord(left)) && (end == len(text) || notWord(right)) {
			return start, end, true
		}
		from = start + 1
	}
	return 0, 0, false
}

func notWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }
