package train

import (
	"fmt"
	"slices"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// lossPanel is the loss of the selected run over time.
type lossPanel struct{ *shared }

func newLossPanel(s *shared) views.Panel {
	p := &lossPanel{s}
	return views.Panel{Name: "loss", Tab: "Loss", Title: p.title, Right: p.lossNote, Draw: p.draw}
}

func (p *lossPanel) draw(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.Train)+len(r.history.Evals) == 0 {
		return p.nothing(t, p.whyNothing("no loss has been reported yet"), w, h)
	}
	return p.chart(r).View(t, w, h)
}

func (p *lossPanel) chart(r *reading) widget.LineChart {
	c := p.plot.chart(p.now().Location())
	rows := r.history.Train
	x := p.xs(r, rows)
	y := r.losses(p.plot.plain)
	smooth := p.plot.smoothed(y)
	c.Lines = []widget.Line{
		{Name: "raw", X: x, Y: y, Faint: true},
		{Name: "smooth", X: x, Y: smooth, Tone: widget.Accent}}
	if p.plot.weight(len(y)) == 0 { // both are the same line
		c.Lines = []widget.Line{{Name: "raw", X: x, Y: y, Tone: widget.Accent}}
	}
	if checks := r.history.Checks(); len(checks) > 0 {
		valid := widget.Line{Name: "valid", Glyph: "◆", Tone: widget.Strong}
		for _, e := range checks {
			valid.X, valid.Y = append(valid.X, p.plot.at(e.Head, r.clock)), append(valid.Y, float64(e.Loss))
		}
		c.Lines = append(c.Lines, valid)
	}
	return c
}

func (p *lossPanel) weighted(r *reading) bool {
	return !p.plot.plain && slices.ContainsFunc(r.history.Train, func(row *run.Train) bool {
		return row.Loss != row.LossPlain && run.Finite(float64(row.LossPlain))
	})
}

func (p *shared) xs(r *reading, rows []*run.Train) []float64 {
	if len(rows) == 0 {
		return nil
	}
	return r.xs(place{&rows[0], p.plot.x}, func() []float64 {
		x := make([]float64, len(rows))
		for i, row := range rows {
			x[i] = p.plot.at(row.Head, r.clock)
		}
		return x
	})
}

func (p *lossPanel) title() string {
	e, r := p.selected(), p.current()
	switch {
	case e == nil:
		return "Loss"
	case r != nil && p.weighted(r):
		return "Weighted loss · " + e.run.Label()
	}
	return "Loss · " + e.run.Label()
}

func (p *shared) lossNote() string {
	note := fmt.Sprintf("smoothing %g (, .)", p.plot.weight(0))
	if r := p.current(); p.plot.smoothing == byLength {
		note = "smoothing by length (, .)"
		if r != nil && !p.views.Is(compareView) {
			note = fmt.Sprintf("smoothing %.2g by length (, .)", p.plot.weight(len(r.history.Train)))
		}
	}
	if p.plot.log {
		note += " · log"
	}
	return note
}

func (p *lossPanel) whyNothing(otherwise string) string {
	if r := p.current(); r != nil && r.bad != nil {
		return "✗ " + widget.Clean(r.bad.Error())
	}
	return otherwise
}
