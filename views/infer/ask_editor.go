package infer

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/printable"
	"finetui/views"
	"finetui/views/widget"
)

// completions are what a path could go on as.
type completions []string

// foundFile is the file of a picture or a clip that exists.
type foundFile string

// editor is the text field that is open.
type editor struct {
	prompt *widget.Prompt
	status string
	path   bool // a path is written; else a question
	wanted views.Request
	last   string // text that completions were asked for
}

// editQuestion opens the question to be changed.
func (v *ask) editQuestion() tea.Cmd {
	prompt := widget.NewPrompt("question", v.questionTo(v.main()))
	prompt.Hint = "empty: the recipe's own"
	prompt.History = v.questions
	prompt.Select()
	v.editor = &editor{prompt: prompt, status: "enter asks it   esc leaves it   ↑ ↓ earlier ones   empty: the recipe's"}
	return nil
}

// openPath opens the text field for the path of a picture or a clip.
func (v *ask) openPath(path string) tea.Cmd {
	prompt := widget.NewPrompt("file", path)
	prompt.Hint = "path of a picture or a clip, from the project's folder or absolute"
	prompt.History = v.paths
	v.editor = &editor{prompt: prompt, path: true, status: "enter opens it   tab completes   esc leaves it"}
	return v.complete()
}

// write gives a key to the text field.
func (v *ask) write(msg tea.Msg) tea.Cmd {
	e := v.editor
	if paste, ok := msg.(tea.PasteMsg); ok && e.path {
		msg = tea.PasteMsg{Content: pathOf(paste.Content)}
	}
	outcome, cmd := e.prompt.Update(msg)
	switch {
	case outcome == widget.Cancelled:
		e.wanted.Close()
		v.editor = nil
	case outcome == widget.Accepted && e.path:
		return tea.Batch(cmd, v.findPicture(e.prompt.Value()))
	case outcome == widget.Accepted:
		v.editor = nil
		v.setQuestion(e.prompt.Value())
		v.questions = e.prompt.History
		return tea.Batch(cmd, v.askNow())
	case e.path:
		return tea.Batch(cmd, v.complete())
	}
	return cmd
}

// complete asks what the path could go on as.
func (v *ask) complete() tea.Cmd {
	e, s := v.editor, v.session
	written := e.prompt.Value()
	if written == e.last && e.wanted.Pending() {
		return nil
	}
	e.last = written
	return views.Ask(&e.wanted, func(context.Context) (completions, error) { return s.Complete(written), nil })
}

func (v *ask) completed(msg views.Answer[completions]) {
	if v.editor == nil || !v.editor.wanted.Takes(msg.Ticket) {
		return
	}
	v.editor.wanted.Close()
	v.editor.prompt.Suggest(msg.Value)
}

// findPicture looks whether the file exists; the field stays open until then.
func (v *ask) findPicture(path string) tea.Cmd {
	s := v.session
	return views.Ask(&v.editor.wanted, func(context.Context) (foundFile, error) {
		found, err := s.Media(path)
		return foundFile(found), err
	})
}

func (v *ask) found(msg views.Answer[foundFile]) tea.Cmd {
	if v.editor == nil || !v.editor.wanted.Takes(msg.Ticket) {
		return nil
	}
	v.editor.wanted.Close()
	if msg.Err != nil {
		v.editor.prompt.Error = printable.Error(msg.Err)
		return nil
	}
	v.paths = v.editor.prompt.History
	v.editor = nil
	v.views.Show(askView)
	v.path = string(msg.Value)
	return nil
}

// writing says whether a question or a path is being written.
func (v *ask) writing() bool { return v.editor != nil }

// capturing says whether a text field or a choice of the pane has the keyboard.
func (v *ask) capturing() bool { return v.choice != nil || v.writing() || v.filter.Writing() }

// drawEditor lays the text field over the last lines of a screen.
func (v *ask) drawEditor(t *widget.Theme, screen string, w, h int) string {
	text := v.editor.prompt.View(t, w)
	lines := strings.Count(text, "\n") + 1
	return widget.Overlay(screen, widget.Block(text, w, lines), 0, h-lines)
}

// pathOf is a path as it is dropped or pasted: without the quotes and the scheme that terminals and file managers add.
func pathOf(pasted string) string {
	path := strings.Trim(strings.TrimSpace(pasted), `"'`)
	path, _ = strings.CutPrefix(path, "file://")
	return strings.ReplaceAll(path, `\ `, " ")
}
