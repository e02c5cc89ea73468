package views

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The layers are tui over views over core over ml: nothing imports what lies above it, and a view knows core alone.
func TestNothingImportsWhatLiesAboveItAndNoViewImportsML(t *testing.T) {
	forbidden := map[string][]string{
		"views": {"finetui/ml", "finetui/tui"},
		"core":  {"finetui/views", "finetui/tui"},
		"ml":    {"finetui/core", "finetui/views", "finetui/tui"},
	}
	seen := map[string]int{}
	for layer, names := range forbidden {
		err := filepath.WalkDir(filepath.Join("..", layer), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, spec := range file.Imports {
				name, _ := strconv.Unquote(spec.Path.Value)
				seen[layer]++
				for _, not := range names {
					if name == not || strings.HasPrefix(name, not+"/") {
						t.Errorf("%s imports %s", path, name)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if seen[layer] == 0 {
			t.Errorf("no import was seen in %s", layer)
		}
	}
}
