package infer

import (
	"context"
	"reflect"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// source is where questions and answers come from: the open project, and what was last seen of its runs.
type source struct {
	data    views.Dataset    // as the root told it last
	session *session.Session // nil: not open yet
	err     error            // why it cannot be opened
	opening views.Request
	doing   widget.Progress
	opens   int // how often it was opened

	now     *snapshot // what was seen when it was looked last; nil: not looked yet
	looking views.Request
	looks   int // how often it was another one: pictures of another one are not this one's
}

// openingStep is one message of opening a project.
type openingStep struct {
	done, total int
	what        string
	session     *session.Session
}

// ready says whether there is something to ask about.
func (p *shared) ready() bool {
	return p.err == nil && p.now != nil && len(p.now.splits) > 0
}

// long says whether going through the split takes so long that a key would wait for it: more than a few milliseconds.
func (n *snapshot) long() bool {
	const most = 50_000 // objects
	return n.samples.Len() > most
}

// heardOf takes the data set as it stands now. What is shown stays until the project is open on another one.
func (p *shared) heardOf(now views.Dataset) tea.Cmd {
	p.data, p.doing = now, now.Progress
	if p.data.Err != nil {
		p.opening.Close()
		p.err = p.data.Err
	}
	return p.openSession()
}

// openSession opens the project on its data set, as soon as that is there. What is shown stays until then.
func (p *shared) openSession() tea.Cmd {
	if !p.data.Is(p.file) {
		return nil
	}
	frozen, before, set, open := p.file.Snapshot, p.session, p.data.Set, p.control.Open
	return views.Listen(&p.opening, func(ctx context.Context, emit func(openingStep)) error {
		report := func(done, total int, what string) { emit(openingStep{done: done, total: total, what: what}) }
		opened, err := views.InTurn(func(ctx context.Context) (*session.Session, error) {
			return open(ctx, frozen, set, before, report)
		})(ctx)
		if err != nil {
			return err
		}
		emit(openingStep{session: opened})
		return nil
	})
}

// waiting says whether the project is being opened, or its data set read.
func (s *source) waiting() bool { return s.data.Reading || s.opening.Pending() }

func (p *shared) opened(msg views.Batch[openingStep]) tea.Cmd {
	if !p.opening.Takes(msg.Ticket) {
		return nil
	}
	for _, step := range msg.Values {
		if step.session == nil {
			p.doing = widget.Progress{What: step.what, Done: step.done, Total: step.total}
			continue
		}
		p.session = step.session
	}
	if !msg.Ended {
		return msg.Next
	}
	p.opening.Close()
	if p.err = msg.Err; p.err != nil {
		return nil
	}
	p.opens++
	return p.look()
}

// reconfigure opens the project of changed constants; how things are shown does not concern it.
func (p *shared) reconfigure(file *config.File) tea.Cmd {
	before := p.file
	p.file = file
	if file == nil {
		p.opening.Close()
		p.now, p.err = nil, nil
		return nil
	}
	if before != nil && p.session != nil && p.err == nil && !p.opening.Pending() &&
		sameQuestions(p.session.Project.Config, file.Config) {
		return nil
	}
	return p.openSession()
}

// sameQuestions says whether two configurations differ in nothing that this pane asks or shows.
func sameQuestions(a, b *config.Config) bool {
	x, y := *a, *b
	x.View, x.Keys, x.Convert = y.View, y.Keys, y.Convert
	return reflect.DeepEqual(x, y)
}

// look finds out what runs and evaluations there are.
func (p *shared) look() tea.Cmd {
	if p.session == nil {
		return nil
	}
	s, split, run, before := p.session, p.wanted.split, p.wanted.run, p.now
	return views.Ask(&p.looking, views.InTurn(func(context.Context) (*snapshot, error) {
		return newSnapshot(s, split, run, before)
	}))
}

func (p *shared) looked(msg views.Answer[*snapshot]) tea.Cmd {
	if !p.looking.Takes(msg.Ticket) {
		return nil
	}
	p.looking.Close()
	before := p.now
	p.now = msg.Value
	if before == nil || before.session != p.now.session || before.split != p.now.split ||
		before.titles != p.now.titles {
		p.looks++
		p.pictures.Forget()
	}
	p.arrive(before)
	if p.choice != nil {
		if at := p.choice.list.Chosen(); at >= 0 {
			p.choice = runChoice(p.now.candidates, p.choice.names[at])
		}
	}
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	return nil
}

// arrive keeps what was selected where it is still there.
func (p *shared) arrive(before *snapshot) {
	c := p.now
	if before == nil {
		p.mode = baseOnly
	}
	if p.mode == baseOnly && !p.meant && c.settings[adapter] != nil {
		p.mode = adapterOnly
	}
	if c.settings[adapter] == nil && c.faults[adapter] == nil {
		p.mode = baseOnly
	}
	if setting := c.settings[adapter]; setting != nil { // a newer run's checkpoint takes nobody's place
		p.wanted.run = setting.Name
	}
	p.views.Refresh()
}

// notice is the page where there is nothing to ask about: why, and what to do about it.
func (p *shared) notice(t *widget.Theme, w, h int) string {
	if p.file == nil {
		return views.NoProject(t, w, h)
	}
	n := widget.NewNotice(w)
	switch {
	case p.waiting() || p.now == nil && p.err == nil:
		n.Say(t.Strong, "Opening the data set at "+p.file.Config.Dataset.Path)
		n.Add(p.doing.View(t, min(w-6, 72)))
		n.Say(t.Muted, "Every key works meanwhile; the other panes are open.")
	case p.err != nil:
		n.Say(t.Warning, "✗ There is nothing to ask about yet")
		n.Say(t.Text, widget.Capital(printable.Error(p.err)))
		n.Say(t.Muted, "The pane Data can make or read a data set, constants are changed in Config; ctrl+r "+
			"tries again.")
	default:
		n.Say(t.Strong, "No labelled object in "+p.file.Config.Dataset.Path)
		n.Say(t.Text, "Questions are asked about labelled objects: put label files beside the pictures, then "+
			"press ctrl+r.")
	}
	return n.View(w, h)
}
