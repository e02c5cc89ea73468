package media

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"sync"

	"finetui/ml/picture"
	"finetui/ml/wholefile"
)

// Sheet is a contact sheet: pictures in rows, each over its caption, under a title and the meaning of the colours.
type Sheet struct {
	Title   string
	Legend  []Meaning
	Cells   []Cell
	Columns int
	W, H    int // largest size of a picture, in pixels
}

// Meaning is what a colour stands for.
type Meaning struct {
	Colour color.RGBA
	Text   string
}

// Cell is a picture of a sheet; one without a picture shows its caption alone.
type Cell struct {
	Picture *picture.RGB
	Caption []string // lines
}

const (
	sheetGap  = 10 // pixels between cells, and around them
	sheetLine = 18 // pixels of a line of text
)

var (
	sheetGround = color.RGBA{24, 24, 24, 255}
	sheetInk    = color.RGBA{235, 235, 235, 255}
	sheetFaint  = color.RGBA{160, 160, 160, 255}
)

// Draw is the sheet as a picture, no larger than its cells ask for.
func (s Sheet) Draw() *image.NRGBA {
	columns := max(min(s.Columns, len(s.Cells)), 1)
	rows := (len(s.Cells) + columns - 1) / columns
	lines := 0
	for _, cell := range s.Cells {
		lines = max(lines, len(cell.Caption))
	}
	w := columns*(s.W+sheetGap) + sheetGap
	legend := s.legendLines(w - 2*sheetGap)
	top := sheetGap + sheetLine*(1+len(legend))
	cellH := s.H + lines*sheetLine + sheetGap
	out := image.NewNRGBA(image.Rect(0, 0, w, top+rows*cellH+sheetGap))
	for at := 0; at < len(out.Pix); at += 4 {
		copy(out.Pix[at:], []uint8{sheetGround.R, sheetGround.G, sheetGround.B, 255})
	}
	sheetLetters().Write(out, sheetGap, sheetGap, w-2*sheetGap, s.Title, sheetInk)
	for i, line := range legend {
		x := sheetGap
		for _, m := range line {
			y := sheetGap + sheetLine*(1+i)
			block(out, x, y+4, 10, m.Colour)
			x += 14 + sheetLetters().Write(out, x+14, y, w-x-sheetGap, m.Text, sheetFaint) + 14
		}
	}
	for i, cell := range s.Cells {
		x, y := sheetGap+i%columns*(s.W+sheetGap), top+i/columns*cellH
		if cell.Picture != nil {
			small := Fit(cell.Picture, s.W, s.H)
			paste(out, small, x+(s.W-small.W)/2, y+(s.H-small.H)/2)
		}
		for l, text := range cell.Caption {
			ink := sheetInk
			if l > 0 {
				ink = sheetFaint
			}
			sheetLetters().Write(out, x, y+s.H+l*sheetLine, s.W, text, ink)
		}
	}
	return out
}

// legendLines breaks the legend into lines of w pixels.
func (s Sheet) legendLines(w int) (lines [][]Meaning) {
	x := 0
	for _, m := range s.Legend {
		length := 28 + sheetLetters().Width(m.Text)
		if len(lines) == 0 || x+length > w {
			lines, x = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], m)
		x += length
	}
	return lines
}

func block(out *image.NRGBA, x, y, side int, c color.RGBA) {
	for row := range side {
		for column := range side {
			out.Set(x+column, y+row, c)
		}
	}
}

func paste(out *image.NRGBA, img *picture.RGB, x, y int) {
	for row := range img.H {
		for column := range img.W {
			copy(out.Pix[out.PixOffset(x+column, y+row):][:3], img.Pix[3*(row*img.W+column):])
		}
	}
}

// sheetLetters is the lettering of sheets.
var sheetLetters = sync.OnceValue(func() *Lettering { return NewLettering(13, false) })

// Image is the picture for the packages that take Go's own kind.
func Image(img *picture.RGB) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, img.W, img.H))
	for i := range img.W * img.H {
		copy(out.Pix[4*i:4*i+3], img.Pix[3*i:])
		out.Pix[4*i+3] = 255
	}
	return out
}

// WritePNG writes the picture to a file; a reader never finds half of it.
func WritePNG(path string, img *picture.RGB) error { return writePNG(path, Image(img)) }

// WritePNG writes the sheet to a file, whose folder is made where it is missing.
func (s Sheet) WritePNG(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return writePNG(path, s.Draw())
}

func writePNG(path string, img image.Image) error {
	return wholefile.Create(path, 0o644, func(w io.Writer) error { return png.Encode(w, img) })
}
