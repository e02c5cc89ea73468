package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// newClasses is the view of every class over time.
func newClasses(of *panels) views.View {
	board := views.NewBoard(layout.Panel("classes", 40, 6), of.classes)
	return views.View{Name: classesView, Boards: []*views.Board{board}}
}

// classesPanel is the curve of every class, and a cursor on one of them.
type classesPanel struct {
	*shared
	cursor widget.List // in the order that is shown
}

func newClassesPanel(s *shared) views.Panel {
	p := &classesPanel{shared: s}
	return views.Panel{Name: "classes", Tab: "Classes", Title: p.title, Right: p.note, Draw: p.draw, Move: p.move}
}

// curves are the curves of the classes as they are looked at, in the order that is shown.
func (p *classesPanel) curves() []run.Curve {
	r := p.current()
	if r == nil {
		return nil
	}
	curves := r.classes
	if p.plot.recall {
		curves = r.recalls
	}
	if p.plot.commonest {
		return curves
	}
	curves = slices.Clone(curves)
	slices.Reverse(curves)
	return curves
}

// title says what is drawn of how many classes, in which order, and what n counts.
func (p *classesPanel) title() string {
	what, of := "Class losses", "n trained on"
	if p.plot.recall {
		what, of = "Class recalls", "n of valid"
	}
	order := "rarest first"
	if p.plot.commonest {
		order = "commonest first"
	}
	curves := p.curves()
	if n := len(curves); n > 0 {
		what = fmt.Sprintf("%d class%s", n, strings.TrimPrefix(what, "Class"))
	}
	if w, h := p.views.Board().Inside("classes"); !p.headsWithN(curves, w, h) {
		return what + " · " + order
	}
	return what + " · " + order + " · " + of
}

func (p *classesPanel) note() string {
	other := "recall"
	if p.plot.recall {
		other = "loss"
	}
	return "v: " + other
}

func (p *classesPanel) move(m widget.Move, page int) {
	steps := map[widget.Move]widget.Move{widget.MoveLeft: widget.Up, widget.MoveRight: widget.Down}
	if along, sideways := steps[m]; sideways {
		m = along
	}
	p.cursor.Move(m, len(p.curves()), page)
}

// none is what is said where there is no class to show.
func (p *classesPanel) none(t *widget.Theme, w, h int) string {
	if p.plot.recall {
		return p.nothing(t, p.absent("the recall of classes",
			"no check on valid yet: TRAIN.EVAL_EVERY says how often there is one"), w, h)
	}
	what := p.absent("losses of classes", "no losses of classes yet")
	if r := p.current(); r != nil && slices.ContainsFunc(r.history.Figures, func(f run.Figure) bool {
		return strings.HasPrefix(f.Name, "loss_") // so ms-swift calls them; of how many samples each is it does not say
	}) {
		what = r.run.Tool() + " has losses of parts of the data as figures: " + views.KeyOf("choose_metric") +
			" draws one of them, in Curves"
	}
	return p.nothing(t, what, w, h)
}

// The least size of a small chart.
const (
	multipleW = 26
	multipleH = 6
)

// draw is a chart for each class on one scale, where there is room for all; else a line for each.
func (p *classesPanel) draw(t *widget.Theme, w, h int) string {
	curves := p.curves()
	if len(curves) == 0 {
		return p.none(t, w, h)
	}
	columns, rows := p.grid(curves, w, h)
	if columns == 0 {
		return p.drawLines(t, curves, w, h)
	}
	return p.drawMultiples(t, curves, columns, rows, w, h)
}

// grid is how many columns and rows of small charts show the curves; no columns: they
// do not fit. Charts below their whole heads are preferred.
func (p *classesPanel) grid(curves []run.Curve, w, h int) (columns, rows int) {
	if columns, rows = grid(len(curves), w, h, max(p.headWidth(curves)+1, multipleW)); columns > 0 {
		return columns, rows
	}
	return grid(len(curves), w, h, multipleW)
}

// headWidth is how many cells the widest head takes.
func (p *classesPanel) headWidth(curves []run.Curve) int {
	w := 0
	for _, c := range curves {
		w = max(w, widget.Width(widget.Clean(c.Name)+p.headN(c)+p.headValue(c))+4)
	}
	return w
}

func (p *classesPanel) headN(c run.Curve) string     { return "n " + widget.Count(c.N) + "  " }
func (p *classesPanel) headValue(c run.Curve) string { return p.text(c) + " " }

// headsWithN says whether n stands at every class as it is drawn in w×h cells.
func (p *classesPanel) headsWithN(curves []run.Curve, w, h int) bool {
	columns, _ := p.grid(curves, w, h)
	return columns == 0 || p.headWidth(curves) < w/columns
}

// grid is how many columns and rows of small charts show n of them, each at least so many cells wide and about four
// times as many cells wide as lines high; no columns: they do not fit.
func grid(n, w, h, least int) (columns, rows int) {
	const shape = 4.0
	best := math.Inf(1)
	for c := 1; c <= min(w/least, n); c++ {
		r := (n + c - 1) / c
		if r*multipleH > h {
			continue
		}
		if off := math.Abs(math.Log(float64(w) / float64(c) / (float64(h) / float64(r)) / shape)); off < best {
			best, columns, rows = off, c, r
		}
	}
	return columns, rows
}

func (p *classesPanel) drawMultiples(t *widget.Theme, curves []run.Curve, columns, rows, w, h int) string {
	r := p.current()
	low, high := p.scale(curves)
	withN := p.headsWithN(curves, w, h)
	all := p.allSamples(r, w/columns)
	var blocks []string
	for row := range rows {
		height := h/rows + boolInt(row < h%rows)
		var cells []string
		for column := range columns {
			width := w/columns + boolInt(column < w%columns)
			i := row*columns + column
			if i >= len(curves) {
				cells = append(cells, widget.Block("", width, height))
				continue
			}
			chart := p.plot.chart(p.now().Location())
			chart.XName, chart.IgnoreOutliers, chart.YFrom, chart.YTo, chart.YText = "", false, low, high, tickText
			if p.plot.recall {
				chart.LogY, chart.YText = false, func(v float64) string { return widget.Percent(v+0, 0) } // +0: no "-0"
			}
			line := p.plot.lineOf(p.curve(curves[i]), width)
			line.Tone = widget.Accent
			chart.Lines = []widget.Line{all, line}
			head := p.head(t, curves[i], i, len(curves), width-1, withN)
			cells = append(cells, widget.Block(head+"\n"+chart.View(t, width-1, height-1), width, height))
		}
		blocks = append(blocks, widget.Columns(cells...))
	}
	return widget.Block(strings.Join(blocks, "\n"), w, h)
}

// allSamples is the line of all samples together, which lies behind that of each class.
func (p *classesPanel) allSamples(r *reading, w int) (line widget.Line) {
	if p.plot.recall {
		line = p.plot.cut(r.checksLine(p.plot.x, checkedRight))
	} else {
		line = p.plot.lineOf(p.plot.smoothed(r, r.loss(true)), w)
	}
	line.Faint = true
	return line
}

// curve is smoothed where it is losses of few samples each; recalls stay as they are.
func (p *classesPanel) curve(c run.Curve) *curve {
	if p.plot.recall {
		return p.plot.raw(p.current(), ofClass("recall", c))
	}
	return p.plot.smoothed(p.current(), ofClass("class_loss", c))
}

// scale is the scale that all classes share.
func (p *classesPanel) scale(curves []run.Curve) (low, high float64) {
	if p.plot.recall {
		return 0, 1
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		curve := p.curve(c)
		if high = max(high, curve.high); p.plot.log {
			low = min(low, curve.positive)
		} else {
			low = min(low, curve.low)
		}
	}
	switch {
	case low > high:
		return 0, 1
	case p.plot.log:
		return low, max(high, low*1.01)
	}
	return 0, max(high, 1e-9)
}

// head is the name, n, value and trend over a small chart. The name matters most: the value gives way to it.
func (p *classesPanel) head(t *widget.Theme, c run.Curve, i, n, w int, withN bool) string {
	name, right := widget.Clean(c.Name), p.trendGlyph(c)
	if value := p.headValue(c); widget.Width(name)+2+widget.Width(value+right) <= w {
		right = value + right
	}
	if withN {
		right = p.headN(c) + right
	}
	name = widget.Cut(name, max(w-widget.Width(right)-2, 6))
	if i == p.cursor.At(n) {
		name = t.Accent.Render("▸") + t.Selected.Render(name)
	} else {
		name = " " + t.Strong.Render(name)
	}
	return widget.Ends(name, right, w)
}

// drawLines is a line for each class: name, n, its course, its value and where it goes.
func (p *classesPanel) drawLines(t *widget.Theme, curves []run.Curve, w, h int) string {
	first, end := p.cursor.Window(len(curves), h)
	low, high := p.scale(curves)
	nameW, countW := 0, 0
	for _, c := range curves {
		nameW, countW = max(nameW, widget.Width(widget.Clean(c.Name))), max(countW, widget.Width(widget.Count(c.N)))
	}
	const valueW = 7
	nameW = min(nameW, max(w/3, 10))
	sparkW := max(w-1-nameW-3-countW-2-valueW-2, 0)
	var lines []string
	for i := first; i < end; i++ {
		c := curves[i]
		name := " " + widget.Left(widget.Clean(c.Name), nameW)
		if i == p.cursor.At(len(curves)) {
			name = t.Accent.Render("▸") + t.Selected.Render(widget.Left(widget.Clean(c.Name), nameW))
		}
		spark := widget.Left(p.spark(shrink(p.curve(c).y, sparkW), low, high, sparkW), sparkW)
		lines = append(lines, name+t.Muted.Render(" n ")+widget.Right(widget.Count(c.N),
			countW)+" "+t.Accent.Render(spark)+" "+
			widget.Right(p.text(c), valueW)+" "+p.trendGlyph(c))
	}
	widget.Edges(t, lines, first, end, len(curves), w)
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// spark is a class's course in one line, on the scale that the charts have.
func (p *classesPanel) spark(y []float64, low, high float64, w int) string {
	if p.plot.log && !p.plot.recall {
		logs := make([]float64, len(y))
		for i, v := range y {
			logs[i] = math.Log(max(v, low))
		}
		y, low, high = logs, math.Log(low), math.Log(high)
	}
	return widget.Sparkline(y, low, high, w)
}

// text is the newest value of a class.
func (p *classesPanel) text(c run.Curve) string {
	if p.plot.recall {
		return widget.Percent(p.plot.read(p.curve(c)), 0)
	}
	return widget.Number(p.plot.read(p.curve(c)))
}

// trendGlyph is where a class is going: up, down, or much the same.
func (p *classesPanel) trendGlyph(c run.Curve) string {
	trend := c.Trend()
	little := 0.03 * math.Abs(run.Mean(c.Y))
	switch {
	case math.IsNaN(trend):
		return " "
	case trend > little:
		return "↑"
	case trend < -little:
		return "↓"
	}
	return "→"
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
