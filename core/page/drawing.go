package page

import (
	"fmt"
	"html"
	"math"
	"strings"

	"finetui/core/printable"
)

// Drawing is a picture of figures.
type Drawing interface {
	// words are its title, what it shows and how it is read, and what it shows in text ("": tables say it).
	words() (title, caption, text string)
	draw(s *svg) // fills the drawing and says how high it is
}

// Words are what a drawing says beside what it draws.
type Words struct {
	Title   string
	Caption string // what it shows, and how it is read
	Text    string // what it shows, drawn in letters, for Markdown; empty: nothing
}

func (w Words) words() (title, caption, text string) { return w.Title, w.Caption, w.Text }

type figure struct {
	Drawing
	id string
}

func (f *figure) markdown(b *strings.Builder) {
	title, caption, text := f.words()
	fmt.Fprintf(b, "**%s.** %s\n", marked(title), marked(caption))
	if text != "" {
		b.WriteByte('\n')
		plain(text).markdown(b)
	}
}

func (f *figure) html(b *strings.Builder) {
	title, caption, _ := f.words()
	s := &svg{}
	f.draw(s)
	fmt.Fprintf(b, "<figure>\n<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-labelledby=\"%[3]s-t %[3]s-d\">\n"+
		"<title id=\"%[3]s-t\">%[4]s</title><desc id=\"%[3]s-d\">%[5]s</desc>\n%[6]s</svg>\n"+
		"<figcaption><strong>%[4]s.</strong> %[7]s</figcaption>\n</figure>\n", width, s.height, f.id, plainText(title),
		plainText(caption), s.String(), escaped(caption))
}

func plainText(text string) string { return html.EscapeString(printable.Line(text)) }

// width is that of all drawings, in their own units.
const width = 760

// svg is a drawing under way.
type svg struct {
	strings.Builder
	height float64
}

func (s *svg) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(s, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", class, x1, y1, x2, y2)
}

func (s *svg) text(class string, x, y float64, text string) {
	fmt.Fprintf(s, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, plainText(text))
}

func (s *svg) rect(class string, x, y, w, h float64, more string) {
	fmt.Fprintf(s, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"%s/>\n", class, x, y, w, h,
		more)
}

// marker is the shape of a series: circle, square, triangle, diamond, cross.
func (s *svg) marker(series int, x, y float64) {
	class := seriesClass(series)
	switch series % seriesKinds {
	case 0:
		fmt.Fprintf(s, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", class, x, y)
	case 1:
		s.rect(class, x-3.6, y-3.6, 7.2, 7.2, "")
	case 2:
		fmt.Fprintf(s, "<path class=\"%s\" d=\"M%.1f %.1fl4.6 8h-9.2z\"/>\n", class, x, y-4.6)
	case 3:
		fmt.Fprintf(s, "<path class=\"%s\" d=\"M%.1f %.1fl5 5l-5 5l-5 -5z\"/>\n", class, x, y-5)
	default:
		fmt.Fprintf(s, "<path class=\"%s\" stroke-width=\"2.4\" d=\"M%.1f %.1fl7 7m0 -7l-7 7\"/>\n", class, x-3.5, y-3.5)
	}
}

const seriesKinds = 5

func seriesClass(series int) string { return fmt.Sprintf("s%d", series%seriesKinds) }

var dashes = [seriesKinds]string{"", "6 3", "2 3", "9 3 2 3", "1 3"}

// legend names the series in a row, each with its mark.
func (s *svg) legend(y float64, names []string, mark func(series int, x, y float64)) {
	x := 12.0
	for i, name := range names {
		mark(i, x, y)
		s.text("", x+14, y+4, name)
		x += 34 + 7*float64(len([]rune(name)))
	}
}

// scale maps values to places along an axis.
type scale struct {
	low, high float64
	from, to  float64
	log       bool
}

func (a scale) at(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return a.from + (v-low)/(high-low)*(a.to-a.from)
}

// ticks are round values along the axis, about n of them.
func (a scale) ticks(n int) (list []float64) {
	if a.log {
		for e := math.Ceil(math.Log10(a.low) - 1e-9); e <= math.Log10(a.high)+1e-9; e++ {
			list = append(list, math.Pow(10, e))
		}
		return list
	}
	return printable.Ticks(a.low, a.high, n)
}

// number is a tick's label.
func number(v float64) string {
	return fmt.Sprintf("%g", math.Round(v*1e6)/1e6+0) // not −0
}
