package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestExportsLieInTheProjectsOwnFolderAndNothingIsWrittenOver(t *testing.T) {
	root := t.TempDir()
	for i, want := range []string{"0001-one-series.csv", "0001-one-series-2.csv", "0001-one-series-3.csv"} {
		path, err := saveExport(root, "0001-one-series.csv", []byte{byte('a' + i)})
		if err != nil {
			t.Fatal(err)
		}
		if path != filepath.Join(root, ".finetui", "exports", want) {
			t.Errorf("written to %s", path)
		}
	}
	first, err := os.ReadFile(filepath.Join(root, ".finetui", "exports", "0001-one-series.csv"))
	if err != nil || string(first) != "a" {
		t.Errorf("the first export is %q, %v", first, err)
	}
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v in the project's folder, %v", entries, err)
	}
}
