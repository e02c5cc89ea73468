package textmetric

import (
	"strings"
	"unicode/utf8"
)

// irregular are the words that nltk's extension takes from a table.
var irregular = map[string]string{
	"sky": "sky", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news",
	"innings": "inning", "inning": "inning", "outings": "outing", "outing": "outing", "cannings": "canning",
	"canning": "canning", "howe": "howe", "proceed": "proceed", "exceed": "exceed", "succeed": "succeed",
}

// Stem is the stem of a lower-case word: Porter's algorithm (Program 14.3, 1980) as nltk extends it
// (NLTK_EXTENSIONS), which is what its METEOR matches by. Words of one or two letters are their own stems.
func Stem(word string) string {
	if stem, ok := irregular[word]; ok {
		return stem
	}
	if utf8.RuneCountInString(word) <= 2 {
		return word
	}
	word = plural(word)     // 1a
	word = participle(word) // 1b
	if stem, ok := strings.CutSuffix(word, "y"); ok && utf8.RuneCountInString(stem) > 1 && endsInConsonant(stem) {
		word = stem + "i" // 1c
	}
	word = derived(word) // 2
	word = replace(word, step3)
	word = replace(word, step4)
	return final(word) // 5a, 5b
}

func plural(word string) string {
	if utf8.RuneCountInString(word) == 4 && strings.HasSuffix(word, "ies") {
		return word[:len(word)-1] // dies → die, but flies → fli
	}
	return replace(word, []suffix{{"sses", "ss", nil}, {"ies", "i", nil}, {"ss", "ss", nil}, {"s", "", nil}})
}

func participle(word string) string {
	if stem, ok := strings.CutSuffix(word, "ied"); ok {
		if utf8.RuneCountInString(word) == 4 {
			return stem + "ie"
		}
		return stem + "i"
	}
	if stem, ok := strings.CutSuffix(word, "eed"); ok {
		if measure(stem) > 0 {
			return stem + "ee"
		}
		return word
	}
	stem, ok := strings.CutSuffix(word, "ed")
	if !ok || !hasVowel(stem) {
		if stem, ok = strings.CutSuffix(word, "ing"); !ok || !hasVowel(stem) {
			return word
		}
	}
	last, size := utf8.DecodeLastRuneInString(stem)
	switch {
	case strings.HasSuffix(stem, "at"), strings.HasSuffix(stem, "bl"), strings.HasSuffix(stem, "iz"):
		return stem + "e"
	case endsDouble(stem):
		if last == 'l' || last == 's' || last == 'z' {
			return stem
		}
		return stem[:len(stem)-size]
	case measure(stem) == 1 && endsShort(stem):
		return stem + "e"
	}
	return stem
}

func derived(word string) string {
	if stem, ok := strings.CutSuffix(word, "alli"); ok && measure(stem) > 0 {
		return derived(stem + "al")
	}
	return replace(word, step2)
}

func final(word string) string {
	if stem, ok := strings.CutSuffix(word, "e"); ok {
		if m := measure(stem); m > 1 || m == 1 && !endsShort(stem) {
			word = stem
		}
	}
	if short := strings.TrimSuffix(word, "l"); strings.HasSuffix(word, "ll") && measure(short) > 1 {
		word = short
	}
	return word
}

// suffix is a rule: where a word ends in it and what is left meets the condition (nil: any), it is replaced. The first
// rule whose suffix fits decides, whether its condition holds or not.
type suffix struct {
	old, with string
	holds     func(stem string) bool
}

func replace(word string, list []suffix) string {
	for _, s := range list {
		if stem, ok := strings.CutSuffix(word, s.old); ok {
			if s.holds == nil || s.holds(stem) {
				return stem + s.with
			}
			return word
		}
	}
	return word
}

func once(stem string) bool  { return measure(stem) > 0 }
func twice(stem string) bool { return measure(stem) > 1 }

var (
	step2 = []suffix{
		{"ational", "ate", once}, {"tional", "tion", once}, {"enci", "ence", once}, {"anci", "ance", once},
		{"izer", "ize", once}, {"bli", "ble", once}, {"alli", "al", once}, {"entli", "ent", once}, {"eli", "e", once},
		{"ousli", "ous", once}, {"ization", "ize", once}, {"ation", "ate", once}, {"ator", "ate", once},
		{"alism", "al", once}, {"iveness", "ive", once}, {"fulness", "ful", once}, {"ousness", "ous", once},
		{"aliti", "al", once}, {"iviti", "ive", once}, {"biliti", "ble", once}, {"fulli", "ful", once},
		{"logi", "log", func(stem string) bool { return measure(stem+"l") > 0 }}, // geo-, theo-: the l counts
	}
	step3 = []suffix{
		{"icate", "ic", once}, {"ative", "", once}, {"alize", "al", once}, {"iciti", "ic", once}, {"ical", "ic", once},
		{"ful", "", once}, {"ness", "", once},
	}
	step4 = []suffix{
		{"al", "", twice}, {"ance", "", twice}, {"ence", "", twice}, {"er", "", twice}, {"ic", "", twice},
		{"able", "", twice}, {"ible", "", twice}, {"ant", "", twice}, {"ement", "", twice}, {"ment", "", twice},
		{"ent", "", twice},
		{"ion", "", func(stem string) bool {
			return measure(stem) > 1 && (strings.HasSuffix(stem, "s") || strings.HasSuffix(stem, "t"))
		}},
		{"ou", "", twice}, {"ism", "", twice}, {"ate", "", twice}, {"iti", "", twice}, {"ous", "", twice},
		{"ive", "", twice}, {"ize", "", twice},
	}
)

// letters calls each for every letter with whether it is a consonant: no a, e, i, o, u, and no y behind a consonant.
func letters(word string, each func(r rune, consonant bool)) {
	before := false
	for _, r := range word {
		consonant := true
		switch r {
		case 'a', 'e', 'i', 'o', 'u':
			consonant = false
		case 'y':
			consonant = !before
		}
		each(r, consonant)
		before = consonant
	}
}

// measure is Porter's m: how often a consonant follows a vowel.
func measure(stem string) (m int) {
	before := true
	letters(stem, func(_ rune, consonant bool) {
		if consonant && !before {
			m++
		}
		before = consonant
	})
	return m
}

func hasVowel(stem string) (has bool) {
	letters(stem, func(_ rune, consonant bool) { has = has || !consonant })
	return has
}

// ending is a word's last three letters, the last one first.
type ending struct {
	n         int // letters of the word
	letter    [3]rune
	consonant [3]bool
}

func end(word string) (e ending) {
	letters(word, func(r rune, consonant bool) {
		e.letter[2], e.letter[1], e.letter[0] = e.letter[1], e.letter[0], r
		e.consonant[2], e.consonant[1], e.consonant[0] = e.consonant[1], e.consonant[0], consonant
		e.n++
	})
	return e
}

func endsInConsonant(word string) bool { return end(word).consonant[0] }

func endsDouble(word string) bool {
	e := end(word)
	return e.n >= 2 && e.letter[0] == e.letter[1] && e.consonant[0]
}

// endsShort is Porter's *o: consonant, vowel, consonant other than w, x and y; and, in nltk, the two letters vowel,
// consonant.
func endsShort(word string) bool {
	e := end(word)
	switch {
	case e.n == 2:
		return !e.consonant[1] && e.consonant[0]
	case e.n < 2:
		return false
	}
	w := e.letter[0] == 'w' || e.letter[0] == 'x' || e.letter[0] == 'y'
	return e.consonant[2] && !e.consonant[1] && e.consonant[0] && !w
}
