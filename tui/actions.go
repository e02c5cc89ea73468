package main

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
)

const quitAction = "quit"

// actions are everything that can be done now: the open pane's, then the root's own, with the keys of [KEYS].
func (r *root) actions() []views.Action {
	var actions []views.Action
	if r.pane() != nil {
		actions = append(actions, r.pane().Actions()...)
	}
	return views.Bind(append(actions, r.own()...), r.keys)
}

// everyAction are those of all panes and the root's own, whatever is open.
func (r *root) everyAction() []views.Action {
	actions := r.own()
	for _, pane := range r.panes {
		actions = append(actions, pane.AllActions()...)
	}
	return actions
}

// checkKeys says which names of [KEYS] no action has.
func (r *root) checkKeys() tea.Cmd {
	if faults := views.CheckKeys(r.keys, r.everyAction()); len(faults) > 0 {
		return views.Warn("%s", strings.Join(faults, "; "))
	}
	return nil
}

// own are the root's actions. ctrl+c and ctrl+z are not among them: no configuration can take them away.
func (r *root) own() []views.Action {
	actions := []views.Action{
		{Name: "help", Label: "help", Help: "show every key", Group: "Workbench",
			Run: func() tea.Cmd { r.over = newHelp(r); return nil }},
		{Name: "palette", Label: "commands", Help: "find a command by its letters", Group: "Workbench",
			Run: func() tea.Cmd { r.over = newPalette(r); return nil }},
		{Name: "back", Help: "leave a zoom, a picture, a filter", Group: "Workbench", Run: r.back},
		{Name: quitAction, Label: "quit", Help: "leave finetui; runs go on", Group: "Workbench", Run: r.quit},
	}
	for i, pane := range r.panes {
		name := pane.Name()
		actions = append(actions, views.Action{Name: "show_" + strings.ToLower(name),
			Bound: views.To(strconv.Itoa(i + 1)), Help: "show " + name, Group: "Workbench",
			Run: func() tea.Cmd { return r.front(i) }})
	}
	return actions
}

// keyOf is the key of an action as people read it.
func (r *root) keyOf(name string) string {
	for _, action := range r.actions() {
		if action.Name == name && len(action.Keys()) > 0 {
			return views.KeyText(action.Keys()[0])
		}
	}
	return name
}
