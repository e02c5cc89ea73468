package config

import (
	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// comparison lies over the pane: with the file on disk, then with the nearest preset.
type comparison struct {
	*shared

	open bool
	top  int // first line that is seen
}

func (v *comparison) show() tea.Cmd {
	v.open, v.top = true, 0
	return nil
}

// actions are what can be done while the comparison is open.
func (v *comparison) actions() []views.Action {
	_, h := v.views.Size()
	page := max(h-6, 1)
	move := func(name, help string, m widget.Move) views.Action {
		return views.Action{Name: name, Help: help, Group: views.Moving, Run: func() tea.Cmd {
			scroll(&v.top, m,
				page)
			return nil
		}}
	}
	return []views.Action{
		{Name: "close_diff", Label: "close", Help: "back to the constants", Group: "Config",
			Run: func() tea.Cmd { v.open = false; return nil }},
		{Name: "save", Label: "save", Help: "write config.toml; comments, order and spacing stay", Group: "Config",
			Enabled: func() bool { return v.file.Changed() }, Run: v.storage.save},
		{Name: "undo", Label: "undo", Help: "take the last change back", Group: "Config", Run: v.undo},
		move("up", "one line up", widget.Up),
		move("down", "one line down", widget.Down),
		move("page_up", "one page up", widget.PageUp),
		move("page_down", "one page down", widget.PageDown),
		move("first", "to the first line", widget.First),
		move("last", "to the last line", widget.Last),
	}
}

func (v *comparison) draw(t *widget.Theme, w, h int) string {
	frame := widget.Panel{Titles: []string{"What differs"}, Focused: true, Right: t.Muted.Render("esc closes")}
	iw, ih := frame.Inside(w, h)
	lines := differences(t, "● "+changes(len(v.unsaved))+" against the file on disk", "on disk", v.unsaved, iw-1)
	if len(v.unsaved) == 0 && v.file.Changed() {
		lines = append(lines, t.Muted.Render("no value, but a constant is written out that the file had left to "+
			"its default"))
	}
	lines = append(lines, "")
	lines = append(lines, differences(t, "○ "+plural(len(v.strays), "constant",
		"constants")+" not as in the preset "+v.preset, v.preset, v.strays, iw-1)...)
	ih = min(ih, len(lines)+1)
	return frame.View(t, scrolled(t, lines, v.top, iw, ih), w, ih+2)
}

// differences is a heading and a line for each constant that differs.
func differences(t *widget.Theme, title, with string, list []config.Change, w int) []string {
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
