package media

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Lettering sets text in the Go font, which has Latin, Greek and Cyrillic letters; others show as boxes. It is safe for
// concurrent use.
type Lettering struct {
	mutex sync.Mutex // a face is for one goroutine
	face  font.Face
	size  int
}

// NewLettering is the font in so many pixels.
func NewLettering(pixels float64, bold bool) *Lettering {
	ttf := goregular.TTF
	if bold {
		ttf = gobold.TTF
	}
	parsed, err := opentype.Parse(ttf)
	if err != nil {
		panic(err) // the font is part of the program
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: pixels, DPI: 72})
	if err != nil {
		panic(err)
	}
	return &Lettering{face: face, size: int(math.Round(pixels))}
}

// Width is how many pixels a line of text takes.
func (l *Lettering) Width(text string) int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return font.MeasureString(l.face, text).Ceil()
}

// Write sets a line of text with its upper left corner in x, y, cut in its middle to w pixels, and says how wide it is.
func (l *Lettering) Write(out draw.Image, x, y, w int, text string, ink color.Color) int {
	runes := []rune(text)
	for cut := 1; l.Width(text) > w && 2*cut < len(runes); cut++ {
		half := len(runes)/2 - cut
		text = string(runes[:half]) + "…" + string(runes[len(runes)-half:])
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	d := font.Drawer{Dst: out, Src: image.NewUniform(ink), Face: l.face, Dot: fixed.P(x, y+l.size)}
	d.DrawString(text)
	return (d.Dot.X - fixed.I(x)).Ceil()
}
