package views

import "finetui/views/widget"

// NoProject is the page of a pane while there is no configuration: config.toml is missing, or cannot be read.
func NoProject(t *widget.Theme, w, h int) string {
	n := widget.NewNotice(w)
	n.Say(t.Strong, "No project is open")
	n.Say(t.Text, "The pane Config says why: where config.toml cannot be read it is mended there, and where this folder "+
		"has none, leave with q and write one with `finetui new demo`, or one of the others that Config lists.")
	return n.View(w, h)
}
