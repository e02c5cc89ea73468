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
