package views

import (
	"fmt"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/printable"
)

// Level is how much a message matters.
type Level int

const (
	Info Level = iota
	Warning
	Error
)

// Toast is a sentence that the root shows for a few seconds above the bottom line. A warning or an error stays until
// the next key.
type Toast struct {
	Level Level
	Text  string
}

// Say shows a sentence.
func Say(format string, args ...any) tea.Cmd {
	return func() tea.Msg { return Toast{Info, fmt.Sprintf(format, args...)} }
}

// Warn shows a sentence that the user should not overlook.
func Warn(format string, args ...any) tea.Cmd {
	return func() tea.Msg { return Toast{Warning, fmt.Sprintf(format, args...)} }
}

// Fail shows an error.
func Fail(err error) tea.Cmd {
	return func() tea.Msg { return Toast{Error, printable.Error(err)} }
}

// Clipboard is text for the clipboard. Its way there depends on the terminal,
// so the root takes it there and says what came of it.
type Clipboard struct{ Text string }

// Characters is how long the text is.
func (c Clipboard) Characters() int { return utf8.RuneCountInString(c.Text) }

// Copy puts text into the clipboard.
func Copy(text string) tea.Cmd { return func() tea.Msg { return Clipboard{text} } }

// Show asks the root to bring the pane of that name to the front.
type Show struct{ Pane string }

// PlanSweep asks the Train pane for the question that plans a sweep, with a line to begin with: constants and their
// values, as the verb takes them. From is the pane to go back to where it is left.
type PlanSweep struct{ Line, From string }

// Figures fill the two places at the right of the title line: what the machine does ("H100 ▂▅▇ 87% 61/80 GiB"), and
// the run that is going on ("● run-0003 412/1455"). Whoever knows one sends it; the other stays as it was when nil.
type Figures struct{ Machine, Run *string }

// Keys are the constants of [KEYS], sent to the root when they are read or changed.
type Keys map[string]string

// Redraws is VIEW.REDRAWS: how often a second the screen is drawn while data streams in.
type Redraws int

// ThemeChoice is VIEW.THEME.
type ThemeChoice config.Theme

// ConfigChanged says that the project's constants are others than before: edited, taken back, loaded or saved. Who
// changed the file sends it, and every pane gets it. A File is for one goroutine, the screen's own: commands are given
// its Snapshot, which nobody changes.
type ConfigChanged struct{ File *config.File }
