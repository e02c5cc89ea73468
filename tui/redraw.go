package main

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// redraw decides when the screen is drawn anew. What the user does is seen at once, and so is the first
// thing that comes of it; what streams in, however fast, at most perSecond times a second. In between
// the last drawing is shown again, which costs nothing.
type redraw struct {
	perSecond int
	now       func() time.Time

	last    string    // the drawing
	drawn   time.Time // when it was made because something had arrived
	stale   bool      // it must be made anew at the next chance
	arrived bool      // because something arrived
	waiting bool      // a redrawDue is on its way
}

// redrawDue arrives when what was held back may be drawn.
type redrawDue struct{}

// atOnce lets the next View draw.
func (d *redraw) atOnce() { d.stale = true }

// soon lets the next View draw if the last one for such a reason
// is old enough, and otherwise returns the command that will.
func (d *redraw) soon() tea.Cmd {
	interval := time.Second / time.Duration(d.perSecond)
	age := d.now().Sub(d.drawn)
	switch {
	case age >= interval:
		d.stale, d.arrived = true, true
		return nil
	case d.waiting:
		return nil
	}
	d.waiting = true
	return tea.Tick(interval-age, func(time.Time) tea.Msg { return redrawDue{} })
}

func (d *redraw) due() { d.waiting, d.stale, d.arrived = false, true, true }

// content is the drawing that is to be shown.
func (d *redraw) content(draw func() string) string {
	if d.stale {
		if d.arrived {
			d.drawn = d.now()
		}
		d.last, d.stale, d.arrived = draw(), false, false
	}
	return d.last
}
