package train

import (
	"finetui/core/run"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// newCurves is the view of everything that a step reports, over time.
func newCurves(p *shared, of *panels) views.View {
	gradient := views.Panel{Name: "gradient", Tab: "Gradient", Title: title("Length of the gradient, before clipping"),
		Right: p.lastOf("grad_norm", norm), Draw: p.drawTrain("grad_norm", "the gradient", norm, fromZero),
		Move: p.moveCursor("gradient")}
	tokens := views.Panel{Name: "speed", Tab: "Speed", Title: title("Tokens a second"),
		Right: p.lastOf("tokens_per_s", speed),
		Draw:  p.drawTrain("tokens_per_s", "its speed", speed, fromZero), Move: p.moveCursor("speed")}
	board := views.NewBoard(layout.Column(layout.Panel("loss", 40, 10).Prior(2).Weighted(2),
		layout.Row(layout.Panel("rate", 26, 8), layout.Panel("gradient", 26, 8), layout.Panel("speed", 26, 8),
			layout.Panel("metric", 26, 8))),
		of.loss, of.rate, gradient, tokens, of.metric.panel())
	return views.View{Name: curvesView, Boards: []*views.Board{board}}
}

func newRatePanel(p *shared) views.Panel {
	return views.Panel{Name: "rate", Tab: "Rate", Title: title("Learning rate"), Right: p.lastOf("lr", rate),
		Draw: p.drawTrain("lr", "its learning rate", rate, fromZero), Move: p.moveCursor("rate")}
}

// drawTrain is one line of a number in the train rows; what names it in a sentence.
func (p *shared) drawTrain(name, what string, value func(*run.Train) float64,
	change func(*widget.LineChart)) func(*widget.Theme, int, int) string {
	return func(t *widget.Theme, w, h int) string {
		r := p.current()
		if r == nil || r.ofRows(name, value).n == 0 {
			return p.nothing(t, p.absent(what, "no step has been reported yet"), w, h)
		}
		c := p.plot.chart(p.now().Location())
		c.LogY = false
		of := func(r *reading) *curve { return p.plot.raw(r, r.ofRows(name, value)) }
		if drawn := of(r); drawn.low > drawn.high && r.run.Tool() != "" {
			return p.nothing(t, p.absent(what, ""), w, h)
		}
		line := p.plot.lineOf(of(r), w)
		line.Tone = widget.Accent
		c.Lines = append([]widget.Line{line}, p.pinned(of, w)...)
		if change != nil {
			change(&c)
		}
		return c.View(t, w, h)
	}
}

// lastOf is a number of the newest train row, or at the cursor, for the right of a title.
func (p *shared) lastOf(name string, value func(*run.Train) float64) func() string {
	return func() string {
		r := p.current()
		if r == nil || r.ofRows(name, value).n == 0 {
			return ""
		}
		return widget.Number(p.plot.read(p.plot.raw(r, r.ofRows(name, value))))
	}
}
