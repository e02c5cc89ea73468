package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOnlyWhatTheProgramWroteIsOverwritten(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		json bool
		note bool
	}{
		"absent": {"", true, true}, "empty": {"", true, true}, "folder": {"", false, false}, "pipe": {"", false, false},
		// cut off behind its keys: still ours
		"ours":         {`{"schema": 1, "deep": {"x": [1, {}]}, "pairs": [1, 2`, true, false},
		"notes":        {"# Report\nbuy milk\n", false, true},
		"other object": {`{"schema": 1, "deep": {"pairs": 1}}`, false, false},
		"list":         {`[{"schema": 1, "pairs": []}]`, false, false},
		"binary":       {"\x00\xff\x00", false, false},
	} {
		path := filepath.Join(dir, name)
		if name != "absent" && name != "folder" && name != "pipe" {
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var foreign *Foreign
		if err := OwnJSON(path, "schema", "pairs"); (err == nil) != c.json || err != nil && !errors.As(err, &foreign) {
			t.Errorf("%s as JSON: %v", name, err)
		}
		if err := OwnText(path, "# Report\n"); (err == nil) != c.note {
			t.Errorf("%s as text: %v", name, err)
		}
	}
}

func TestAFolderWithSomethingForeignIsNotFilled(t *testing.T) {
	dir := t.TempDir()
	ours := func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".json") }
	check := func(want bool, what string) {
		t.Helper()
		if err := OwnFolder(dir, ours); (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	check(true, "empty")
	for _, name := range []string{".hidden", "train.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check(true, "ours")
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	check(false, "with a thesis")
	if err := OwnFolder(filepath.Join(dir, "nowhere"), ours); err != nil {
		t.Error(err)
	}
	if err := OwnFolder(filepath.Join(dir, "thesis.txt"), ours); err == nil {
		t.Error("a file passes for a folder")
	}
}
