package video

import (
	"os"

	"golang.org/x/sys/unix"
)

// widen lets a pipe hold more than one part of a frame, so that the two programs change places less often.
func widen(f *os.File) {
	_, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, 1<<20)
}
