package wholefile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFolderOfAPatternStandsForItself(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"a[1]", "a1", "b*", "bc", `c\d`, "?"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, folder, "x.json"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		want := []string{filepath.Join(dir, folder, "x.json")}
		if got := Glob(filepath.Join(dir, folder), "*.json"); !slices.Equal(got, want) {
			t.Errorf("%s: %q", folder, got)
		}
	}
}
