package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheREADMEListsEveryPackage holds the list under ARCHITECTURE against the tree: no package is missing there, and
// none is named that is not here.
func TestTheREADMEListsEveryPackage(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(checkout, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "## ARCHITECTURE")
	list, _, _ = strings.Cut(list, "\n## ")
	packages := map[string][]string{} // by the first folder of the path, their last
	top := ""
	for line := range strings.Lines(list) {
		rest, indented := strings.CutPrefix(line, "    ")
		if !indented {
			continue
		}
		if !strings.HasPrefix(rest, " ") {
			top, _, _ = strings.Cut(rest, "/")
			packages[top] = append(packages[top], top)
			_, rest, _ = strings.Cut(rest, "/")
		}
		for _, m := range regexp.MustCompile(`([a-z0-9]+)/`).FindAllStringSubmatch(rest, -1) {
			packages[top] = append(packages[top], m[1])
		}
	}
	here := map[string][]string{}
	for _, top := range []string{"tui", "views", "core", "ml"} {
		err := filepath.WalkDir(filepath.Join(checkout, top), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() {
				return err
			}
			if strings.Contains(path, "ml/bench/") || strings.Contains(path, "ml/blas/") || e.Name() == "testdata" {
				return fs.SkipDir // the parts of programs that only developers run
			}
			if files, _ := filepath.Glob(filepath.Join(path, "*.go")); len(files) > 0 {
				here[top] = append(here[top], e.Name())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for top, names := range here {
		for _, name := range names {
			if !slices.Contains(packages[top], name) {
				t.Errorf("README.md, ARCHITECTURE: %s/…/%s/ is missing", top, name)
			}
		}
		for _, name := range packages[top] {
			if name != top && !slices.Contains(names, name) {
				t.Errorf("README.md, ARCHITECTURE: there is no package %s under %s", name, top)
			}
		}
	}
}
