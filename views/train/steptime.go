package train

import (
	"fmt"
	"math"
	"strings"

	"finetui/core/run"
	"finetui/views/widget"
)

// stepTime is where the time of some steps went, in seconds.
type stepTime struct {
	steps                                    int
	data, forward, backward, optimiser, rest float64 // rest: checks on valid, checkpoints and everything else; NaN: not known
}

// timeOf adds up the newest rows. The rest is what their times of day have beyond it, where no gap lies between.
func timeOf(h *run.History, c clock) (s stepTime) {
	const newest = 20
	rows := h.Train[max(len(h.Train)-newest-1, 0):]
	s.rest = math.NaN()
	for i, r := range rows {
		if i == 0 && len(rows) > 1 {
			continue // it is where the second one's steps begin
		}
		if i > 0 {
			s.steps += r.Step - rows[i-1].Step
		} else {
			s.steps += r.Step
		}
		s.data += float64(r.Seconds.Data)
		s.forward += float64(r.Seconds.Forward)
		s.backward += float64(r.Seconds.Backward)
		s.optimiser += float64(r.Seconds.Optimizer)
	}
	if n := len(rows); n > 1 && !h.Thin {
		s.rest = max(c.worked(rows[n-1].Time)-c.worked(rows[0].Time)-s.inSteps(), 0)
	}
	return s
}

// inSteps is the time of the steps themselves.
func (s stepTime) inSteps() float64 { return s.data + s.forward + s.backward + s.optimiser }

// The rules of the verdict.
const (
	waitsFrom   = 0.40 // share of a step above which data holds it up
	waitsSome   = 0.15 // or is worth a word
	solverFrom  = 0.30 // share above which the optimiser is too much
	betweenFrom = 0.40 // share of all time above which the rest is too much
)

// verdict says in words what takes the time, and whether something should be done about it. machine is what computes:
// "cores" or "GPU".
func (s stepTime) verdict(machine string) (text string, warn bool) {
	total := s.inSteps()
	if total <= 0 || math.IsNaN(total) {
		return "how long a step takes is not known yet", false
	}
	wait, compute := "the cores wait", "the cores compute"
	if machine == "GPU" {
		wait, compute = "the GPU waits", "the GPU computes"
	}
	data, solver := s.data/total, s.optimiser/total
	switch rest := s.rest / (s.rest + total); {
	case data >= waitsFrom:
		return fmt.Sprintf("%s for data: %s of the step", wait, widget.Percent(data, 0)), true
	case rest >= betweenFrom:
		return fmt.Sprintf("checks and checkpoints take %s of the time: raise EVAL_EVERY or SAVE_EVERY", widget.Percent(rest, 0)), true
	case solver >= solverFrom:
		return fmt.Sprintf("the optimiser takes %s of the step: more samples a step would use the time better", widget.Percent(solver, 0)), true
	case data >= waitsSome:
		return fmt.Sprintf("%s for data for %s of the step", wait, widget.Percent(data, 0)), false
	}
	return fmt.Sprintf("%s: forward and backward are %s of the step", compute, widget.Percent((s.forward+s.backward)/total, 0)), false
}

// drawStepTime is a bar for each part of a step, and the verdict.
func (p *Pane) drawStepTime(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.Train) == 0 {
		return p.nothing(t, "no step has been reported yet", w, h)
	}
	s := timeOf(&r.history, r.clock)
	machine := "cores"
	if len(gpuIndices(&r.history)) > 0 {
		machine = "GPU"
	}
	text, warn := s.verdict(machine)
	var lines []string
	for _, line := range widget.Wrap(text, w-3) {
		lines = append(lines, "   "+line)
	}
	sign := t.OK.Render("✓")
	if warn {
		sign = t.Warning.Render("!")
		for i := range lines {
			lines[i] = "   " + t.Warning.Render(lines[i][3:])
		}
	}
	lines[0] = " " + sign + " " + lines[0][3:]
	if room := h - len(lines); room > 4 && !math.IsNaN(s.rest) {
		lines = append([]string{t.Muted.Render(" between steps " + seconds(s.rest/float64(max(s.steps, 1))) + " (checks, checkpoints)")}, lines...)
	}
	bars := s.bars().View(t, w-1, min(max(h-len(lines), 0), 4))
	if bars != "" {
		bars = " " + strings.ReplaceAll(bars, "\n", "\n ")
		lines = append(strings.Split(bars, "\n"), lines...)
	}
	if h < 5 { // the words matter more
		lines = lines[max(len(lines)-h, 0):]
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// bars are the parts of a step, each in seconds a step and its share.
func (s stepTime) bars() widget.Bars {
	total := s.inSteps()
	bars := widget.Bars{Total: total, Max: total}
	each := func(label string, v float64) {
		bars.Items = append(bars.Items, widget.Bar{Label: label, Value: v, Text: seconds(v / float64(max(s.steps, 1)))})
	}
	each("data", s.data)
	each("forward", s.forward)
	each("backward", s.backward)
	each("optimiser", s.optimiser)
	return bars
}

// stepTimeNote is how long a step takes, at the right of the title.
func (p *Pane) stepTimeNote() string {
	r := p.current()
	if r == nil || len(r.history.Train) == 0 {
		return ""
	}
	s := timeOf(&r.history, r.clock)
	return seconds(s.inSteps()/float64(max(s.steps, 1))) + " a step"
}
