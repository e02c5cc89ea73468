package widget

import (
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"finetui/core/printable"
)

// method is how the terminal counts the cells of characters that are drawn together, such as a letter and the vowel
// mark beside it: each by itself, as wcwidth, tmux and Bubble Tea do, until Measure says otherwise.
var method atomic.Int32

// Measure sets how the terminal counts cells: ansi.GraphemeWidth where it says that it has mode 2027.
func Measure(m ansi.Method) { method.Store(int32(m)) }

func measure() ansi.Method { return ansi.Method(method.Load()) }

// Width is how many cells s takes on the screen; escape sequences take none. Text that is nothing but plain letters,
// lines and blocks, one cell each, is counted quickly: most of a screen is.
func Width(s string) int {
	w := 0
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c >= ' ' && c < 0x7f:
			w++
			i++
			continue
		case c == 0x1b:
			n := colourSequence(s[i:])
			if n == 0 {
				return measure().StringWidth(s)
			}
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !narrow(r) {
			return measure().StringWidth(s)
		}
		w++
		i += n
	}
	return w
}

// narrow says whether a character certainly takes one cell and joins no other: Latin and Greek letters, punctuation,
// arrows, lines, blocks, braille.
func narrow(r rune) bool {
	return r >= 0xa1 && r < 0x300 && r != 0xad || r >= 0x391 && r <= 0x3c9 || r >= 0x2010 && r <= 0x2027 ||
		r >= 0x2190 && r <= 0x2193 || r >= 0x2500 && r <= 0x25bf || r >= 0x2800 && r <= 0x28ff
}

// colourSequence is the length of the SGR sequence (ESC [ digits and semicolons m) that s begins with, or 0.
func colourSequence(s string) int {
	if len(s) < 3 || s[1] != '[' {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// Clean makes text from files safe to draw on one line, as printable.Line says. Styled text must not pass
// through it. What joins emoji into one, or makes a sign an emoji, is left out: terminals disagree on how
// wide the result is, and frames would not be straight.
func Clean(s string) string { return unjoined.Replace(printable.Line(s)) }

var unjoined = strings.NewReplacer("\u200d", "", "\ufe0f", "")

// Guard is a whole screen in which nothing is left but text, styles (SGR) and line breaks: what a pane should have
// passed through Clean and did not becomes a mark of one cell.
func Guard(screen string) string {
	var b strings.Builder
	kept := 0
	before := rune(0)
	for i := 0; i < len(screen); {
		c := screen[i]
		if c >= ' ' && c < 0x7f || c == '\n' {
			before = rune(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(screen[i:])
		sequence := 0
		if c == 0x1b {
			sequence = colourSequence(screen[i:])
		}
		switch {
		case sequence > 0:
			n = sequence
		case narrow(r), r != utf8.RuneError && printable.Shown(r, before), unicode.Is(unicode.Zs, r):
			before = r
		default:
			b.WriteString(screen[kept:i] + "\ufffd")
			kept, before = i+n, r
		}
		i += n
	}
	if kept == 0 {
		return screen
	}
	return b.String() + screen[kept:]
}

// truncate shortens a line to w cells, the tail among them.
func truncate(s string, w int, tail string) string {
	if measure() == ansi.WcWidth && Width(s) > w {
		s += blanks(w + 1) // ansi.Truncate leaves as it is what is short enough by clusters
	}
	return measure().Truncate(s, w, tail)
}

// Cut shortens a line to w cells, with … where something was lost. It keeps styles and never halves a wide character.
func Cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	return truncate(s, w, "…")
}

// CutLeft shortens a line from its front: what matters of a path is its end.
func CutLeft(s string, w int) string {
	if w <= 0 {
		return ""
	}
	over := Width(s) - w
	if over <= 0 {
		return s
	}
	cut := measure().TruncateLeft(s, over+1, "…")
	if Width(cut) > w { // a wide character stood across the edge
		cut = measure().TruncateLeft(s, over+2, "…")
	}
	return Cut(cut, w)
}

// CutMiddle shortens a line in its middle, for names whose end tells them apart: a number, an ending.
func CutMiddle(s string, w int) string {
	if Width(s) <= w || w < 5 {
		return Cut(s, w)
	}
	end := CutLeft(s, w/2)
	return Cut(s, w-Width(end)+1) + strings.TrimPrefix(end, "…")
}

// Left puts a line at the left of w cells.
func Left(s string, w int) string {
	width := Width(s)
	if width > w {
		s = Cut(s, w)
		width = Width(s)
	}
	return s + blanks(w-width)
}

// Right puts a line at the right of w cells, as numbers stand.
func Right(s string, w int) string {
	s = Cut(s, w)
	return blanks(w-Width(s)) + s
}

// Middle draws a text, wrapped, in the middle of w×h cells.
func Middle(style Style, text string, w, h int) string {
	lines := FirstLines(Wrap(Clean(text), max(w-2, 1)), w-2, h)
	for i, line := range lines {
		lines[i] = blanks((w-Width(line))/2) + style.Render(line)
	}
	return Block(lipgloss.PlaceVertical(h, lipgloss.Center, strings.Join(lines, "\n")), w, h)
}

// Ends puts one text at the left and one at the right of a line of w cells; the left one gives way.
func Ends(left, right string, w int) string {
	right = Cut(right, w)
	room := w - Width(right)
	if right != "" && room > 0 {
		room--
	}
	left = Cut(left, room)
	return left + blanks(w-Width(left)-Width(right)) + right
}

// Block makes any text exactly h lines of exactly w cells. Where lines of it are left out, the last one says how many.
func Block(s string, w, h int) string {
	if h <= 0 || w <= 0 {
		return ""
	}
	if isBlock(s, w, h) {
		return s
	}
	return strings.Join(blockLines(s, w, h), "\n")
}

// isBlock says whether a text is h lines of w cells already: most of what Block is given is.
func isBlock(s string, w, h int) bool {
	n := 0
	for line := range strings.SplitSeq(s, "\n") {
		if n++; n > h || Width(line) != w {
			return false
		}
	}
	return n == h
}

func blockLines(s string, w, h int) []string {
	lines := make([]string, h)
	given := strings.Split(s, "\n")
	for i := range lines {
		line := ""
		if i < len(given) {
			line = given[i]
		}
		lines[i] = Left(line, w)
	}
	if hidden := leftOut(given, h); hidden > 0 && h > 1 && w >= 16 {
		note := "↓ " + Count(hidden) + " more"
		if Width(given[h-1])+2+Width(note) <= w {
			lines[h-1] = Ends(given[h-1], note, w)
		} else { // half a number would be a wrong one
			lines[h-1] = Right("↓ "+Count(hidden+1)+" more", w)
		}
	}
	return lines
}

// leftOut is how many lines with something in them stand below the hth.
func leftOut(lines []string, h int) int {
	for n := len(lines); n > h; n-- {
		if strings.TrimSpace(ansi.Strip(lines[n-1])) != "" {
			return n - h
		}
	}
	return 0
}

// Wrap breaks plain text at blanks into lines of at most w cells.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	var lines []string
	wrap := ansi.WrapWc
	if measure() == ansi.GraphemeWidth {
		wrap = ansi.Wrap
	}
	for paragraph := range strings.SplitSeq(s, "\n") {
		lines = append(lines, strings.Split(wrap(paragraph, w, ""), "\n")...)
	}
	for i, line := range lines { // a single character wider than w stays whole there
		lines[i] = Cut(strings.TrimRight(line, " "), w)
	}
	return lines
}

// FirstLines are the first h of some lines; where there are more the last of them ends in …, within w cells.
func FirstLines(lines []string, w, h int) []string {
	if h <= 0 || len(lines) <= h {
		return lines[:min(len(lines), max(h, 0))]
	}
	lines = slices.Clone(lines[:h])
	lines[h-1] = Cut(lines[h-1]+" …", w)
	return lines
}

// Hang wraps text to w cells behind a lead, which may be styled, its further lines below its first one.
func Hang(lead, text string, style Style, w int) []string {
	indent := Width(lead)
	lines := Wrap(text, max(w-indent, 1))
	for i, line := range lines {
		lines[i] = lead + style.Render(line)
		lead = blanks(indent)
	}
	return lines
}

// Overlay lays a box over a screen at column x and line y; what does not fit is cut off. It changes the lines that it
// covers; lipgloss's layers take all cells of both apart, which takes twelve times as long.
func Overlay(screen, box string, x, y int) string {
	lines := strings.Split(screen, "\n")
	for i, over := range strings.Split(box, "\n") {
		if y+i < 0 || y+i >= len(lines) {
			continue
		}
		under := lines[y+i]
		w, ow := Width(under), Width(over)
		left := Left(truncate(under, x, ""), x)
		right := ""
		if x+ow < w {
			right = measure().TruncateLeft(under, x+ow, "")
			right = blanks(w-x-ow-Width(right)) + right
		}
		lines[y+i] = truncate(left+over+right, max(w, x+1), "")
	}
	return strings.Join(lines, "\n")
}

// Columns sets blocks beside each other, which have the same number of lines, each as wide as its others. lipgloss's
// JoinHorizontal measures them all, which takes ten times as long (BenchmarkJoin).
func Columns(blocks ...string) string {
	if len(blocks) == 0 {
		return ""
	}
	size := 0
	for _, block := range blocks {
		size += len(block)
	}
	var joined strings.Builder
	joined.Grow(size)
	for rest, more := slices.Clone(blocks), true; more; {
		for i := range rest {
			line, after, further := strings.Cut(rest[i], "\n")
			joined.WriteString(line)
			if rest[i] = after; i == 0 {
				more = further
			}
		}
		if more {
			joined.WriteByte('\n')
		}
	}
	return joined.String()
}

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }
