package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/wholefile"
)

// exportFolder is where panes write what is asked of them: in the project's own folder that no repository takes in.
const exportFolder = ".finetui/exports"

// saveExport writes an export of a project under a name, or with a number after it where another has that name already, and
// returns its path. Nothing is written over.
func saveExport(root, name string, data []byte) (string, error) {
	dir, err := filepath.Abs(filepath.Join(root, filepath.FromSlash(exportFolder)))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("the folder of exports cannot be made: %w", err)
	}
	name = filepath.Base(name)
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	for n := 1; ; n++ {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return path, wholefile.Write(path, data)
		} else if err != nil {
			return "", fmt.Errorf("the export cannot be written: %w", err)
		}
		name = fmt.Sprintf("%s-%d%s", stem, n+1, ext)
	}
}
