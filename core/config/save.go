package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"finetui/ml/wholefile"
)

// ErrChangedOnDisk is what Save returns (wrapped) when the file is not as it was read. SaveOver writes all the same.
var ErrChangedOnDisk = errors.New("the file has changed on disk")

// Save writes the bytes to Path: to a temporary file beside it that is then renamed. It refuses, with
// ErrChangedOnDisk, when somebody else has written the file since Load or the last Save.
func (f *File) Save() error {
	now, err := wholefile.Read(f.Path, wholefile.Text)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if f.onDisk != nil {
			return fmt.Errorf("%s was removed: %w", f.Path, ErrChangedOnDisk)
		}
	case err != nil:
		return fmt.Errorf("save config: %w", err)
	case f.onDisk == nil:
		return fmt.Errorf("%s exists already: %w", f.Path, ErrChangedOnDisk)
	case !bytes.Equal(now, f.onDisk):
		return fmt.Errorf("%s: %w", f.Path, ErrChangedOnDisk)
	}
	return f.SaveOver()
}

// SaveOver writes the bytes whatever stands at Path now. The file's mode is kept, and a link stays a link.
func (f *File) SaveOver() error {
	target := f.Path
	if real, err := filepath.EvalSymlinks(f.Path); err == nil {
		target = real
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(target); err == nil {
		mode = info.Mode().Perm()
	}
	stored := f.stored()
	err := wholefile.Create(target, mode, func(w io.Writer) error {
		_, err := w.Write(stored)
		return err
	})
	if err != nil {
		return fmt.Errorf("save config: %w", err)
	}
	f.onDisk, f.lent = stored, lent{f.Config, len(f.session), stored}
	return nil
}
