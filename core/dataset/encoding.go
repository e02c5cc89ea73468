package dataset

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// fromUTF16 decodes a text that is UTF-16: by its byte-order mark, or by the zero bytes
// of every other place. which says what it is, for people.
func fromUTF16(raw string) (text, which string, is bool) {
	var order binary.ByteOrder
	switch {
	case strings.HasPrefix(raw, "\xff\xfe"):
		order, which, raw = binary.LittleEndian, "UTF-16", raw[2:]
	case strings.HasPrefix(raw, "\xfe\xff"):
		order, which, raw = binary.BigEndian, "UTF-16", raw[2:]
	default:
		if order = utf16Order(raw); order == nil {
			return "", "", false
		}
		which = "UTF-16 without a byte-order mark"
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16([]byte(raw[2*i : 2*i+2]))
	}
	return string(utf16.Decode(units)), which, true
}

// utf16Order is the byte order of a text without a mark: zeros in a quarter or more of the pairs, all on one side; nil
// where it is no such text.
func utf16Order(raw string) binary.ByteOrder {
	if len(raw) < 4 || strings.IndexByte(raw, 0) < 0 {
		return nil
	}
	raw = raw[:min(len(raw), 64<<10)]
	var zeros [2]int
	for i := range len(raw) {
		if raw[i] == 0 {
			zeros[i%2]++
		}
	}
	switch enough := max(len(raw)/8, 2); {
	case zeros[0] == 0 && zeros[1] >= enough:
		return binary.LittleEndian
	case zeros[1] == 0 && zeros[0] >= enough:
		return binary.BigEndian
	}
	return nil
}

// hidden is the first of the 256 signs for private use that stand for bytes which are no UTF-8, while a text is parsed.
const hidden = 0x10FF00

const hiddenLead = 0xF4 // the first byte of each of them in UTF-8

// hideBytes makes valid UTF-8 of any text: a byte that is none
// becomes a sign of its own, so that no two texts become one.
func hideBytes(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRuneInString(text[i:])
		if c == utf8.RuneError && size == 1 {
			c = hidden + rune(text[i])
		}
		out.WriteRune(c)
		i += size
	}
	return out.String()
}

// hasHidden tells whether a text holds bytes that hideBytes hid.
func hasHidden(text string) bool {
	return strings.IndexByte(text, hiddenLead) >= 0 && strings.IndexFunc(text, isHidden) >= 0
}

func isHidden(c rune) bool { return c >= hidden && c < hidden+256 }

// rawBytes gives hidden bytes back as they were.
func rawBytes(text string) string {
	if !hasHidden(text) {
		return text
	}
	var out strings.Builder
	for _, c := range text {
		if isHidden(c) {
			out.WriteByte(byte(c - hidden))
		} else {
			out.WriteRune(c)
		}
	}
	return out.String()
}

// readable writes a text that is no UTF-8, its bytes hidden or not, with all that is not ASCII as \xA4: different texts
// stay different, none is broken, and bytes of another encoding that happen to be UTF-8 are not taken for letters.
func readable(text string) string {
	if utf8.ValidString(text) && !hasHidden(text) {
		return text
	}
	var out strings.Builder
	for _, c := range []byte(rawBytes(text)) {
		if c >= utf8.RuneSelf {
			fmt.Fprintf(&out, `\x%02X`, c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}

// readTextAnyhow reads a text file as UTF-8: UTF-16 is decoded, other bytes are hidden. note is a finding about that,
// of the file as it is named there, with Code "" where there is nothing to say.
func readTextAnyhow(path, file string) (text string, note Finding, err error) {
	raw, err := readText(path)
	if err != nil {
		return "", note, err
	}
	if decoded, which, is := fromUTF16(raw); is {
		return decoded, newFinding(UTF16, file, 0, "is written in %s; it was read all the same", which), nil
	}
	return hideBytes(strings.TrimPrefix(raw, "\ufeff")), note, nil
}
