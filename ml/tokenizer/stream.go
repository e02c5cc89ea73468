package tokenizer

import "unicode/utf8"

// Stream decodes ids one at a time, for showing an answer while it is generated: a character whose bytes are spread
// over several tokens appears once it is complete. Everything pushed and flushed makes the same text as Decode.
type Stream struct {
	SkipSpecial bool // leave special tokens out; set it before the first Push

	t       *Tokenizer
	pending []byte // the beginning of a character that later tokens may complete
}

// NewStream starts a stream of the tokenizer's ids.
func NewStream(t *Tokenizer) *Stream { return &Stream{t: t} }

// Push takes one id and returns the text that is now complete, often "" in the middle of a character.
func (s *Stream) Push(id int32) string {
	if s.SkipSpecial && s.t.skip[id] {
		return ""
	}
	out, rest := appendValid(nil, append(s.pending, s.t.Token(id)...))
	s.pending = append([]byte(nil), rest...)
	return string(out)
}

// Flush ends the text: what is left of an unfinished character comes as U+FFFD. The stream can then be used anew.
func (s *Stream) Flush() string {
	if len(s.pending) == 0 {
		return ""
	}
	s.pending = nil
	return "\ufffd"
}

// appendValid appends src to dst with each broken UTF-8 sequence replaced by one U+FFFD. What src ends with and more
// bytes could still complete is returned as rest. A broken sequence is as long as it could have been the beginning of
// a character ("maximal subpart" in chapter 3.9 of the Unicode standard), as the reference's decoder counts them.
func appendValid(dst, src []byte) (out, rest []byte) {
	for len(src) > 0 {
		if r, n := utf8.DecodeRune(src); r != utf8.RuneError || n > 1 {
			dst = append(dst, src[:n]...)
			src = src[n:]
			continue
		}
		n, need := subpart(src)
		if n == len(src) && n < need {
			return dst, src
		}
		dst = append(dst, "\ufffd"...)
		src = src[n:]
	}
	return dst, nil
}

// subpart is how many bytes of src, which begins no complete character, could be the beginning of one, at least 1; and
// how many bytes that character would have.
func subpart(src []byte) (n, need int) {
	// what the second byte may be: no overlong forms, surrogates or runes over 10FFFF
	low, high := byte(0x80), byte(0xbf)
	switch lead := src[0]; {
	case lead >= 0xc2 && lead <= 0xdf:
		need = 2
	case lead >= 0xe0 && lead <= 0xef:
		need = 3
		if lead == 0xe0 {
			low = 0xa0
		} else if lead == 0xed {
			high = 0x9f
		}
	case lead >= 0xf0 && lead <= 0xf4:
		need = 4
		if lead == 0xf0 {
			low = 0x90
		} else if lead == 0xf4 {
			high = 0x8f
		}
	default:
		return 1, 1
	}
	for n = 1; n < len(src) && n < need; n++ {
		if src[n] < low || src[n] > high {
			break
		}
		low, high = 0x80, 0xbf
	}
	return n, need
}
