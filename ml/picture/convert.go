package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Note is something about a decoded picture that a user may want to know.
type Note struct {
	Code string // one of the constants below
	Text string
}

// Codes of notes.
const (
	NoteOrientation = "orientation"
	NoteAlpha       = "alpha"
	NoteDeep        = "deep"
	NoteDeepGrey    = "deep grey" // which others see white
	NoteDark        = "dark"      // which is shown nearly black
	NoteCMYK        = "cmyk"
)

// convert brings a decoded picture to 8-bit RGB: grey is repeated, a palette looked up, alpha dropped (the colour
// below it stays, as trainers that load from a path see it), of 16 bits the upper 8 are kept, of grey too (where
// Pillow makes everything above 255 white).
func convert(img image.Image, format string) (*RGB, []Note) {
	var notes []Note
	if !opaque(img) {
		notes = append(notes, Note{NoteAlpha, "has transparency, which is dropped: the colours below it show"})
	}
	bounds := img.Bounds()
	out := NewRGB(bounds.Dx(), bounds.Dy())
	switch m := img.(type) {
	case *image.YCbCr:
		return planes{m, format == "webp"}.rgb(), notes
	case *image.NYCbCrA:
		return planes{&m.YCbCr, format == "webp"}.rgb(), notes
	case *image.NRGBA:
		for y := range out.H {
			out.putFour(y, m.Pix[y*m.Stride:])
		}
		return out, notes
	case *image.RGBA:
		if m.Opaque() {
			for y := range out.H {
				out.putFour(y, m.Pix[y*m.Stride:])
			}
			return out, notes
		}
	case *image.Gray:
		for y := range out.H {
			for x, v := range m.Pix[y*m.Stride:][:out.W] {
				out.put(x, y, v, v, v)
			}
		}
		return out, notes
	case *image.Paletted:
		out.putPalette(m)
		return out, notes
	case *image.CMYK:
		notes = append(notes, Note{NoteCMYK, "has four inks, which are converted to RGB without a colour profile"})
		out.putInks(m)
		return out, notes
	case *image.Gray16:
		notes = append(notes, deepGrey(m)...)
	case *image.RGBA64, *image.NRGBA64:
		notes = append(notes, Note{NoteDeep, "has 16 bits a channel, of which the upper 8 are kept"})
	}
	for y := range out.H {
		for x := range out.W {
			r, g, b := straight(img.At(bounds.Min.X+x, bounds.Min.Y+y))
			out.put(x, y, r, g, b)
		}
	}
	return out, notes
}

// deepGrey notes what becomes of 16 bits of grey. Sensors of 10 or 12 bits leave the upper ones empty.
func deepGrey(m *image.Gray16) []Note {
	const nearlyBlack = 1 << 12 // below it, at most 15 of 255 is shown
	least, most := uint16(math.MaxUint16), uint16(0)
	for y := range m.Rect.Dy() {
		row := m.Pix[y*m.Stride:][:2*m.Rect.Dx()]
		for x := 0; x < len(row); x += 2 {
			v := uint16(row[x])<<8 | uint16(row[x+1])
			least, most = min(least, v), max(most, v)
		}
	}
	notes := []Note{{NoteDeepGrey,
		"has 16 bits of grey, of which the upper 8 are shown; programs that load it with Pillow, as other trainers " +
			"do, see white above 255"}}
	if most < nearlyBlack {
		notes = append(notes, Note{NoteDark,
			fmt.Sprintf("has 16 bits of grey with values from %d to %d only, so that it is shown nearly black",
				least, most)})
	}
	return notes
}

// opaque tells whether a picture has no transparent pixel.
func opaque(img image.Image) bool {
	m, ok := img.(interface{ Opaque() bool })
	return !ok || m.Opaque()
}

// put sets one pixel.
func (img *RGB) put(x, y int, r, g, b uint8) {
	p := img.Pix[3*(y*img.W+x):][:3]
	p[0], p[1], p[2] = r, g, b
}

// putFour sets row y from pixels of four bytes, of which the last is alpha.
func (img *RGB) putFour(y int, row []uint8) {
	for x := range img.W {
		img.put(x, y, row[4*x], row[4*x+1], row[4*x+2])
	}
}

// putPalette sets all pixels from their places in a palette; a place that the palette lacks is black.
func (img *RGB) putPalette(m *image.Paletted) {
	var table [256][3]uint8
	for i, c := range m.Palette {
		table[i][0], table[i][1], table[i][2] = straight(c)
	}
	for y := range img.H {
		for x, v := range m.Pix[y*m.Stride:][:img.W] {
			img.put(x, y, table[v][0], table[v][1], table[v][2])
		}
	}
}

// putInks sets all pixels from four inks as Pillow converts them: (255 − ink)·(255 − black) with its way of dividing
// by 255.
func (img *RGB) putInks(m *image.CMYK) {
	light := func(ink, white int) uint8 {
		product := ink*white + 128
		return clamp8(white - (product>>8+product)>>8)
	}
	for y := range img.H {
		row := m.Pix[y*m.Stride:]
		for x := range img.W {
			white := 255 - int(row[4*x+3])
			img.put(x, y, light(int(row[4*x]), white), light(int(row[4*x+1]), white), light(int(row[4*x+2]), white))
		}
	}
}

// straight is a colour without its alpha, 8 bits a channel.
func straight(c color.Color) (r, g, b uint8) {
	if n, ok := c.(color.NRGBA); ok {
		return n.R, n.G, n.B
	}
	n := color.NRGBA64Model.Convert(c).(color.NRGBA64)
	return uint8(n.R >> 8), uint8(n.G >> 8), uint8(n.B >> 8)
}
