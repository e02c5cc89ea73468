package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// sources are the program's files, without tests and without this package, which only names and checks constants.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range []string{"core", "views", "tui"} {
		err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if path == filepath.Join("..", "..", "core", "config") {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				text, err := os.ReadFile(path)
				all.Write(text)
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if all.Len() < 100_000 {
		t.Fatalf("only %d bytes of the program were found", all.Len())
	}
	return all.String()
}

func TestEveryConstantIsReadSomewhere(t *testing.T) {
	text := sources(t)
	root := reflect.TypeFor[Config]()
	for _, f := range Fields() {
		name := root.Field(f.index[0]).Type.Field(f.index[1]).Name
		if !regexp.MustCompile(`\.` + name + `\b`).MatchString(text) {
			t.Errorf("%s (%s) is read nowhere: use it or take it out", f.Name(), name)
		}
	}
}
