package wholefile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func put(dir string) error { return os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o644) }

func TestFolderIsThereWholeOrNotAtAll(t *testing.T) {
	parent := t.TempDir()
	path := filepath.Join(parent, "new", "folder")
	if err := Folder(path, func(dir string) error {
		return errors.Join(put(dir),
			errors.New("no room"))
	}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("error %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 0 {
		t.Errorf("something is left: %v", entries)
	}
	if err := os.Mkdir(path, 0o755); err != nil { // an empty one is no loss
		t.Fatal(err)
	}
	if err := Folder(path, put); err != nil {
		t.Fatal(err)
	}
	if err := Folder(path, put); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a folder with something in it: %v", err)
	}
	file := filepath.Join(parent, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Folder(file, put); err == nil || !strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a file in its place: %v", err)
	}
}

func TestWhatAKilledProcessLeftIsRemovedAndNoOthers(t *testing.T) {
	parent := t.TempDir()
	old := time.Now().Add(-time.Hour)
	make := func(name string, when time.Time) string {
		dir := filepath.Join(parent, name)
		if err := errors.Join(os.Mkdir(dir, 0o755), put(dir), os.Chtimes(dir, when, when)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	dead, young, other := make(".base.tmp-1", old), make(".base.tmp-2", time.Now()), make(".bases", old)
	living := make(".base.tmp-3", old)
	held, err := hold(living)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := Folder(filepath.Join(parent, "base"), put); err != nil {
		t.Fatal(err)
	}
	for dir, stays := range map[string]bool{dead: false, young: true, other: true, living: true} {
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s is there: %v, want %v", filepath.Base(dir), err == nil, stays)
		}
	}
}
