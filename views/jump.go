package views

import tea "charm.land/bubbletea/v2"

// Jump is a place in a pane that the palette can lead to: a view, a run, a constant.
type Jump struct {
	Text   string // what it is found by: "0003-enhanced"
	Detail string // what it is: "run, done"
	Go     func() tea.Cmd
}

// Jumper is a Pane with such places. Their Go is run when the pane is seen.
type Jumper interface {
	Jumps() []Jump
}

// AView is the Detail of a jump to a view.
const AView = "a view"
