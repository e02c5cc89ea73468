package textmetric

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// rule replaces every match, from left to right, as Python's re.sub does.
type rule struct {
	pattern *regexp.Regexp
	with    string
}

func rules(pairs ...string) []rule {
	list := make([]rule, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, rule{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return list
}

func apply(text string, list []rule) string {
	for _, r := range list {
		text = r.pattern.ReplaceAllString(text, r.with)
	}
	return text
}

// The rules of nltk's NLTKWordTokenizer, in its order. \s and \d of its Unicode patterns are written out: Go's are of
// ASCII alone. What needs to look around a match is in openQuotes, contractions.
const (
	space = `[\t-\r \x{85}\p{Z}]`
	digit = `\p{Nd}`
)

var (
	openingQuotes = rules(
		"([«“‘„]|`+)", " ${1} ",
		`^"`, "``",
		"``", " `` ",
		`([ (\[{<])("|'{2})`, "${1} `` ",
	)
	punctuation = rules(
		`([^.])(\.)([\])}>"'»”’ ]*)`+space+`*$`, "${1} ${2} ${3} ", // the last full stop
		`([:,])([^`+digit+`])`, " ${1} ${2}",
		`([:,])(\n?)$`, " ${1} ${2}",
		`\.{2,}`, " ${0} ",
		`[;@#$%&]`, " ${0} ",
		`[\x{2012}-\x{2015}]`, " ${0} ", // dashes
		`([^.])(\.)([\])}>"']*)`+space+`*$`, "${1} ${2}${3} ",
		`[?!]`, " ${0} ",
		`([^'])' `, "${1} ' ",
		`[*]`, " ${0} ",
		`[\]\[(){}<>]`, " ${0} ",
		`--`, " -- ",
	)
	closingQuotes = rules(
		`([»”’])`, " ${1} ",
		`''`, " '' ",
		`"`, " '' ",
		space+`+`, " ",
		`([^' ])('[sS]|'[mM]|'[dD]|') `, "${1} ${2} ",
		`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, "${1} ${2} ",
	)
)

// Words splits a text as nltk's NLTKWordTokenizer does, which is what word_tokenize applies to each sentence. Here the
// text is one: a full stop is a word of its own at the end of the text alone.
func Words(text string) []string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = apply(text, openingQuotes)
	text = openQuotes(text)
	text = apply(text, punctuation)
	text = apply(" "+text+" ", closingQuotes)
	for _, c := range contractions {
		text = c.split(text)
	}
	return strings.FieldsFunc(text, isSpace)
}

// openQuotes parts an apostrophe from the word that it opens: not in a word, and not before a clitic ('re, 's).
func openQuotes(text string) string {
	var b strings.Builder
	before := ' '
	for i, r := range text {
		b.WriteRune(r)
		if r == '\'' && !inWord(before) {
			rest := text[i+1:]
			if next, _ := utf8.DecodeRuneInString(rest); rest != "" && inWord(next) && !clitic(rest) {
				b.WriteByte(' ')
			}
		}
		before = r
	}
	return b.String()
}

func clitic(rest string) bool {
	word := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return !inWord(r) }); i >= 0 {
		word = rest[:i]
	}
	for _, c := range []string{"re", "ve", "ll", "m", "t", "s", "d", "n"} {
		if strings.EqualFold(word, c) {
			return true
		}
	}
	return false
}

// contraction is two words written as one, in any case (MacIntyre's list).
type contraction struct {
	pattern *regexp.Regexp // first and second part as groups 1 and 2
	opened  bool           // a blank stands before it and is replaced, too; else a word begins there
	spaced  bool           // white space has to follow; else a word ends there
}

var contractions = []contraction{
	{pattern: regexp.MustCompile(`(?i)(can)(not)`)},
	{pattern: regexp.MustCompile(`(?i)(d)('ye)`)},
	{pattern: regexp.MustCompile(`(?i)(g[iİı]m)(me)`)}, // Python takes the Turkish letters for an i
	{pattern: regexp.MustCompile(`(?i)(gon)(na)`)},
	{pattern: regexp.MustCompile(`(?i)(got)(ta)`)},
	{pattern: regexp.MustCompile(`(?i)(lem)(me)`)},
	{pattern: regexp.MustCompile(`(?i)(more)('n)`)},
	{pattern: regexp.MustCompile(`(?i)(wan)(na)`), spaced: true},
	{pattern: regexp.MustCompile(`(?i) ('t)([iİı]s)`), opened: true},
	{pattern: regexp.MustCompile(`(?i) ('t)(was)`), opened: true},
}

func (c contraction) split(text string) string {
	found := c.pattern.FindAllStringSubmatchIndex(text, -1)
	if found == nil {
		return text
	}
	var b strings.Builder
	done := 0
	for _, m := range found {
		before, _ := utf8.DecodeLastRuneInString(text[:m[0]])
		after, _ := utf8.DecodeRuneInString(text[m[1]:])
		last, _ := utf8.DecodeLastRuneInString(text[:m[1]])
		begins := c.opened || m[0] == 0 || !alphanumeric(before)
		ends := m[1] == len(text) || alphanumeric(last) != alphanumeric(after)
		if c.spaced {
			ends = m[1] < len(text) && isSpace(after)
		}
		if !begins || !ends {
			continue
		}
		b.WriteString(text[done:m[0]] + " " + text[m[2]:m[3]] + " " + text[m[4]:m[5]] + " ")
		done = m[1]
	}
	return b.String() + text[done:]
}

// isSpace is Python's str.isspace: the white space of Unicode and the four separators of ASCII.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// inWord is \w of the regex package that nltk compiles its rules with.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.In(r, unicode.Nd, unicode.Nl, unicode.Pc,
		unicode.Other_Alphabetic, unicode.Join_Control)
}

// alphanumeric is \w of Python's own re, with which nltk compiles the contractions.
func alphanumeric(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

// lower is Python's str.lower: unlike strings.ToLower it knows the Greek final sigma and makes two letters of İ.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return cases.Lower(language.Und).String(s)
		}
	}
	return strings.ToLower(s)
}
