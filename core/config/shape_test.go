package config

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhatIsNoConfigIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := syscall.Mkfifo(path("pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/zero", path("zero")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path("folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	huge, err := os.Create(path("huge"))
	if err != nil {
		t.Fatal(err)
	}
	if err := huge.Truncate(3 << 30); err != nil {
		t.Fatal(err)
	}
	huge.Close()
	for name, text := range map[string]string{
		"deep": strings.Repeat("a.", 100_000) + "a = 1\n", "many": strings.Repeat("A.B = 1\n", 100_000),
		"lists": "x = " + strings.Repeat("[", 200_000), "tables": "x = " + strings.Repeat("{a=", 200_000),
		"header":   "[" + strings.Repeat("a.", 100_000) + "a]\n",
		"longdots": strings.Repeat(strings.Repeat("a.", 40)+"b = 1\n", 10_000),
	} {
		if err := os.WriteFile(path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"pipe": "a pipe", "zero": "a device", "folder": "a folder",
		"huge": "larger than 1 MiB",
		"deep": "many dots", "many": "constants", "lists": "brackets", "tables": "", "header": "many dots",
		"longdots": "many dots"} {
		if _, err := Load(path(name)); err == nil || !strings.Contains(err.Error(), path(name)) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %.200v, want %q", name, err, want)
		}
	}
}
