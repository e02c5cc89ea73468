package infer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/views"
	"finetui/views/widget"
)

// batch is an evaluation that is going on.
type batch struct {
	request     views.Request
	name, split string
	done, total int
	what        string
	elapsed     time.Duration
	err         error  // why the last one ended without a result
	failedOn    string // subject and split of err
}

// evaluationStep is one message of an evaluation.
type evaluationStep struct {
	name        string
	done, total int
	what        string
	elapsed     time.Duration // since the subject's first question
	result      *eval.Result
	trouble     string // why features were not kept, the first time
}

// evaluate asks the subjects of the mode about every object of the split, one subject after the other.
func (p *shared) evaluate() tea.Cmd {
	var names []string
	for _, who := range p.asked() {
		if setting := p.now.settings[who]; setting != nil {
			names = append(names, setting.Name)
		}
	}
	if len(names) == 0 {
		return views.Warn("nobody can be evaluated: %s", p.whyNobody())
	}
	p.meant = true
	s, split, evaluate := p.session, p.now.split, p.control.Evaluate
	p.batch = batch{name: names[0], split: split, total: p.now.samples.Len(), what: "loading"}
	if p.views.Is(askView) {
		p.views.Show(scoresView)
	}
	return views.Listen(&p.batch.request, func(ctx context.Context, emit func(evaluationStep)) error {
		for _, name := range names {
			start := time.Now()
			emit(evaluationStep{name: name, what: "loading"})
			result, err := evaluate(ctx, s, name, split, func(done, total int, what string) {
				emit(evaluationStep{name: name, done: done, total: total, what: what, elapsed: time.Since(start)})
			})
			if err != nil {
				return fmt.Errorf("evaluating %s on %s: %w", name, split, err)
			}
			emit(evaluationStep{name: name, result: result, trouble: s.Trouble()})
		}
		return nil
	})
}

// evaluated takes what came of an evaluation.
func (p *shared) evaluated(msg views.Batch[evaluationStep]) tea.Cmd {
	b := &p.batch
	if !b.request.Takes(msg.Ticket) {
		return nil
	}
	var cmds []tea.Cmd
	for _, step := range msg.Values {
		b.name = step.name
		if step.result != nil {
			r := step.result
			if step.trouble != "" {
				cmds = append(cmds, views.Warn("%s", step.trouble))
			}
			cmds = append(cmds, views.Say("%s on %s: %s right (95 %%: %s)", step.name, r.Split,
				widget.Percent(r.Accuracy, 1), span(r.AccuracyInterval)), p.look())
			continue
		}
		b.done, b.what, b.elapsed = step.done, step.what, step.elapsed
		if step.total > 0 {
			b.total = step.total
		}
	}
	if !msg.Ended {
		return tea.Batch(append(cmds, msg.Next)...)
	}
	b.request.Close()
	if msg.Err != nil && !errors.Is(msg.Err, context.Canceled) {
		b.err, b.failedOn = msg.Err, b.name+" "+b.split
		cmds = append(cmds, views.Fail(msg.Err))
	}
	return tea.Batch(cmds...)
}

func (p *shared) stopEvaluation() tea.Cmd {
	p.batch.request.Close()
	return views.Say("stopped; nothing of it was kept")
}

// text is how far it is, in a few words.
func (b *batch) text() string {
	if b.what != "" && b.what != "answers" { // what is counted is none of the answers yet
		return fmt.Sprintf("evaluating %s …", widget.Clean(b.name))
	}
	return fmt.Sprintf("evaluating %s %s/%s", widget.Clean(b.name), widget.Count(b.done), widget.Count(b.total))
}

// bar is how far it is, as a line of w cells.
func (b *batch) bar(t *widget.Theme, w int) string {
	p := widget.Progress{What: b.name, Done: b.done, Total: b.total}
	if b.what != "" { // of what: answers, or files of the base that are read before
		p.What += " · " + b.what
	}
	if b.elapsed >= time.Second { // before that an estimate means nothing
		p.Elapsed = b.elapsed
	}
	return p.View(t, w)
}

// noResult says that there is no evaluation and how to make one, or how far it is.
func (p *shared) noResult(t *widget.Theme, w, h int) string {
	setting := p.now.settings[p.main()]
	k := p.kept()
	var lines []string
	say := func(style widget.Style, text string) { lines = append(lines, toned(style, wrapped(text, w-4))...) }
	switch {
	case p.evaluatingThis():
		say(t.Strong, "Asking about all "+p.counted(p.now.samples.Len())+" of "+p.batch.split)
		lines = append(lines, p.batch.bar(t, w-4))
		say(t.Muted, "x stops it. The other views and panes are open meanwhile.")
	case setting == nil:
		say(t.Text, widget.Capital(p.whyNobody())+".")
	case k != nil && k.Fault != nil:
		say(t.Warning, "✗ "+widget.Capital(printable.Error(k.Fault)))
		say(t.Text, "Press b to evaluate again.")
	case p.batch.err != nil && p.batch.failedOn == setting.Name+" "+p.now.split:
		say(t.Warning, "✗ "+widget.Capital(printable.Error(p.batch.err)))
		say(t.Text, "Press b to try again.")
	default:
		n := p.now.samples.Len()
		say(t.Strong, setting.Name+" has not been evaluated on "+p.now.split)
		say(t.Text, fmt.Sprintf("Press b to ask it about all %s of this split and score the answers; %s and "+
			"%s choose who is asked, %s another split.", p.counted(n),
			views.KeyOf("subject"), views.KeyOf("run"), views.KeyOf("next_split")))
	}
	return widget.Block(strings.Repeat("\n", min(max((h-len(lines))/3, 0), 6))+"  "+strings.Join(lines, "\n  "), w, h)
}

// evaluatingThis says whether the evaluation that is going on is the one that is looked at.
func (p *shared) evaluatingThis() bool {
	setting := p.now.settings[p.main()]
	return p.batch.request.Pending() && setting != nil && p.batch.name == setting.Name && p.batch.split == p.now.split
}
