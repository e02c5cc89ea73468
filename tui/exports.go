package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/config"
	"finetui/ml/wholefile"
)

// saveExport writes an export of the project in root under a name, or with a number after it where another has that
// name already, and returns its path. Nothing is written over.
func saveExport(root, name string, data []byte) (string, error) {
	dir, err := filepath.Abs(config.Exports(root))
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
