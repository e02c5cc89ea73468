package train

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"finetui/core/run"
	"finetui/views"
)

// requests are what runs are asked for: to stop, or to go on.
type requests struct {
	*shared
	asking   views.Request
	stopping map[string]bool // runs that have been asked to stop from here
}

func newRequests(s *shared) requests { return requests{shared: s, stopping: map[string]bool{}} }

// asked is what a run was asked for.
type asked struct {
	label string
	begun string // the run's directory where a process was started
	what  string // as a sentence goes on: "stops at its next checkpoint; x again …"
}

func (p *requests) busy() tea.Cmd { return views.Warn("the request before is not answered yet") }

// stop asks the selected run to stop at its next checkpoint; asked again, after this step.
func (p *requests) stop() tea.Cmd {
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
	if r := p.readingOf(dir); r != nil && r.preparing.Hub {
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

// resume starts a process that goes on with the selected run.
func (p *requests) resume() tea.Cmd {
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
func (p *requests) cannot(what string, e *entry) tea.Cmd {
	switch {
	case e == nil:
		return views.Warn("there is nothing to %s: the run's folder is gone", what)
	case e.run.Tool() != "":
		return views.Warn("%v", e.run.Refuse(map[string]string{"stop": "stopped", "resume": "resumed"}[what]))
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

// settle forgets of which runs that do not live any more it was asked that they stop.
func (p *requests) settle() {
	for _, e := range p.newest.runs {
		if !e.status.Live() {
			delete(p.stopping, e.run.Dir)
		}
	}
}

// answered says what came of stop or resume, and looks at the runs at once.
func (p *requests) answered(msg views.Answer[asked]) tea.Cmd {
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
