package views

import (
	"slices"

	"charm.land/bubbles/v2/key"
)

// A Meaning is what keys stand for, and it is the same in every pane: who has learnt a key in one has learnt it in all.
// Does names the actions that do it there; an action may stand under two keys of different meaning, as left and right
// both move and go from sample to sample.
type Meaning struct {
	Keys  []string
	Means string
	Does  []string
}

// Meanings are the keys of every action. An action takes its keys from here by its name; a new one is written down here
// first, under the meaning that it has, or under a key that has none yet.
var Meanings = []Meaning{
	{Keys: []string{"?"}, Means: "show every key", Does: []string{"help"}},
	{Keys: []string{":", "ctrl+p"}, Means: "find a command by its letters", Does: []string{"palette"}},
	{Keys: []string{"esc"}, Means: "leave one layer: a list, a zoom, a filter, an editor; never the program",
		Does: []string{"back"}},
	{Keys: []string{"q"}, Means: "quit, from every view; runs go on", Does: []string{"quit"}},

	{Keys: []string{"]"}, Means: "the next view, or section", Does: []string{"next_view", "next_section"}},
	{Keys: []string{"["}, Means: "the view, or section, before", Does: []string{"previous_view", "previous_section"}},
	{Keys: []string{"tab"}, Means: "the next panel", Does: []string{"next_panel"}},
	{Keys: []string{"shift+tab"}, Means: "the panel before", Does: []string{"previous_panel"}},
	{Keys: []string{"+"}, Means: "one panel alone, or all", Does: []string{"zoom"}},

	{Keys: []string{"up", "k"}, Means: "up", Does: []string{"up"}},
	{Keys: []string{"down", "j"}, Means: "down", Does: []string{"down"}},
	{Keys: []string{"left", "h"}, Means: "to the left; of what is asked about, the one before", Does: []string{"left",
		"previous_sample"}},
	{Keys: []string{"right", "l"}, Means: "to the right; of what is asked about, the next", Does: []string{"right",
		"next_sample"}},
	{Keys: []string{"pgup", "ctrl+b"}, Means: "one page up", Does: []string{"page_up"}},
	{Keys: []string{"pgdown", "ctrl+f"}, Means: "one page down", Does: []string{"page_down"}},
	{Keys: []string{"g", "home"}, Means: "to the first", Does: []string{"first"}},
	{Keys: []string{"G", "end"}, Means: "to the last", Does: []string{"last"}},
	{Keys: []string{"J"}, Means: "the next one (run, picture, problem), wherever the cursor is",
		Does: []string{"next_run", "next_picture", "next_problem"}},
	{Keys: []string{"K"}, Means: "the one before", Does: []string{"previous_run", "previous_picture"}},

	{Keys: []string{"enter"}, Means: "go into what the cursor is on: open it, edit it, ask it",
		Does: []string{"open", "edit", "ask", "details", "choose", "show_only", "show_answers", "show_sample",
			"show_unparsed", "show_scores", "show_difference"}},
	{Keys: []string{"space"}, Means: "mark what the cursor is on, or switch it on; again: off", Does: []string{"mark",
		"toggle", "compare_with"}},
	{Keys: []string{"/"}, Means: "filter what is listed", Does: []string{"filter"}},
	{Keys: []string{"f"}, Means: "which of the answers are listed", Does: []string{"list_answers"}},
	{Keys: []string{"S"}, Means: "the next split", Does: []string{"next_split"}},
	{Keys: []string{"o"}, Means: "another order", Does: []string{"class_order", "sort"}},
	{Keys: []string{"v"}, Means: "another value of the same things", Does: []string{"measure", "class_value",
		"score_words"}},

	{Keys: []string{"s"}, Means: "keep what was changed: constants in the file, a recipe in the constants",
		Does: []string{"save", "take_over"}},
	{Keys: []string{"u"}, Means: "take the last change back", Does: []string{"undo", "undo_recipe"}},
	{Keys: []string{"backspace"}, Means: "give it the value on disk", Does: []string{"revert"}},
	{Keys: []string{"D"}, Means: "what differs, shown or not", Does: []string{"diff", "close_diff"}},
	{Keys: []string{"p"}, Means: "presets", Does: []string{"presets"}},
	{Keys: []string{"E"}, Means: "open the file in $EDITOR", Does: []string{"edit_file"}},
	{Keys: []string{"ctrl+r"}, Means: "read what lies on disk again", Does: []string{"reload"}},
	{Keys: []string{"y"}, Means: "copy to the clipboard", Does: []string{"copy"}},
	{Keys: []string{"e"}, Means: "write what is seen into a file", Does: []string{"export", "export_sheet"}},

	{Keys: []string{"n"}, Means: "a new run", Does: []string{"new_run"}},
	{Keys: []string{"a"}, Means: "show the runs of another trainer", Does: []string{"adopt_runs"}},
	{Keys: []string{"N"}, Means: "a new sweep: several values under several seeds", Does: []string{"new_sweep"}},
	{Keys: []string{"V"}, Means: "what a sweep is to try: values of a constant, recipes", Does: []string{"try_values",
		"try_recipes"}},
	{Keys: []string{"B"}, Means: "pause the sweep, or go on with it", Does: []string{"pause_sweep"}},
	{Keys: []string{"W"}, Means: "more seeds for the sweep", Does: []string{"more_seeds"}},
	{Keys: []string{"M"}, Means: "write a report", Does: []string{"export_sweep"}},
	{Keys: []string{"x"}, Means: "stop it", Does: []string{"stop_run", "stop_evaluation"}},
	{Keys: []string{"T"}, Means: "the runs in another order", Does: []string{"run_order"}},
	{Keys: []string{"C"}, Means: "another name for the run", Does: []string{"rename_run"}},
	{Keys: []string{"d"}, Means: "delete the run, after a question", Does: []string{"delete_run"}},
	{Keys: []string{"r"}, Means: "resume the run", Does: []string{"resume_run"}},
	{Keys: []string{"c"}, Means: "compare what is marked", Does: []string{"compare"}},
	{Keys: []string{"P"}, Means: "hold the display still, or let it go on", Does: []string{"pause_display"}},
	{Keys: []string{"."}, Means: "smoother curves", Does: []string{"smoother"}},
	{Keys: []string{","}, Means: "rougher curves", Does: []string{"rougher"}},
	{Keys: []string{"X"}, Means: "another x axis", Does: []string{"x_axis"}},
	{Keys: []string{"z"}, Means: "less of the x axis, closer", Does: []string{"x_zoom_in"}},
	{Keys: []string{"Z"}, Means: "more of the x axis", Does: []string{"x_zoom_out"}},
	{Keys: []string{"<"}, Means: "what lies before, on the x axis", Does: []string{"pan_left"}},
	{Keys: []string{">"}, Means: "what comes after, on the x axis", Does: []string{"pan_right"}},
	{Keys: []string{"F"}, Means: "which figure is drawn", Does: []string{"choose_metric"}},
	{Keys: []string{"L"}, Means: "a logarithmic scale, or a plain one", Does: []string{"log_y"}},
	{Keys: []string{"O"}, Means: "the scale with outliers, or without", Does: []string{"outliers"}},
	{Keys: []string{"w"}, Means: "the loss with weights, or without", Does: []string{"weights"}},

	// In an empty Data pane, m makes the demo's set: nothing can be asked there yet.
	{Keys: []string{"m"}, Means: "the model that is asked: base, adapter, both", Does: []string{"subject",
		"draw_demo"}},
	{Keys: []string{"R"}, Means: "the run whose adapter is asked", Does: []string{"run"}},
	{Keys: []string{"t"}, Means: "the truth, shown or not", Does: []string{"truth"}},
	{Keys: []string{"i"}, Means: "write the question", Does: []string{"edit_question"}},
	{Keys: []string{"ctrl+o"}, Means: "open a picture file", Does: []string{"open_picture"}},
	{Keys: []string{"A"}, Means: "ask while browsing", Does: []string{"ask_while_browsing"}},
	{Keys: []string{"b"}, Means: "evaluate the whole split", Does: []string{"evaluate"}},
}

// builtIn are the keys of each action's name.
var builtIn = func() map[string]key.Binding {
	bindings := map[string]key.Binding{}
	for _, m := range Meanings {
		for _, name := range m.Does {
			keys := slices.Concat(bindings[name].Keys(), m.Keys)
			bindings[name] = key.NewBinding(key.WithKeys(keys...), key.WithHelp(KeyText(keys...), m.Means))
		}
	}
	return bindings
}()

// BindingOf are the built-in keys of actions, all in one: for what bubbles moves.
func BindingOf(names ...string) key.Binding {
	var keys []string
	for _, name := range names {
		keys = append(keys, builtIn[name].Keys()...)
	}
	return To(keys...)
}

// KeyOf is the first built-in key of an action, as people read it: for sentences that tell what to press.
func KeyOf(name string) string {
	if keys := builtIn[name].Keys(); len(keys) > 0 {
		return KeyText(keys[0])
	}
	return ":"
}
