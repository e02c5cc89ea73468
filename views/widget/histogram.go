package widget

import (
	"math"
	"strings"
)

// Band is a named stretch of a histogram's axis: Top, Middle, Bottom.
type Band struct {
	Name     string
	From, To float64
}

// Mark is a remark at one place of an axis: "mean 0.66".
type Mark struct {
	At   float64
	Text string
}

// Histogram counts what lies where between From and To.
type Histogram struct {
	Counts   []float64
	From, To float64
	Max      float64 // count of a full bar, so that several share one scale; 0: the largest of what is drawn
	Bands    []Band
	Marks    []Mark
}

// Down draws the axis from top to bottom, as heights in a picture lie, and the counts to the right. Bins are joined
// where there are more of them than lines.
func (g Histogram) Down(t *Theme, w, h int) string {
	if h <= 0 || w <= 0 || len(g.Counts) == 0 {
		return Block("", w, h)
	}
	bins := g.binned(min(h, len(g.Counts)))
	spread := h / len(bins) // lines of one bin
	longest := g.longest(bins)
	bandW := 0
	for _, band := range g.Bands {
		bandW = max(bandW, Width(band.Name))
	}
	axisW := 4
	for i := range 5 {
		axisW = max(axisW, Width(Number1(g.From+(g.To-g.From)*float64(i)/4))+2)
	}
	barW := w - axisW
	if bandW > 0 && barW-bandW-1 >= 8 {
		barW -= bandW + 1
	} else {
		bandW = 0
	}
	if barW < 2 {
		return Block("", w, h)
	}
	fullW := barW // of the longest bar; notes have a place behind it
	for _, mark := range g.Marks {
		if noteW := Width(Clean(mark.Text)) + 3; barW-noteW >= 8 {
			fullW = min(fullW, barW-noteW)
		}
	}
	lines := make([]string, len(bins)*spread)
	step := (g.To - g.From) / float64(len(lines))
	for i := range lines {
		from := g.From + step*float64(i)
		label := ""
		if at, ok := g.tick(from, step); ok {
			label = Number1(at)
		}
		bar := Block8(bins[i/spread]/longest, fullW)
		line := t.Muted.Render(Right(label, axisW-2)+" ▏") + t.Bar.Render(bar)
		if note := g.marked(from, step); note != "" {
			if room := barW - Width(bar); room >= 8 {
				line += t.Accent.Render(Cut(" ← "+note, room))
			}
		}
		line = Left(line, axisW+barW)
		if bandW > 0 {
			line += " " + g.bandAt(t, from, step, bandW)
		}
		lines[i] = line
	}
	return Block(strings.Join(lines, "\n"), w, h)
}

// Upright draws the axis from left to right and the counts upwards, with the largest count and the ends of the axis
// written.
func (g Histogram) Upright(t *Theme, w, h int) string {
	if h < 2 || w < 8 || len(g.Counts) == 0 {
		return Block("", w, h)
	}
	n, each := g.columns(w - 1)
	bins := g.binned(n)
	longest := g.longest(bins)
	top := Number1(longest)
	rows := h - 1
	lines := make([]string, 0, h)
	for row := range rows {
		var b strings.Builder
		for _, count := range bins {
			eighths := int(clamp(count/longest, 0, 1)*float64(rows)*8 + 0.5)
			if count > 0 {
				eighths = max(eighths, 1)
			}
			full := clamp(float64(eighths-8*(rows-1-row)), 0, 8)
			glyph := string([]rune(" ▁▂▃▄▅▆▇█")[int(full)])
			b.WriteString(strings.Repeat(glyph, each))
		}
		line := t.Bar.Render(b.String())
		if row == 0 && len(bins)*each+2+Width(top) <= w {
			line += t.Muted.Render("  " + top)
		}
		lines = append(lines, line)
	}
	lines = append(lines, t.Muted.Render(Ends(Number1(g.From), Number1(g.To), min(len(bins)*each, w))))
	return Block(strings.Join(lines, "\n"), w, h)
}

// columns are how many bars fill most of w cells, and how many cells each is wide: all alike, so bins are joined where
// one cell for each would leave much of a wide panel empty.
func (g Histogram) columns(w int) (n, each int) {
	most := min(w, len(g.Counts))
	for n = most; n > 1; n-- {
		if each = w / n; 4*n*each >= 3*w && (n == most || len(g.Counts)%n == 0) {
			return n, each
		}
	}
	return most, w / most
}

// binned joins neighbouring bins until there are at most n of them.
func (g Histogram) binned(n int) []float64 {
	bins := make([]float64, n)
	for i, count := range g.Counts {
		bins[i*n/len(g.Counts)] += count
	}
	return bins
}

func (g Histogram) longest(bins []float64) float64 {
	longest := 0.0
	for _, count := range bins {
		longest = math.Max(longest, count)
	}
	if g.Max > 0 { // given for a bin as it came; a joined one counts for several
		longest = g.Max * math.Ceil(float64(len(g.Counts))/float64(len(bins)))
	}
	if longest == 0 {
		longest = 1
	}
	return longest
}

// tick is the first quarter of the axis, if any, that lies in the line from from.
func (g Histogram) tick(from, step float64) (float64, bool) {
	for i := range 5 {
		at := g.From + (g.To-g.From)*float64(i)/4
		last := i == 4 && from+step >= g.To-step/1e6
		if at >= from-step/1e6 && at < from+step-step/1e6 || last {
			return at, true
		}
	}
	return 0, false
}

func (g Histogram) marked(from, step float64) string {
	var notes []string
	for _, mark := range g.Marks {
		if mark.At >= from && (mark.At < from+step || mark.At == g.To && from+step >= g.To) {
			notes = append(notes, Clean(mark.Text))
		}
	}
	return strings.Join(notes, ", ")
}

// bandAt is the rule at the right of the bars: a band's first line carries its name.
func (g Histogram) bandAt(t *Theme, from, step float64, w int) string {
	middle := from + step/2
	for _, band := range g.Bands {
		if middle < band.From || middle >= band.To {
			continue
		}
		if middle-step < band.From {
			return t.Strong.Render(Left(band.Name, w))
		}
		return t.Muted.Render(Left("│", w))
	}
	return blanks(w)
}

// Number1 writes an axis value as short as it can be: 0, 0.25, 12.5, 400.
func Number1(v float64) string {
	s := strings.TrimRight(strings.TrimRight(formatFixed(v, 3), "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}
