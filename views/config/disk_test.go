package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

func TestChangedOnDiskAsks(t *testing.T) {
	const theirs = "[TRAIN]\nEPOCHS = 2 # theirs\n"
	for _, c := range []struct {
		answer string
		keys   []string
		epochs int
		onDisk bool // theirs is still there
	}{
		{"overwrite", []string{"enter"}, 12, false},
		{"reload", []string{"down", "enter"}, 2, true},
		{"leave both", []string{"down", "down", "enter"}, 12, true},
		{"esc", []string{"esc"}, 12, true},
	} {
		path := project(t, nil)
		p, d := opened(t, path, 120, 30)
		put(d, p, "TRAIN.EPOCHS", "12")
		if err := os.WriteFile(path, []byte(theirs), 0o644); err != nil {
			t.Fatal(err)
		}
		d.Press("s").Wait("the question", func() bool { return p.question != nil })
		d.Press(c.keys...).Wait("the answer", func() bool {
			return !p.storage.saving.Pending() &&
				!p.storage.reading.Pending()
		})
		if got := p.file.Config.Train.Epochs; got != c.epochs || (read(t, path) == theirs) != c.onDisk {
			t.Errorf("%s: EPOCHS is %d, on disk stands\n%.80s", c.answer, got, read(t, path))
		}
		if unsaved := p.Unsaved() != ""; unsaved != (c.epochs == 12 && c.onDisk) {
			t.Errorf("%s: unsaved %q", c.answer, p.Unsaved())
		}
	}
}

func TestEditWhileTheFileIsWrittenIsKept(t *testing.T) {
	path := project(t, nil)
	p, d := opened(t, path, 120, 30)
	put(d, p, "TRAIN.EPOCHS", "12")
	save := p.storage.save() // a command that has not run yet
	put(d, p, "LORA.R", "8")
	d.Send(save()) // the answer comes after the edit
	if c := p.file.Config; c.Train.Epochs != 12 || c.LoRA.R != 8 || p.Unsaved() != "1 change to config.toml" {
		t.Errorf("EPOCHS %d, R %d, unsaved %q", c.Train.Epochs, c.LoRA.R, p.Unsaved())
	}
	if !strings.Contains(read(t, path), "EPOCHS = 12") || strings.Contains(read(t, path), "R = 8") {
		t.Error("the file holds something else than what was saved")
	}
}

func TestUnwritableFileIsSaidAndNothingIsLost(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	put(d, p, "TRAIN.EPOCHS", "12")
	d.Send(p.storage.write(func(config.Writing) error { return errors.New("save config: no space left on device") })())
	says(d, "save config: the disk is full; make room and try again")
	if p.Unsaved() == "" {
		t.Error("the change counts as saved")
	}
}

// editingWith makes the pane's editor a function that rewrites the file.
func editingWith(t *testing.T, p *Pane, change func(text string) string) {
	p.storage.openEditor = func(path string, done func(error) tea.Msg) tea.Cmd {
		return func() tea.Msg {
			if err := os.WriteFile(path, []byte(change(read(t, path))), 0o644); err != nil {
				t.Error(err)
			}
			return done(nil)
		}
	}
}

func TestEditorIsOpenedAndTheFileReadAgain(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	at(p, "TRAIN.EPOCHS")
	editingWith(t, p, func(text string) string { return strings.Replace(text, "EPOCHS = 6", "EPOCHS = 7", 1) })
	d.Press("E").Wait("the new value", func() bool { return p.file.Config.Train.Epochs == 7 })
	if r, _ := p.list.selected(); r.field.Name() != "TRAIN.EPOCHS" || p.Unsaved() != "" {
		t.Errorf("at %s, unsaved %q", r.field.Name(), p.Unsaved())
	}
	d.Wait("the other panes to know", func() bool { return count[views.ConfigChanged](d) > 0 })
}

func TestEditorAsksAboutWhatIsNotSaved(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	put(d, p, "LORA.R", "8")
	editingWith(t, p, func(text string) string { return strings.Replace(text, "EPOCHS = 6", "EPOCHS = 7", 1) })
	d.Press("E")
	if p.question == nil {
		t.Fatal("it did not ask")
	}
	d.Press("enter").Wait("both", func() bool { return p.file.Config.Train.Epochs == 7 })
	if p.file.Config.LoRA.R != 8 || p.Unsaved() != "" {
		t.Errorf("R is %d, unsaved %q", p.file.Config.LoRA.R, p.Unsaved())
	}
}

func TestBrokenAfterTheEditorKeepsWhatWasRead(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	editingWith(t, p, func(text string) string { return strings.Replace(text, "EPOCHS = 6", "EPOCH = 6", 1) })
	d.Press("E").Wait("the error", func() bool { return p.broken != nil })
	if !d.Shows("cannot be read") || !d.Shows("TRAIN has no constant EPOCH") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
	if d.Press("esc"); p.broken != nil || p.file.Config.Train.Epochs != 6 || !d.Shows("Sections") {
		t.Errorf("after esc the screen is\n%s", d.Screen())
	}
	editingWith(t, p, func(text string) string { return strings.Replace(text, "EPOCH = 6", "EPOCHS = 5", 1) })
	d.Press("E").Wait("the repair", func() bool { return p.file.Config.Train.Epochs == 5 })
}

func TestWithoutAFileItSaysHowToStartAProject(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	p, d := opened(t, path, 80, 22)
	for _, want := range append(config.Presets(), "No project in this folder", "config.toml does not exist here",
		"finetui new demo ", "no project in this folder") {
		if !strings.Contains(d.Screen()+p.Status(), want) {
			t.Errorf("%q is not on the screen:\n%s", want, d.Screen())
		}
	}
	if d.Shows("cannot be read") || d.Shows("✗") {
		t.Errorf("a folder without a project is said to be broken:\n%s", d.Screen())
	}
	viewtest.Sizes(t, func(w, h int) string { return p.View(widget.NewTheme(true, true), w, h) })
}

func TestBrokenAtStartIsRepairedInTheEditor(t *testing.T) {
	path := project(t, func(text string) string { return strings.Replace(text, "EPOCHS = 6", "EPOCHS = ", 1) })
	p, d := opened(t, path, 120, 30)
	if !d.Shows("config.toml cannot be read") || p.Unsaved() != "" {
		t.Fatalf("the screen is\n%s", d.Screen())
	}
	d.Press("enter", "s", "u", "/", "p", "D", "down", "esc")
	editingWith(t, p, func(text string) string { return strings.Replace(text, "EPOCHS = ", "EPOCHS = 6", 1) })
	d.Press("E").Wait("the file", func() bool { return p.file != nil && p.effects.effect != nil })
	d.Wait("the root and the panes to know", func() bool {
		return count[views.ConfigChanged](d) == 1 &&
			count[views.Keys](d) == 1
	})
	if !d.Shows("Sections") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestMissingFileIsSaid(t *testing.T) {
	p, d := opened(t, t.TempDir()+"/config.toml", 80, 22)
	if !d.Shows("does not exist") || len(p.Actions()) != 2 {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestConsequencesFollowWhatIsWritten(t *testing.T) {
	p, d := opened(t, project(t, nil), 120, 30)
	at(p, "TRAIN.EPOCHS")
	clear(d.Press("enter")).Type("12")
	if settled(d, p); !d.Shows("852 = 12 × 71  was 426") || !d.Shows("if you take it") {
		t.Errorf("while writing:\n%s", d.Screen())
	}
	if settled(d.Press("esc"), p); !d.Shows("426 = 6 × 71 ") || d.Shows("was 426") {
		t.Errorf("after esc:\n%s", d.Screen())
	}
	put(d, p, "TRAIN.EPOCHS", "12")
	d.Press("s").Wait("the save", func() bool { return !p.storage.saving.Pending() && !p.effects.guessing.Pending() })
	if !d.Shows("852 = 12 × 71 ") || d.Shows("was 426") {
		t.Errorf("saved:\n%s", d.Screen())
	}
}

func TestEstimatesNeverOverlapAndOldOnesAreDropped(t *testing.T) {
	path := project(t, nil)
	file, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var running, overlaps, calls atomic.Int32
	p := New(Options{Path: path, File: file, Control: Control{Estimate: func(_ context.Context,
		cfg *config.Config) (Consequences, error) {
		if running.Add(1) > 1 {
			overlaps.Add(1)
		}
		defer running.Add(-1)
		calls.Add(1)
		time.Sleep(30 * time.Millisecond)
		return Consequences{Steps: cfg.Train.Epochs}, nil
	}}})
	p.effects.pause = 0
	d := viewtest.Open(t, p, 120, 30)
	at(p, "TRAIN.EPOCHS")
	clear(d.Press("enter")).Type("12345").Press("enter")
	d.Wait("the last", func() bool { return !p.effects.guessing.Pending() })
	if p.effects.effect.Steps != 6 && p.effects.effect.Steps != 12345 || overlaps.Load() > 0 {
		t.Errorf("steps %d, %d overlaps", p.effects.effect.Steps, overlaps.Load())
	}
	if n := calls.Load(); n > 9 {
		t.Errorf("the estimate was asked %d times", n)
	}
}

func TestOverridesAreWhatIsNotSaved(t *testing.T) {
	path := project(t, nil)
	file, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Override([]string{"TRAIN.EPOCHS=9", "LORA.R=8"}); err != nil {
		t.Fatal(err)
	}
	p := New(Options{Path: path, File: file})
	if p.Unsaved() != "2 changes to config.toml" || file.Config.Train.Epochs != 9 {
		t.Errorf("unsaved %q, EPOCHS %d", p.Unsaved(), file.Config.Train.Epochs)
	}
}
