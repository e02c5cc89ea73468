package train

import (
	"fmt"
	"maps"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/run"
	"finetui/views"
)

// followed is a run that the pane reads in full.
type followed struct {
	dir     string
	request views.Request
	latest  *reading // nil: not read yet
	shown   *reading // what is drawn: the latest, or that of the moment when the display was paused
}

// listed takes what the folder holds now.
func (p *Pane) listed(msg views.Batch[listing]) tea.Cmd {
	if !p.watching.Takes(msg.Ticket) || len(msg.Values) == 0 {
		return nil
	}
	now := msg.Values[len(msg.Values)-1]
	p.newest = &now
	p.remember(now.gpus)
	if !p.paused {
		p.list = p.newest
	}
	for _, e := range now.runs {
		if !e.status.Live() {
			delete(p.stopping, e.run.Dir)
		}
	}
	p.marks = slices.DeleteFunc(p.marks, func(dir string) bool { return now.find(dir) == nil })
	return tea.Batch(msg.Next, p.figures(), p.stillborn())
}

// stillborn says which of the runs that were begun from here have failed before their first
// step, and why: where there is no network for the base, say.
func (p *Pane) stillborn() tea.Cmd {
	var cmds []tea.Cmd
	for _, dir := range slices.Sorted(maps.Keys(p.begun)) {
		e := p.newest.find(dir)
		if e != nil && e.status.Live() && e.step == 0 {
			continue
		}
		if delete(p.begun, dir); e != nil && e.status.State == run.Failed {
			cmds = append(cmds, views.Fail(fmt.Errorf("%s has failed: %s", e.run.Label(), e.status.Reason)))
		}
	}
	return tea.Batch(cmds...)
}

// readOne takes what a followed run has come to.
func (p *Pane) readOne(msg views.Batch[*reading]) tea.Cmd {
	for _, f := range p.follows {
		if !f.request.Takes(msg.Ticket) {
			continue
		}
		if len(msg.Values) > 0 {
			f.latest = msg.Values[len(msg.Values)-1]
			if !p.paused || f.shown == nil {
				f.shown = f.latest
			}
		}
		return tea.Batch(msg.Next, p.figures())
	}
	return nil
}

// keepFollowed is how many runs stay read, the ones that were looked at last.
const keepFollowed = 8

// attend follows the selected run, the marked ones and the one that goes on, lets go of those that have not been looked
// at for long or are gone, and tests those that are compared.
func (p *Pane) attend() tea.Cmd {
	if p.list == nil {
		return nil
	}
	var wanted []string
	if live, _ := p.newest.live(); live != nil {
		wanted = append(wanted, live.run.Dir)
	}
	wanted = append(wanted, p.marks...)
	if e := p.selected(); e != nil {
		wanted = append(wanted, e.run.Dir)
	}
	var cmds []tea.Cmd
	for _, dir := range wanted {
		cmds = append(cmds, p.follow(dir))
	}
	keep := keepFollowed + len(p.marks)
	for i := len(p.follows) - 1; i >= 0; i-- {
		if f := p.follows[i]; i >= keep || p.newest.find(f.dir) == nil && p.list.find(f.dir) == nil {
			f.request.Close()
			p.follows = slices.Delete(p.follows, i, i+1)
		}
	}
	return tea.Batch(append(cmds, p.test())...)
}

// follow reads a run in full, unless it is being read already, and puts it first among those that are.
func (p *Pane) follow(dir string) tea.Cmd {
	if i := slices.IndexFunc(p.follows, func(f *followed) bool { return f.dir == dir }); i >= 0 {
		f := p.follows[i]
		p.follows = slices.Insert(slices.Delete(p.follows, i, i+1), 0, f)
		return nil
	}
	e := p.newest.find(dir)
	if e == nil {
		return nil
	}
	f := &followed{dir: dir}
	p.follows = slices.Insert(p.follows, 0, f)
	reader := &follower{run: e.run, ask: p.control.Preparing, pace: time.Second / time.Duration(p.redraws)}
	return views.Listen(&f.request, reader.follow)
}

// readingOf is what is drawn of a run; nil while it has not been read.
func (p *Pane) readingOf(dir string) *reading {
	for _, f := range p.follows {
		if f.dir == dir {
			return f.shown
		}
	}
	return nil
}

// current is what is drawn of the selected run; nil while it has not been read.
func (p *Pane) current() *reading {
	if e := p.selected(); e != nil {
		return p.readingOf(e.run.Dir)
	}
	return nil
}
