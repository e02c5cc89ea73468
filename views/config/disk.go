package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/views"
	"finetui/views/widget"
)

// save writes the file beside the screen, asking where it has changed on disk.
func (p *Pane) save() tea.Cmd { return p.write(config.Writing.Save) }

func (p *Pane) write(save func(config.Writing) error) tea.Cmd {
	now := p.file.Writing()
	return views.Ask(&p.saving, func(context.Context) (config.Writing, error) { return now, save(now) })
}

func (p *Pane) savedAnswer(msg views.Answer[config.Writing]) tea.Cmd {
	if !p.saving.Takes(msg.Ticket) {
		return nil
	}
	p.saving.Close()
	after := p.afterSave
	p.afterSave = nil
	if errors.Is(msg.Err, config.ErrChangedOnDisk) {
		p.askConflict()
		return nil
	}
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	count := len(config.Diff(p.disk, msg.Value.Config()))
	p.file.Wrote(msg.Value)
	p.refresh()
	p.told = p.file.Config
	cmd := tea.Batch(p.tell(), p.estimate(), views.Say("%s is saved: %s", filepath.Base(p.path), changes(count)))
	if after != nil {
		cmd = tea.Sequence(cmd, after())
	}
	return cmd
}

// askConflict asks what to do about a file that somebody else has written since it was read.
func (p *Pane) askConflict() {
	q := newQuestion(filepath.Base(p.path) + " has changed on disk")
	q.add("overwrite", "what was written there is lost", func() tea.Cmd { return p.write(config.Writing.SaveOver) })
	q.add("reload", p.loss(), p.read)
	q.add("leave both", "as they are", func() tea.Cmd { return nil })
	p.question = q
}

// loss says what reading the file again costs.
func (p *Pane) loss() string {
	if n := len(p.unsaved); n > 0 {
		return changes(n) + " here lost"
	}
	return "nothing here is lost"
}

// read loads the file beside the screen.
func (p *Pane) read() tea.Cmd {
	path, session := p.path, config.Session(nil)
	if p.file != nil {
		session = p.file.Session()
	}
	return views.Ask(&p.reading, func(context.Context) (*config.File, error) { return config.Reload(path, session) })
}

func (p *Pane) readAnswer(msg views.Answer[*config.File]) tea.Cmd {
	if !p.reading.Takes(msg.Ticket) {
		return nil
	}
	p.reading.Close()
	if msg.Err != nil {
		p.broken = msg.Err
		return nil
	}
	name, before := "", (*config.Config)(nil)
	if p.file != nil {
		r, _ := p.selected()
		name, before = r.field.Name(), p.file.Config
	}
	p.adopt(msg.Value)
	p.selectName(name)
	text := "is read"
	if before != nil {
		text = "is read again: " + changes(len(config.Diff(before, p.file.Config)))
	}
	return tea.Batch(p.estimate(), p.tellRoot(before), p.tell(),
		views.Say("%s %s", filepath.Base(p.path), text))
}

// askReload reads the file again, asking first where that loses something.
func (p *Pane) askReload() tea.Cmd {
	if p.Unsaved() == "" {
		return p.read()
	}
	q := newQuestion("Not everything is saved")
	q.add("reload", p.loss(), p.read)
	q.add("stay", "nothing changes", func() tea.Cmd { return nil })
	p.question = q
	return nil
}

// askEditor opens the editor, asking first what becomes of what is not saved.
func (p *Pane) askEditor() tea.Cmd {
	if p.Unsaved() == "" || p.broken != nil {
		return p.startEditor()
	}
	q := newQuestion("The editor opens the file on disk")
	q.add("save first", changes(len(p.unsaved))+" go with it", func() tea.Cmd {
		p.afterSave = p.startEditor
		return p.save()
	})
	q.add("edit the old one", p.loss(), p.startEditor)
	q.add("stay", "nothing changes", func() tea.Cmd { return nil })
	p.question = q
	return nil
}

// edited says that the editor has ended.
type edited struct{ err error }

func (p *Pane) startEditor() tea.Cmd {
	return p.openEditor(p.path, func(err error) tea.Msg { return edited{err} })
}

func (p *Pane) editedAnswer(msg edited) tea.Cmd {
	if msg.err != nil {
		return tea.Batch(p.read(), views.Warn("the editor ended with: %v", msg.err))
	}
	return p.read()
}

// runEditor gives the terminal to $VISUAL, $EDITOR, or what there is, until it ends.
func runEditor(path string, done func(error) tea.Msg) tea.Cmd {
	words := editorWords()
	if len(words) == 0 {
		return views.Fail(errors.New("no editor was found: set EDITOR, or install nano or vi"))
	}
	return tea.ExecProcess(exec.Command(words[0], append(words[1:], path)...), done)
}

// editorWords are the editor's name and arguments.
func editorWords() []string {
	for _, variable := range []string{"VISUAL", "EDITOR"} {
		if words := strings.Fields(os.Getenv(variable)); len(words) > 0 {
			return words
		}
	}
	for _, name := range []string{"nano", "vim", "vi"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}
		}
	}
	return nil
}

// drawBroken says why there are no constants to see, and what can be done.
func (p *Pane) drawBroken(t *widget.Theme, w, h int) string {
	frame := widget.Panel{Titles: []string{filepath.Base(p.path) + " cannot be read"}, Focused: true}
	iw, ih := frame.Inside(w, h)
	var lines []string
	add := func(style widget.Style, text string) {
		for _, line := range wrapped(style, text, iw-2) {
			lines = append(lines, " "+line)
		}
	}
	lines = append(lines, "")
	err := p.broken
	if err == nil {
		err = fmt.Errorf("%s was not read", p.path)
	}
	for fault := range strings.SplitSeq(printable.Error(err), "\n") {
		add(t.Warning, "✗ "+fault)
	}
	lines = append(lines, "")
	add(t.Text, views.KeyOf("edit_file")+" opens it in your editor and reads it again; "+views.KeyOf("reload")+" only reads it again.")
	if p.file != nil {
		add(t.Text, "esc goes back to the constants as they were read last; saving them asks before it overwrites "+
			"anything.")
	}
	return frame.View(t, widget.Block(strings.Join(lines, "\n"), iw, ih), w, h)
}
