// Package widget draws: bars, charts, tables, pictures and the small parts of a screen. A widget is a plain struct
// of what it shows and what is selected; its View is a pure function of that, a theme and a size in cells, and never
// gives a line wider than w or more lines than h. The package knows no pane, no file and no program.
package widget

import (
	"image/color"
	"math"

	"charm.land/lipgloss/v2"
)

// Theme is every style of the screen. It has one accent and one warning colour, and neither is ever the only sign of
// something: a glyph or a word goes with it. Without colour the same differences are bold, faint, underlined and
// reversed.
type Theme struct {
	Dark   bool // the terminal's background is dark
	Colour bool // the terminal shows colours and the user wants them

	Text     lipgloss.Style // ordinary text
	Strong   lipgloss.Style // headings, names, the number that matters
	Muted    lipgloss.Style // units, axes, what may be overlooked
	Accent   lipgloss.Style // focus, selection marks, the smoothed line
	OK       lipgloss.Style // goes with ✓
	Warning  lipgloss.Style // goes with ! or ✗
	Bar      lipgloss.Style // bars and columns
	BarFaint lipgloss.Style // the part of a bar that is not filled, a comparison's other bar
	Border   lipgloss.Style // boxes
	Focus    lipgloss.Style // the box that has the keyboard
	Selected lipgloss.Style // the line under the cursor
	Key      lipgloss.Style // keys in hints and help

	heat []color.RGBA
}

// NewTheme returns the theme for a dark or light background, with or without colours.
func NewTheme(dark, colour bool) *Theme {
	t := &Theme{Dark: dark, Colour: colour}
	plain := lipgloss.NewStyle()
	if !colour {
		t.Text, t.Strong, t.Muted = plain, plain.Bold(true), plain.Faint(true)
		t.Accent, t.OK, t.Warning = plain.Bold(true), plain, plain.Bold(true)
		t.Bar, t.BarFaint = plain, plain.Faint(true)
		t.Border, t.Focus = plain.Faint(true), plain.Bold(true)
		t.Selected, t.Key = plain.Reverse(true), plain.Bold(true)
		return t
	}
	pick := func(onLight, onDark string) color.Color {
		return lipgloss.LightDark(dark)(lipgloss.Color(onLight), lipgloss.Color(onDark))
	}
	var (
		accent  = pick("#00718F", "#4FC1D9")
		warning = pick("#A85400", "#F0A94A")
		muted   = pick("#6B6F76", "#8A9099")
		border  = pick("#B4B9C0", "#4A5058")
		bar     = pick("#3E8FA6", "#3C93A8")
		shade   = pick("#D9E8EC", "#24414A")
	)
	t.Text, t.Strong, t.Muted = plain, plain.Bold(true), plain.Foreground(muted)
	t.Accent, t.OK, t.Warning = plain.Foreground(accent), plain.Foreground(accent), plain.Foreground(warning)
	t.Bar, t.BarFaint = plain.Foreground(bar), plain.Foreground(border)
	t.Border, t.Focus = plain.Foreground(border), plain.Foreground(accent)
	t.Selected, t.Key = plain.Background(shade).Bold(true), plain.Foreground(accent)
	if dark {
		t.heat = ramp(color.RGBA{0x1C, 0x22, 0x28, 255}, color.RGBA{0x1F, 0x5B, 0x6B, 255}, color.RGBA{0x4F, 0xC1, 0xD9, 255})
	} else {
		t.heat = ramp(color.RGBA{0xF4, 0xF7, 0xF8, 255}, color.RGBA{0x8F, 0xC6, 0xD3, 255}, color.RGBA{0x00, 0x71, 0x8F, 255})
	}
	return t
}

// Heat is the style of a cell whose value is v of 0 … 1: a background from faint to accent under readable text.
// Without colour it is plain; HeatGlyph carries the value alone then.
func (t *Theme) Heat(v float64) lipgloss.Style {
	if len(t.heat) == 0 || math.IsNaN(v) {
		return lipgloss.NewStyle()
	}
	c := t.heat[int(clamp(v, 0, 1)*float64(len(t.heat)-1)+0.5)]
	ink := color.Color(color.RGBA{0xF2, 0xF4, 0xF6, 255})
	if luminance(c) > 0.4 {
		ink = color.RGBA{0x10, 0x14, 0x18, 255}
	}
	return lipgloss.NewStyle().Background(c).Foreground(ink)
}

// HeatGlyph is the shade that stands for v of 0 … 1 beside the colour.
func HeatGlyph(v float64) string {
	if math.IsNaN(v) || v <= 0 {
		return " "
	}
	return []string{"·", "░", "▒", "▓", "█"}[min(int(v*5), 4)]
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
func (t *Theme) Tone(tone Tone) lipgloss.Style {
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
