package widget

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestWidthCountsAsTheTerminalDoes(t *testing.T) {
	defer Measure(ansi.WcWidth)
	for _, method := range []ansi.Method{ansi.GraphemeWidth, ansi.WcWidth} {
		Measure(method)
		checkWidths(t, method)
	}
	for text, cells := range map[string]int{"पानी": 4, "क्षि": 3, "தமிழ்": 4, "বাংলা": 5, "ไทย": 3, "กำ": 2, "ខ្មែរ": 4,
		"မြန်မာ": 5, "ಕನ್ನಡ": 4, "മലയാളം": 6, "한글": 4} { // as tmux 3.3a moves its cursor
		if got := Width(text); got != cells {
			t.Errorf("%s: %d cells, tmux takes %d", text, got, cells)
		}
		if line := Left(text+" is broken", 12); Width(line) != 12 {
			t.Errorf("%q takes %d cells", line, Width(line))
		}
	}
}

func checkWidths(t *testing.T, method ansi.Method) {
	t.Helper()
	for r := rune(' '); r < 0x3100; r++ {
		if !narrow(r) {
			continue
		}
		for _, s := range []string{string(r), "a" + string(r) + "b", string(r) + "\ufe0f", string(r) + "\u0301",
			"\x1b[1;38;2;1;2;3m" + string(r) + "\x1b[m"} {
			if got, want := Width(s), method.StringWidth(s); got != want {
				t.Errorf("%q (U+%04X): %d, want %d", s, r, got, want)
			}
		}
	}
	for _, s := range append(hostile, "\x1b]8;;http://x\x07link\x1b]8;;\x07", "\x1b[", "\x1b[3", "\x1b[31mred\x1b[m",
		"\x1b[2J", "ＡＢ", "🇩🇪") {
		if got, want := Width(s), method.StringWidth(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func TestLinesAreCutAndPlacedByCells(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Cut("rock toe", 8), "rock toe"}, {Cut("rock toe", 5), "rock…"}, {Cut("斜面排水", 5), "斜面…"},
		{Cut("斜面排水", 4), "斜…"}, {Cut("x", 0), ""},
		{CutLeft("data/train/img.jpg", 8), "…img.jpg"}, {CutLeft("斜面排水", 4), "…水"},
		{Left("ab", 4), "ab  "}, {Right("ab", 4), "  ab"}, {Middle(Style{}, "ab", 5, 1), " ab  "},
		{Ends("left side", "right", 20), "left side      right"}, {Ends("left side", "right", 11), "left… right"},
		{Ends("left", "right side", 6), "right…"},
		{Clean("a\tb\x1b[31m\x00"), "a b␛[31m␀"}, {Clean("e\u200bf"), "e<U+200B>f"},
		{Block("a\nbb\nc", 3, 2), "a  \nbb "}, {strings.Join(Wrap("one two three", 7), "|"), "one two|three"},
		{Overlay("abcdef\nghijkl", "XX\nYY", 2, 0), "abXXef\nghYYkl"}, {Overlay("斜面排水", "X", 1, 0), " X面排水"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestGuardLeavesStylesAndTextAlone(t *testing.T) {
	for _, c := range []struct{ screen, want string }{
		{"╭ a\x1b[1;38;2;1;2;3mb\x1b[m\n│ 👩\u200d👧 斜\u00a0 ☂\ufe0f � ",
			"╭ a\x1b[1;38;2;1;2;3mb\x1b[m\n│ 👩\u200d👧 斜\u00a0 ☂\ufe0f � "},
		{"a\x1b[2Jb\x1b]0;t\x07c\x1b", "a�[2Jb�]0;t�c�"}, {"a\r\tb\x00\x7f", "a��b��"},
		{"\u202ea\u200bb\u009b31m\x9b", "�a�b�31m�"}, {"a\u2028b", "a�b"},
	} {
		if got := Guard(c.screen); got != c.want {
			t.Errorf("%q became %q, want %q", c.screen, got, c.want)
		}
	}
}

func BenchmarkGuard(b *testing.B) {
	screen := strings.Repeat(strings.Repeat("\x1b[38;2;10;20;30m⣿⣷ word\x1b[m", 20)+"\n", 60)
	for b.Loop() {
		Guard(screen)
	}
}

func TestNumbersHaveUnits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(1129), "1129"}, {Count(38810), "38,810"}, {Count(-1234567), "-1,234,567"},
		{Percent(0.478, 1), "47.8 %"}, {Ratio(7.0385), "7.04×"}, {Ratio(71.82), "71.8×"}, {Ratio(1234), "1234×"},
		{Number(0.02341), "0.0234"}, {Number(1.234), "1.23"}, {Number(45.61), "45.6"}, {Number(2.1e-5), "2.1e-05"},
		{Number(0), "0"},
		{Duration(830 * time.Millisecond), "830 ms"}, {Duration(4200 * time.Millisecond), "4.2 s"},
		{Duration(185 * time.Second), "3 m 05 s"},
		{Duration(127 * time.Minute), "2 h 07 m"}, {Duration(76 * time.Hour), "3 d 04 h"},
		{Duration(3599600 * time.Millisecond), "60 m 00 s"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestHangKeepsFurtherLinesBelowTheFirst(t *testing.T) {
	for _, c := range []struct {
		w    int
		want string
	}{
		{30, " ! a rare class falls"},
		{14, " ! a rare\n   class falls"},
		{2, " ! a\n   r\n   a\n   r\n   e\n   c\n   l\n   a\n   s\n   s\n   f\n   a\n   l\n   l\n   s"},
	} {
		if got := strings.Join(Hang(" ! ", "a rare class falls", Style{}, c.w), "\n"); got != c.want {
			t.Errorf("in %d cells:\n%s\nwant\n%s", c.w, got, c.want)
		}
	}
}

func TestMiddleOfALongNameIsCut(t *testing.T) {
	for _, c := range []struct {
		name string
		w    int
		want string
	}{
		{"slope_0266#1", 12, "slope_0266#1"},
		{"0a35d97fbc7d2e91.rf.4411#12", 12, "0a35d9…11#12"},
		{"日本語のとても長い名前#3", 11, "日本語…前#3"},
		{"abcdef", 4, "abc…"},
	} {
		got := CutMiddle(c.name, c.w)
		if got != c.want || Width(got) > c.w {
			t.Errorf("%q in %d cells is %q, want %q", c.name, c.w, got, c.want)
		}
	}
}

func TestBlockSaysWhatItLeavesOut(t *testing.T) {
	for text, want := range map[string]string{
		"one\ntwo\nthree":              "one\ntwo\nthree",
		"one\ntwo\nthree\n\n":          "one\ntwo\nthree",
		"one\ntwo\nthree\nfour\nfive":  "one\ntwo\nthree     ↓ 2 more",
		"a\nb\nall the room 12 %\nd\n": "a\nb\n          ↓ 2 more",
	} {
		if got := trimmed(Block(text, 18, 3)); got != want {
			t.Errorf("%q is drawn as\n%s\nwant\n%s", text, got, want)
		}
	}
}

// tmux 3.3 counts every character of a joined emoji, newer terminals the whole as one.
func TestJoinedEmojiAreAsWideAsTheirParts(t *testing.T) {
	for name, want := range map[string]int{"❤️ toe": 5, "👨‍👩‍👧 slope": 12, "排水沟": 6, "végétation": 10} {
		if got := Width(Clean(name)); got != want {
			t.Errorf("%q is %d cells wide, want %d", Clean(name), got, want)
		}
	}
}
