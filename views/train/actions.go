package train

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// Actions are the pane's own, then those of the open view. What an action selects may have to be read: each
// asks for it when it has run.
func (p *Pane) Actions() []views.Action {
	return views.Then(p.attend, slices.Concat(p.runActions(), p.manager.actions(), p.turning(),
		p.curveActions(), p.windowActions(), p.metric.actions(), p.views.Here())...)
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
				p.chosen = e.run.Dir
				if p.views.Is(compareView) {
					p.views.Show(overviewView)
				}
				return p.attend()
			}})
	}
	return jumps
}

// turning goes from view to view; without runs to the sweeps, where there are some.
func (p *Pane) turning() []views.Action {
	turn := p.views.Turning()
	if p.ready() || len(p.sweeps.reports) == 0 {
		return turn
	}
	for i := range turn {
		turn[i].Enabled = nil
		turn[i].Run = func() tea.Cmd { p.views.Show(sweepsView); return nil }
	}
	return turn
}

// runActions do something to runs.
func (p *Pane) runActions() []views.Action {
	return []views.Action{
		{Name: "new_run", Label: "new", Help: "start a run with the constants of config.toml", Group: "Runs",
			Enabled: p.launcher.canStart, Run: p.launcher.ask},
		{Name: "adopt_runs", Help: "show the runs of another trainer: asks for a folder and notes it in PROJECT.WATCH",
			Group: "Runs", Enabled: p.adopter.can, Run: p.adopter.ask},
		{Name: "stop_run", Label: offered(p.canStop(), "stop"),
			Help: "stop the run at its next checkpoint; again: after this step", Group: "Runs", Enabled: p.any,
			Run: p.requests.stop},
		{Name: "resume_run", Label: offered(p.canResume(), "resume"),
			Help: "go on with the run from its last checkpoint", Group: "Runs", Enabled: p.any, Run: p.requests.resume},
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
			Enabled: p.exporter.can, Run: p.exporter.export},
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
			Run: func() tea.Cmd {
				p.plot.x, p.plot.window = (p.plot.x+1)%axisCount, xWindow{}
				return nil
			}},
		{Name: "log_y", Help: "losses on a logarithmic scale, or a plain one", Group: "Curves", Enabled: p.any,
			Run: toggle(&p.plot.log)},
		{Name: "outliers", Help: "let the scale ignore outliers, which are marked, or hold them", Group: "Curves",
			Enabled: p.any, Run: toggle(&p.plot.outliers)},
		{Name: "weights", Help: "the loss as the recipe weighs it, or without weights", Group: "Curves", Enabled: p.any,
			Run: toggle(&p.plot.plain)},
		{Name: "class_value", Help: "classes by their loss in training, or by their recall on valid", Group: "Curves",
			Enabled: p.any, Run: toggle(&p.plot.recall)},
		{Name: "class_order", Help: "classes with the rarest first, or the commonest", Group: "Curves", Enabled: p.any,
			Run: toggle(&p.plot.commonest)},
	}
}

func (p *Pane) smooth(n int) func() tea.Cmd {
	return func() tea.Cmd {
		rows := 0
		if r := p.current(); r != nil {
			rows = len(r.history.Train)
		}
		p.plot.smooth(n, rows)
		return nil
	}
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
