package main

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/help"
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// bodyHeight is how many lines are the pane's: all but the first and the last.
func (r *root) bodyHeight() int { return max(r.h-2, 0) }

func (r *root) tooSmall() bool { return r.w < leastWidth || r.h < leastHeight }

// screen draws everything: exactly h lines of at most w cells.
func (r *root) screen() string {
	switch {
	case r.w <= 0 || r.h <= 0:
		return ""
	case r.tooSmall():
		text := fmt.Sprintf("finetui needs %d×%d, this terminal is %d×%d", leastWidth, leastHeight, r.w, r.h)
		return widget.Block(strings.Join(widget.Wrap(text, r.w), "\n"), r.w, r.h)
	}
	h := r.bodyHeight()
	body := ""
	if pane := r.pane(); pane != nil {
		body = pane.View(r.theme, r.w, h)
	}
	body = widget.Block(body, r.w, h)
	if r.over != nil {
		box, x, y := r.over.draw(r.theme, r.w, h)
		body = widget.Overlay(body, box, x, y)
	}
	if r.toast == nil {
		return r.titleLine() + "\n" + body + "\n" + r.bottomLine()
	}
	return r.withToast(r.titleLine()+"\n"+body) + "\n" + r.bottomLine()
}

// titleLine is the program and project, the tabs, and at the right machine and run, which give way in this order: the
// machine, the project, the run.
func (r *root) titleLine() string {
	name, right := r.titleParts()
	var tabs strings.Builder
	for i := range r.panes {
		style := r.theme.Muted
		if i == r.open {
			style = r.theme.Active
		}
		tabs.WriteString(style.Render(r.tab(i)))
	}
	return widget.Ends(name+tabs.String(), right, r.w)
}

func (r *root) titleParts() (name, right string) {
	tabs := 0
	for i := range r.panes {
		tabs += widget.Width(r.tab(i))
	}
	project, run, machine := widget.Clean(r.project), r.theme.Accent.Render(widget.Clean(r.run)),
		widget.Clean(r.machine)
	const program = " finetui"
	room := r.w - tabs - 2
	long := program
	if project != "" {
		long = widget.Cut(program+" · "+project, r.w/3)
	}
	if r.w >= 100 { // the tabs stand still there, whatever the project is called
		long = widget.Left(long, max(widget.Width(long), 24))
	}
	both := run
	if r.run != "" && r.machine != "" {
		both = machine + "   " + run
	} else if r.machine != "" {
		both = machine
	}
	for _, try := range [][2]string{{long, both}, {long, run}, {program, run}} {
		if w := widget.Width(try[0]) + 2 + widget.Width(try[1]); w <= room {
			return r.theme.Strong.Render(try[0]) + "  ", try[1] + " "
		}
	}
	return r.theme.Strong.Render(program) + "  ", ""
}

// tab is the text of a pane's tab; the open one is in brackets, and all take the same room open or not.
func (r *root) tab(i int) string {
	text := fmt.Sprintf("%d %s", i+1, widget.Clean(r.panes[i].Name()))
	if i == r.open {
		return "[" + text + "]"
	}
	return " " + text + " "
}

// tabAt is which tab stands at a column of the title line, or -1.
func (r *root) tabAt(x int) int {
	name, _ := r.titleParts()
	left := widget.Width(name)
	for i := range r.panes {
		w := widget.Width(r.tab(i))
		if x >= left && x < left+w {
			return i
		}
		left += w
	}
	return -1
}

// bottomLine is the pane's status, and the keys of the actions that have a label; the pane's last ones give way first,
// then those of the root between help and quit. Where a text field or an overlay has the keyboard none of them would
// work, and none is named.
func (r *root) bottomLine() string {
	status, hints := r.bottomParts()
	if hints == nil {
		return widget.Left(status, r.w)
	}
	bindings := make([]key.Binding, len(hints))
	for i, hint := range hints {
		bindings[i] = hint.Binding
	}
	return widget.Ends(status, keyHelp(r.theme).ShortHelpView(bindings)+" ", r.w)
}

// keyHelp draws keys and what they do in the theme's styles.
func keyHelp(t *widget.Theme) help.Model {
	pair := t.Key.Look().PaddingRight(1) // two blanks between a key and what it does
	return help.Model{ShortSeparator: hintGap, Styles: help.Styles{ShortKey: t.Key.Look(), ShortDesc: t.Muted.Look(),
		FullKey: pair, FullDesc: t.Text.Look()}}
}

// hint is an action that the bottom line names, with how it does.
type hint struct {
	key.Binding
	run func() tea.Cmd
}

// width is how many cells the hint takes.
func (h hint) width() int { return widget.Width(h.Help().Key) + 1 + widget.Width(h.Help().Desc) }

const hintGap = "   "

func (r *root) bottomParts() (status string, hints []hint) {
	if r.pane() != nil {
		status = " " + r.pane().Status()
	}
	if r.over != nil || r.pane() != nil && r.pane().Capturing() {
		return status, nil
	}
	own := len(r.own())
	actions := r.actions()
	of, roots := r.hints(actions[:len(actions)-own]), r.hints(actions[len(actions)-own:])
	crowded := func() bool {
		wide := widget.Width(status) + len(hintGap)
		for _, hint := range slices.Concat(of, roots) {
			wide += hint.width() + len(hintGap)
		}
		return wide-len(hintGap) > r.w
	}
	for len(of) > 0 && crowded() {
		of = of[:len(of)-1]
	}
	for len(roots) > 2 && crowded() {
		roots = slices.Delete(roots, 1, 2)
	}
	return status, slices.Concat(of, roots)
}

// bottomAt is what a click on the bottom line does: the action that stands there, or the view; nil: nothing.
func (r *root) bottomAt(x int) func() tea.Cmd {
	status, hints := r.bottomParts()
	left := r.w - 1
	for i := len(hints) - 1; i >= 0; i-- {
		right := left
		left -= hints[i].width()
		if x >= left && x < right {
			return hints[i].run
		}
		left -= len(hintGap)
	}
	jumper, ok := r.pane().(views.Jumper)
	if !ok || hints == nil {
		return nil
	}
	at := 0 // in the status, in bytes: the views stand in their order
	for _, jump := range jumper.Jumps() {
		_, name, _ := strings.Cut(jump.Text, " · ")
		if jump.Detail != views.AView || len(name) < 4 {
			continue
		}
		found := strings.Index(status[at:], name[:4]) // a crowded line has the first letters alone
		if found < 0 {
			return nil
		}
		at += found
		word := len(name)
		if !strings.HasPrefix(status[at:], name) {
			word = 4
		}
		if from := widget.Width(status[:at]); x >= from && x < from+word {
			return jump.Go
		}
		at += word
	}
	return nil
}

func (r *root) hints(actions []views.Action) []hint {
	var hints []hint
	for _, action := range actions {
		if b := action.Hint(); b.Enabled() {
			hints = append(hints, hint{b, action.Run})
		}
	}
	return hints
}

// withToast lays what is to be said over the lowest lines of the body.
func (r *root) withToast(above string) string {
	sign, style := "✓", r.theme.OK
	switch r.toast.Level {
	case views.Warning:
		sign, style = "!", r.theme.Warning
	case views.Error:
		sign, style = "✗", r.theme.Warning
	}
	lines := widget.Hang(" "+sign+" ", widget.Clean(r.toast.Text), r.theme.Text, r.w-3)
	lines = lines[:min(len(lines), 5)]
	for i, line := range lines {
		lines[i] = style.Inherit(r.theme.Selected).Render(widget.Left(line, r.w))
	}
	return widget.Overlay(above, strings.Join(lines, "\n"), 0, r.h-1-len(lines))
}
