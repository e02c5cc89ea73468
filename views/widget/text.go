package widget

import (
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Width is how many cells s takes on the screen; escape sequences take none.
func Width(s string) int { return ansi.StringWidth(s) }

// Clean makes text from files safe to draw: control characters, escape bytes among them, become a visible mark, and
// tabs and line breaks a blank. Styled text must not pass through it.
func Clean(s string) string {
	drawable := func(r rune) bool { return unicode.IsPrint(r) || r == '\u00ad' }
	if strings.IndexFunc(s, func(r rune) bool { return !drawable(r) }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case drawable(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r): // joiners and direction marks: they have no cell of their own
			return -1
		}
		return '�'
	}, s)
}

// Cut shortens a line to w cells, with … where something was lost. It keeps styles and never halves a wide character.
func Cut(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if ansi.StringWidth(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, "…")
}

// CutLeft shortens a line from its front: what matters of a path is its end.
func CutLeft(s string, w int) string {
	if w <= 0 {
		return ""
	}
	over := ansi.StringWidth(s) - w
	if over <= 0 {
		return s
	}
	cut := ansi.TruncateLeft(s, over+1, "…")
	if ansi.StringWidth(cut) > w { // a wide character stood across the edge
		cut = ansi.TruncateLeft(s, over+2, "…")
	}
	return Cut(cut, w)
}

// Left puts a line at the left of w cells.
func Left(s string, w int) string {
	s = Cut(s, w)
	return s + blanks(w-ansi.StringWidth(s))
}

// Right puts a line at the right of w cells, as numbers stand.
func Right(s string, w int) string {
	s = Cut(s, w)
	return blanks(w-ansi.StringWidth(s)) + s
}

// Centre puts a line in the middle of w cells.
func Centre(s string, w int) string {
	s = Cut(s, w)
	return Left(blanks((w-ansi.StringWidth(s))/2)+s, w)
}

// Ends puts one text at the left and one at the right of a line of w cells; the left one gives way.
func Ends(left, right string, w int) string {
	right = Cut(right, w)
	room := w - ansi.StringWidth(right)
	if right != "" && room > 0 {
		room--
	}
	left = Cut(left, room)
	return left + blanks(w-ansi.StringWidth(left)-ansi.StringWidth(right)) + right
}

// Block makes any text exactly h lines of exactly w cells.
func Block(s string, w, h int) string {
	if h <= 0 || w <= 0 {
		return ""
	}
	return strings.Join(blockLines(s, w, h), "\n")
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
	return lines
}

// Wrap breaks plain text at blanks into lines of at most w cells.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	var lines []string
	for paragraph := range strings.SplitSeq(s, "\n") {
		lines = append(lines, strings.Split(ansi.Wrap(paragraph, w, ""), "\n")...)
	}
	for i, line := range lines { // a single character wider than w stays whole there
		lines[i] = Cut(strings.TrimRight(line, " "), w)
	}
	return lines
}

// Overlay lays a box over a screen at column x and line y; what does not fit is cut off.
func Overlay(screen, box string, x, y int) string {
	lines := strings.Split(screen, "\n")
	for i, over := range strings.Split(box, "\n") {
		if y+i < 0 || y+i >= len(lines) {
			continue
		}
		under := lines[y+i]
		w, ow := ansi.StringWidth(under), ansi.StringWidth(over)
		left := Left(ansi.Cut(under, 0, x), x)
		right := ""
		if x+ow < w {
			right = ansi.TruncateLeft(under, x+ow, "")
			right = blanks(w-x-ow-ansi.StringWidth(right)) + right
		}
		lines[y+i] = ansi.Truncate(left+over+right, max(w, x+1), "")
	}
	return strings.Join(lines, "\n")
}

// Columns sets blocks beside each other; all must have the same number of lines.
func Columns(blocks ...string) string {
	if len(blocks) == 0 {
		return ""
	}
	rows := strings.Split(blocks[0], "\n")
	for _, block := range blocks[1:] {
		for i, line := range strings.Split(block, "\n") {
			if i < len(rows) {
				rows[i] += line
			}
		}
	}
	return strings.Join(rows, "\n")
}

func blanks(n int) string { return strings.Repeat(" ", max(n, 0)) }
