package wholefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Before is told of every step by which files come to be what a reader finds (rename, symlink, remove, sync), just
// before it is taken: a test ends the process there. nil outside tests.
var Before func(step, path string)

func before(step, path string) {
	if Before != nil {
		Before(step, path)
	}
}

// Rename is os.Rename.
func Rename(from, to string) error {
	before("rename", to)
	return os.Rename(from, to)
}

// Symlink is os.Symlink.
func Symlink(target, path string) error {
	before("symlink", path)
	return os.Symlink(target, path)
}

// Remove is os.Remove; what is not there is no error.
func Remove(path string) error {
	before("remove", path)
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// RemoveAll removes a file, or a folder with what is in it, one after the other; links are not followed. Into a folder
// of a process that was killed another one that it had started may still write for a moment: it is waited for.
func RemoveAll(path string) error {
	const patience, pause = 40, 50 * time.Millisecond
	for try := 1; ; try++ {
		err := removeAll(path)
		if try == patience || !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
		time.Sleep(pause)
	}
}

func removeAll(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		entries, err := os.ReadDir(path)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := removeAll(filepath.Join(path, e.Name())); err != nil {
				return err
			}
		}
	}
	return Remove(path)
}

// Sync brings what was written to an open file to the disk.
func Sync(f *os.File) error {
	before("sync", f.Name())
	return f.Sync()
}

// SyncPath brings a file or folder to the disk.
func SyncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(Sync(f), f.Close())
}
