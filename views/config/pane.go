// Package config is the Config pane: the constants of config.toml in their sections, editors that fit them, and what a
// change comes to. It never writes a file but through core/config, and never works out a consequence itself.
package config

import (
	"fmt"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/views"
	"finetui/views/layout"
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

	// Actions are the names that [KEYS] may hold, asked when a key is to be bound; nil: not known.
	Actions func() []string
}

// Pane is the Config pane.
type Pane struct {
	path    string
	file    *config.File // nil until it could be read once
	broken  error        // why it could not be read last; nil: it could
	disk    *config.Config
	actions func() []string

	// What follows from file and filter; see refresh.
	told     *config.Config // what the other panes know
	comments map[string]string
	problems map[string][]config.Problem // by the constant
	faults   int                         // problems that are errors
	unsaved  []config.Change             // from the file on disk to now
	preset   string                      // the project preset that is nearest
	strays   []config.Change             // from that preset to now
	rows     []row                       // constants that the filter lets through

	filter    views.Filter
	cursor    widget.List // in rows
	aboutTop  int         // first line of the explanation that is seen
	effectTop int         // the same of the consequences

	editor    *editor
	question  *question
	diff      *diff
	saving    views.Request
	afterSave func() tea.Cmd // what waits for it
	reading   views.Request
	paths     views.Request // completions

	on        *dataset.Dataset // what the consequences were worked out on
	calculate Estimate
	pause     time.Duration // without a key, before consequences are worked out
	turn      *sync.Mutex   // one estimate at a time
	guessing  views.Request
	effect    *effect // worked out last
	base      *effect // of the file on disk
	effectErr error

	views      *views.Views // one: the brackets go from section to section
	openEditor func(path string, done func(error) tea.Msg) tea.Cmd
}

// New is the pane of a file, or of the error that kept it from being read.
func New(o Options) *Pane {
	p := &Pane{path: o.Path, broken: o.Err, actions: o.Actions, calculate: o.Estimate,
		pause: 80 * time.Millisecond, turn: new(sync.Mutex), openEditor: runEditor}
	p.views = views.NewViews(p.Name(), p.constants())
	p.views.Ready = p.readable
	if o.File != nil {
		p.path = o.File.Path
		p.adopt(o.File)
	}
	return p
}

// readable says whether there are constants to show.
func (p *Pane) readable() bool { return p.file != nil && p.broken == nil }

// constants is the view of the constants: sections, constants and explanation beside each other; without the sections,
// and the constants on top, where it is narrow; with the lines of the file where it is large.
func (p *Pane) constants() views.View {
	sections := layout.Panel("sections", 15, 6).AtMost(15, 0)
	list := layout.Panel("constants", 60, 8).Prior(1)
	about := layout.Panel("about", 34, 9).Prior(1)
	effects := layout.Panel("consequences", 34, 8)
	panels := []views.Panel{
		{Name: "constants", Tab: "Constants", Title: p.constantsTitle, Right: p.legend, Draw: p.drawConstants,
			Move: p.moveConstants, Click: p.clickConstants},
		{Name: "sections", Tab: "Sections", Draw: p.drawSections, Move: p.moveSections, Click: p.clickSections},
		{Name: "about", Tab: "About", Title: p.aboutTitle, Draw: p.drawAbout, Move: func(m widget.Move,
			page int) {
			scroll(&p.aboutTop, m, page)
		}},
		{Name: "consequences", Tab: "Consequences", Right: p.effectState, Draw: p.drawEffect, Move: func(m widget.Move,
			page int) {
			scroll(&p.effectTop, m, page)
		}},
		{Name: "text", Tab: "In the file", Draw: p.drawText},
	}
	wide := views.NewBoard(layout.Row(sections, list.Weighted(3),
		layout.Column(about, effects.AtMost(0, 12)).Weighted(2)), panels...)
	large := views.NewBoard(layout.Row(sections, list.Weighted(3),
		layout.Column(about, effects.AtMost(0, 16), layout.Panel("text", 34, 14)).Weighted(2)), panels...)
	panels = slices.Clone(panels)
	panels[0].Draw, panels[0].Click = p.drawWithStrip, p.clickWithStrip
	narrow := views.NewBoard(layout.Column(list.Weighted(3), layout.Row(about, effects.AtMost(38, 0))), panels...)
	return views.View{Name: "Constants", Boards: []*views.Board{narrow, wide, large}, Actions: p.constantActions,
		Leave: p.leaveFilter, Copy: p.constantText, Pick: func(w, h int) *views.Board {
			switch {
			case w < 112:
				return narrow
			case h < 44:
				return wide
			}
			return large
		}}
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Config" }

// Init works out the first consequences, and tells the root what the constants say about it.
func (p *Pane) Init() tea.Cmd {
	if p.file == nil {
		return nil
	}
	return tea.Batch(p.tellRoot(nil), p.estimate())
}

// Update takes the size, the mouse, answers, and keys for whatever is open.
func (p *Pane) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.views.Place(msg.Width, msg.Height)
	case tea.MouseMsg:
		if !p.readable() || p.Capturing() || p.diff != nil {
			return nil
		}
		return p.views.Update(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.input(msg)
	case views.ConfigChanged:
		return p.heard(msg.File)
	case views.Dataset:
		return p.heardOf(msg)
	case views.Answer[worked]:
		p.worked(msg)
	case views.Answer[config.Writing]:
		return p.savedAnswer(msg)
	case views.Answer[*config.File]:
		return p.readAnswer(msg)
	case views.Answer[completions]:
		p.completed(msg)
	case edited:
		return p.editedAnswer(msg)
	}
	return nil
}

// input gives what was typed to the uppermost thing that takes it.
func (p *Pane) input(msg tea.Msg) tea.Cmd {
	switch {
	case p.question != nil:
		return p.answer(msg)
	case p.editor != nil:
		return p.edit(msg)
	case p.filter.Writing():
		return p.writeFilter(msg)
	}
	return nil
}

// Capturing says whether something is being written or chosen.
func (p *Pane) Capturing() bool { return p.question != nil || p.editor != nil || p.filter.Writing() }

// Leave closes the comparison, the zoom, then the filter; from a file that is broken now it goes back to what was read
// last.
func (p *Pane) Leave() bool {
	switch {
	case p.diff != nil:
		p.diff = nil
		return true
	case p.broken != nil && p.file != nil:
		p.broken = nil
		return true
	}
	return p.views.Leave()
}

// leaveFilter takes the filter off.
func (p *Pane) leaveFilter() bool {
	r, ok := p.selected()
	was := p.filter.Clear()
	if was {
		p.refiltered(r, ok)
	}
	return was
}

// Unsaved names what quitting would lose.
func (p *Pane) Unsaved() string {
	switch {
	case p.file == nil || !p.file.Changed():
		return ""
	case len(p.unsaved) == 0:
		return "a constant written out in config.toml"
	}
	return changes(len(p.unsaved)) + " to config.toml"
}

// Status is the section, how much is not saved, and how many problems there are.
func (p *Pane) Status() string {
	switch {
	case p.broken != nil:
		return "config.toml cannot be read"
	case p.filter.Writing():
		return p.filter.Keys()
	case p.editor != nil:
		return p.editor.hint()
	}
	status := "[ ] section"
	if r, ok := p.selected(); ok {
		status += ": " + r.field.Section
	}
	if p.filter.Text() != "" {
		status += fmt.Sprintf("   filter %q: %d", widget.Clean(p.filter.Text()), len(p.rows))
	}
	if n := len(p.unsaved); n > 0 || p.Unsaved() != "" {
		status += fmt.Sprintf("   ● %d not saved", max(n, 1))
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
		return p.drawBroken(t, w, h)
	}
	drawing := p.views.Draw(t, w, h)
	if p.diff != nil {
		box := p.drawDiff(t, w-min(8, w/10), h-2)
		drawing = widget.Overlay(drawing, box, min(4, w/20), 1)
	}
	if p.question != nil {
		box, x, y := p.question.draw(t, w, h)
		drawing = widget.Overlay(drawing, box, x, y)
	}
	return drawing
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return widget.Count(n) + " " + many
}

func changes(n int) string { return plural(n, "change", "changes") }

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
