package run

import "syscall"

// diskFull tells whether the file system of a folder has no room for a row of metrics.
func diskFull(dir string) bool {
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	return err == nil && s.Blocks > 0 && uint64(s.Bavail)*uint64(s.Bsize) < 4096
}
