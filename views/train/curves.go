package train

import (
	"fmt"
	"slices"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// curves is the view of everything that a step reports, over time.
func (p *Pane) curves() views.View {
	gradient := views.Panel{Name: "gradient", Tab: "Gradient", Title: title("Length of the gradient, before clipping"),
		Right: p.lastOf(norm, ""), Draw: p.drawTrain(norm, fromZero)}
	tokens := views.Panel{Name: "speed", Tab: "Speed", Title: title("Tokens a second"), Right: p.lastOf(speed, ""),
		Draw: p.drawTrain(speed, fromZero)}
	board := views.NewBoard(layout.Column(layout.Panel("loss", 40, 10).Prior(2).Weighted(2),
		layout.Row(layout.Panel("rate", 26, 8), layout.Panel("gradient", 26, 8), layout.Panel("speed", 26, 8))),
		p.lossPanel(), p.ratePanel(), gradient, tokens)
	return views.View{Name: curvesView, Boards: []*views.Board{board}}
}

// drawLoss is the raw loss faintly, the smoothed one, and the checks on valid.
func (p *Pane) drawLoss(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.Train)+len(r.history.Evals) == 0 {
		return p.nothing(t, p.whyNothing("no loss has been reported yet"), w, h)
	}
	return p.lossChart(r).View(t, w, h)
}

func (p *Pane) lossChart(r *reading) widget.LineChart {
	c := p.look.chart(p.now().Location())
	rows := r.history.Train
	x := p.xs(r, rows)
	y := r.losses(p.look.plain)
	smooth := p.look.smoothed(y)
	c.Lines = []widget.Line{
		{Name: "raw", X: x, Y: y, Faint: true},
		{Name: "smooth", X: x, Y: smooth, Tone: widget.Accent}}
	if p.look.weight(len(y)) == 0 { // both are the same line
		c.Lines = []widget.Line{{Name: "raw", X: x, Y: y, Tone: widget.Accent}}
	}
	if checks := r.history.Checks(); len(checks) > 0 {
		valid := widget.Line{Name: "valid", Glyph: "◆", Tone: widget.Strong}
		for _, e := range checks {
			valid.X, valid.Y = append(valid.X, p.look.at(e.Head, r.clock)), append(valid.Y, float64(e.Loss))
		}
		c.Lines = append(c.Lines, valid)
	}
	return c
}

// weighted says whether the loss as the recipe weighs it is drawn, and is another one than the plain loss.
func (p *Pane) weighted(r *reading) bool {
	return !p.look.plain && slices.ContainsFunc(r.history.Train, func(row *run.Train) bool {
		return row.Loss != row.LossPlain && run.Finite(float64(row.LossPlain))
	})
}

// xs is where all rows of a run stand.
func (p *Pane) xs(r *reading, rows []*run.Train) []float64 {
	if len(rows) == 0 {
		return nil
	}
	return r.xs(place{&rows[0], p.look.x}, func() []float64 {
		x := make([]float64, len(rows))
		for i, row := range rows {
			x[i] = p.look.at(row.Head, r.clock)
		}
		return x
	})
}

func (p *Pane) lossTitle() string {
	e, r := p.selected(), p.current()
	switch {
	case e == nil:
		return "Loss"
	case r != nil && p.weighted(r):
		return "Weighted loss · " + e.run.Label()
	}
	return "Loss · " + e.run.Label()
}

// lossNote is how the loss is drawn.
func (p *Pane) lossNote() string {
	note := fmt.Sprintf("smoothing %g (, .)", p.look.weight(0))
	if r := p.current(); p.look.smoothing == byLength {
		note = "smoothing by length (, .)"
		if r != nil && !p.views.Is(compareView) {
			note = fmt.Sprintf("smoothing %.2g by length (, .)", p.look.weight(len(r.history.Train)))
		}
	}
	if p.look.log {
		note += " · log"
	}
	return note
}

// whyNothing is what a panel says in place of rows that are not there.
func (p *Pane) whyNothing(otherwise string) string {
	if r := p.current(); r != nil && r.bad != nil {
		return "✗ " + widget.Clean(r.bad.Error())
	}
	return otherwise
}

// drawTrain is one line of a number in the train rows.
func (p *Pane) drawTrain(value func(*run.Train) float64, change func(*widget.LineChart)) func(*widget.Theme, int,
	int) string {
	return func(t *widget.Theme, w, h int) string {
		r := p.current()
		if r == nil || len(r.history.Train) == 0 {
			return p.nothing(t, "no step has been reported yet", w, h)
		}
		c := p.look.chart(p.now().Location())
		c.LogY = false
		y := make([]float64, len(r.history.Train))
		for i, row := range r.history.Train {
			y[i] = value(row)
		}
		c.Lines = []widget.Line{{X: p.xs(r, r.history.Train), Y: y, Tone: widget.Accent}}
		if change != nil {
			change(&c)
		}
		return c.View(t, w, h)
	}
}

// lastOf is a number of the newest train row, for the right of a title.
func (p *Pane) lastOf(value func(*run.Train) float64, unit string) func() string {
	return func() string {
		r := p.current()
		if r == nil || len(r.history.Train) == 0 {
			return ""
		}
		return widget.Number(value(r.history.Train[len(r.history.Train)-1])) + unit
	}
}

func rate(r *run.Train) float64  { return float64(r.LR) }
func norm(r *run.Train) float64  { return float64(r.GradNorm) }
func speed(r *run.Train) float64 { return float64(r.TokensPerSecond) }
