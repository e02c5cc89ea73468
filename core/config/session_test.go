package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOverridesOfASessionAreNotSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	before := "# mine\n[VIEW]\nTHEME = \"dark\" # as I like it\n[TRAIN]\nEPOCHS = 3\n"
	if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Override([]string{"VIEW.THEME=light", "TRAIN.BATCH_SIZE=2"}); err != nil {
		t.Fatal(err)
	}
	if err := f.KeepApart(); err != nil {
		t.Fatal(err)
	}
	saved := func(want string) {
		t.Helper()
		if err := f.Save(); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Errorf("%v: the file holds\n%s\nwant\n%s", err, got, want)
		}
		if f.Changed() {
			t.Error("it counts as changed after a save")
		}
	}
	if old, ok := f.Overridden("VIEW.THEME"); f.Changed() || f.Config.View.Theme != "light" || !ok || old != `"dark"` {
		t.Errorf("changed %v, theme %s, in the file %q %v", f.Changed(), f.Config.View.Theme, old, ok)
	}
	saved(before)
	if err := f.Set("TRAIN.EPOCHS", "4"); err != nil || !f.Changed() {
		t.Fatal(err, f.Changed())
	}
	edited := strings.Replace(before, "EPOCHS = 3", "EPOCHS = 4", 1)
	saved(edited)
	if f.Config.View.Theme != "light" || f.Config.Train.BatchSize != 2 {
		t.Error("a save has ended the overrides")
	}

	again, err := Reload(f.Path, f.Session())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := again.Overridden("TRAIN.BATCH_SIZE"); !ok || again.Config.View.Theme != "light" || again.Changed() {
		t.Errorf("after reading it again: theme %s, changed %v", again.Config.View.Theme, again.Changed())
	}

	if err := f.Set("VIEW.THEME", "light"); err != nil || !f.Changed() { // asked for by name
		t.Fatal(err, f.Changed())
	}
	if !f.Undo() || f.Changed() {
		t.Error("taking it back does not make it the session's again")
	}
	if err := f.Set("VIEW.THEME", "light"); err != nil {
		t.Fatal(err)
	}
	saved(strings.Replace(edited, `"dark"`, `"light"`, 1))
}
