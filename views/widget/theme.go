// Package widget draws: bars, charts, tables, pictures and the small parts of a screen. A widget is a plain struct
// of what it shows and what is selected; its View is a pure function of that, a theme and a size in cells, and never
// gives a line wider than w or more lines than h. The package knows no pane, no file and no program.
package widget

import (
	"image/color"
	"math"

	"github.com/charmbracelet/x/ansi"
)

// Theme is every style of the screen. It has one accent and one warning colour, and neither is ever the only sign of
// something: a glyph or a word goes with it. Without colour the same differences are bold, faint, underlined and
// reversed.
type Theme struct {
	Dark   bool // the terminal's background is dark
	Colour bool // the terminal shows colours and the user wants them

	Text     Style // ordinary text
	Strong   Style // headings, names, the number that matters
	Muted    Style // units, axes, what may be overlooked
	Accent   Style // focus, selection marks, the smoothed line
	OK       Style // goes with ✓
	Warning  Style // goes with ! or ✗
	Bar      Style // bars and columns
	BarFaint Style // the part of a bar that is not filled, a comparison's other bar
	Border   Style // boxes
	Focus    Style // the box that has the keyboard
	Selected Style // the line under the cursor
	Key      Style // keys in hints and help

	heat  []color.RGBA
	basic bool // sixteen colours
}

// NewTheme returns the theme for a dark or light background, with or without colours.
func NewTheme(dark, colour bool) *Theme {
	t := &Theme{Dark: dark, Colour: colour}
	if !colour {
		t.Strong, t.Muted = Style{}.Bold(), Style{}.Faint()
		t.Accent, t.Warning = Style{}.Bold(), Style{}.Bold()
		t.BarFaint, t.Border, t.Focus = Style{}.Faint(), Style{}.Faint(), Style{}.Bold()
		t.Selected, t.Key = Style{}.Reverse(), Style{}.Bold()
		return t
	}
	pick := func(onLight, onDark uint32) color.Color {
		if dark {
			return rgb(onDark)
		}
		return rgb(onLight)
	}
	accent, warning := pick(0x00718F, 0x4FC1D9), pick(0xA85400, 0xF0A94A)
	muted, border := pick(0x6B6F76, 0x8A9099), pick(0xB4B9C0, 0x4A5058)
	bar, shade := pick(0x3E8FA6, 0x3C93A8), pick(0xD9E8EC, 0x24414A)
	t.Strong, t.Muted = Style{}.Bold(), Style{}.Ink(muted)
	t.Accent, t.OK, t.Warning = Style{}.Ink(accent), Style{}.Ink(accent), Style{}.Ink(warning)
	t.Bar, t.BarFaint = Style{}.Ink(bar), Style{}.Ink(border)
	t.Border, t.Focus = Style{}.Ink(border), Style{}.Ink(accent)
	t.Selected, t.Key = Style{}.Ground(shade).Bold(), Style{}.Ink(accent)
	if dark {
		t.heat = ramp(rgb(0x1C2228), rgb(0x1F5B6B), rgb(0x4FC1D9))
	} else {
		t.heat = ramp(rgb(0xF4F7F8), rgb(0x8FC6D3), rgb(0x00718F))
	}
	return t
}

// NewBasicTheme is the theme of a terminal with sixteen colours. It names those that the terminal's owner
// has chosen, because 24-bit ones would be turned into whichever is nearest: boxes into white on white.
// Selection is reversed, and heat is told by its glyph alone.
func NewBasicTheme(dark bool) *Theme {
	t := &Theme{Dark: dark, Colour: true, basic: true}
	pick := func(onLight, onDark ansi.BasicColor) Style {
		if dark {
			return Style{}.Ink(onDark)
		}
		return Style{}.Ink(onLight)
	}
	accent, grey := pick(ansi.Blue, ansi.BrightCyan), Style{}.Ink(ansi.BrightBlack)
	t.Strong, t.Muted = Style{}.Bold(), grey
	t.Accent, t.OK, t.Warning = accent, accent, pick(ansi.Red, ansi.BrightYellow)
	t.Bar, t.BarFaint = Style{}.Ink(ansi.Cyan), grey
	t.Border, t.Focus = grey, accent
	t.Selected, t.Key = Style{}.Reverse().Bold(), accent
	return t
}

// Heat is the style of a cell whose value is v of 0 … 1: a background from faint to accent under readable text.
// Without colour, or with sixteen, it is plain; HeatGlyph carries the value alone then.
func (t *Theme) Heat(v float64) Style {
	if len(t.heat) == 0 || math.IsNaN(v) {
		return Style{}
	}
	c := t.heat[int(clamp(v, 0, 1)*float64(len(t.heat)-1)+0.5)]
	ink := rgb(0xF2F4F6)
	if luminance(c) > 0.4 {
		ink = rgb(0x101418)
	}
	return Style{}.Ground(c).Ink(ink)
}

// HeatGlyph is the shade that stands for v of 0 … 1 beside the colour.
func HeatGlyph(v float64) string {
	if math.IsNaN(v) || v <= 0 {
		return " "
	}
	return []string{"·", "░", "▒", "▓", "█"}[min(int(v*5), 4)]
}

func rgb(hex uint32) color.RGBA {
	return color.RGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// ramp interpolates 17 colours through low, middle and high.
func ramp(low, middle, high color.RGBA) []color.RGBA {
	colours := make([]color.RGBA, 17)
	for i := range colours {
		from, to, f := low, middle, float64(i)/8
		if i > 8 {
			from, to, f = middle, high, float64(i-8)/8
		}
		mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*f + 0.5) }
		colours[i] = color.RGBA{mix(from.R, to.R), mix(from.G, to.G), mix(from.B, to.B), 255}
	}
	return colours
}

// luminance is the relative luminance of ITU-R BT.709, 0 … 1, without undoing gamma: enough to choose ink.
func luminance(c color.RGBA) float64 {
	return (0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)) / 255
}

func clamp(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }

// Tone says what a piece of text means for the reader; the theme says how that looks.
type Tone int

const (
	Plain Tone = iota
	Muted
	Strong
	Accent
	OK
	Warning
)

// Tone is the style of a tone.
func (t *Theme) Tone(tone Tone) Style {
	switch tone {
	case Muted:
		return t.Muted
	case Strong:
		return t.Strong
	case Accent:
		return t.Accent
	case OK:
		return t.OK
	case Warning:
		return t.Warning
	}
	return t.Text
}
