package config

import (
	"testing"

	"finetui/core/config"
	"finetui/views/viewtest"
)

func TestATextIsParsedOnceAChange(t *testing.T) {
	for _, c := range []struct {
		name      string
		overrides []string
		texts     int64 // of a change: the one that holds now and, where that is another, the one that would be saved
	}{
		{"as in the file", nil, 1},
		{"with constants of the session", []string{"LORA.R=8", "VIEW.REDRAWS=9"}, 2},
	} {
		path := project(t, nil)
		projects()                // the presets are parsed once in the program's life
		before := config.Parsed() // of opening the file
		file, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Override(c.overrides); err != nil {
			t.Fatal(err)
		}
		if err := file.KeepApart(); err != nil {
			t.Fatal(err)
		}
		p := New(Options{Path: path, File: file, Control: Control{Estimate: estimate}})
		p.effects.pause = 0
		d := viewtest.Open(t, p, 120, 30)
		costs := func(what string, want int64, do func()) {
			t.Helper()
			do()
			d.Wait("rest", func() bool {
				return !p.storage.saving.Pending() && !p.storage.reading.Pending() && !p.effects.guessing.Pending()
			})
			d.Screen()
			if n := config.Parsed() - before; n != want {
				t.Errorf("%s, %s: %d texts were parsed, want %d", c.name, what, n, want)
			}
			before = config.Parsed()
		}
		costs("opening", c.texts, func() {})
		costs("moving, searching, comparing", 0, func() {
			d.Press("j", "pgdown", "/", "l", "r", "enter", "esc",
				"D", "esc")
		})
		at(p, "TRAIN.EPOCHS")
		costs("writing a value", 0, func() { clear(d.Press("enter")).Type("12") })
		costs("taking it", c.texts, func() { d.Press("enter") })
		costs("a preset, twelve constants", c.texts, func() { put(d, p, "RECIPE.PRESET", "basic") })
		costs("undo", 0, func() { d.Press("u") })
		costs("saving", 0, func() { d.Press("s") })
		costs("reading it again", c.texts, func() { d.Press("ctrl+r") })
		costs("a switch", c.texts, func() { put(d, p, "TRAIN.FOLLOW", "") })
		if p.file.Config.Train.Epochs != 12 || p.file.Config.Train.Follow == file.Config.Train.Follow &&
			p.Unsaved() == "" {
			t.Errorf("EPOCHS is %d, unsaved %q", p.file.Config.Train.Epochs, p.Unsaved())
		}
	}
}
