package disk

import (
	"os"
	"syscall"
)

// Lock locks a file, which is made where it is not there: one process has it, and the kernel drops it when that closes
// the file or ends, however it ends. Without wait the error of a lock that another process has is syscall.EWOULDBLOCK.
func Lock(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		if err = syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
