package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"finetui/core/disk"
)

// ErrLocked is in the error of a second writer on one run.
var ErrLocked = errors.New("another process is writing this run")

// takeLock makes this process the run's only writer. The kernel drops the lock when the process ends, however it ends.
func takeLock(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("lock run: %w", err)
	}
	f, err := disk.Lock(path, false)
	if err == nil {
		return f, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	who := ""
	if info, err := readInfo(dir); err == nil && info.Process != nil {
		who = fmt.Sprintf(" (process %d on %s)", info.Process.PID, info.Machine)
	}
	return nil, fmt.Errorf("%s: %w%s; stop it first, or follow it", filepath.Base(dir), ErrLocked, who)
}

// inode is the number of a file in its file system, 0 where there is none.
func inode(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
