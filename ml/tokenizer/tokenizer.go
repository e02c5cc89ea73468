// Package tokenizer turns text into the token ids of the Qwen2 family and back: byte-level byte-pair encoding as a
// tokenizer.json of Hugging Face describes it, and a trainer for small vocabularies of the same kind. It uses no
// regular expressions, and refuses a file that asks for rules it does not have rather than giving other ids.
package tokenizer

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Tokenizer is an immutable vocabulary with its rules. It is safe for use by several goroutines.
type Tokenizer struct {
	tokens []string         // id → bytes; "" where the id is unused
	ids    map[string]int32 // bytes → id, added tokens included
	ranks  map[uint64]merge // pair of ids → what they become
	order  []uint64         // the pairs in the order of their ranks
	byteID [256]int32       // the token of a single byte, -1 where there is none
	added  []addedToken     // in the file's order
	skip   map[int32]bool   // ids of special tokens

	raw, normal  finder // of added tokens in the text as it is, and after normalising
	nfc          bool
	ignoreMerges bool // a word that is a token stays whole
	cache        *cache
}

// Size is one more than the largest id. A model may have rows for more ids than that: padding.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Token is the text of one token, which may be a part of a UTF-8 sequence; "" for an unused id.
func (t *Tokenizer) Token(id int32) string {
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// ID is the token that has exactly this text (" drain", "<|im_end|>"), if there is one.
func (t *Tokenizer) ID(token string) (int32, bool) {
	id, ok := t.ids[token]
	return id, ok
}

// Special tells whether the id is a special token: one that Decode leaves out when asked to.
func (t *Tokenizer) Special(id int32) bool { return t.skip[id] }

// Encode is the text as token ids. Added tokens are recognised wherever they stand in the text. Bytes that are no
// UTF-8 count as U+FFFD.
func (t *Tokenizer) Encode(text string) []int32 {
	text = validUTF8(text)
	out := make([]int32, 0, len(text)/4+8)
	for text != "" {
		at, a := t.raw.next(text)
		if at < 0 {
			return t.plain(text, out)
		}
		out = append(t.plain(text[:at], out), a.id)
		text = text[at+len(a.text):]
	}
	return out
}

// validUTF8 is the text with U+FFFD for bytes that are no UTF-8.
func validUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "\ufffd")
}

// normalize brings the text to the form that the vocabulary was made for.
func (t *Tokenizer) normalize(text string) string {
	if t.nfc && !norm.NFC.IsNormalString(text) {
		return norm.NFC.String(text)
	}
	return text
}

// plain appends the ids of a text that holds none of the added tokens that are looked for before normalising.
func (t *Tokenizer) plain(text string, out []int32) []int32 {
	text = t.normalize(text)
	for text != "" {
		at, a := t.normal.next(text)
		if at < 0 {
			return t.words(text, out)
		}
		out = append(t.words(text[:at], out), a.id)
		text = text[at+len(a.text):]
	}
	return out
}

// words appends the ids of a text without added tokens, word by word.
func (t *Tokenizer) words(text string, out []int32) []int32 {
	for text != "" {
		n := split(text)
		out = t.word(text[:n], out)
		text = text[n:]
	}
	return out
}

// Decode is the text of the ids; unused ids count as nothing, and special tokens too where skipSpecial is set. Bytes
// that make no UTF-8 become U+FFFD, one for each broken sequence.
func (t *Tokenizer) Decode(ids []int32, skipSpecial bool) string {
	var b strings.Builder
	for _, id := range ids {
		if !skipSpecial || !t.skip[id] {
			b.WriteString(t.Token(id))
		}
	}
	text := b.String()
	if utf8.ValidString(text) {
		return text
	}
	out, rest := appendValid(nil, []byte(text))
	if len(rest) > 0 {
		out = append(out, "\ufffd"...)
	}
	return string(out)
}
