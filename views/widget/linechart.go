package widget

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"finetui/core/printable"
)

// Line is one series of a LineChart. X and Y have the same length; where X goes back a new line begins, as after a
// resumed run that repeats steps. Y may hold NaN and infinities: the line is broken there and the place marked ✗.
type Line struct {
	Name  string
	X, Y  []float64
	Faint bool   // raw values behind a smoothed line: drawn faintly, never over another line
	Glyph string // one cell, drawn at each point instead of a line: "◆" for evaluations
	Tone  Tone

	Read   string // what the legend says in place of the last value: the one at a cursor
	Letter string // it is known by elsewhere; then lines without one have none

	typical []float64 // values that stand for those of a thinned line; nil: Y
}

// LineChart draws series over one x axis in braille dots, two by four in a cell. Of a series with more points than dots
// each column shows the least, the largest and the last, so no spike is lost.
type LineChart struct {
	Lines      []Line
	LogY       bool // values ≤ 0 are marked ▼
	FromZero   bool // the y axis begins at 0
	YFrom, YTo float64
	// leave values out of the scale that are far outside both the middle
	// 95 % and three times the middle half; they are marked ▲ ▼
	IgnoreOutliers bool
	NamesOnly      bool                 // the legend leaves the last values out
	XFrom, XTo     float64              // what of the x axis is seen; both alike: all
	Cursor         *float64             // a place on the x axis that is marked; nil: none
	XName          string               // "step"
	XText          func(float64) string // writes x; nil: as a number
	YText          func(float64) string // writes y; nil: Number
}

// Smooth is the exponential moving average of TensorBoard: each value weighs 1−weight, and the start is corrected for
// the average's beginning at zero, ŷ = s / (1 − weightⁿ) (Kingma & Ba 2015, section 3). Values that are not finite
// stay as they are and do not count.
func Smooth(y []float64, weight float64) []float64 {
	smoothed := make([]float64, len(y))
	sum, debias := 0.0, 1.0
	for i, v := range y {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			smoothed[i] = v
			continue
		}
		sum = weight*sum + (1-weight)*v
		debias *= weight
		smoothed[i] = sum / (1 - debias)
	}
	return smoothed
}

// View draws legend, y axis with its values, lines, and x axis.
func (c LineChart) View(t *Theme, w, h int) string {
	if w < 12 || h < 3 {
		return Block("", w, h)
	}
	xs, ys, ok := c.ranges()
	if !ok && c.XTo > c.XFrom {
		return Block(t.Muted.Render("no values here; esc shows all"), w, h)
	}
	if !ok {
		return Block(t.Muted.Render("no values yet"), w, h)
	}
	legend := c.legend(t, w)
	rows := h - 1 - len(legend)
	if rows < 2 {
		legend, rows = nil, h-1
	}
	ticks := c.yTicks(ys, rows)
	texts := c.tickTexts(ticks)
	labelW := 0
	for _, text := range texts {
		labelW = max(labelW, Width(text))
	}
	labelW = min(labelW, w/3)
	plot := newCanvas(w-labelW-1, rows)
	for _, faint := range []bool{true, false} {
		for i, line := range c.Lines {
			if line.Faint == faint {
				c.draw(plot, line, c.letter(i), xs, ys)
			}
		}
	}
	if c.Cursor != nil {
		plot.rule(int(xs.share(*c.Cursor)*float64(plot.w*2-1)+0.5) / 2)
	}
	labels := make([]string, rows)
	for i, tick := range ticks {
		row := int(math.Round(float64(rows-1) * (1 - ys.share(tick))))
		labels[clampInt(row, 0, rows-1)] = texts[i]
	}
	lines := legend
	for row := range rows {
		edge := "│"
		if labels[row] != "" {
			edge = "┤"
		}
		lines = append(lines, t.Muted.Render(Right(labels[row], labelW)+edge)+plot.row(t, row))
	}
	lines = append(lines, t.Muted.Render(blanks(labelW+1)+c.xAxis(xs, w-labelW-1)))
	return Block(strings.Join(lines, "\n"), w, h)
}

// scale maps values to 0 … 1, by their logarithm if log.
type scale struct {
	from, to float64
	log      bool
}

func (s scale) share(v float64) float64 {
	if s.log {
		return (math.Log(v) - math.Log(s.from)) / (math.Log(s.to) - math.Log(s.from))
	}
	return (v - s.from) / (s.to - s.from)
}

func (c LineChart) ranges() (x, y scale, ok bool) {
	x, y = scale{math.Inf(1), math.Inf(-1), false}, scale{math.Inf(1), math.Inf(-1), c.LogY}
	n := 0 // values that have a place on the y axis
	for _, line := range c.Lines {
		for i := range min(len(line.X), len(line.Y)) {
			if v := line.X[i]; finite(v) {
				x.from, x.to = min(x.from, v), max(x.to, v)
			}
			if v := line.Y[i]; finite(v) && (!c.LogY || v > 0) {
				y.from, y.to = min(y.from, v), max(y.to, v)
				n++
			}
		}
	}
	if c.XTo > c.XFrom {
		x.from, x.to = c.XFrom, c.XTo
	}
	if math.IsInf(x.from, 0) || n == 0 {
		return x, y, false
	}
	if c.IgnoreOutliers && n >= 20 && c.YFrom == c.YTo {
		all := c.some((n + quantileValues - 1) / quantileValues)
		slices.Sort(all)
		low, high := all[len(all)/4], all[len(all)-1-len(all)/4]
		least := math.Min(all[len(all)/40], low-3*(high-low))
		most := math.Max(all[len(all)-1-len(all)/40], high+3*(high-low))
		y.from, y.to = math.Max(y.from, least), math.Min(y.to, most)
	}
	if c.FromZero && !c.LogY {
		y.from = math.Min(y.from, 0)
	}
	if c.YFrom != c.YTo {
		y.from, y.to = c.YFrom, c.YTo
	}
	if x.from == x.to && c.XText == nil { // a first step: the axis names whole steps alone
		x.from, x.to = x.from-1, x.to+1
	}
	return widened(x), widened(y), true
}

// quantileValues are enough to tell the quartiles of a line by.
const quantileValues = 2000

// some is every k-th of the values that have a place on the y axis.
func (c LineChart) some(every int) []float64 {
	some := make([]float64, 0, quantileValues)
	n := 0
	for _, line := range c.Lines {
		if line.typical != nil {
			for _, v := range line.typical {
				if finite(v) && !(c.LogY && v <= 0) {
					some = append(some, v)
				}
			}
			continue
		}
		for _, v := range line.Y[:min(len(line.X), len(line.Y))] {
			if !finite(v) || c.LogY && v <= 0 {
				continue
			}
			if n%every == 0 {
				some = append(some, v)
			}
			n++
		}
	}
	return some
}

// widened keeps a range that is a point, or one that a logarithm cannot take, from dividing by zero.
func widened(s scale) scale {
	if s.log && s.from <= 0 {
		s.from = math.Min(1e-6, s.to/10)
	}
	switch {
	case s.to > s.from:
	case s.log:
		s.from, s.to = s.from/2, s.to*2
	case s.from == 0:
		s.to = 1
	default:
		s.from, s.to = s.from-math.Abs(s.from)*0.1, s.to+math.Abs(s.to)*0.1
	}
	return s
}

// draw puts one line on the canvas, column by column of dots.
func (c LineChart) draw(plot *canvas, line Line, letter string, xs, ys scale) {
	var (
		column, first, least, most, last int
		open, joined                     bool
		fromX, fromY                     int
	)
	flush := func() {
		if !open {
			return
		}
		if joined {
			plot.line(fromX, fromY, column, first, line)
		}
		plot.line(column, least, column, most, line)
		fromX, fromY, open, joined = column, last, false, true
	}
	cut := func() { flush(); joined = false }
	for i := range min(len(line.X), len(line.Y)) {
		x, y := line.X[i], line.Y[i]
		if !finite(x) {
			cut()
			continue
		}
		at := int(xs.share(x)*float64(plot.w*2-1) + 0.5)
		if !finite(y) {
			cut()
			plot.glyph(at/2, 0, '✗', Warning)
			continue
		}
		if i > 0 && x < line.X[i-1] {
			cut()
		}
		level := ys.share(y)
		switch {
		case level > 1+1e-9:
			plot.glyph(at/2, 0, '▲', Warning)
		case math.IsNaN(level) || level < -1e-9:
			plot.glyph(at/2, plot.h-1, '▼', Warning)
			if math.IsNaN(level) {
				level = 0
			}
		}
		dot := int((1-clamp(level, 0, 1))*float64(plot.h*4-1) + 0.5)
		if line.Glyph != "" {
			glyph, _ := utf8.DecodeRuneInString(line.Glyph)
			plot.glyph(at/2, dot/4, glyph, line.Tone)
			continue
		}
		if open && at != column {
			flush()
		}
		if !open {
			column, first, least, most, open = at, dot, dot, dot, true
		}
		least, most, last = min(least, dot), max(most, dot), dot
	}
	flush()
	if letter != "" && joined {
		plot.glyph(min(fromX/2+1, plot.w-1), fromY/4, rune(letter[0]), line.Tone)
	}
}

// letter tells lines apart where there are several, without colour.
func (c LineChart) letter(i int) string {
	if c.Lines[i].Letter != "" || slices.ContainsFunc(c.Lines, func(l Line) bool { return l.Letter != "" }) {
		return c.Lines[i].Letter
	}
	if n := c.named(); n < 2 || c.Lines[i].Faint || c.Lines[i].Glyph != "" || c.Lines[i].Name == "" {
		return ""
	}
	k := 0
	for _, line := range c.Lines[:i] {
		if !line.Faint && line.Glyph == "" && line.Name != "" {
			k++
		}
	}
	return string(rune('A' + k%26))
}

func (c LineChart) named() (n int) {
	for _, line := range c.Lines {
		if !line.Faint && line.Glyph == "" && line.Name != "" {
			n++
		}
	}
	return n
}

// legend is one line: the named series with their last values. Where it is too long the faint ones give way, then the
// values.
func (c LineChart) legend(t *Theme, w int) []string {
	var parts, strong, names []string
	for i, line := range c.Lines {
		if line.Name == "" || len(line.Y) == 0 {
			continue
		}
		sign := c.letter(i)
		switch {
		case line.Glyph != "":
			sign = line.Glyph
		case line.Faint:
			sign = "┈"
		case sign == "":
			sign = "━"
		}
		style := t.Tone(line.Tone)
		if line.Faint {
			style = t.Muted
		}
		name := style.Render(sign + " " + Clean(line.Name))
		parts = append(parts, name)
		if !c.NamesOnly {
			value := line.Read
			if value == "" {
				value = c.yText(line.Y[len(line.Y)-1])
			}
			parts[len(parts)-1] += " " + value
		}
		if !line.Faint {
			strong, names = append(strong, parts[len(parts)-1]), append(names, name)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	text := strings.Join(parts, "   ")
	for _, shorter := range [][]string{strong, names} {
		if Width(text) > w && len(shorter) > 0 {
			text = strings.Join(shorter, "   ")
		}
	}
	return []string{Cut(text, w)}
}

func (c LineChart) yText(v float64) string {
	if c.YText != nil {
		return c.YText(v)
	}
	if math.Abs(v) < 1e-12 {
		return "0"
	}
	return Number(v)
}

func (c LineChart) xText(v float64) string {
	if c.XText != nil {
		return c.XText(v)
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return Count(int(v))
	}
	return Number(v)
}

// yTicks are round values, about one for four lines.
func (c LineChart) yTicks(y scale, rows int) []float64 {
	if y.log {
		var ticks []float64
		for e := math.Floor(math.Log10(y.from)); e <= math.Ceil(math.Log10(y.to)); e++ {
			for _, m := range []float64{1, 2, 5} {
				if v := m * math.Pow(10, e); v >= y.from && v <= y.to {
					ticks = append(ticks, v)
				}
			}
		}
		if most := max(rows/2, 2); len(ticks) > most {
			every := (len(ticks) + most - 1) / most
			for i := range ticks {
				if i%every == 0 {
					ticks[i/every] = ticks[i]
				}
			}
			ticks = ticks[:(len(ticks)+every-1)/every]
		}
		if len(ticks) < 2 {
			ticks = []float64{y.from, y.to}
		}
		return ticks
	}
	return printable.Ticks(y.from, y.to, max(rows/3, 2))
}

// tickTexts writes ticks with as many decimals as their distance needs, all with the same.
func (c LineChart) tickTexts(ticks []float64) []string {
	texts := make([]string, len(ticks))
	decimals := -1
	if c.YText == nil && !c.LogY && len(ticks) > 1 {
		if step := ticks[1] - ticks[0]; step > 1e-4 && step < 1e6 {
			decimals = max(-int(math.Floor(math.Log10(step)+1e-9)), 0)
		}
	}
	for i, tick := range ticks {
		if texts[i] = c.yText(tick); decimals >= 0 {
			texts[i] = formatFixed(tick, decimals)
		}
	}
	return texts
}

// xAxis is the two ends, and round values between them where they fit.
func (c LineChart) xAxis(x scale, w int) string {
	end := c.xText(x.to)
	if c.XName != "" {
		end = c.XName + " " + end
	}
	line := []rune(Ends(c.xText(x.from), end, w))
	if Width(string(line)) != len(line) {
		return string(line) // wide characters: cells are not runes
	}
	for _, tick := range printable.Ticks(x.from, x.to, max(w/20, 1)) {
		text := []rune(c.xText(tick))
		at := int(math.Round(x.share(tick)*float64(w-1))) - len(text)/2
		if at < 1 || at+len(text)+1 > len(line) || strings.TrimSpace(string(line[at-1:at+len(text)+1])) != "" {
			continue
		}
		copy(line[at:], text)
	}
	return string(line)
}

// finite says whether a number is neither infinite nor none: then alone v − v is 0.
func finite(v float64) bool { return v-v == 0 }

func clampInt(v, low, high int) int { return max(low, min(high, v)) }
