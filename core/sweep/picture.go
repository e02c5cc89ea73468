package sweep

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/image/vector"

	"finetui/core/eval"
	"finetui/core/media"
	"finetui/core/printable"
)

// The measures of a sweep's picture, in pixels.
const (
	pictureWidth  = 1200
	pictureMargin = 40
	textLine      = 24
	tableRow      = 28
	forestRow     = 34
)

var (
	ground  = color.RGBA{255, 255, 255, 255}
	ink     = color.RGBA{28, 32, 38, 255}
	faint   = color.RGBA{102, 110, 120, 255}
	rule    = color.RGBA{218, 222, 228, 255}
	gaining = color.RGBA{0, 114, 102, 255} // told apart by more than their colour: a claim's mark is filled
	losing  = color.RGBA{190, 72, 12, 255}
)

// letters are the fonts of a picture.
var letters = sync.OnceValue(func() (f struct{ title, strong, text, small *media.Lettering }) {
	f.title, f.strong = media.NewLettering(26, true), media.NewLettering(16, true)
	f.text, f.small = media.NewLettering(16, false), media.NewLettering(13, false)
	return f
})

// sheet is a picture that grows downwards.
type sheet struct {
	img *image.NRGBA
	y   int
}

// Picture draws a sweep for a paper or a slide: its table, its forest plot with the intervals, and what may be said.
func (s *Sweep) Picture(st Status, c *eval.RecipeComparison) image.Image {
	f := letters()
	p := &sheet{img: image.NewNRGBA(image.Rect(0, 0, pictureWidth, 0))}
	p.space(pictureMargin)
	p.line(f.title, "Sweep "+s.Plan.Name, ink, 40)
	p.text(f.text, strings.TrimPrefix(s.Title(st), s.Plan.Name+": "), faint)
	for _, a := range s.Plan.Axes {
		p.text(f.small, a.Key+": "+strings.Join(a.Values, ", "), faint)
	}
	p.space(16)
	p.table(s.Table(st, c), len(s.Plan.Seeds))
	p.space(24)
	if c == nil {
		p.text(f.text, "Nothing can be compared before two variants have a scored seed.", faint)
	} else {
		p.forest(c)
		p.space(20)
		for _, sentence := range c.Sentences {
			p.text(f.text, sentence, ink)
		}
		p.space(8)
		p.text(f.small, "Intervals of 95 % and p: "+c.Method+".", faint)
	}
	p.space(pictureMargin - 8)
	return p.img
}

// PNG is Picture as a file's bytes.
func (s *Sweep) PNG(st Status, c *eval.RecipeComparison) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, s.Picture(st, c))
	return b.Bytes(), err
}

// space makes the picture h pixels longer.
func (p *sheet) space(h int) {
	longer := image.NewNRGBA(image.Rect(0, 0, pictureWidth, p.y+h))
	draw.Draw(longer, longer.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	draw.Draw(longer, p.img.Bounds(), p.img, image.Point{}, draw.Src)
	p.img, p.y = longer, p.y+h
}

// line sets one line.
func (p *sheet) line(l *media.Lettering, text string, ink color.Color, h int) {
	y := p.y
	p.space(h)
	l.Write(p.img, pictureMargin, y, pictureWidth-2*pictureMargin, printable.Line(text), ink)
}

// text sets a text in as many lines as it takes.
func (p *sheet) text(l *media.Lettering, text string, ink color.Color) {
	line := ""
	for _, word := range strings.Fields(printable.Line(text)) {
		if line != "" && l.Width(line+" "+word) > pictureWidth-2*pictureMargin {
			p.line(l, line, ink, textLine)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	p.line(l, line, ink, textLine)
}

func (p *sheet) fill(x, y, w, h int, c color.Color) {
	draw.Draw(p.img, image.Rect(x, y, x+w, y+h), image.NewUniform(c), image.Point{}, draw.Src)
}

// right sets a text that ends at x.
func (p *sheet) right(l *media.Lettering, x, y int, text string, ink color.Color) {
	w := l.Width(text)
	l.Write(p.img, x-w, y, w, text, ink)
}

// table draws the rows, the first of which is their heading. Where the seeds have no room, they are left out: mean and
// spread stand for them.
func (p *sheet) table(rows [][]string, seeds int) {
	f := letters()
	widths := make([]int, len(rows[0]))
	for k, row := range rows {
		for i := range row {
			l := f.text
			if row[i] = printable.Line(row[i]); k == 0 || i == 0 {
				l = f.strong
			}
			widths[i] = max(widths[i], l.Width(row[i])+28)
		}
	}
	total := 0
	for _, w := range widths {
		total += w
	}
	first, room := 1, pictureWidth-2*pictureMargin
	if total > room && seeds > 1 {
		first = 1 + seeds
	}
	for _, w := range widths[first:] {
		room -= w
	}
	room = min(room, widths[0]) // of the names
	for k, row := range rows {
		l, tone, y := f.text, ink, p.y
		if k == 0 {
			l, tone = f.strong, faint
		}
		p.space(tableRow)
		f.strong.Write(p.img, pictureMargin, y+4, room-14, row[0], tone)
		x := pictureMargin + room
		for i := first; i < len(row); i++ {
			x += widths[i]
			p.right(l, x-14, y+4, row[i], tone)
		}
		p.fill(pictureMargin, y+tableRow-1, x-pictureMargin, 1, rule)
	}
	if first > 1 {
		p.line(f.small, fmt.Sprintf("%d seeds each", seeds), faint, textLine)
	}
}

// forest draws the difference of each variant from the first, with its interval, over one axis.
func (p *sheet) forest(c *eval.RecipeComparison) {
	f := letters()
	p.line(f.strong, "Macro-F1 against "+c.Variants[0].Name+", in points, with intervals of 95 %", ink, 36)
	names, values := 0, 0
	for _, d := range c.Differences {
		names, values = max(names, f.text.Width(printable.Line(d.Name))), max(values, f.text.Width(d.Points()))
	}
	low, high := c.Span()
	names = min(names, 320)
	left, right := pictureMargin+names+24, pictureWidth-pictureMargin-values-24
	margin := .04 * (high - low)
	low, high = low-margin, high+margin
	at := func(v float64) float64 { return float64(left) + (v-low)/(high-low)*float64(right-left) }
	top := p.y
	p.space(forestRow*len(c.Differences) + 34)
	bottom := p.y - 34
	for _, points := range printable.Ticks(100*low, 100*high, 7) {
		x := int(math.Round(at(points / 100)))
		p.fill(x, top, 1, bottom-top, rule)
		text := strconv.FormatFloat(points, 'g', 6, 64)
		if points > 0 {
			text = "+" + text
		}
		f.small.Write(p.img, x-f.small.Width(text)/2, bottom+8, 200, text, faint)
	}
	p.fill(int(math.Round(at(0))), top, 2, bottom-top, faint)
	for k, d := range c.Differences {
		y := top + k*forestRow
		middle, tone := y+forestRow/2, faint
		told := d.PHolm < eval.Told && c.SeedDF > 0
		switch {
		case told && d.MacroF1.Difference > 0:
			tone = gaining
		case told:
			tone = losing
		}
		f.text.Write(p.img, pictureMargin, middle-11, names, printable.Line(d.Name), ink)
		f.text.Write(p.img, right+24, middle-11, values, d.Points(), ink)
		if i := d.MacroF1.Interval; i != nil {
			a, b := int(math.Round(at(i[0]))), int(math.Round(at(i[1])))
			p.fill(a, middle-1, b-a+1, 3, tone)
			p.fill(a-1, middle-6, 3, 13, tone)
			p.fill(b-1, middle-6, 3, 13, tone)
		}
		p.disc(at(d.MacroF1.Difference), float64(middle)+.5, 7, tone)
		if !told {
			p.disc(at(d.MacroF1.Difference), float64(middle)+.5, 4.2, ground)
		}
	}
	p.line(f.small, "Filled: told apart (p < 0.05, Holm). Hollow: within chance.", faint, textLine)
}

// disc draws a filled circle.
func (p *sheet) disc(x, y, r float64, c color.Color) {
	const turn = 0.5523 // of a quarter of a circle drawn as a cubic curve
	z := vector.NewRasterizer(p.img.Bounds().Dx(), p.img.Bounds().Dy())
	at := func(dx, dy float64) (float32, float32) { return float32(x + r*dx), float32(y + r*dy) }
	z.MoveTo(at(1, 0))
	for _, q := range [][3][2]float64{
		{{1, turn}, {turn, 1}, {0, 1}}, {{-turn, 1}, {-1, turn}, {-1, 0}},
		{{-1, -turn}, {-turn, -1}, {0, -1}}, {{turn, -1}, {1, -turn}, {1, 0}},
	} {
		ax, ay := at(q[0][0], q[0][1])
		bx, by := at(q[1][0], q[1][1])
		cx, cy := at(q[2][0], q[2][1])
		z.CubeTo(ax, ay, bx, by, cx, cy)
	}
	z.ClosePath()
	z.Draw(p.img, p.img.Bounds(), image.NewUniform(c), image.Point{})
}
