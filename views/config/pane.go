// Package config is the Config pane: the constants of config.toml in their sections, editors that fit them, and what a
// change comes to. It never writes a file but through core/config, and never works out a consequence itself.
package config

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// Options is what the pane is made from.
type Options struct {
	Path string       // of config.toml
	File *config.File // as it was loaded; nil: it could not be
	Err  error        // why not

	Control
}

// Control is what the pane needs of the program, handed in by it.
type Control struct {
	// Estimate works out the consequences, beside the screen; nil: none are shown.
	Estimate Estimate

	// Await returns as soon as the data set of constants is there, or cannot be; nil: it is there always.
	Await func(ctx context.Context, cfg *config.Config) error

	// Actions are the names that [KEYS] may hold, asked when a key is to be bound; nil: not known.
	Actions func() []string
}

// Pane is the Config pane: the view of the constants, and what lies over it.
type Pane struct{ *shared }

// New is the pane of a file, or of the error that kept it from being read.
func New(o Options) *Pane {
	s := &shared{control: o.Control, draft: draft{path: o.Path, broken: o.Err}}
	s.list = &constants{shared: s}
	s.editing = &editing{shared: s}
	s.effects = &effects{shared: s, pause: 80 * time.Millisecond}
	s.storage = &storage{shared: s, openEditor: runEditor}
	s.diff = &comparison{shared: s}
	p := &Pane{s}
	s.views = views.NewViews(p.Name(), s.list.view())
	s.views.Ready = s.readable
	if o.File != nil {
		s.path = o.File.Path
		s.adopt(o.File)
	}
	return p
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Config" }

// Init works out the first consequences, and tells the root what the constants say about it.
func (p *Pane) Init() tea.Cmd {
	if p.file == nil {
		return nil
	}
	return tea.Batch(p.tellRoot(nil), p.effects.estimate())
}

// Update takes the size, the mouse, answers, and keys for whatever is open.
func (p *Pane) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.views.Place(msg.Width, msg.Height)
	case tea.MouseMsg:
		if !p.readable() || p.Capturing() || p.diff.open {
			return nil
		}
		return p.views.Update(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.input(msg)
	case views.ConfigChanged:
		return p.heard(msg.File)
	case views.Dataset:
		return p.effects.heard(msg)
	case views.Answer[worked]:
		p.effects.worked(msg)
	case views.Answer[config.Writing]:
		return p.storage.saved(msg)
	case views.Answer[*config.File]:
		return p.storage.wasRead(msg)
	case views.Answer[completions]:
		p.editing.completed(msg)
	case edited:
		return p.storage.edited(msg)
	}
	return nil
}

// input gives what was typed to the uppermost thing that takes it.
func (p *Pane) input(msg tea.Msg) tea.Cmd {
	switch {
	case p.question != nil:
		return p.answer(msg)
	case p.editor != nil:
		return p.editing.typed(msg)
	case p.list.filter.Writing():
		return p.list.writeFilter(msg)
	}
	return nil
}

// Capturing says whether something is being written or chosen.
func (p *Pane) Capturing() bool {
	return p.question != nil || p.editor != nil || p.list.filter.Writing()
}

// Leave closes the comparison, the zoom, then the filter; from a file that is broken now it goes back to what was read
// last.
func (p *Pane) Leave() bool {
	switch {
	case p.diff.open:
		p.diff.open = false
		return true
	case p.broken != nil && p.file != nil:
		p.broken = nil
		return true
	}
	return p.views.Leave()
}

// Status is the section, how much is not saved, and how many problems there are.
func (p *Pane) Status() string {
	switch {
	case p.storage.nowhere():
		return "no project in this folder"
	case p.broken != nil:
		return "config.toml cannot be read"
	case p.list.filter.Writing():
		return p.list.filter.Keys()
	case p.editor != nil:
		return p.editor.hint()
	}
	status := "[ ] section"
	if r, ok := p.list.selected(); ok {
		status += ": " + r.field.Section
	}
	if p.list.filter.Text() != "" {
		status += fmt.Sprintf("   filter %q: %d", widget.Clean(p.list.filter.Text()), len(p.list.rows))
	}
	if n := len(p.unsaved); n > 0 || p.Unsaved() != "" {
		status += fmt.Sprintf("   ● %d not saved", max(n, 1))
	}
	if n := len(p.trying.axes); n > 0 {
		status += fmt.Sprintf("   %s %d to try", tryMark, n)
	}
	if p.faults > 0 {
		status += "   ✗ " + plural(p.faults, "error", "errors")
	}
	if notes := p.problemCount() - p.faults; notes > 0 {
		status += "   ! " + plural(notes, "note", "notes")
	}
	return status
}

// View draws the board and what lies over it, or why there is none.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	if !p.readable() {
		return p.storage.draw(t, w, h)
	}
	drawing := p.views.Draw(t, w, h)
	if p.diff.open {
		box := p.diff.draw(t, w-min(8, w/10), h-2)
		drawing = widget.Overlay(drawing, box, min(4, w/20), 1)
	}
	if p.question != nil {
		box, x, y := p.question.draw(t, w, h)
		drawing = widget.Overlay(drawing, box, x, y)
	}
	return drawing
}

// scroll moves the first line of a text that is seen; drawing keeps it from leaving the end.
func scroll(top *int, m widget.Move, page int) {
	switch m {
	case widget.Up:
		*top--
	case widget.Down:
		*top++
	case widget.PageUp:
		*top -= max(page-1, 1)
	case widget.PageDown:
		*top += max(page-1, 1)
	case widget.First:
		*top = 0
	case widget.Last:
		*top = 1 << 20
	}
	*top = max(*top, 0)
}
