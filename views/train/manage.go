package train

import (
	"context"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/dataset"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// manager renames and deletes runs, each after it has asked.
type manager struct {
	*shared
	of      *run.Run       // that is asked about
	naming  *widget.Prompt // open while another name is written
	sure    *widget.Choice // open while it is asked whether the run is to be deleted
	working views.Request
}

// managed is what a run has become.
type managed struct {
	was *run.Run
	now *run.Run // nil: it is deleted
}

func (p *manager) open() bool { return p.naming != nil || p.sure != nil }

// ready is the selected run where it can be renamed or deleted; else it says why not.
func (p *manager) ready(what string) (*entry, tea.Cmd) {
	e := p.actual()
	switch {
	case p.working.Pending():
		return nil, views.Warn("the run before is still being worked on")
	case e == nil:
		return nil, views.Warn("there is nothing to %s: the run's folder is gone", what)
	case e.run.Tool() != "":
		return nil, views.Warn("%v", e.run.Refuse(what+"d"))
	case e.status.Live():
		return nil, views.Warn("%s is %s: %s stops it, then it can be %sd", e.run.Label(), e.status.State,
			views.KeyOf("stop_run"), what)
	}
	return e, nil
}

// rename asks for another name.
func (p *manager) rename() tea.Cmd {
	e, no := p.ready("rename")
	if e == nil {
		return no
	}
	p.of, p.naming = e.run, widget.NewPrompt("name", e.run.Info.Name)
	p.naming.Hint = "letters, digits, - and _"
	p.naming.Check = run.CheckName
	p.naming.Select()
	return nil
}

// remove asks whether the run is to be deleted.
func (p *manager) remove() tea.Cmd {
	e, no := p.ready("delete")
	if e == nil {
		return no
	}
	lost := "with its log and its curves"
	if r := p.readingOf(e.run.Dir); r != nil {
		lost = fmt.Sprintf("%s and %s go with it", dataset.Counted(len(r.saved), "checkpoint", "checkpoints"),
			dataset.Counted(len(r.results), "evaluation", "evaluations"))
	}
	p.of, p.sure = e.run, widget.NewChoice("Delete "+widget.Clean(e.run.Label())+"?", false,
		widget.Option{Text: "keep it"}, widget.Option{Text: "delete it for good", Detail: lost})
	return nil
}

// typed gives keys to what is asked.
func (p *manager) typed(msg tea.Msg) tea.Cmd {
	of := p.of
	if p.naming != nil {
		outcome, cmd := p.naming.Update(msg)
		name := strings.TrimSpace(p.naming.Value())
		if outcome != widget.Editing {
			p.naming = nil
		}
		if outcome != widget.Accepted || name == of.Info.Name {
			return cmd
		}
		rename := p.control.Rename
		return tea.Batch(cmd, views.Ask(&p.working, func(context.Context) (managed, error) {
			now, err := rename(of, name)
			return managed{of, now}, err
		}))
	}
	outcome, cmd := p.sure.Update(msg)
	if outcome == widget.Editing {
		return cmd
	}
	chosen := p.sure.Chosen()
	p.sure = nil
	if outcome != widget.Accepted || chosen != 1 {
		return cmd
	}
	remove := p.control.Delete
	return tea.Batch(cmd, views.Ask(&p.working, func(context.Context) (managed, error) {
		return managed{was: of}, remove(of)
	}))
}

// answered follows a run to its new name: its mark, and that it is the one that is looked at.
func (p *manager) answered(msg views.Answer[managed]) tea.Cmd {
	if !p.working.Takes(msg.Ticket) {
		return nil
	}
	p.working.Close()
	p.scanNow()
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	was, now := msg.Value.was, msg.Value.now
	at := slices.Index(p.marks, was.Dir)
	if now == nil {
		if at >= 0 {
			p.marks = slices.Delete(p.marks, at, at+1)
		}
		return views.Say("%s is deleted", was.Label())
	}
	p.expected = now.Dir
	if at >= 0 {
		p.marks[at] = now.Dir
	}
	if e := p.selected(); e != nil && e.run.Dir == was.Dir {
		p.chosen = now.Dir
	}
	return views.Say("%s is called %s now", was.Label(), now.Label())
}

// over lays what is asked over the screen.
func (p *manager) over(t *widget.Theme, screen string, w, h int) string {
	if p.sure != nil {
		return p.sure.Over(t, screen, w, h)
	}
	bw := min(w-4, 72)
	text := " " + strings.ReplaceAll(p.naming.View(t, bw-4), "\n", "\n ")
	title := "Another name for " + widget.Clean(p.of.Label())
	box := widget.Panel{Titles: []string{title}, Focused: true}.View(t, text, bw, strings.Count(text, "\n")+3)
	return widget.Overlay(screen, box, (w-bw)/2, max((h-6)/2, 0))
}

func (p *manager) status() string {
	if p.sure != nil {
		return "↑ ↓ choose   enter takes it   esc keeps the run"
	}
	return "enter gives it that name   esc leaves"
}

// actions are what is done to the list of runs and to one of them.
func (p *manager) actions() []views.Action {
	return []views.Action{
		{Name: "run_order", Help: "list runs the newest first, by name, recipe or state, the best or the furthest first",
			Group: "Runs", Enabled: p.any,
			Run: func() tea.Cmd { p.order = (p.order + 1) % runOrderCount; return nil }},
		{Name: "rename_run", Help: "give the run another name; its number, checkpoints and evaluations stay",
			Group: "Runs", Enabled: p.any, Run: p.rename},
		{Name: "delete_run", Help: "delete the run and all that is in its folder, asked first; never one that goes on",
			Group: "Runs", Enabled: p.any, Run: p.remove},
	}
}
