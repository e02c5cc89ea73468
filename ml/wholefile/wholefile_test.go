package wholefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFailureLeavesTheOldFileAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no room")
	err := Create(path, 0o600, func(w io.Writer) error {
		io.WriteString(w, "half")
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	data, _ := os.ReadFile(path)
	entries, _ := os.ReadDir(dir)
	if string(data) != "old" || len(entries) != 1 {
		t.Errorf("the file holds %q, the folder %d entries", data, len(entries))
	}
	if err := Create(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w,
			"new")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	if data, _ := os.ReadFile(path); string(data) != "new" || info.Mode().Perm() != 0o600 {
		t.Errorf("the file holds %q with mode %v", data, info.Mode())
	}
	if err := Write(filepath.Join(dir, "no", "folder"), nil); err == nil {
		t.Error("a file in no folder was written")
	}
}

// What a killed process had started may still write into a folder that is being removed.
func TestRemoveAllOutlivesWhoStillWrites(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "step")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	wrote := 0
	Before = func(step, path string) {
		if path == dir && step == "remove" && wrote < 3 { // just before the folder goes
			wrote++
			if err := os.WriteFile(filepath.Join(dir, "late"), []byte("x"), 0o644); err != nil {
				t.Error(err)
			}
		}
	}
	defer func() { Before = nil }()
	if err := RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir); !os.IsNotExist(err) || wrote != 3 {
		t.Errorf("the folder is there still (%v), %d files came late", err, wrote)
	}
}
