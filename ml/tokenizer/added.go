package tokenizer

import (
	"sort"
	"strings"
)

// addedToken is a token that is found in text as a whole, before any word is cut.
type addedToken struct {
	text       string
	id         int32
	special    bool // left out by a Decode that skips special tokens
	normalized bool // looked for in the normalised text rather than in the text as it is
}

// finder looks for added tokens: the leftmost, and of those that begin there the longest.
type finder struct {
	byFirst [256][]addedToken // by first byte, longest first
	any     bool
	firsts  string // the distinct first bytes
}

// newFinder builds a finder for those of the tokens that want the text normalised, or for those that do not.
func newFinder(tokens []addedToken, normalized bool) finder {
	var f finder
	for _, a := range tokens {
		if a.normalized != normalized || a.text == "" {
			continue
		}
		first := a.text[0]
		if f.byFirst[first] == nil {
			f.firsts += string([]byte{first})
		}
		f.byFirst[first] = append(f.byFirst[first], a)
		f.any = true
	}
	for _, list := range f.byFirst {
		sort.SliceStable(list, func(i, j int) bool { return len(list[i].text) > len(list[j].text) })
	}
	return f
}

// next finds the first added token of s; at is its place, or -1 where there is none.
func (f *finder) next(s string) (at int, found addedToken) {
	if !f.any {
		return -1, addedToken{}
	}
	for from := 0; from < len(s); from++ {
		i := f.firstByte(s[from:])
		if i < 0 {
			break
		}
		from += i
		for _, a := range f.byFirst[s[from]] {
			if strings.HasPrefix(s[from:], a.text) {
				return from, a
			}
		}
	}
	return -1, addedToken{}
}

// firstByte is the place of the first byte of s with which an added token begins, or -1.
func (f *finder) firstByte(s string) int {
	if len(f.firsts) == 1 {
		return strings.IndexByte(s, f.firsts[0])
	}
	for i := range len(s) {
		if f.byFirst[s[i]] != nil {
			return i
		}
	}
	return -1
}
