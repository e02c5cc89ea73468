package train

import (
	"math"
	"slices"
	"sort"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// xWindow is which part of the x axis curves show, and the place on it at which they are read. The zero value shows all
// and reads the newest values.
type xWindow struct {
	from, to float64 // from == to: all
	pointed  bool    // at cursor the curves are read
	cursor   float64
}

func (x *xWindow) zoomed() bool { return x.to > x.from }

// leave takes off the cursor, then the zoom, and says whether there was one.
func (x *xWindow) leave() bool {
	switch {
	case x.pointed:
		x.pointed = false
	case x.zoomed():
		x.from, x.to = 0, 0
	default:
		return false
	}
	return true
}

// least is how many rows a zoom leaves.
const least = 4

// places are where the rows of the selected run stand on the axis, checks among them, in order; nil: there are none.
func (p *shared) places() []float64 {
	r := p.current()
	if r == nil {
		return nil
	}
	x := p.plot.raw(r, r.loss(true)).x
	if len(x) == 0 {
		x = r.checksLine(p.plot.x, checkedLoss).X
	}
	if !slices.IsSorted(x) {
		x = slices.Sorted(slices.Values(x))
	}
	return x
}

// seen is the part of the axis that is shown.
func (p *shared) seen(places []float64) (from, to float64) {
	if x := &p.plot.window; x.zoomed() {
		return x.from, x.to
	}
	return places[0], places[len(places)-1]
}

// zoomX shows a part of the axis that is times as long, around the cursor or the middle of what is seen.
func (p *shared) zoomX(times float64) tea.Cmd {
	places := p.places()
	if len(places) < 2 {
		return views.Say("there is nothing to zoom into yet")
	}
	x := &p.plot.window
	from, to := p.seen(places)
	middle := (from + to) / 2
	if x.pointed {
		middle = x.cursor
	}
	share := 0.5
	if to > from {
		share = (middle - from) / (to - from)
	}
	length := (to - from) * times
	from, to = p.fitted(places, middle-share*length, length)
	if times < 1 && countIn(places, from, to) < least {
		return views.Say("there are no more than %d rows to see here", countIn(places, x.from, x.to))
	}
	p.show(places, from, to)
	return nil
}

// fitted is a part of the axis of that length that does not leave the rows.
func (p *shared) fitted(places []float64, from, length float64) (float64, float64) {
	first, last := places[0], places[len(places)-1]
	length = min(length, last-first)
	from = max(first, min(from, last-length))
	return from, from + length
}

// show shows a part of the axis; all of it is no zoom.
func (p *shared) show(places []float64, from, to float64) {
	x := &p.plot.window
	if x.from, x.to = from, to; from <= places[0] && to >= places[len(places)-1] {
		x.from, x.to = 0, 0
	}
}

// pan shows what lies n eighths of what is seen further on.
func (p *shared) pan(n float64) tea.Cmd {
	places := p.places()
	if !p.plot.window.zoomed() || len(places) < 2 {
		return views.Say("all is seen; %s zooms into the curves", views.KeyOf("x_zoom_in"))
	}
	from, to := p.seen(places)
	from, to = p.fitted(places, from+n/8*(to-from), to-from)
	p.show(places, from, to)
	return nil
}

func countIn(places []float64, from, to float64) int {
	return sort.Search(len(places), func(i int) bool { return places[i] > to }) - sort.SearchFloat64s(places, from)
}

// moveCursor moves the place at which curves are read by a column of dots of a panel, at least by one row; the part
// that is seen goes along.
func (p *shared) moveCursor(panel string) func(widget.Move, int) {
	return func(m widget.Move, _ int) {
		places := p.places()
		if len(places) == 0 {
			return
		}
		x := &p.plot.window
		from, to := p.seen(places)
		w, _ := p.views.Board().Inside(panel)
		column := (to - from) / float64(max(2*w, 2))
		at := sort.SearchFloat64s(places, x.cursor) // the row that is read
		if !x.pointed {
			at = sort.Search(len(places), func(i int) bool { return places[i] > to }) // behind the last that is seen
			x.cursor = to
		}
		switch m {
		case widget.MoveLeft, widget.PageUp:
			if m == widget.PageUp {
				column *= 20
			}
			at = min(at-1, sort.Search(len(places), func(i int) bool { return places[i] > x.cursor-column })-1)
		case widget.MoveRight, widget.PageDown:
			if m == widget.PageDown {
				column *= 20
			}
			at = max(at+1, sort.SearchFloat64s(places, x.cursor+column))
		case widget.First:
			at = sort.SearchFloat64s(places, from)
		case widget.Last:
			at = sort.Search(len(places), func(i int) bool { return places[i] > to }) - 1
		default:
			return
		}
		x.pointed, x.cursor = true, places[max(0, min(at, len(places)-1))]
		if x.zoomed() && (x.cursor < x.from || x.cursor > x.to) {
			start := x.from
			if x.cursor < x.from {
				start = x.cursor
			} else {
				start += x.cursor - x.to
			}
			from, to = p.fitted(places, start, to-from)
			p.show(places, from, to)
		}
	}
}

// read is the value of a curve at the cursor: that of the last row at or before it; NaN where there is none.
func (l *plotOptions) read(c *curve) float64 {
	if !l.window.pointed {
		return c.last()
	}
	i := sort.Search(len(c.x), func(i int) bool { return c.x[i] > l.window.cursor }) - 1
	if i < 0 {
		return math.NaN()
	}
	return c.y[i]
}

// lineOf is a curve for a chart of w cells: as much of it as is seen, named with the value at the cursor.
func (l *plotOptions) lineOf(c *curve, w int) widget.Line {
	line := c.line(w)
	if l.window.zoomed() {
		line = l.cut(widget.Line{X: c.x, Y: c.y}).Thinned(dotsOf(w))
	}
	if l.window.pointed {
		line.Read = widget.Number(l.read(c))
	}
	return line
}

// readLine says of a line of points what it is at the cursor: the last one at or before it.
func (l *plotOptions) readLine(line widget.Line, text func(float64) string) widget.Line {
	if l.window.pointed {
		line.Read = text(l.read(&curve{x: line.X, y: line.Y}))
	}
	return line
}

// cut is the part of a line that is seen.
func (l *plotOptions) cut(line widget.Line) widget.Line {
	if !l.window.zoomed() || !slices.IsSorted(line.X) {
		return line
	}
	from := sort.SearchFloat64s(line.X, l.window.from)
	to := sort.Search(len(line.X), func(i int) bool { return line.X[i] > l.window.to })
	line.X, line.Y = line.X[from:max(from, to)], line.Y[from:max(from, to)]
	return line
}

// place is the cursor in words: "step 300".
func (p *shared) place() string {
	x := p.plot.chart(p.now().Location())
	text := widget.Number(p.plot.window.cursor)
	switch {
	case x.XText != nil:
		text = x.XText(p.plot.window.cursor)
	case p.plot.x == byStep:
		text = widget.Count(int(p.plot.window.cursor))
	}
	return "at " + x.XName + " " + text
}

// pinned are the marked runs, which stay on the curves beside the selected one.
func (p *shared) pinned(of func(r *reading) *curve, w int) []widget.Line {
	var lines []widget.Line
	selected := p.selected()
	for i, dir := range p.marks {
		e, r := p.list.find(dir), p.readingOf(dir)
		if e == nil || r == nil || selected != nil && selected.run.Dir == dir {
			continue
		}
		line := p.plot.lineOf(of(r), w)
		line.Name, line.Letter, line.Tone = e.run.Label(), letter(i), pinTones[i%len(pinTones)]
		lines = append(lines, line)
	}
	return lines
}

// pinTones tell pinned runs apart, beside the letters.
var pinTones = []widget.Tone{widget.Warning, widget.Plain, widget.Strong, widget.OK, widget.Muted}

// windowActions zoom into the curves and move along them.
func (p *shared) windowActions() []views.Action {
	return []views.Action{
		{Name: "x_zoom_in", Help: "show half of what is seen of the curves, around the cursor (left, right)",
			Group: "Curves", Enabled: p.any, Run: func() tea.Cmd { return p.zoomX(0.5) }},
		{Name: "x_zoom_out", Help: "show twice as much of the curves; esc shows all", Group: "Curves", Enabled: p.any,
			Run: func() tea.Cmd { return p.zoomX(2) }},
		{Name: "pan_left", Help: "show what lies before the part of the curves that is seen", Group: "Curves",
			Enabled: p.any, Run: func() tea.Cmd { return p.pan(-1) }},
		{Name: "pan_right", Help: "show what comes after it", Group: "Curves", Enabled: p.any,
			Run: func() tea.Cmd { return p.pan(1) }},
	}
}
