package printable

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

func TestWhatATerminalWouldActOnBecomesAMark(t *testing.T) {
	for _, c := range []struct{ name, text, line, lines string }{
		{"plain", "Toe drain- Blocked (7)", "Toe drain- Blocked (7)", ""},
		{"letters of the world", "Größe 斜面 סחף नाली ñ é", "Größe 斜面 סחף नाली ñ é", ""},
		{"colour", "\x1b[31mred", "␛[31mred", ""},
		{"title, bell", "\x1b]0;x\x07", "␛]0;x␇", ""},
		{"nul, backspace, delete", "a\x00\b\x7f", "a␀␈␡", ""},
		{"line breaks", "a\r\nb\tc", "a␍␊b c", "a␍\nb\tc"},
		{"other line breaks", "a\u2028b\u2029c\u0085d", "a<U+2028>b<U+2029>c<U+0085>d", ""},
		{"C1 sequence", "\u009b31m", "<U+009B>31m", ""},
		{"C1 byte", "\x9b31m", "�31m", ""},
		{"bidi", "a\u202egpj.exe\u2066\u200f", "a<U+202E>gpj.exe<U+2066><U+200F>", ""},
		{"zero width", "a\u200bb\ufeff\u00ad\u2060", "a<U+200B>b<U+FEFF><U+00AD><U+2060>", ""},
		{"tags", "a\U000e0041", "a<U+E0041>", ""},
		{"letters without a shape", "a\u3164\u115f\u034f", "a<U+3164><U+115F><U+034F>", ""},
		{"private", "\ue000", "<U+E000>", ""},
		{"blanks", "a\u00a0b\u3000c", "a b c", ""},
		{"not UTF-8", "a\xff\xfeb\xe2\x82", "a��b��", ""},
		{"emoji of several", "👩\u200d👩\u200d👧 ☂️ 1️⃣", "👩\u200d👩\u200d👧 ☂️ 1️⃣", ""},
		{"Persian, Devanagari", "می\u200cخواهم क्\u200dष", "می\u200cخواهم क्\u200dष", ""},
		{"a joiner that hides", "a\u200db\u200c", "a<U+200D>b<U+200C>", ""},
		{"joiners in a row", "क\u200d\u200d", "क\u200d<U+200D>", ""},
		{"a selector that hides", "a\ufe0f", "a<U+FE0F>", ""},
		{"Arabic number sign", "\u06001", "\u06001", ""},
	} {
		if c.lines == "" {
			c.lines = c.line
		}
		if got := Line(c.text); got != c.line {
			t.Errorf("%s: Line %q, want %q", c.name, got, c.line)
		}
		if got := Text(c.text); got != c.lines {
			t.Errorf("%s: Text %q, want %q", c.name, got, c.lines)
		}
		if got := Line(Line(c.text)); got != Line(c.text) && !strings.ContainsRune(c.text, '\u200d') {
			t.Errorf("%s: twice %q", c.name, got)
		}
	}
}

func TestNoCharacterPassesThatIsNotDrawn(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		for _, out := range Line("a" + string(r)) {
			if unicode.Is(unicode.C, out) && !unicode.Is(unicode.Prepended_Concatenation_Mark, out) ||
				unicode.Is(unicode.Zl, out) || unicode.Is(unicode.Zp, out) {
				t.Fatalf("%U passes as %U", r, out)
			}
		}
	}
}

func TestWriterPutsSplitCharactersTogether(t *testing.T) {
	text := "é\x1b[31m👩\u200d👧 \x9b\xe2\x82 \u202e\nend\xe2\x82"
	for size := 1; size < 6; size++ {
		var got strings.Builder
		w := NewWriter(&got)
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			if wrote, err := w.Write(rest[:n]); wrote != n || err != nil {
				t.Fatal(wrote, err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if want := "é␛[31m👩\u200d👧 ��� <U+202E>\nend�"; strings.ReplaceAll(got.String(), "��",
			"�") != strings.ReplaceAll(want, "��", "�") {
			t.Errorf("in pieces of %d: %q", size, &got)
		}
	}
}

func TestJSONStaysTheSameObject(t *testing.T) {
	in := map[string]string{"a\x1b\x7f\u009b": "\u202e\u200b\U000e0041\u3164 Größe 👩\u200d👧 斜 \u00a0 <>"}
	raw, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	safe := JSON(raw)
	for _, r := range string(safe) {
		if unicode.Is(unicode.C, r) {
			t.Errorf("%U is in %s", r, safe)
		}
	}
	var out map[string]string
	if err := json.Unmarshal(safe, &out); err != nil || out["a\x1b\x7f\u009b"] != in["a\x1b\x7f\u009b"] {
		t.Errorf("%v: %q", err, out)
	}
}
