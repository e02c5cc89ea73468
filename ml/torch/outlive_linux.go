package torch

import (
	"os/exec"
	"runtime"
	"syscall"
)

// outlive lets the system end a command that is to be started when the thread that starts it has ended, and ties the
// calling goroutine to its thread: this process may be killed.
func outlive(c *exec.Cmd) {
	runtime.LockOSThread()
	c.SysProcAttr.Pdeathsig = syscall.SIGTERM
}
