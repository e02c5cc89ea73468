package run

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Self returns this process. Start time and boot are taken from /proc as they stand: times of day computed from them
// move when the clock is set.
func Self() (Process, error) {
	_, start, err := processStat(os.Getpid())
	if err != nil {
		return Process{}, err
	}
	boot, err := bootID()
	return Process{PID: os.Getpid(), Start: start, Boot: boot}, err
}

// Alive tells whether the process still runs on this machine. A zombie does not, once its other threads have ended: until
// then they hold its files open, and its locks.
func (p Process) Alive() bool {
	boot, err := bootID()
	if err != nil || boot != p.Boot {
		return false
	}
	state, start, err := processStat(p.PID)
	if err != nil || start != p.Start || state == "X" {
		return false
	}
	return state != "Z" || threads(p.PID) > 1
}

// threads is the number of threads that a process has left.
func threads(pid int) int {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0
	}
	return len(list)
}

// numbersAsTheMachine says whether this process sees the numbers that the machine gives to processes: it is in no
// namespace of its own for them. The first one has always the same inode (PROC_PID_INIT_INO in Linux's proc_ns.h).
func numbersAsTheMachine() bool {
	space, err := os.Readlink("/proc/self/ns/pid")
	return err == nil && space == "pid:[4026531836]"
}

func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id)), err
}

// processStat reads state and start time; the name in parentheses before them may hold anything.
func processStat(pid int) (state string, start int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, err
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
	if len(fields) < 20 {
		return "", 0, fmt.Errorf("/proc/%d/stat has %d fields after the name", pid, len(fields))
	}
	start, err = strconv.ParseInt(fields[19], 10, 64)
	return fields[0], start, err
}
