package train

import (
	"fmt"

	"finetui/views"
	"finetui/views/widget"
)

// lossPanel is the loss of the selected run over time; of a run whose rows hold none it is another of their figures.
type lossPanel struct {
	*shared
	figure *metric
}

func newLossPanel(s *shared, figure *metric) views.Panel {
	p := &lossPanel{s, figure}
	return views.Panel{Name: "loss", Tab: "Loss", Title: p.title, Right: p.note, Draw: p.draw,
		Move: s.moveCursor("loss")}
}

// without says whether the rows of a run hold figures and no loss, as those of another trainer may.
func (p *lossPanel) without(r *reading) bool {
	return r != nil && r.bad == nil && len(r.history.Train)+len(r.history.Evals) == 0 && len(r.history.Figures) > 0
}

func (p *lossPanel) note() string {
	if p.without(p.current()) {
		return p.figure.last()
	}
	return p.lossNote()
}

// draw is the raw loss faintly, the smoothed one, and the checks on valid.
func (p *lossPanel) draw(t *widget.Theme, w, h int) string {
	r := p.current()
	if p.without(r) {
		return p.figure.draw(t, w, h)
	}
	if r == nil || len(r.history.Train)+len(r.history.Evals) == 0 {
		return p.nothing(t, p.whyNothing("no loss has been reported yet"), w, h)
	}
	return p.chart(r, w).View(t, w, h)
}

func (p *lossPanel) chart(r *reading, w int) widget.LineChart {
	c := p.plot.chart(p.now().Location())
	loss := r.loss(p.plot.plain)
	raw, smooth := p.plot.lineOf(p.plot.raw(r, loss), w), p.plot.lineOf(p.plot.smoothed(r, loss), w)
	raw.Name, smooth.Name, smooth.Tone = "raw", "smooth", widget.Accent
	if p.plot.weight(loss.n) == 0 { // both are the same line
		raw.Tone = widget.Accent
		c.Lines = []widget.Line{raw}
	} else {
		raw.Faint = true
		c.Lines = []widget.Line{raw, smooth}
	}
	if len(r.history.Checks()) > 0 {
		valid := p.plot.cut(p.plot.readLine(r.checksLine(p.plot.x, checkedLoss), widget.Number))
		valid.Name, valid.Glyph, valid.Tone = "valid", "◆", widget.Strong
		c.Lines = append(c.Lines, valid)
	}
	smoothed := func(r *reading) *curve { return p.plot.smoothed(r, r.loss(p.plot.plain)) }
	c.Lines = append(c.Lines, p.pinned(smoothed, w)...)
	return c
}

func (p *lossPanel) title() string {
	e, r := p.selected(), p.current()
	switch {
	case e == nil:
		return "Loss"
	case p.without(r):
		return p.figure.title() + " · " + e.run.Label()
	case r != nil && r.weighted && !p.plot.plain:
		return "Weighted loss · " + e.run.Label()
	}
	return "Loss · " + e.run.Label()
}

// lossNote is how the loss is drawn.
func (p *shared) lossNote() string {
	if p.plot.window.pointed {
		return p.place() + " · esc: newest"
	}
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

// whyNothing is what the panel says in place of rows that are not there.
func (p *lossPanel) whyNothing(otherwise string) string {
	if r := p.current(); r != nil && r.bad != nil {
		return "✗ " + widget.Clean(r.bad.Error())
	}
	return otherwise
}
