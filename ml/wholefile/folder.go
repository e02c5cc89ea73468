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
	parent, prefix := filepath.Dir(path), draftPrefix(path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	Sweep(parent, prefix)
	tmp, held, err := draft(parent, prefix)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer held.Close()
	err = fill(tmp)
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

// draftPrefix is how the names of drafts of a folder begin; a number follows.
func draftPrefix(path string) string {
	return "." + strings.TrimPrefix(filepath.Base(filepath.Clean(path)), ".") + ".tmp-"
}

// draft makes an empty folder that is locked for as long as its maker lives, where the file system has locks.
func draft(parent, prefix string) (dir string, held *os.File, err error) {
	for range 100 { // another process may take a new one for left behind before it is locked
		if dir, err = os.MkdirTemp(parent, prefix+"*"); err != nil {
			return "", nil, err
		}
		if held, err = os.Open(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", nil, errors.Join(err, os.Remove(dir))
		}
		locked := unix.Flock(int(held.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if _, gone := os.Stat(dir); gone == nil && !errors.Is(locked, unix.EWOULDBLOCK) {
			return dir, held, nil
		}
		held.Close()
	}
	return "", nil, fmt.Errorf("other processes remove %s* as soon as it is made", filepath.Join(parent, prefix))
}

// patience is how long nothing may have happened to a folder that
// is taken for left behind where the file system has no locks.
const patience = 10 * time.Minute

// Clear removes what killed processes left of making the folder path.
func Clear(path string) { Sweep(filepath.Dir(filepath.Clean(path)), draftPrefix(path)) }

// Sweep removes the folders in parent whose names are a number behind prefix and that no living process holds: what
// killed ones left.
func Sweep(parent, prefix string) {
	entries, _ := os.ReadDir(parent)
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), prefix)
		if !ok || !e.IsDir() || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		f, err := os.Open(dir)
		if err != nil {
			continue
		}
		locked := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		info, err := f.Stat()
		if locked == nil || err == nil && !errors.Is(locked, unix.EWOULDBLOCK) &&
			time.Since(info.ModTime()) > patience {
			_ = os.RemoveAll(dir)
		}
		f.Close()
	}
}
