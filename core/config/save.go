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

// Changed tells whether what Save would write differs from what was loaded or last saved.
func (f *File) Changed() bool {
	var before []byte
	if f.disk != nil {
		before = f.disk.raw
	}
	return !bytes.Equal(f.stored().raw, before)
}

// Writing is one save of a File: what is to be written, fixed when it was asked for, so that another goroutine than the
// file's may write it while the file is edited further. Wrote tells the file that it was.
type Writing struct {
	now    *Snapshot // the constants then
	stored *Snapshot // what is written
	before *Snapshot // what must stand there; nil: nothing
}

// Writing is a save of the file as it is now.
func (f *File) Writing() Writing { return Writing{f.Snapshot, f.stored(), f.disk} }

// Config are the constants as they were when the save was asked for.
func (w Writing) Config() *Config { return w.now.Config }

// Wrote takes note of a save that has come to its end. What was edited since counts as changed.
func (f *File) Wrote(w Writing) {
	f.disk, f.settled = w.stored, w.now
	if f.Snapshot == w.now {
		f.store = store{w.now, f.disk, len(f.session), w.stored}
	}
}

// Save writes the bytes to Path: to a temporary file beside it that is then renamed. It refuses, with
// ErrChangedOnDisk, when somebody else has written the file since Load or the last Save.
func (f *File) Save() error {
	w := f.Writing()
	if err := w.Save(); err != nil {
		return err
	}
	f.Wrote(w)
	return nil
}

// Save is File.Save without telling the file.
func (w Writing) Save() error {
	path := w.now.Path
	now, err := wholefile.Read(path, wholefile.Text)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if w.before != nil {
			return fmt.Errorf("%s was removed: %w", path, ErrChangedOnDisk)
		}
	case err != nil:
		return fmt.Errorf("save config: %w", err)
	case w.before == nil:
		return fmt.Errorf("%s exists already: %w", path, ErrChangedOnDisk)
	case !bytes.Equal(now, w.before.raw):
		return fmt.Errorf("%s: %w", path, ErrChangedOnDisk)
	}
	return w.SaveOver()
}

// SaveOver writes the bytes whatever stands at Path now. The file's mode is kept, and a link stays a link.
func (w Writing) SaveOver() error {
	target := w.now.Path
	if real, err := filepath.EvalSymlinks(target); err == nil {
		target = real
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(target); err == nil {
		mode = info.Mode().Perm()
	}
	err := wholefile.Create(target, mode, func(out io.Writer) error {
		_, err := out.Write(w.stored.raw)
		return err
	})
	if err != nil {
		return fmt.Errorf("save config: %w", err)
	}
	return nil
}
