// Package printable makes text that comes from outside fit for a person at a terminal: names of files, classes and
// runs, answers of models, what a hub, a library or the system says. It never styles and reads nothing.
//
// What could move the cursor, colour, reorder or hide becomes a mark that can be seen:
//
//	control characters (C0), delete     their pictures: ␛ ␇ ␀ ␍ ␡; line breaks ␊ and tabs a blank in a Line
//	C1, direction, zero-width, tags,    <U+202E>
//	other format characters, private,
//	unassigned, U+2028, U+2029
//	blanks of other widths              a blank
//	bytes that are not UTF-8            U+FFFD
//
// Joiners stay where scripts and emoji need them: after a letter, mark or symbol that is not Latin.
package printable

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is s on one line.
func Line(s string) string { return clean(s, false) }

// Text is s with its line breaks and tabs.
func Text(s string) string { return clean(s, true) }

// Lines are texts, each as Line shows it.
func Lines(texts []string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = Line(s)
	}
	return out
}

func clean(s string, lines bool) string {
	safe := 0
	for safe < len(s) && (s[safe] >= ' ' && s[safe] < 0x7f || lines && (s[safe] == '\n' || s[safe] == '\t')) {
		safe++
	}
	if safe == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	b.WriteString(s[:safe])
	before := rune(0) // a joiner after ASCII does not stay
	for _, r := range s[safe:] {
		switch {
		case lines && (r == '\n' || r == '\t'), Shown(r, before):
			b.WriteRune(r) // U+FFFD for bytes that are not UTF-8
		default:
			b.WriteString(mark(r))
		}
		before = r
	}
	return b.String()
}

// Shown says whether r is drawn as itself behind the character before, 0 where there is none.
func Shown(r, before rune) bool {
	switch {
	case r < 0x7f:
		return r >= ' '
	case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
		return before >= utf8.RuneSelf && !unicode.Is(unicode.Latin, before) && before != utf8.RuneError &&
			(unicode.IsLetter(before) || unicode.IsMark(before) || unicode.IsSymbol(before))
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r): // format characters with a shape: Arabic number signs
		return true
	case unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r): // letters and marks without a shape
		return false
	case unicode.Is(unicode.Variation_Selector, r): // ☂ or ☔: after ASCII only where it makes a keycap
		return before >= utf8.RuneSelf || before == '#' || before == '*' || before >= '0' && before <= '9'
	}
	return unicode.IsPrint(r)
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// mark stands for a character that is not shown.
func mark(r rune) string {
	switch {
	case r == '\t' || unicode.Is(unicode.Zs, r):
		return " "
	case r < ' ':
		return string('\u2400' + r)
	case r == 0x7f:
		return "\u2421"
	}
	return fmt.Sprintf("<U+%04X>", r)
}

// JSON escapes, in text that encoding/json has written, the characters that a terminal would act on: delete, C1, format
// characters. The object stays the same.
func JSON(text []byte) []byte {
	special := func(r rune) bool {
		return r >= 0x7f && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) || invisible(r)
	}
	s := string(text)
	if strings.IndexFunc(s, special) < 0 {
		return text
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for _, r := range s {
		switch {
		case !special(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}

func invisible(r rune) bool {
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
