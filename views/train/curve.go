package train

import (
	"math"
	"slices"

	"finetui/core/run"
	"finetui/views/widget"
)

// series is a figure of a run, step by step.
type series struct {
	name  string // no other of the run's is called so
	n     int
	value func(i int) (run.Head, float64)
}

// ofRows is a figure of the train rows.
func (r *reading) ofRows(name string, value func(*run.Train) float64) series {
	rows := r.history.Train
	if f := r.history.Figure(name); len(f.Points) > 0 && !slices.ContainsFunc(rows, func(row *run.Train) bool {
		return run.Finite(value(row))
	}) {
		return ofFigure(f) // it stands in rows of its own
	}
	return series{name, len(rows), func(i int) (run.Head, float64) { return rows[i].Head, value(rows[i]) }}
}

// ofFigure is a figure of the rows of metrics.
func ofFigure(f run.Figure) series {
	return series{f.Name, len(f.Points), func(i int) (run.Head, float64) { return f.Points[i].Head(), f.Points[i].Y }}
}

// loss is that of the train rows, as the recipe weighs it or plain.
func (r *reading) loss(plain bool) series {
	if plain {
		return r.ofRows("loss_plain", plainLoss)
	}
	return r.ofRows("loss", weightedLoss)
}

func weightedLoss(r *run.Train) float64 { return float64(r.Loss) }
func plainLoss(r *run.Train) float64    { return float64(r.LossPlain) }
func rate(r *run.Train) float64         { return float64(r.LR) }
func norm(r *run.Train) float64         { return float64(r.GradNorm) }
func speed(r *run.Train) float64        { return float64(r.TokensPerSecond) }

// ofClass is a curve of one class; kind tells losses from recalls.
func ofClass(kind string, c run.Curve) series {
	return series{kind + "/" + c.Name, len(c.Y), func(i int) (run.Head, float64) { return c.Heads[i], c.Y[i] }}
}

// checksLine are the checks on valid by a figure of theirs.
func (r *reading) checksLine(axis axis, figure func(*run.Eval) run.Float) (line widget.Line) {
	for _, e := range r.history.Checks() {
		line.X, line.Y = append(line.X, axis.at(e.Head, r.clock)), append(line.Y, float64(figure(e)))
	}
	return line
}

func checkedLoss(e *run.Eval) run.Float  { return e.Loss }
func checkedRight(e *run.Eval) run.Float { return e.Accuracy }

// curve is a series over an axis, smoothed or not. Nobody changes it.
type curve struct {
	x, y      []float64
	low, high float64 // of the values that are finite; low > high: there are none
	positive  float64 // the lowest above 0
	drawn     map[int]widget.Line
}

// curveKey names a curve of a reading.
type curveKey struct {
	series string
	axis   axis
	weight float64 // of the moving average
}

// mostCurves are more than those of one screen beside the curves of classes.
const mostCurves = 64

// curve is a series of the run, smoothed as weight says. It is worked out once for a reading, which stays as it is.
func (r *reading) curve(s series, axis axis, weight float64) *curve {
	key := curveKey{s.name, axis, weight}
	if c := r.curves[key]; c != nil {
		return c
	}
	c := &curve{x: make([]float64, s.n), y: make([]float64, s.n), low: math.Inf(1), high: math.Inf(-1),
		positive: math.Inf(1), drawn: map[int]widget.Line{}}
	for i := range s.n {
		head, v := s.value(i)
		c.x[i], c.y[i] = axis.at(head, r.clock), v
	}
	if weight > 0 {
		c.y = widget.Smooth(c.y, weight)
	}
	for _, v := range c.y {
		if !run.Finite(v) {
			continue
		}
		c.low, c.high = min(c.low, v), max(c.high, v)
		if v > 0 {
			c.positive = min(c.positive, v)
		}
	}
	if most := mostCurves + 2*(len(r.classes)+len(r.recalls)); r.curves == nil || len(r.curves) >= most {
		r.curves = map[curveKey]*curve{}
	}
	r.curves[key] = c
	return c
}

// last is the newest value; NaN where there is none.
func (c *curve) last() float64 {
	if len(c.y) == 0 {
		return math.NaN()
	}
	return c.y[len(c.y)-1]
}

// line is the curve for a chart of w cells, with as many points as it can show.
func (c *curve) line(w int) widget.Line {
	points := dotsOf(w)
	line, ok := c.drawn[points]
	if !ok {
		line = widget.Line{X: c.x, Y: c.y}.Thinned(points)
		c.drawn[points] = line
	}
	return line
}

// dotsOf are as many points as a chart of w cells can show.
func dotsOf(w int) int {
	const perCell = 16 // two columns of dots, two parts of a curve in each, four points of a part
	points := 1 << 9
	for points < perCell*w {
		points *= 2
	}
	return points
}

// smoothed is a series as the options smooth it.
func (l *plotOptions) smoothed(r *reading, s series) *curve { return r.curve(s, l.x, l.weight(s.n)) }

// raw is a series as it was reported.
func (l *plotOptions) raw(r *reading, s series) *curve { return r.curve(s, l.x, 0) }

// shrink gives w values for a line of w cells: the mean of those that fall into each.
func shrink(y []float64, w int) []float64 {
	if len(y) <= w || w <= 0 {
		return y
	}
	out := make([]float64, w)
	for i := range out {
		out[i] = run.Mean(y[i*len(y)/w : (i+1)*len(y)/w])
	}
	return out
}
