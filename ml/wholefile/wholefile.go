// Package wholefile writes files so that a reader finds what was there before or everything, never a part.
package wholefile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Write puts data at path with the usual permissions.
func Write(path string, data []byte) error {
	return Create(path, 0o644, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Create lets write fill a file beside path, brings it to the disk and renames it to path. Whatever fails, path is as
// it was and nothing is left beside it. The error names path.
func Create(path string, mode os.FileMode, write func(w io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = Sync(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(f.Name()))
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// SweepFiles removes the files in a folder that killed processes left half written under one of these names, or under
// any where none is given, unless something has happened to them lately.
func SweepFiles(dir string, names ...string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name, number, ok := strings.Cut(e.Name(), ".tmp-")
		name, hidden := strings.CutPrefix(name, ".")
		if !ok || !hidden || number == "" || strings.Trim(number, "0123456789") != "" ||
			len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > patience {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// syncFolder brings a rename to the disk where the system can; a file system that cannot has done nothing wrong.
func syncFolder(dir string) {
	_ = SyncPath(dir)
}
