package cores

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The thread that gives way ends with its goroutine: whoever works afterwards is not behind, too.
func TestOnlyWhoGivesWayIsBehind(t *testing.T) {
	nice := func() int {
		n, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
		if err != nil {
			t.Error(err)
		}
		return 20 - n // as the system call counts
	}
	before := nice()
	done := make(chan int)
	go func() { GiveWay(); done <- nice() }()
	if got := <-done; got < max(before, behind) {
		t.Errorf("the thread has nice %d", got)
	}
	for range 50 {
		go func() { done <- nice() }()
	}
	for range 50 {
		if got := <-done; got != before {
			t.Errorf("another goroutine has nice %d, the program %d", got, before)
		}
	}
}
