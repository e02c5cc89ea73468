package views

import (
	tea "charm.land/bubbletea/v2"

	"finetui/views/widget"
)

// Pane is one page of the workbench. The root owns the screen around it and calls nothing else.
type Pane interface {
	// Name stands on the tab.
	Name() string

	// Init starts the work that the pane's first screen needs. It must not do it itself.
	Init() tea.Cmd

	// Update takes one message and changes the pane. Keys arrive only when no action has them, or all of them while
	// Capturing; mouse coordinates are the pane's own; tea.WindowSizeMsg gives the pane's size, not the terminal's.
	// Every other message reaches every pane, so types tell whose it is. It returns at once: what takes longer than
	// a few milliseconds is a command (see Ask and Listen).
	Update(msg tea.Msg) tea.Cmd

	// View draws the pane: exactly h lines of at most w cells. It depends on nothing but the pane's state, the theme
	// and the size, and changes nothing.
	View(t *widget.Theme, w, h int) string

	// Actions are what the pane can do now, in the order of the help. Keys, help, palette and the bottom line are
	// all made from them.
	Actions() []Action

	// AllActions are the actions of every view and panel, whatever is open now: [KEYS] may name each of them.
	AllActions() []Action

	// Capturing says that a text field has the keyboard: every key but ctrl+c and ctrl+z goes to Update.
	Capturing() bool

	// Status is the left half of the bottom line: which view is shown, what is filtered.
	Status() string
}

// Arriver is a Pane that looks again when it comes to the front: what it shows may have been changed by another pane or
// process since.
type Arriver interface {
	Arrive() tea.Cmd
}

// Leaver is a Pane with layers: a zoomed panel, a filter, an open editor. Leave closes the uppermost one and says
// whether there was one; esc goes through it. The pane is sent Left then.
type Leaver interface {
	Leave() bool
}

// Left says that a layer was closed: what is seen now may lack something that the pane is to ask for.
type Left struct{}

// Guard is a Pane that may hold something which quitting would lose. Unsaved names it ("2 changes to config.toml"),
// or is empty; quitting then takes a second q.
type Guard interface {
	Unsaved() string
}

// Worker is a Pane that may have work under way. While it is Working a spinner turns in what it draws:
// widget.Theme.Busy.
type Worker interface {
	Working() bool
}

// Marker is a Pane in which something can be marked. Marked names it, and Mark marks it again before Init, in whatever
// process comes next; names of what is gone by then are left.
type Marker interface {
	Marked() []string
	Mark(names []string)
}
