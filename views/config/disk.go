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

// storage reads and writes the file beside the screen, and asks first where that loses something.
type storage struct {
	*shared

	saving     views.Request
	afterSave  func() tea.Cmd // what waits for it
	reading    views.Request
	openEditor func(path string, done func(error) tea.Msg) tea.Cmd
}

// save writes the file beside the screen, asking where it has changed on disk.
func (v *storage) save() tea.Cmd { return v.write(config.Writing.Save) }

func (v *storage) write(save func(config.Writing) error) tea.Cmd {
	now := v.file.Writing()
	return views.Ask(&v.saving, func(context.Context) (config.Writing, error) { return now, save(now) })
}

func (v *storage) saved(msg views.Answer[config.Writing]) tea.Cmd {
	if !v.saving.Takes(msg.Ticket) {
		return nil
	}
	v.saving.Close()
	after := v.afterSave
	v.afterSave = nil
	if errors.Is(msg.Err, config.ErrChangedOnDisk) {
		v.askConflict()
		return nil
	}
	if msg.Err != nil {
		return views.Fail(msg.Err)
	}
	count := len(config.Diff(v.disk, msg.Value.Config()))
	v.file.Wrote(msg.Value)
	v.refresh()
	v.known = v.file.Config
	cmd := tea.Batch(v.tell(), v.effects.estimate(), views.Say("%s is saved: %s", filepath.Base(v.path),
		changes(count)))
	if after != nil {
		cmd = tea.Sequence(cmd, after())
	}
	return cmd
}

// askConflict asks what to do about a file that somebody else has written since it was read.
func (v *storage) askConflict() {
	q := newQuestion(filepath.Base(v.path) + " has changed on disk")
	q.add("overwrite", "what was written there is lost", func() tea.Cmd { return v.write(config.Writing.SaveOver) })
	q.add("reload", v.loss(), v.read)
	q.add("leave both", "as they are", func() tea.Cmd { return nil })
	v.question = q
}

// read loads the file beside the screen.
func (v *storage) read() tea.Cmd {
	path, session := v.path, config.Session(nil)
	if v.file != nil {
		session = v.file.Session()
	}
	return views.Ask(&v.reading, func(context.Context) (*config.File, error) { return config.Reload(path, session) })
}

func (v *storage) wasRead(msg views.Answer[*config.File]) tea.Cmd {
	if !v.reading.Takes(msg.Ticket) {
		return nil
	}
	v.reading.Close()
	if msg.Err != nil {
		v.broken = msg.Err
		return nil
	}
	name, before := "", (*config.Config)(nil)
	if v.file != nil {
		r, _ := v.list.selected()
		name, before = r.field.Name(), v.file.Config
	}
	v.adopt(msg.Value)
	v.list.selectName(name)
	text := "is read"
	if before != nil {
		text = "is read again: " + changes(len(config.Diff(before, v.file.Config)))
	}
	return tea.Batch(v.effects.estimate(), v.tellRoot(before), v.tell(),
		views.Say("%s %s", filepath.Base(v.path), text))
}

// askReload reads the file again, asking first where that loses something.
func (v *storage) askReload() tea.Cmd {
	if v.Unsaved() == "" {
		return v.read()
	}
	q := newQuestion("Not everything is saved")
	q.add("reload", v.loss(), v.read)
	q.add("stay", "nothing changes", func() tea.Cmd { return nil })
	v.question = q
	return nil
}

// askEditor opens the editor, asking first what becomes of what is not saved.
func (v *storage) askEditor() tea.Cmd {
	if v.Unsaved() == "" || v.broken != nil {
		return v.startEditor()
	}
	q := newQuestion("The editor opens the file on disk")
	q.add("save first", changes(len(v.unsaved))+" go with it", func() tea.Cmd {
		v.afterSave = v.startEditor
		return v.save()
	})
	q.add("edit the old one", v.loss(), v.startEditor)
	q.add("stay", "nothing changes", func() tea.Cmd { return nil })
	v.question = q
	return nil
}

// edited says that the editor has ended.
type edited struct{ err error }

func (v *storage) startEditor() tea.Cmd {
	return v.openEditor(v.path, func(err error) tea.Msg { return edited{err} })
}

func (v *storage) edited(msg edited) tea.Cmd {
	if msg.err != nil {
		return tea.Batch(v.read(), views.Warn("the editor ended with: %v", msg.err))
	}
	return v.read()
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

// nowhere says whether there is no file at all, which is nothing to mend: there is no project here.
func (v *storage) nowhere() bool { return v.file == nil && errors.Is(v.broken, os.ErrNotExist) }

// drawNowhere says how a project is started.
func (v *storage) drawNowhere(t *widget.Theme, w, h int) string {
	frame := widget.Panel{Titles: []string{"No project in this folder"}, Focused: true}
	iw, ih := frame.Inside(w, h)
	lines := []string{""}
	add := func(style widget.Style, text string) {
		for _, line := range wrapped(style, text, iw-2) {
			lines = append(lines, " "+line)
		}
		lines = append(lines, "")
	}
	add(t.Strong, filepath.Base(v.path)+" does not exist here.")
	add(t.Text, "A project is a folder with that file, which names the data set, the model and the recipe. Leave with "+
		views.KeyOf("quit")+" and start one, or go to the folder of one:")
	lines = lines[:len(lines)-1]
	for _, name := range config.Presets() {
		lines = append(lines, "   "+t.Accent.Render(widget.Left("finetui new "+name, 24))+
			t.Muted.Render(widget.Cut(config.AboutPreset(name), max(iw-28, 0))))
	}
	lines = append(lines, "")
	add(t.Muted, "A name behind it is the folder that is made. "+views.KeyOf("reload")+" looks here again, "+
		views.KeyOf("edit_file")+" begins an empty file in your editor.")
	return frame.View(t, widget.Block(strings.Join(lines, "\n"), iw, ih), w, h)
}

// draw says why there are no constants to see, and what can be done.
func (v *storage) draw(t *widget.Theme, w, h int) string {
	if v.nowhere() {
		return v.drawNowhere(t, w, h)
	}
	frame := widget.Panel{Titles: []string{filepath.Base(v.path) + " cannot be read"}, Focused: true}
	iw, ih := frame.Inside(w, h)
	var lines []string
	add := func(style widget.Style, text string) {
		for _, line := range wrapped(style, text, iw-2) {
			lines = append(lines, " "+line)
		}
	}
	lines = append(lines, "")
	err := v.broken
	if err == nil {
		err = fmt.Errorf("%s was not read", v.path)
	}
	for fault := range strings.SplitSeq(printable.Error(err), "\n") {
		add(t.Warning, "✗ "+fault)
	}
	lines = append(lines, "")
	add(t.Text, views.KeyOf("edit_file")+" opens it in your editor and reads it again; "+views.KeyOf("reload")+" only reads it again.")
	if v.file != nil {
		add(t.Text, "esc goes back to the constants as they were read last; saving them asks before it overwrites "+
			"anything.")
	}
	return frame.View(t, widget.Block(strings.Join(lines, "\n"), iw, ih), w, h)
}

// actions are those that need no readable file.
func (v *storage) actions() []views.Action {
	return []views.Action{
		{Name: "edit_file", Label: "editor", Help: "open config.toml in $EDITOR and read it again afterwards",
			Group: group, Run: v.askEditor},
		{Name: "reload", Help: "read config.toml again", Group: group, Run: v.askReload},
	}
}
