package train

import (
	"context"
	"path/filepath"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// Actions are the pane's own, then those of the open view. What an action selects may have to be read: each
// asks for it when it has run.
func (p *Pane) Actions() []views.Action {
	return views.Then(p.attend, slices.Concat(p.runActions(), p.views.Turning(), p.curveActions(), p.views.Here())...)
}

// AllActions are the pane's own and those of every view.
func (p *Pane) AllActions() []views.Action {
	return append(p.Actions(), views.Then(p.attend, p.views.AllActions()...)...)
}

// Jumps are the views and the runs.
func (p *Pane) Jumps() []views.Jump {
	if !p.any() {
		return nil
	}
	jumps := p.views.Jumps()
	for i := range p.list.runs {
		e := &p.list.runs[i]
		jumps = append(jumps, views.Jump{Text: "run " + e.run.Label(), Detail: e.state() + ", " + e.run.Info.Recipe,
			Go: func() tea.Cmd {
				p.filter.Set("")
				p.choose(e.run.Dir)
				if p.views.Is(compareView) {
					p.views.Show(overviewView)
				}
				return p.attend()
			}})
	}
	return jumps
}

// runActions do something to runs.
func (p *Pane) runActions() []views.Action {
	return []views.Action{
		{Name: "new_run", Label: "new", Help: "start a run with the constants of config.toml", Group: "Runs",
			Enabled: p.canStart, Run: p.askName},
		{Name: "stop_run", Label: offered(p.canStop(), "stop"),
			Help: "stop the run at its next checkpoint; again: after this step", Group: "Runs", Enabled: p.any,
			Run: p.stop},
		{Name: "resume_run", Label: offered(p.canResume(), "resume"),
			Help: "go on with the run from its last checkpoint", Group: "Runs", Enabled: p.any, Run: p.resume},
		{Name: "pause_display", Label: "hold display",
			Help: "hold the display still, or let it go on; runs go on in any case", Group: "Runs", Enabled: p.any,
			Run: p.pause},
		{Name: "compare", Label: "compare", Help: "lay the marked runs over each other, with the selected one",
			Group: "Runs", Enabled: p.any, Run: p.compare},
		{Name: "mark", Label: "mark", Help: "mark the run for comparing, or take the mark off", Group: "Runs",
			Enabled: p.any, Run: p.mark},
		{Name: "details", Label: "details", Help: "show what the run was started from, its checkpoints, events and log",
			Group: "Runs", Enabled: p.any, Run: func() tea.Cmd { p.views.Show(detailsView); return nil }},
		{Name: "next_run", Help: "select the next run of the list, in any view", Group: "Runs", Enabled: p.any,
			Run: func() tea.Cmd { p.move(widget.Down, 1); return nil }},
		{Name: "previous_run", Help: "select the run before", Group: "Runs", Enabled: p.any,
			Run: func() tea.Cmd { p.move(widget.Up, 1); return nil }},
		{Name: "filter", Help: "list only runs whose name, recipe or state contains some text", Group: "Runs",
			Enabled: p.any, Run: p.askFilter},
		{Name: "export", Help: "write the run's series as CSV; in Compare those of all", Group: "Runs",
			Enabled: p.canExport, Run: p.export},
		{Name: "copy", Help: "copy the path of the run directory", Group: "Runs", Enabled: p.any,
			Run: func() tea.Cmd { return views.Copy(p.selected().run.Dir) }},
	}
}

// offered is a label on the bottom line while an action does what it says; else its key only says why it does not.
func offered(can bool, label string) string {
	if can {
		return label
	}
	return ""
}

// curveActions change how curves and classes are drawn, in every view.
func (p *Pane) curveActions() []views.Action {
	toggle := func(on *bool) func() tea.Cmd {
		return func() tea.Cmd { *on = !*on; return nil }
	}
	return []views.Action{
		{Name: "smoother", Help: "smooth curves more; after the most, by the run's length", Group: "Curves",
			Enabled: p.any, Run: p.smooth(1)},
		{Name: "rougher", Help: "smooth curves less", Group: "Curves", Enabled: p.any, Run: p.smooth(-1)},
		{Name: "x_axis", Help: "x is the step, the time of day, or the time at work", Group: "Curves", Enabled: p.any,
			Run: func() tea.Cmd { p.look.x = (p.look.x + 1) % axisCount; return nil }},
		{Name: "log_y", Help: "losses on a logarithmic scale, or a plain one", Group: "Curves", Enabled: p.any,
			Run: toggle(&p.look.log)},
		{Name: "outliers", Help: "let the scale ignore outliers, which are marked, or hold them", Group: "Curves",
			Enabled: p.any, Run: toggle(&p.look.outliers)},
		{Name: "weights", Help: "the loss as the recipe weighs it, or without weights", Group: "Curves", Enabled: p.any,
			Run: toggle(&p.look.plain)},
		{Name: "class_value", Help: "classes by their loss in training, or by their recall on valid", Group: "Curves",
			Enabled: p.any, Run: toggle(&p.look.recall)},
		{Name: "class_order", Help: "classes with the rarest first, or the commonest", Group: "Curves", Enabled: p.any,
			Run: toggle(&p.look.commonest)},
	}
}

func (p *Pane) smooth(n int) func() tea.Cmd {
	return func() tea.Cmd {
		rows := 0
		if r := p.current(); r != nil {
			rows = len(r.history.Train)
		}
		p.look.smooth(n, rows)
		return nil
	}
}

func (p *Pane) pause() tea.Cmd {
	if p.paused = !p.paused; p.paused {
		if live, _ := p.newest.live(); live == nil {
			return views.Say("the display is held; no run goes on now")
		}
		return views.Say("the display is held; %s lets it go on", views.KeyOf("pause_display"))
	}
	p.list = p.newest
	for _, f := range p.follows {
		f.shown = f.latest
	}
	return nil
}

// Marked are the names of the runs that are marked.
func (p *Pane) Marked() []string {
	var names []string
	for _, dir := range p.marks {
		names = append(names, filepath.Base(dir))
	}
	return names
}

// Mark marks the runs of those names.
func (p *Pane) Mark(names []string) {
	p.marks = nil
	for _, name := range names[:min(len(names), mostMarks)] {
		p.marks = append(p.marks, filepath.Join(p.control.Runs(), filepath.Base(name)))
	}
}

func (p *Pane) mark() tea.Cmd {
	dir := p.selected().run.Dir
	if i := slices.Index(p.marks, dir); i >= 0 {
		p.marks = slices.Delete(p.marks, i, i+1)
		return nil
	}
	if len(p.marks) == mostMarks {
		return views.Warn("%d runs are marked, more cannot be told apart; %s takes a mark off", mostMarks,
			views.KeyOf("mark"))
	}
	p.marks = append(p.marks, dir)
	return nil
}

// compare shows the marked runs; the selected one is taken in where only one is marked.
func (p *Pane) compare() tea.Cmd {
	if p.views.Is(compareView) {
		p.Leave()
		return nil
	}
	if len(p.compared()) < 2 {
		return views.Warn("comparing takes two runs: %s marks this one, then select another", views.KeyOf("mark"))
	}
	p.views.Show(compareView)
	return nil
}

func (p *Pane) askFilter() tea.Cmd {
	p.filter.Open("list runs with", "part of a name, a recipe or a state; empty lists all")
	return nil
}

// asked is what a run was asked for.
type asked struct {
	label string
	begun string // the run's directory where a process was started
	what  string // as a sentence goes on: "stops at its next checkpoint; x again …"
}

func (p *Pane) busy() tea.Cmd { return views.Warn("the request before is not answered yet") }

// actual is the selected run as it stands now, also while the display is paused; nil where it is gone.
func (p *Pane) actual() *entry {
	if e := p.selected(); e != nil && p.newest != nil {
		return p.newest.find(e.run.Dir)
	}
	return nil
}

func (p *Pane) canStop() bool {
	e := p.actual()
	return e != nil && e.status.Live()
}

// stop asks the selected run to stop at its next checkpoint; asked again, after this step.
func (p *Pane) stop() tea.Cmd {
	if p.asking.Pending() {
		return p.busy()
	}
	e := p.actual()
	if !p.canStop() {
		return p.cannot("stop", e)
	}
	now := p.stopping[e.run.Dir] || e.status.State == run.Stopping
	p.stopping[e.run.Dir] = true
	dir, label, ask := e.run.Dir, e.run.Label(), p.control.Stop
	if r := p.readingOf(dir); r != nil && r.preparing.What != "" {
		return views.Ask(&p.asking, func(context.Context) (asked, error) {
			return asked{label: label, what: "stops fetching its base; what has come is kept, and r goes on with it"},
				ask(dir, true)
		})
	}
	return views.Ask(&p.asking, func(context.Context) (asked, error) {
		if now {
			return asked{label: label, what: "stops after the step it is in, with a checkpoint"}, ask(dir, true)
		}
		return asked{label: label, what: "stops at its next checkpoint; x again stops it after this step"},
			ask(dir, false)
	})
}

func (p *Pane) canResume() bool {
	e := p.actual()
	return e != nil && p.control.Resume != nil && e.run.Fault == nil && e.status.Resumable()
}

// resume starts a process that goes on with the selected run.
func (p *Pane) resume() tea.Cmd {
	if p.asking.Pending() {
		return p.busy()
	}
	if !p.canResume() {
		return p.cannot("resume", p.actual())
	}
	r, resume := p.actual().run, p.control.Resume
	return tea.Batch(views.Say("%s: starting a process that goes on with it", r.Label()),
		views.Ask(&p.asking, func(ctx context.Context) (asked, error) {
			return asked{label: r.Label(), begun: r.Dir, what: "goes on"}, resume(ctx, r)
		}))
}

// cannot says why a run cannot be stopped or resumed.
func (p *Pane) cannot(what string, e *entry) tea.Cmd {
	switch {
	case e == nil:
		return views.Warn("there is nothing to %s: the run's folder is gone", what)
	case e.run.Fault != nil:
		return views.Warn("%s: it is not known how it stands, for its run.json cannot be read", e.run.Label())
	case e.status.Live():
		return views.Warn("%s is %s: there is nothing to resume", e.run.Label(), e.status.State)
	case e.status.State == run.Done:
		return views.Warn("%s is done: there is nothing to %s", e.run.Label(), what)
	case what == "resume":
		return views.Warn("%s cannot be resumed from here", e.run.Label())
	}
	return views.Warn("%s is %s already: nothing works on it", e.run.Label(), e.status.State)
}

// answered says what came of stop or resume, and looks at the runs at once.
func (p *Pane) answered(msg views.Answer[asked]) tea.Cmd {
	if !p.asking.Takes(msg.Ticket) {
		return nil
	}
	p.asking.Close()
	p.scanNow()
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	if msg.Value.begun != "" {
		p.begun[msg.Value.begun] = true
	}
	return views.Say("%s %s", msg.Value.label, msg.Value.what)
}
