package config

import (
	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// diff is the comparison that lies over the pane: with the file on disk, then with the nearest preset.
type diff struct{ top int }

func (p *Pane) openDiff() tea.Cmd {
	p.diff = &diff{}
	return nil
}

// diffActions are what can be done while the comparison is open.
func (p *Pane) diffActions() []views.Action {
	_, h := p.views.Size()
	page := max(h-6, 1)
	move := func(name, help string, m widget.Move) views.Action {
		return views.Action{Name: name, Help: help, Group: views.Moving, Run: func() tea.Cmd {
			scroll(&p.diff.top, m,
				page)
			return nil
		}}
	}
	return []views.Action{
		{Name: "close_diff", Label: "close", Help: "back to the constants", Group: "Config",
			Run: func() tea.Cmd { p.diff = nil; return nil }},
		{Name: "save", Label: "save", Help: "write config.toml; comments, order and spacing stay", Group: "Config",
			Enabled: func() bool { return p.file.Changed() }, Run: p.save},
		{Name: "undo", Label: "undo", Help: "take the last change back", Group: "Config", Run: p.undo},
		move("up", "one line up", widget.Up),
		move("down", "one line down", widget.Down),
		move("page_up", "one page up", widget.PageUp),
		move("page_down", "one page down", widget.PageDown),
		move("first", "to the first line", widget.First),
		move("last", "to the last line", widget.Last),
	}
}

func (p *Pane) drawDiff(t *widget.Theme, w, h int) string {
	frame := widget.Panel{Titles: []string{"What differs"}, Focused: true, Right: t.Muted.Render("esc closes")}
	iw, ih := frame.Inside(w, h)
	lines := comparison(t, "● "+changes(len(p.unsaved))+" against the file on disk", "on disk", p.unsaved, iw-1)
	if len(p.unsaved) == 0 && p.file.Changed() {
		lines = append(lines, t.Muted.Render("no value, but a constant is written out that the file had left to "+
			"its default"))
	}
	lines = append(lines, "")
	lines = append(lines, comparison(t, "○ "+plural(len(p.strays), "constant",
		"constants")+" not as in the preset "+p.preset, p.preset, p.strays, iw-1)...)
	ih = min(ih, len(lines)+1)
	return frame.View(t, scrolled(t, lines, p.diff.top, iw, ih), w, ih+2)
}

// comparison is a heading and a line for each constant that differs.
func comparison(t *widget.Theme, title, with string, list []config.Change, w int) []string {
	lines := []string{t.Strong.Render(widget.Cut(title, w))}
	if len(list) == 0 {
		return lines
	}
	name, old := widget.Width("constant"), widget.Width(with)
	for _, change := range list {
		name, old = max(name, widget.Width(change.Key)), max(old, widget.Width(shortValue(change.Old)))
	}
	name = min(name, w/2)
	old = min(old, (w-name-4)/2)
	now := w - name - old - 5
	write := func(style widget.Style, a, b, arrow, c string) {
		lines = append(lines, style.Render(widget.Left(a, name)+"  "+widget.Left(b, old)+" "+arrow+" ")+widget.Cut(c,
			now))
	}
	write(t.Muted, "constant", with, " ", t.Muted.Render("now"))
	for _, change := range list {
		write(t.Text, change.Key, shortValue(change.Old), "→", t.Strong.Render(shortValue(change.New)))
	}
	return lines
}

func shortValue(source string) string { return widget.Clean(plainValue(source)) }
