package widget

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"finetui/core/config"
)

// PictureMode is how a picture is drawn with characters.
type PictureMode int

const (
	Words     PictureMode = iota // not at all: facts in words
	ASCII                        // a ramp of brightness, one pixel a cell
	Tones                        // half-tones of four greys, one by two pixels a cell
	Halves                       // ▀ with two colours, one by two pixels a cell
	Quadrants                    // ▚ and its kin, two by two pixels and two colours a cell
)

func (m PictureMode) String() string {
	return [...]string{"words", "a brightness ramp", "half-tones", "half blocks", "a quadrant mosaic"}[m]
}

// ChoosePictures decides between the modes from VIEW.IMAGES (auto, blocks, ascii, words) and what colours the terminal
// has, and says why in words.
func ChoosePictures(want config.Images, profile colorprofile.Profile) (PictureMode, string) {
	switch {
	case want == config.ImagesWords:
		return Words, "VIEW.IMAGES = \"words\""
	case want == config.ImagesASCII:
		return ASCII, "VIEW.IMAGES = \"ascii\""
	case profile <= colorprofile.NoTTY:
		return Words, "this is no terminal that draws"
	case profile == colorprofile.ASCII:
		return ASCII, "the terminal shows no colours, or NO_COLOR is set"
	case profile == colorprofile.ANSI:
		return Tones, "the terminal has sixteen colours, of which four are grey"
	case profile == colorprofile.TrueColor:
		return Quadrants, "the terminal has 24-bit colours"
	}
	return Halves, "the terminal has few colours, and two in a cell must stay true"
}

// Raster is rows of RGB pixels, three bytes each.
type Raster struct {
	W, H int
	RGB  []byte
}

// Scale makes the raster w×h: the mean of what each new pixel covers, which when enlarging is the nearest pixel.
func (r Raster) Scale(w, h int) Raster {
	scaled := Raster{w, h, make([]byte, max(w*h, 0)*3)}
	if r.W == 0 || r.H == 0 {
		return scaled
	}
	for y := range h {
		y0, y1 := y*r.H/h, max((y+1)*r.H/h, y*r.H/h+1)
		for x := range w {
			x0, x1 := x*r.W/w, max((x+1)*r.W/w, x*r.W/w+1)
			var sum [3]int
			for yy := y0; yy < y1; yy++ {
				for i := (yy*r.W + x0) * 3; i < (yy*r.W+x1)*3; i += 3 {
					sum[0] += int(r.RGB[i])
					sum[1] += int(r.RGB[i+1])
					sum[2] += int(r.RGB[i+2])
				}
			}
			n := (y1 - y0) * (x1 - x0)
			for c, s := range sum {
				scaled.RGB[(y*w+x)*3+c] = byte((s + n/2) / n)
			}
		}
	}
	return scaled
}

func (r Raster) at(x, y int) color.RGBA {
	i := (y*r.W + x) * 3
	return color.RGBA{r.RGB[i], r.RGB[i+1], r.RGB[i+2], 255}
}

func (r Raster) set(x, y int, c color.RGBA) {
	if x >= 0 && y >= 0 && x < r.W && y < r.H {
		copy(r.RGB[(y*r.W+x)*3:], []byte{c.R, c.G, c.B})
	}
}

// Outline is a box drawn over a picture. Its sides are shares of the picture, 0 … 1.
type Outline struct {
	X0, Y0, X1, Y1 float64
	Colour         color.RGBA
	Label          string // at its upper left corner
}

// Picture is a picture ready to be drawn: characters of one size, made outside the draw and kept by who shows it.
type Picture struct {
	W, H  int // cells
	Lines []string
}

// PictureSize is the size in cells at which a picture of pw×ph pixels keeps its shape in at most w×h cells, cells being
// twice as high as wide.
func PictureSize(pw, ph, w, h int) (cols, rows int) {
	if pw <= 0 || ph <= 0 || w <= 0 || h <= 0 {
		return 0, 0
	}
	cols, rows = w, (w*ph+pw)/(2*pw)
	if rows > h {
		cols, rows = (h*2*pw+ph/2)/ph, h
	}
	return clampInt(cols, 1, w), clampInt(rows, 1, h)
}

// NewPicture draws a raster with its outlines in at most w×h cells, keeping its shape. In Words it is empty.
func NewPicture(mode PictureMode, r Raster, w, h int, outlines ...Outline) Picture {
	cols, rows := PictureSize(r.W, r.H, w, h)
	if mode == Words || cols == 0 {
		return Picture{}
	}
	var lines []string
	switch mode {
	case ASCII:
		lines = asciiLines(r.Scale(cols, rows), outlines)
	case Tones:
		lines = toneLines(r.Scale(cols, rows*2), outlines)
	case Halves:
		lines = halfLines(outlined(r.Scale(cols, rows*2), outlines))
	case Quadrants:
		lines = quadrantLines(outlined(r.Scale(cols*2, rows*2), outlines))
	}
	p := Picture{cols, rows, lines}
	for _, o := range outlines {
		p.label(mode, o)
	}
	return p
}

// View centres the picture in w×h cells.
func (p Picture) View(w, h int) string {
	lines := make([]string, 0, h)
	for range max((h-p.H)/2, 0) {
		lines = append(lines, "")
	}
	for _, line := range p.Lines {
		lines = append(lines, blanks((w-Width(line))/2)+line)
	}
	return Block(strings.Join(lines, "\n"), w, h)
}

func (p Picture) label(mode PictureMode, o Outline) {
	y := clampInt(int(o.Y0*float64(p.H)), 0, p.H-1)
	x := clampInt(int(o.X0*float64(p.W)), 0, p.W-1)
	text := Cut(Clean(o.Label), p.W-x)
	if text == "" {
		return
	}
	ink := color.RGBA{255, 255, 255, 255}
	if luminance(o.Colour) > 0.5 {
		ink = color.RGBA{0, 0, 0, 255}
	}
	style := colours(ink, o.Colour)
	if mode == Tones {
		style = basicColours(ansi.Black, Basic(o.Colour))
	}
	p.Lines[y] = Overlay(p.Lines[y], style+text+reset, x, 0)
}

// corners are the outline's pixels in a raster of w×h.
func (o Outline) corners(w, h int) (x0, y0, x1, y1 int) {
	at := func(share float64, n int) int { return clampInt(int(share*float64(n)), 0, n-1) }
	return at(o.X0, w), at(o.Y0, h), at(o.X1, w), at(o.Y1, h)
}

func outlined(r Raster, outlines []Outline) Raster {
	for _, o := range outlines {
		x0, y0, x1, y1 := o.corners(r.W, r.H)
		for x := x0; x <= x1; x++ {
			r.set(x, y0, o.Colour)
			r.set(x, y1, o.Colour)
		}
		for y := y0; y <= y1; y++ {
			r.set(x0, y, o.Colour)
			r.set(x1, y, o.Colour)
		}
	}
	return r
}

// asciiLines writes brightness as characters of growing ink, for light text on a dark ground, and outlines as lines.
func asciiLines(r Raster, outlines []Outline) []string {
	const ramp = " .:-=+*#%@"
	grid := make([][]rune, r.H)
	for y := range grid {
		grid[y] = make([]rune, r.W)
		for x := range grid[y] {
			grid[y][x] = rune(ramp[int(luminance(r.at(x, y))*float64(len(ramp)-1)+0.5)])
		}
	}
	for _, o := range outlines {
		x0, y0, x1, y1 := o.corners(r.W, r.H)
		for x := x0; x <= x1; x++ {
			grid[y0][x], grid[y1][x] = '─', '─'
		}
		for y := y0; y <= y1; y++ {
			grid[y][x0], grid[y][x1] = '│', '│'
		}
		grid[y0][x0], grid[y0][x1], grid[y1][x0], grid[y1][x1] = '┌', '┐', '└', '┘'
	}
	lines := make([]string, r.H)
	for y := range grid {
		lines[y] = string(grid[y])
	}
	return lines
}

func halfLines(r Raster) []string {
	lines := make([]string, r.H/2)
	for y := range lines {
		var b strings.Builder
		last := ""
		for x := range r.W {
			if c := colours(r.at(x, 2*y), r.at(x, 2*y+1)); c != last {
				b.WriteString(c)
				last = c
			}
			b.WriteRune('▀')
		}
		lines[y] = b.String() + reset
	}
	return lines
}

// quadrantGlyphs by which of upper left (1), upper right (2), lower left (4), lower right (8) have the text's colour.
var quadrantGlyphs = []rune(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█")

func quadrantLines(r Raster) []string {
	lines := make([]string, r.H/2)
	for y := range lines {
		var b strings.Builder
		last := ""
		for x := range r.W / 2 {
			pixels := [4]color.RGBA{r.at(2*x, 2*y), r.at(2*x+1, 2*y), r.at(2*x, 2*y+1), r.at(2*x+1, 2*y+1)}
			mask, ink, ground := twoColours(pixels)
			if c := colours(ink, ground); c != last {
				b.WriteString(c)
				last = c
			}
			b.WriteRune(quadrantGlyphs[mask])
		}
		lines[y] = b.String() + reset
	}
	return lines
}

// twoColours divides four pixels into two groups with the least squared distance to their means. The first pixel is
// always ground, because a glyph and its complement look the same.
func twoColours(pixels [4]color.RGBA) (mask int, ink, ground color.RGBA) {
	best := -1
	for m := 0; m < 16; m += 2 {
		in, out := mean(pixels, m), mean(pixels, 15^m)
		cost := 0
		for i, p := range pixels {
			if m>>i&1 == 1 {
				cost += distance(p, in)
			} else {
				cost += distance(p, out)
			}
		}
		if best < 0 || cost < best {
			best, mask, ink, ground = cost, m, in, out
		}
	}
	return mask, ink, ground
}

func mean(pixels [4]color.RGBA, mask int) color.RGBA {
	var r, g, b, n int
	for i, p := range pixels {
		if mask>>i&1 == 1 {
			r, g, b, n = r+int(p.R), g+int(p.G), b+int(p.B), n+1
		}
	}
	if n == 0 {
		return color.RGBA{A: 255}
	}
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 255}
}

func distance(p, q color.RGBA) int {
	r, g, b := int(p.R)-int(q.R), int(p.G)-int(q.G), int(p.B)-int(q.B)
	return r*r + g*g + b*b
}

const reset = "\x1b[m"

// colours is the escape sequence for 24-bit text and ground; the renderer turns it into what the terminal has.
func colours(ink, ground color.RGBA) string {
	return fmt.Sprintf("\x1b[38;2;%d;%d;%d;48;2;%d;%d;%dm", ink.R, ink.G, ink.B, ground.R, ground.G, ground.B)
}
