package wholefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Folder lets fill make a folder beside path and gives it its name when it is complete. An
// empty folder at path is replaced; whatever else is there is an error, and stays as it was.
// What killed processes left of the same work is removed.
func Folder(path string, fill func(dir string) error) (err error) {
	path = filepath.Clean(path)
	if err := free(path); err != nil {
		return err
	}
	parent, prefix := filepath.Dir(path), "."+strings.TrimPrefix(filepath.Base(path), ".")+".tmp-"
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	Sweep(parent, prefix)
	tmp, err := os.MkdirTemp(parent, prefix+"*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	held, err := hold(tmp)
	if err == nil {
		defer held.Close()
		err = fill(tmp)
	}
	if err == nil {
		err = os.Chmod(tmp, 0o755)
	}
	if err == nil {
		_ = os.Remove(path) // the empty one
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), os.RemoveAll(tmp))
	}
	syncFolder(parent)
	return nil
}

// free says whether a folder can be given the name path.
func free(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		if entries, err := os.ReadDir(path); err != nil || len(entries) == 0 {
			return err
		}
	}
	return fmt.Errorf("%s is there already; it is not overwritten", path)
}

// hold locks a folder for as long as its maker lives.
func hold(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	_ = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) // where there are no locks, Sweep's patience remains
	return f, nil
}

// patience is how long nothing may have happened to a folder that is taken for left behind.
const patience = 10 * time.Minute

// Sweep removes the folders in parent whose names begin so and that no living process holds: what killed ones left.
func Sweep(parent, prefix string) {
	entries, _ := os.ReadDir(parent)
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < patience {
			continue
		}
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		f.Close()
	}
}
