package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// qwen2Pattern is the expression by which Qwen2 cuts text into words. split is the same by hand; a file that asks for
// another expression is refused.
const qwen2Pattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// class sorts runes as qwen2Pattern does.
type class uint8

const (
	other   class = iota // neither of those below
	letter               // \p{L}
	number               // \p{N}
	blank                // \s but for the next
	newline              // \r and \n
)

// ascii holds the classes of the first 128 runes.
var ascii = func() (table [utf8.RuneSelf]class) {
	for r := range table {
		table[r] = classOf(rune(r))
	}
	return table
}()

// classOf looks a rune up in the tables of Unicode.
func classOf(r rune) class {
	switch {
	case r == '\r' || r == '\n':
		return newline
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return number
	case unicode.IsSpace(r):
		return blank
	}
	return other
}

// classAt is the class and the length of the rune at s[i:]; length 0 at the end of s.
func classAt(s string, i int) (class, int) {
	if i >= len(s) {
		return other, 0
	}
	if b := s[i]; b < utf8.RuneSelf {
		return ascii[b], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	return classOf(r), n
}

// split is the length of the first word of s, which must not be empty. The alternatives of qwen2Pattern are tried in
// their order.
func split(s string) int {
	if s[0] == '\'' {
		if n := contraction(s[1:]); n > 0 {
			return 1 + n
		}
	}
	first, n := classAt(s, 0)
	// [^\r\n\p{L}\p{N}]?\p{L}+
	if first == letter {
		return run(s, n, letter)
	}
	if first == other || first == blank {
		if second, m := classAt(s, n); m > 0 && second == letter {
			return run(s, n+m, letter)
		}
	}
	// \p{N}
	if first == number {
		return n
	}
	// ' ?[^\s\p{L}\p{N}]+[\r\n]*'
	start := 0
	if s[0] == ' ' {
		start = 1
	}
	if end := run(s, start, other); end > start {
		return run(s, end, newline)
	}
	return splitBlank(s)
}

// run is the end of the longest run of runes of one class from s[i:].
func run(s string, i int, want class) int {
	for {
		got, n := classAt(s, i)
		if n == 0 || got != want {
			return i
		}
		i += n
	}
}

// splitBlank is split for a text that begins with white space that no earlier alternative took:
// \s*[\r\n]+|\s+(?!\S)|\s+
func splitBlank(s string) int {
	end, last, afterNewline := 0, 0, 0
	for {
		got, n := classAt(s, end)
		if n == 0 || got != blank && got != newline {
			break
		}
		last = end
		end += n
		if got == newline {
			afterNewline = end
		}
	}
	switch {
	case afterNewline > 0: // up to the last newline of the run
		return afterNewline
	case end < len(s) && last > 0: // all but the blank that belongs to what follows
		return last
	}
	return end
}

// contraction is the length of what may follow an apostrophe in (?i:'s|'t|'re|'ve|'m|'ll|'d), 0 if none does.
func contraction(s string) int {
	first, n := folded(s)
	switch first {
	case 's', 't', 'm', 'd':
		return n
	}
	second, m := folded(s[n:])
	switch {
	case first == 'r' && second == 'e', first == 'v' && second == 'e', first == 'l' && second == 'l':
		return n + m
	}
	return 0
}

// folded is the first rune of s without regard to case, and its length; ſ is an s to a case-blind expression.
func folded(s string) (rune, int) {
	if s == "" {
		return 0, 0
	}
	if b := s[0]; b < utf8.RuneSelf {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		return rune(b), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == 'ſ' {
		r = 's'
	}
	return r, n
}
