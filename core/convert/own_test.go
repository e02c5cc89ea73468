package convert

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
)

func TestNothingForeignIsOverwritten(t *testing.T) {
	for _, name := range []string{"train.json", "valid.json", "media/picture.png"} {
		p := twoPictures(t, "RECIPE.CONTEXT=crop")
		path := filepath.Join(p.File.Abs("converted"), name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		const mine = `[{"id": "holiday", "conversations": []}]`
		if err := os.WriteFile(path, []byte(mine), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Write(context.Background(), p, nil)
		if err == nil || !strings.Contains(err.Error(), "does not overwrite") {
			t.Errorf("%s: %v", name, err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != mine {
			t.Errorf("%s is %q now (%v)", name, text, err)
		}
		if left, _ := filepath.Glob(filepath.Join(p.File.Abs("converted"), "*")); len(left) != 1 {
			t.Errorf("%s: %v", name, left)
		}
	}
}

// What an earlier call wrote, in whichever dialect, is written anew; other files of the folder stay.
func TestOwnFilesAreWrittenAnew(t *testing.T) {
	for _, first := range ofPictures() {
		p := twoPictures(t, "RECIPE.CONTEXT=crop", "CONVERT.DIALECT="+first)
		convertAll(t, p)
		notes := filepath.Join(p.File.Abs("converted"), "notes.txt")
		if err := os.WriteFile(notes, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, second := range ofPictures() {
			p.Config.Convert.Dialect = config.Dialect(second)
			convertAll(t, p)
		}
		if text, err := os.ReadFile(notes); err != nil || string(text) != "mine" {
			t.Errorf("%s: %q %v", first, text, err)
		}
	}
}

// Every choice of CONVERT.DIALECT is written by something, and everything that writes is a choice.
func TestEveryDialectIsAChoice(t *testing.T) {
	for _, name := range config.Dialect("").Choices() {
		if d, err := find(config.Dialect(name)); err != nil || string(d.name) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(config.Dialect("").Choices()); n != len(dialects) {
		t.Errorf("%d choices, %d dialects", n, len(dialects))
	}
}
