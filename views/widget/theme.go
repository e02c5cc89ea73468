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

	Text   Style // ordinary text
	Strong Style // headings, names, the number that matters
	Muted  Style // units, axes, what may be overlooked
	Accent Style // focus, selection marks
	// the accent where it is text: the open tab, the title of the box with the keyboard, the smoothed line
	Active   Style
	OK       Style // goes with ✓
	Warning  Style // goes with ! or ✗
	Bar      Style // bars and columns
	BarFaint Style // the part of a bar that is not filled, a comparison's other bar
	Border   Style // boxes
	Focus    Style // the box that has the keyboard
	Selected Style // the line under the cursor
	Cursor   Style // the character under a text field's cursor
	Key      Style // keys in hints and help

	// the spinner's frame, one cell: what has work under way shows it. The root turns it while a pane is working
	Busy string

	heat  []Style // of rising values; none: heat is told by its glyph alone
	basic bool    // sixteen colours
}

// NewTheme returns the theme for a dark or light background, with or without colours.
func NewTheme(dark, colour bool) *Theme {
	plain := lipgloss.NewStyle()
	bold, faint := NewStyle(plain.Bold(true)), NewStyle(plain.Faint(true))
	t := &Theme{Dark: dark, Colour: colour, Strong: bold, Cursor: NewStyle(plain.Reverse(true)), Busy: "·"}
	if !colour {
		t.Muted, t.Accent, t.Active, t.Warning, t.Key = faint, bold, bold, bold, bold
		t.BarFaint, t.Border, t.Focus, t.Selected = faint, faint, bold, t.Cursor
		return t
	}
	pick := lipgloss.LightDark(dark)
	ink := func(onLight, onDark string) Style {
		return NewStyle(plain.Foreground(pick(lipgloss.Color(onLight), lipgloss.Color(onDark))))
	}
	accent, border := ink("#00718F", "#4FC1D9"), ink("#B4B9C0", "#4A5058")
	t.Muted, t.Warning = ink("#6B6F76", "#8A9099"), ink("#A85400", "#F0A94A")
	t.Accent, t.Active, t.OK, t.Focus, t.Key = accent, accent.Bold(), accent, accent, accent
	t.Bar, t.BarFaint, t.Border = ink("#3E8FA6", "#3C93A8"), border, border
	shade := pick(lipgloss.Color("#D9E8EC"), lipgloss.Color("#24414A"))
	t.Selected = NewStyle(plain.Background(shade).Bold(true))
	if dark {
		t.heat = heat("#1C2228", "#1F5B6B", "#4FC1D9")
	} else {
		t.heat = heat("#F4F7F8", "#8FC6D3", "#00718F")
	}
	return t
}

// NewBasicTheme is the theme of a terminal with sixteen colours. It names those that the terminal's owner
// has chosen, because 24-bit ones would be turned into whichever is nearest: boxes into white on white.
// Selection is reversed, and heat is told by its glyph alone.
func NewBasicTheme(dark bool) *Theme {
	plain := lipgloss.NewStyle()
	pick := lipgloss.LightDark(dark)
	ink := func(onLight, onDark color.Color) Style { return NewStyle(plain.Foreground(pick(onLight, onDark))) }
	accent, grey := ink(lipgloss.Blue, lipgloss.BrightCyan), ink(lipgloss.BrightBlack, lipgloss.BrightBlack)
	cursor := NewStyle(plain.Reverse(true))
	return &Theme{Dark: dark, Colour: true, basic: true, Strong: NewStyle(plain.Bold(true)), Muted: grey,
		Accent: accent, Active: accent.Bold(), OK: accent, Warning: ink(lipgloss.Red, lipgloss.BrightYellow),
		Bar: ink(lipgloss.Cyan, lipgloss.Cyan), BarFaint: grey, Border: grey, Focus: accent,
		Selected: cursor.Bold(), Cursor: cursor, Key: accent, Busy: "·"}
}

// heat are backgrounds from faint to accent under readable text.
func heat(low, middle, high string) []Style {
	var styles []Style
	for _, ground := range lipgloss.Blend1D(17, lipgloss.Color(low), lipgloss.Color(middle), lipgloss.Color(high)) {
		ink := lipgloss.Color("#F2F4F6")
		if luminance(color.RGBAModel.Convert(ground).(color.RGBA)) > 0.4 {
			ink = lipgloss.Color("#101418")
		}
		styles = append(styles, NewStyle(lipgloss.NewStyle().Background(ground).Foreground(ink)))
	}
	return styles
}

// Heat is the style of a cell whose value is v of 0 … 1: a background from faint to accent under readable text.
// Without colour, or with sixteen, it is plain; HeatGlyph carries the value alone then.
func (t *Theme) Heat(v float64) Style {
	if len(t.heat) == 0 || math.IsNaN(v) {
		return Style{}
	}
	return t.heat[int(clamp(v, 0, 1)*float64(len(t.heat)-1)+0.5)]
}

// HeatGlyph is the shade that stands for v of 0 … 1 beside the colour.
func HeatGlyph(v float64) string {
	if math.IsNaN(v) || v <= 0 {
		return " "
	}
	return []string{"·", "░", "▒", "▓", "█"}[min(int(v*5), 4)]
}

// luminance is the relative luminance of ITU-R BT.709, 0 … 1, without undoing gamma: enough to choose ink.
func luminance(c color.RGBA) float64 {
	return (0.2126*float64(c.R) + 0.7152*float64(c.G) + 0.0722*float64(c.B)) / 255
}

func clamp(v, low, high float64) float64 { return max(low, min(high, v)) }

// Tone says what a piece of text means for the reader; the theme says how that looks.
type Tone uint8

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
