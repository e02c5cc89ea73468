package train

import (
	"fmt"
	"strings"
	"time"

	"finetui/core/finetune"
	"finetui/core/run"
	"finetui/views/widget"
)

func (v *overview) progressTitle() string {
	e := v.selected()
	if e == nil {
		return "Run"
	}
	switch {
	case e.run.Info.Recipe == "":
		return "Run · " + e.run.Label()
	case e.run.Info.Base == "":
		return "Run · " + e.run.Label() + " · " + e.run.Info.Recipe
	}
	return "Run · " + e.run.Label() + " · " + e.run.Info.Recipe + " on " + e.run.Info.Base
}

// drawProgress says how the selected run stands, in words and a bar.
func (v *overview) drawProgress(t *widget.Theme, w, h int) string {
	e := v.selected()
	if e == nil {
		return widget.Block("", w, h)
	}
	lines := v.stateLines(t, e, w-2, h)
	if e.run.Fault == nil {
		r := v.current()
		if warned := v.current().warned(); len(warned) > 0 {
			newest := warned[0]
			lines = append(lines, t.Warning.Render(widget.Cut(fmt.Sprintf("! %s (step %d)", widget.Clean(newest.Text),
				newest.Step), w-2)))
		}
		lines = append(lines, v.stepLines(t, e, r, w-2)...)
		if r != nil {
			lines = append(lines, scoreLines(t, r, v.plot, w-2)...)
		}
	}
	for i, line := range lines {
		lines[i] = " " + line
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// stateLines are the state, what led to it as far as h lines have room beside the rest, and what can be done.
func (v *overview) stateLines(t *widget.Theme, e *entry, w, h int) []string {
	glyph, tone := glyphOf(e.state())
	state := t.Tone(tone).Render(glyph + " " + e.state())
	if e.run.Fault != nil {
		lines := []string{state + t.Muted.Render(" · its run.json cannot be read")}
		for _, line := range widget.Wrap(e.fault(), w) {
			lines = append(lines, t.Warning.Render(line))
		}
		return lines
	}
	if d := v.elapsed(e); d > 0 {
		state += t.Muted.Render(" · ") + widget.Duration(d) + t.Muted.Render(" at work")
	}
	if n := e.run.Info.Resumed; n > 0 {
		state += t.Muted.Render(" · resumed " + times(n))
	}
	lines := []string{state}
	if e.state() == run.Done || e.status.Reason == "" {
		return lines
	}
	reason := e.status.Reason
	if v.canResume() { // what can be done follows
		reason, _, _ = strings.Cut(reason, "; resume ")
	}
	words := widget.Wrap(widget.Clean(reason), w)
	if most := max(h-3, 1); len(words) > most { // details has all of it
		words = append(words[:most-1], strings.TrimSuffix(widget.Cut(words[most-1], w-1), "…")+"…")
	}
	for _, line := range words {
		lines = append(lines, t.Tone(tone).Render(line))
	}
	if v.canResume() {
		from := ""
		switch r := v.current(); {
		case r == nil:
		case len(r.saved) > 0:
			from = " from step " + widget.Count(r.saved[len(r.saved)-1].Step)
		default:
			from = " from the start: it has no checkpoint"
		}
		lines = append(lines, t.Key.Render("r")+" resumes it"+from)
	}
	return lines
}

// stepLines are the bar, epoch, speed and the time that is left.
func (v *overview) stepLines(t *widget.Theme, e *entry, r *reading, w int) []string {
	step, steps := e.step, e.run.Info.Steps
	if r != nil {
		step = max(step, r.history.Step())
	}
	if r != nil && e.status.Live() && r.preparing.What != "" {
		return preparingLines(t, e.run.Info.Base, r.preparing, w)
	}
	lines := []string{widget.Progress{Done: step, Total: steps}.View(t, w)}
	switch {
	case steps > 0:
	case e.run.Tool() != "":
		lines[0] = t.Muted.Render("step ") + widget.Count(step) + t.Muted.Render(": of how many is not known")
	default:
		lines[0] = t.Accent.Render(t.Busy) + t.Muted.Render(" preparing: data, model and adapters")
		if !e.status.Live() {
			lines[0] = t.Muted.Render("it never came to its first step")
		}
	}
	if r == nil || len(r.history.Train) == 0 {
		if r != nil && e.status.Live() {
			lines = append(lines, beginning(t, r, w)...)
		}
		return lines
	}
	last := r.history.Train[len(r.history.Train)-1]
	var parts []string
	if epoch := float64(last.Epoch); run.Finite(epoch) {
		text := fmt.Sprintf("epoch %.2f", epoch)
		if r.config != nil {
			text += fmt.Sprintf(" of %d", r.config.Train.Epochs)
		}
		parts = append(parts, text)
	}
	if speed := float64(last.TokensPerSecond); run.Finite(speed) && speed > 0 {
		parts = append(parts, widget.Number(speed)+" tokens/s")
	}
	if len(parts) > 0 {
		lines = append(lines, strings.Join(parts, t.Muted.Render(" · ")))
	}
	switch {
	case e.status.State == run.Stopping:
		lines = append(lines, untilStop(t, e, r, step))
	case e.status.Live() && steps > step:
		lines = append(lines, v.left(t, e, r, step))
	}
	return lines
}

// beginning is what a run says in its log before its first figures come, and when they will.
func beginning(t *widget.Theme, r *reading, w int) []string {
	var lines []string
	if n := len(r.log); n > 0 {
		text := r.log[n-1]
		if len(text) > len(time.DateTime)+1 {
			if _, err := time.Parse(time.DateTime, text[:len(time.DateTime)]); err == nil {
				text = text[len(time.DateTime)+1:]
			}
		}
		lines = append(lines, widget.Wrap(widget.Cut(widget.Clean(text), 2*w), w)...)
	}
	if r.config != nil && r.run.Info.Steps > 0 {
		text := fmt.Sprintf("the first steps: everything is seen for the first time; figures come at step %d",
			r.config.Train.LogEvery)
		for _, line := range widget.Wrap(text, w) {
			lines = append(lines, t.Muted.Render(line))
		}
	}
	return lines
}

// untilStop is when a run that was asked to stop will do so.
func untilStop(t *widget.Theme, e *entry, r *reading, step int) string {
	if r.config == nil || r.config.Train.SaveEvery == 0 || strings.Contains(e.status.Reason, "this step") {
		return t.Muted.Render("it stops in a moment")
	}
	every := r.config.Train.SaveEvery
	at := min((step/every+1)*every, e.run.Info.Steps)
	text := fmt.Sprintf("it stops at step %s", widget.Count(at))
	if left, ok := run.Remaining(step, at, run.Pace(r.history.Train, e.run.Info.Began)); ok {
		text += ", in about " + widget.Duration(left)
	}
	return text
}

// preparingLines are how far a run is with what comes before its first step: with its base, as one file after the other
// comes, and with what takes its time here.
func preparingLines(t *widget.Theme, base string, p finetune.Preparation, w int) []string {
	doing := "preparing "
	if p.Hub {
		doing = "fetching "
	}
	lines := []string{t.Muted.Render(doing) + widget.Cut(widget.Clean(base), w-len(doing))}
	if p.Total == 0 {
		for _, line := range widget.Wrap(widget.Clean(p.What)+" …", w) {
			lines = append(lines, t.Muted.Render(line))
		}
		return lines
	}
	share := min(float64(p.Done)/float64(p.Total), 1)
	lines = append(lines, widget.Gauge{Share: share, Text: widget.Percent(share, 0)}.View(t, w))
	return append(lines, widget.Wrap(fmt.Sprintf("%s of %s %s", widget.Count(p.Done), widget.Count(p.Total),
		widget.Clean(p.What)), w)...)
}

// left is how long a live run will take yet, and when it will be over.
func (v *overview) left(t *widget.Theme, e *entry, r *reading, step int) string {
	left, ok := run.Remaining(step, e.run.Info.Steps, run.Pace(r.history.Train, e.run.Info.Began))
	if !ok {
		return t.Muted.Render("the time left is not known yet")
	}
	return widget.Duration(left) + t.Muted.Render(" left, until ") + v.now().Add(left).Format("15:04")
}

// scoreLines are the losses of the newest row, and of the newest check on valid.
func scoreLines(t *widget.Theme, r *reading, l plotOptions, w int) []string {
	var lines []string
	if len(r.history.Train) > 0 {
		loss := r.loss(l.plain)
		lines = append(lines, t.Muted.Render("loss  ")+widget.Number(l.raw(r, loss).last())+
			t.Muted.Render(" · smooth ")+widget.Number(l.smoothed(r, loss).last()))
	}
	if checks := r.history.Checks(); len(checks) > 0 {
		c := checks[len(checks)-1]
		line := t.Muted.Render("valid ") + widget.Number(float64(c.Loss))
		if run.Finite(float64(c.Accuracy)) || run.Finite(float64(c.MacroF1)) {
			line += t.Muted.Render(" · ") + widget.Percent(float64(c.Accuracy), 0) + t.Muted.Render(" · F1 ") +
				widget.Number(float64(c.MacroF1))
		}
		if at := fmt.Sprintf(" · at %d", c.Step); widget.Width(line)+len(at) <= w {
			line += t.Muted.Render(at)
		}
		lines = append(lines, line)
	}
	return lines
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
