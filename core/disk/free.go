package disk

import "syscall"

// Free is how many bytes a user's files can still take on the file system of a folder; ok is false where it does not
// say.
func Free(folder string) (bytes int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil || s.Blocks == 0 {
		return 0, false
	}
	return int64(uint64(s.Bavail) * uint64(s.Bsize)), true
}
