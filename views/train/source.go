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

// source is the runs as they lie in their folder: all of them in a list, and in full those that are followed.
type source struct {
	control Control
	redraws int // a second

	watching views.Request
	wake     chan struct{} // makes the watcher look at once
	newest   *listing      // as it came last; nil: none yet
	list     *listing      // as it is drawn: the newest, or that of the moment when the display was paused
	follows  []*followed
	paused   bool
	begun    map[string]bool // runs that were started or resumed from here and have not come to a step yet
}

func newSource(c Control) source {
	return source{control: c, redraws: 4, begun: map[string]bool{}, wake: make(chan struct{}, 1)}
}

// followed is a run that the pane reads in full.
type followed struct {
	dir     string
	request views.Request
	latest  *reading // nil: not read yet
	shown   *reading // what is drawn: the latest, or that of the moment when the display was paused
}

// watch looks at the folder anew, and from then on again and again.
func (p *source) watch() tea.Cmd {
	w := &watcher{folder: p.control.Runs(), others: p.control.Watched(), now: p.control.Now, gpus: p.control.GPUs, wake: p.wake}
	if w.folder == "" {
		p.watching.Close()
		p.newest, p.list = nil, nil
		return nil
	}
	return views.Listen(&p.watching, w.watch)
}

// scanNow lets the watcher look at the folder without waiting.
func (p *source) scanNow() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// any says whether there is a run to show.
func (p *source) any() bool { return p.list != nil && len(p.list.runs) > 0 }

// now is the time of the newest listing that is drawn.
func (p *source) now() time.Time {
	if p.list == nil {
		return time.Time{}
	}
	return p.list.at
}

// listArrived takes what the folder holds now, and says whether it was asked for.
func (p *source) listArrived(msg views.Batch[listing]) bool {
	if !p.watching.Takes(msg.Ticket) || len(msg.Values) == 0 {
		return false
	}
	now := msg.Values[len(msg.Values)-1]
	p.newest = &now
	if !p.paused {
		p.list = p.newest
	}
	return true
}

// stillborn says which of the runs that were begun from here have failed before their first
// step, and why: where there is no network for the base, say.
func (p *source) stillborn() tea.Cmd {
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

// readOne takes what a followed run has come to, and says whether it was one.
func (p *source) readOne(msg views.Batch[*reading]) (next tea.Cmd, known bool) {
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
		return msg.Next, true
	}
	return nil, false
}

// pause holds what is drawn, or lets it go on.
func (p *source) pause() tea.Cmd {
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

// keepFollowed is how many runs stay read, the ones that were looked at last.
const keepFollowed = 8

// follow reads runs in full, unless they are being read already, and lets go of those that are gone and of all but the
// most that were asked for last.
func (p *source) follow(wanted []string, most int) tea.Cmd {
	var cmds []tea.Cmd
	for _, dir := range wanted {
		cmds = append(cmds, p.followOne(dir))
	}
	for i := len(p.follows) - 1; i >= 0; i-- {
		if f := p.follows[i]; i >= most || p.newest.find(f.dir) == nil && p.list.find(f.dir) == nil {
			f.request.Close()
			p.follows = slices.Delete(p.follows, i, i+1)
		}
	}
	return tea.Batch(cmds...)
}

func (p *source) followOne(dir string) tea.Cmd {
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
func (p *source) readingOf(dir string) *reading {
	for _, f := range p.follows {
		if f.dir == dir {
			return f.shown
		}
	}
	return nil
}

// elapsed is how long a run has been worked on. A live one's time goes on by the listing's clock.
func (p *source) elapsed(e *entry) time.Duration {
	if !e.status.Live() || e.run.Tool() != "" {
		return e.status.Elapsed
	}
	info := e.run.Info
	return time.Duration((info.Before + max(float64(p.now().UnixMilli())/1000-info.Began, 0)) * float64(time.Second))
}
