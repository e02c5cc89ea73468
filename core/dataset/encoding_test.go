package dataset

import (
	"testing"
	"unicode/utf8"
)

func TestUTF16IsKnown(t *testing.T) {
	for name, test := range map[string]struct {
		raw, text string
		is        bool
	}{
		"little-endian with a mark":    {"\xff\xfea\x00\xe9\x00", "aé", true},
		"big-endian with a mark":       {"\xfe\xff\x00a\x00\xe9", "aé", true},
		"little-endian without a mark": {"a\x00b\x00\n\x00", "ab\n", true},
		"big-endian without a mark":    {"\x00a\x00b\x00\n", "ab\n", true},
		"plain text":                   {"0 .5 .5\n", "", false},
		"a zero byte in a text":        {"0 0.5\x000.5 0.25 0.25", "", false},
		"zero bytes":                   {"\x00\x00\x00\x00", "", false},
		"nothing":                      {"", "", false},
	} {
		if text, which, is := fromUTF16(test.raw); is != test.is || text != test.text || is && which == "" {
			t.Errorf("%s: %q, %q, %v", name, text, which, is)
		}
	}
}

func FuzzHiddenBytes(f *testing.F) {
	f.Add("\xb5\xf5\xc1_")
	f.Add("plain é")
	f.Fuzz(func(t *testing.T, text string) {
		kept := hideBytes(text)
		if !utf8.ValidString(kept) || !utf8.ValidString(readable(text)) {
			t.Fatalf("%q: broken as %q, %q", text, kept, readable(text))
		}
		if !hasHidden(text) && rawBytes(kept) != text {
			t.Fatalf("%q came back as %q", text, rawBytes(kept))
		}
	})
}
