package cores

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// behind is the nice value of threads that give way: a third of the weight of others, no less, for whoever waits for
// them to come to a point where the collector may work waits as long as they are kept from their core.
const behind = 5

// GiveWay ties the calling goroutine to its thread and lets that give way to the others of the machine. It stays so: the
// thread ends with the goroutine, and is to start no process that lives longer.
func GiveWay() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), behind) // who may not works as before
}
