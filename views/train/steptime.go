package train

import (
	"math"
	"strings"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// timePanel is what a step's time goes into.
type timePanel struct{ *shared }

func newTimePanel(s *shared) views.Panel {
	p := &timePanel{s}
	return views.Panel{Name: "time", Tab: "Step time", Right: p.note, Draw: p.draw}
}

// draw is the parts of a step, and the verdict.
func (p *timePanel) draw(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.Train) == 0 {
		return p.nothing(t, p.absent("what a step's time goes into", "no step has been reported yet"), w, h)
	}
	s := run.TimeOf(&r.history, r.clock)
	if total := s.Within(); total <= 0 || math.IsNaN(total) {
		return p.nothing(t, p.absent("what a step's time goes into", run.UnknownTime), w, h)
	}
	verdict := verdictLines(t, s, r.history.Machine(), w)
	if line := coresHeld(r); line != "" {
		verdict = append(verdict, widget.Hang(t.Warning.Render(" ! "), line, t.Warning, w)...)
	}
	lines := partLines(s, t, w, h-len(verdict))
	return widget.Block(strings.Join(append(lines, verdict...), "\n"), w, h)
}

// verdictLines are the verdict in lines of w cells.
func verdictLines(t *widget.Theme, s run.TimeSpent, machine string, w int) []string {
	text, warn := s.Verdict(machine)
	sign, style := t.OK.Render("✓"), t.Text
	if warn {
		sign, style = t.Warning.Render("!"), t.Warning
	}
	return widget.Hang(" "+sign+" ", text, style, w)
}

// coresHeld says that a run gets little of the cores, unless it is bound to some of them by TRAIN.THREADS.
func coresHeld(r *reading) string {
	if r.config == nil || r.config.Train.Threads != 0 || !r.status.Live() {
		return ""
	}
	return r.history.CoresHeld()
}

// partLines are the parts of a step in h lines: bars where there is room for all, else words.
func partLines(s run.TimeSpent, t *widget.Theme, w, h int) []string {
	bars := timeBars(s)
	if h < len(bars.Items) {
		var parts []string
		for _, item := range bars.Items {
			parts = append(parts, item.Label+" "+item.Text)
		}
		lines := widget.Wrap(strings.Join(parts, " · "), w-2)
		for len(lines) > max(h, 0) && len(parts) > 0 { // whole parts or none: half a number is another one
			parts = parts[:len(parts)-1]
			lines = widget.Wrap(strings.Join(append(parts[:len(parts):len(parts)], "…"), " · "), w-2)
		}
		for i := range lines {
			lines[i] = " " + lines[i]
		}
		return lines[:min(max(h, 0), len(lines))]
	}
	lines := strings.Split(bars.View(t, w-1, len(bars.Items)), "\n")
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	if h > len(lines) && !math.IsNaN(s.Rest) {
		rest := "between steps " + seconds(s.Rest/float64(max(s.Steps, 1)))
		if why := " (checks, checkpoints)"; widget.Width(rest+why)+2 <= w {
			rest += why
		}
		lines = append(lines, t.Muted.Render(" "+rest))
	}
	return lines
}

// timeBars are the parts of a step, each in seconds a step and its share.
func timeBars(s run.TimeSpent) widget.Bars {
	total := s.Within()
	bars := widget.Bars{Total: total, Max: total}
	each := func(label string, v float64) {
		bars.Items = append(bars.Items, widget.Bar{Label: label, Value: v, Text: seconds(v / float64(max(s.Steps, 1)))})
	}
	each("data", s.Data)
	each("forward", s.Forward)
	each("backward", s.Backward)
	each("optimiser", s.Optimizer)
	return bars
}

// note is how long a step takes, at the right of the title.
func (p *timePanel) note() string {
	r := p.current()
	if r == nil || len(r.history.Train) == 0 {
		return ""
	}
	s := run.TimeOf(&r.history, r.clock)
	if !(s.Within() > 0) {
		return ""
	}
	return seconds(s.Within()/float64(max(s.Steps, 1))) + " a step"
}
