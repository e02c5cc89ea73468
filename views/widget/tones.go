package widget

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// A terminal with sixteen colours has four greys that are the same everywhere. Pictures are half-tones of them: other
// colours, each turned into the nearest of sixteen, would be a mosaic of red and brown.
var greys = [4]ansi.BasicColor{ansi.Black, ansi.BrightBlack, ansi.White, ansi.BrightWhite}

// greyLevels are how bright the greys are, in terminals as they come (xterm: 0, 127, 229, 255 of 255).
var greyLevels = [4]float64{0, 0.5, 0.83, 1}

// bayer is the 4×4 matrix of ordered dithering (Bayer 1973), 0 … 15.
var bayer = [4][4]float64{{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}}

// toned is the grey of a brightness at a pixel: between two greys their share in the matrix is the brightness.
func toned(brightness float64, x, y int) ansi.BasicColor {
	for i := range len(greys) - 1 {
		if low, high := greyLevels[i], greyLevels[i+1]; brightness < high {
			if (brightness-low)/(high-low) > (bayer[y%4][x%4]+0.5)/16 {
				return greys[i+1]
			}
			return greys[i]
		}
	}
	return greys[len(greys)-1]
}

// toneLines draws a raster as half-tones, one by two pixels a cell, with the outlines in named colours.
func toneLines(r Raster, outlines []Outline) []string {
	pixels := make([]ansi.BasicColor, r.W*r.H)
	for y := range r.H {
		for x := range r.W {
			pixels[y*r.W+x] = toned(luminance(r.at(x, y)), x, y)
		}
	}
	for _, o := range outlines {
		x0, y0, x1, y1 := o.corners(r.W, r.H)
		c := Basic(o.Colour)
		for x := x0; x <= x1; x++ {
			pixels[y0*r.W+x], pixels[y1*r.W+x] = c, c
		}
		for y := y0; y <= y1; y++ {
			pixels[y*r.W+x0], pixels[y*r.W+x1] = c, c
		}
	}
	lines := make([]string, r.H/2)
	for y := range lines {
		var b strings.Builder
		last := ""
		for x := range r.W {
			if c := basicColours(pixels[2*y*r.W+x], pixels[(2*y+1)*r.W+x]); c != last {
				b.WriteString(c)
				last = c
			}
			b.WriteRune('▀')
		}
		lines[y] = b.String() + reset
	}
	return lines
}

// basicColours is the escape sequence for named colours of text and ground.
func basicColours(ink, ground ansi.BasicColor) string {
	code := func(c ansi.BasicColor, base int) int {
		if c >= 8 {
			return base + 60 + int(c) - 8
		}
		return base + int(c)
	}
	return fmt.Sprintf("\x1b[%d;%dm", code(ink, 30), code(ground, 40))
}

// Basic is the named colour of sixteen that a colour is known by: its hue, so that orange stays apart from
// red; a grey where it has none.
func Basic(c color.RGBA) ansi.BasicColor {
	r, g, b := float64(c.R), float64(c.G), float64(c.B)
	high, low := max(r, g, b), min(r, g, b)
	if high-low < 48 {
		return greys[min(int(luminance(c)*4), 3)]
	}
	var hue float64
	switch high {
	case r:
		hue = math.Mod((g-b)/(high-low)*60+360, 360)
	case g:
		hue = (b-r)/(high-low)*60 + 120
	default:
		hue = (r-g)/(high-low)*60 + 240
	}
	switch {
	case hue < 32 || hue >= 340:
		return ansi.BrightRed
	case hue < 48:
		return ansi.Yellow
	case hue < 75:
		return ansi.BrightYellow
	case hue < 190:
		return ansi.BrightGreen
	case hue < 265 && luminance(c) > 0.5:
		return ansi.BrightCyan
	case hue < 265:
		return ansi.BrightBlue
	}
	return ansi.BrightMagenta
}

// Ink is the style of text in a colour that means something: as it is, on a light background darkened until it is seen
// there, with sixteen colours the one it is known by, without any plain.
func (t *Theme) Ink(c color.Color) Style {
	switch {
	case !t.Colour || c == nil:
		return t.Text
	case t.basic:
		return NewStyle(lipgloss.NewStyle().Foreground(Basic(color.RGBAModel.Convert(c).(color.RGBA))))
	}
	const lightest = 0.55 // luminance that still stands out from white
	if rgb := color.RGBAModel.Convert(c).(color.RGBA); !t.Dark && luminance(rgb) > lightest {
		part := lightest / luminance(rgb)
		dark := func(v uint8) uint8 { return uint8(float64(v) * part) }
		c = color.RGBA{dark(rgb.R), dark(rgb.G), dark(rgb.B), rgb.A}
	}
	return NewStyle(lipgloss.NewStyle().Foreground(c))
}
