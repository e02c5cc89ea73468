package widget

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// Style is a lipgloss style for a piece of one line, with its escape sequences made once: lipgloss works them out anew
// for every piece, which takes a hundred times as long (BenchmarkStyle). The zero Style is plain text.
type Style struct {
	look       *lipgloss.Style // nil: plain
	begin, end string
}

// NewStyle is a style of the look's colours and attributes; sizes, margins and borders are not for pieces of a line.
func NewStyle(look lipgloss.Style) Style {
	begin, end, _ := strings.Cut(look.Inline(true).Render("\x00"), "\x00")
	return Style{&look, begin, end}
}

// Look is the style as lipgloss has it, to build others from and to hand to what is drawn by lipgloss and bubbles.
func (s Style) Look() lipgloss.Style {
	if s.look == nil {
		return lipgloss.NewStyle()
	}
	return *s.look
}

// Bold is the style in bold.
func (s Style) Bold() Style { return NewStyle(s.Look().Bold(true)) }

// Inherit is the style with what another one below it has and it has not: its background.
func (s Style) Inherit(below Style) Style { return NewStyle(s.Look().Inherit(below.Look())) }

// append adds a piece of a line with the style around it.
func (s Style) append(line, text []byte) []byte {
	return append(append(append(line, s.begin...), text...), s.end...)
}

// Render puts the style around a piece of a line. Pieces are not nested: the first one's end is the end of both.
func (s Style) Render(text string) string {
	if s.begin == "" || text == "" {
		return text
	}
	return s.begin + text + s.end
}
