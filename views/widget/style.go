package widget

import (
	"image/color"

	"github.com/charmbracelet/x/ansi"
)

// Style is how a piece of one line looks. It is a value; its methods return changed copies. Its escape sequence is made
// once, so that a chart of thousands of cells is drawn in a moment. The renderer turns 24-bit colours into what the
// terminal has.
type Style struct {
	ink, ground                 color.Color // nil: the terminal's own
	bold, faint, under, swapped bool
	sequence                    string
}

// Ink is the style with a colour for the text.
func (s Style) Ink(c color.Color) Style { s.ink = c; return s.made() }

// Ground is the style with a background.
func (s Style) Ground(c color.Color) Style { s.ground = c; return s.made() }

// Bold is the style in bold.
func (s Style) Bold() Style { s.bold = true; return s.made() }

// Faint is the style in faint.
func (s Style) Faint() Style { s.faint = true; return s.made() }

// Underline is the style underlined.
func (s Style) Underline() Style { s.under = true; return s.made() }

// Reverse is the style with text and background exchanged.
func (s Style) Reverse() Style { s.swapped = true; return s.made() }

// Over is the style with the background, and what else stands out, of another one below it.
func (s Style) Over(below Style) Style {
	if s.ground == nil {
		s.ground = below.ground
	}
	s.bold, s.faint = s.bold || below.bold, s.faint || below.faint
	s.under, s.swapped = s.under || below.under, s.swapped || below.swapped
	return s.made()
}

// Render puts the style around a piece of a line. Pieces are not nested: the first one's end is the end of both.
func (s Style) Render(text string) string {
	if s.sequence == "" || text == "" {
		return text
	}
	return s.sequence + text + ansi.ResetStyle
}

func (s Style) made() Style {
	var a ansi.Style
	if s.bold {
		a = a.Bold()
	}
	if s.faint {
		a = a.Faint()
	}
	if s.under {
		a = a.Underline(true)
	}
	if s.swapped {
		a = a.Reverse(true)
	}
	if s.ink != nil {
		a = a.ForegroundColor(s.ink)
	}
	if s.ground != nil {
		a = a.BackgroundColor(s.ground)
	}
	s.sequence = ""
	if len(a) > 0 {
		s.sequence = a.String()
	}
	return s
}
