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
	steps int
	// rest: checks on valid, checkpoints and everything else; NaN: not known
	data, forward, backward, optimiser, rest float64
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

// unknownTime is said of rows without times.
const unknownTime = "how long a step takes is not known yet"

// verdict says in words what takes the time, and whether something should be done about it. machine is what computes:
// "cores" or "GPU".
func (s stepTime) verdict(machine string) (text string, warn bool) {
	total := s.inSteps()
	if total <= 0 || math.IsNaN(total) {
		return unknownTime, false
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
		return fmt.Sprintf("checks and checkpoints take %s of the time: raise EVAL_EVERY or SAVE_EVERY",
			widget.Percent(rest, 0)), true
	case solver >= solverFrom:
		return fmt.Sprintf("the optimiser takes %s of the step: more samples a step would use the time better",
			widget.Percent(solver, 0)), true
	case data >= waitsSome:
		return fmt.Sprintf("%s for data for %s of the step", wait, widget.Percent(data, 0)), false
	}
	return fmt.Sprintf("%s: %s forward and backward", compute, widget.Percent((s.forward+s.backward)/total, 0)), false
}

// drawStepTime is the parts of a step, and the verdict.
func (p *Pane) drawStepTime(t *widget.Theme, w, h int) string {
	r := p.current()
	if r == nil || len(r.history.Train) == 0 {
		return p.nothing(t, "no step has been reported yet", w, h)
	}
	s := timeOf(&r.history, r.clock)
	if total := s.inSteps(); total <= 0 || math.IsNaN(total) {
		return p.nothing(t, unknownTime, w, h)
	}
	machine := "cores"
	if len(gpuIndices(&r.history)) > 0 {
		machine = "GPU"
	}
	verdict := verdictLines(t, s, machine, w)
	if line := shareOfCores(r); machine == "cores" && line != "" {
		verdict = append(verdict, widget.Hang(t.Warning.Render(" ! "), line, t.Warning, w)...)
	}
	lines := s.partLines(t, w, h-len(verdict))
	return widget.Block(strings.Join(append(lines, verdict...), "\n"), w, h)
}

// verdictLines are the verdict in lines of w cells.
func verdictLines(t *widget.Theme, s stepTime, machine string, w int) []string {
	text, warn := s.verdict(machine)
	sign, style := t.OK.Render("✓"), t.Text
	if warn {
		sign, style = t.Warning.Render("!"), t.Warning
	}
	return widget.Hang(" "+sign+" ", text, style, w)
}

// shareOfCores says that a run gets little of the cores while its steps do nothing but compute: the system
// counts what it takes of them, its own clock also the time in which it had to wait for its turn. Empty where it
// gets enough, or is bound to some of them by TRAIN.THREADS.
func shareOfCores(r *reading) string {
	const newest, little = 10, 50.0
	if r.config == nil || r.config.Train.Threads != 0 || !r.status.Live() {
		return ""
	}
	var shares []float64
	rows := r.history.System
	for _, row := range rows[max(len(rows)-newest, 0):] {
		shares = append(shares, number(row.CPU))
	}
	if share := run.Mean(shares); share < little {
		return fmt.Sprintf("it gets %s of the cores: other processes hold the machine, or its steps are too small "+
			"to share out", percentText(share))
	}
	return ""
}

// partLines are the parts of a step in h lines: bars where there is room for all, else words.
func (s stepTime) partLines(t *widget.Theme, w, h int) []string {
	bars := s.bars()
	if h < len(bars.Items) {
		var parts []string
		for _, item := range bars.Items {
			parts = append(parts, item.Label+" "+item.Text)
		}
		lines := widget.Wrap(strings.Join(parts, " · "), w-2)
		for i := range lines {
			lines[i] = " " + lines[i]
		}
		return lines[:min(max(h, 0), len(lines))]
	}
	lines := strings.Split(bars.View(t, w-1, len(bars.Items)), "\n")
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	if h > len(lines) && !math.IsNaN(s.rest) {
		rest := "between steps " + seconds(s.rest/float64(max(s.steps, 1)))
		if why := " (checks, checkpoints)"; widget.Width(rest+why)+2 <= w {
			rest += why
		}
		lines = append(lines, t.Muted.Render(" "+rest))
	}
	return lines
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
	if !(s.inSteps() > 0) {
		return ""
	}
	return seconds(s.inSteps()/float64(max(s.steps, 1))) + " a step"
}
