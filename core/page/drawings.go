package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Forest shows differences from a reference with their intervals.
type Forest struct {
	Words
	Reference string // what is compared with
	Unit      string
	Rows      []Difference
}

// Difference is a row of a Forest. Low and High may be NaN: no interval.
type Difference struct {
	Name, Note       string
	Value, Low, High float64
}

func (f Forest) draw(s *svg) {
	const left, right, row, top = 150, 215, 34, 26
	low, high := 0.0, 0.0
	for _, r := range f.Rows {
		for _, v := range []float64{r.Value, r.Low, r.High} {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low == high {
		low, high = -1, 1
	}
	pad := .06 * (high - low)
	x := scale{low: low - pad, high: high + pad, from: left, to: width - right}
	bottom := float64(top + row*len(f.Rows))
	for _, t := range x.ticks(6) {
		s.line("grid", x.at(t), top-6, x.at(t), bottom)
		s.text("soft small mid", x.at(t), bottom+15, signed(t))
	}
	s.line("axis", x.at(0), top-6, x.at(0), bottom)
	s.text("soft small mid", x.at(0), 12, "as "+f.Reference)
	s.text("soft small mid", (x.from+x.to)/2, bottom+32, f.Unit)
	for i, r := range f.Rows {
		y := top + row*(float64(i)+.5)
		class := seriesClass(i + 1)
		if !math.IsNaN(r.Low) && !math.IsNaN(r.High) {
			s.line(class+" range", x.at(r.Low), y, x.at(r.High), y)
			s.line(class+" range", x.at(r.Low), y-4, x.at(r.Low), y+4)
			s.line(class+" range", x.at(r.High), y-4, x.at(r.High), y+4)
		}
		s.marker(i+1, x.at(r.Value), y)
		s.text("bold end", left-14, y+4, r.Name)
		s.text("small", width-right+14, y+4, r.Note)
	}
	s.height = bottom + 40
}

func signed(v float64) string {
	if v > 0 {
		return "+" + number(v)
	}
	return strings.Replace(number(v), "-", "−", 1)
}

// Dots shows shares of groups, one row a group, for several series: the mean as a mark, the spread over its values as a
// line.
type Dots struct {
	Words
	Unit   string
	Groups []string
	Series []DotSeries
}

// DotSeries has several values for each group, in percent.
type DotSeries struct {
	Name   string
	Values [][]float64
}

func (d Dots) draw(s *svg) {
	const left, right, line, top = 190, 20, 11, 40
	low := 100.0
	for _, series := range d.Series {
		for _, values := range series.Values {
			for _, v := range values {
				low = min(low, v)
			}
		}
	}
	x := scale{low: min(90, math.Floor(low/10)*10), high: 100, from: left, to: width - right}
	names := make([]string, len(d.Series))
	for i, series := range d.Series {
		names[i] = series.Name
	}
	s.legend(14, names, s.marker)
	row := float64(line*len(d.Series) + 9)
	bottom := top + row*float64(len(d.Groups))
	for _, t := range x.ticks(8) {
		s.line("grid", x.at(t), top, x.at(t), bottom)
		s.text("soft small mid", x.at(t), bottom+15, number(t))
	}
	for g, name := range d.Groups {
		y := top + row*float64(g)
		s.line("grid", 0, y, width-right, y)
		s.text("end", left-14, y+row/2+4, name)
		for i, series := range d.Series {
			values := series.Values[g]
			if len(values) == 0 {
				continue
			}
			at, mean := y+4.5+line*(float64(i)+.5), 0.0
			for _, v := range values {
				mean += v / float64(len(values))
			}
			s.line(seriesClass(i)+" range", x.at(slices.Min(values)), at, x.at(slices.Max(values)), at)
			s.marker(i, x.at(mean), at)
		}
	}
	s.line("axis", left, bottom, width-right, bottom)
	s.text("soft small mid", (x.from+x.to)/2, bottom+32, d.Unit)
	s.height = bottom + 40
}

// Grid shows counts of a table, each row's shares as shades.
type Grid struct {
	Words
	Across, Down string // what columns and rows are
	Rows         []string
	Columns      []string // of them the first are the rows' own
	Counts       [][]int
}

func (g Grid) draw(s *svg) {
	const left, top, high = 190, 34, 26
	wide := float64(width-left-10) / float64(max(1, len(g.Columns)))
	s.text("soft small", left, 12, g.Across)
	s.text("soft small end", left-14, 12, g.Down)
	for c, name := range g.Columns {
		if c < len(g.Rows) {
			name = fmt.Sprint(c + 1)
		}
		s.text("small mid", left+wide*(float64(c)+.5), top-6, name)
	}
	for r, row := range g.Counts {
		y, sum := top+high*float64(r), 0
		for _, n := range row {
			sum += n
		}
		s.text("end", left-14, y+17, fmt.Sprintf("%s  %d", g.Rows[r], r+1))
		for c, n := range row {
			x, share := left+wide*float64(c), float64(n)/float64(max(1, sum))
			if n > 0 {
				s.rect("cell", x, y, wide, high, fmt.Sprintf(" fill-opacity=\"%.2f\"", .1+.9*share))
			}
			s.rect("frame", x, y, wide, high, "")
			class := "small mid"
			switch {
			case n == 0:
				class += " soft"
			case share > .5:
				class += " onheat"
			}
			s.text(class, x+wide/2, y+17, fmt.Sprint(n))
		}
	}
	s.height = top + high*float64(len(g.Counts)) + 8
}

// Lines shows values over steps, for several series of runs.
type Lines struct {
	Words
	X, Y   string // what the axes are
	Log    bool   // y by powers of ten
	Series []LineSeries
}

// LineSeries are runs of one kind.
type LineSeries struct {
	Name string
	Runs [][]Point
}

// Point is a place of a curve.
type Point struct{ X, Y float64 }

func (l Lines) draw(s *svg) {
	const left, right, top, high = 64, 16, 34, 230
	x := scale{low: math.Inf(1), high: math.Inf(-1), from: left, to: width - right}
	y := scale{low: math.Inf(1), high: math.Inf(-1), from: top + high, to: top, log: l.Log}
	usable := func(p Point) bool {
		return !math.IsNaN(p.Y) && !math.IsInf(p.Y, 0) && (p.Y > 0 || !l.Log)
	}
	names := make([]string, len(l.Series))
	for i, series := range l.Series {
		names[i] = series.Name
		for _, run := range series.Runs {
			for _, p := range run {
				if usable(p) {
					x.low, x.high = min(x.low, p.X), max(x.high, p.X)
					y.low, y.high = min(y.low, p.Y), max(y.high, p.Y)
				}
			}
		}
	}
	s.height = top + high + 40
	if !(x.high > x.low && y.high > y.low) {
		s.text("soft", left, top+high/2, "nothing was measured more than once")
		return
	}
	s.legend(14, names, func(series int, x, y float64) {
		s.path(series, []float64{x - 6, x + 10}, []float64{y, y})
	})
	for _, t := range y.ticks(5) {
		s.line("grid", left, y.at(t), width-right, y.at(t))
		s.text("soft small end", left-8, y.at(t)+4, number(t))
	}
	for _, t := range x.ticks(8) {
		s.text("soft small mid", x.at(t), top+high+16, number(t))
	}
	s.line("axis", left, top+high, width-right, top+high)
	s.text("soft small mid", (x.from+x.to)/2, top+high+32, l.X)
	fmt.Fprintf(s, "<text class=\"soft small mid\" transform=\"translate(14 %d) rotate(-90)\">%s</text>\n", top+high/2,
		plainText(l.Y))
	for i, series := range l.Series {
		for _, run := range series.Runs {
			var xs, ys []float64
			for _, p := range run {
				if usable(p) {
					xs, ys = append(xs, x.at(p.X)), append(ys, y.at(p.Y))
				}
			}
			s.path(i, xs, ys)
		}
	}
}

// path is the curve of a series.
func (s *svg) path(series int, xs, ys []float64) {
	if len(xs) == 0 {
		return
	}
	fmt.Fprintf(s, "<path class=\"curve %s\" style=\"fill:none\" stroke-dasharray=\"%s\" d=\"M", seriesClass(series),
		dashes[series%seriesKinds])
	for i := range xs {
		if i > 0 {
			s.WriteByte('L')
		}
		fmt.Fprintf(s, "%.1f %.1f", xs[i], ys[i])
	}
	s.WriteString("\"/>\n")
}
