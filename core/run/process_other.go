//go:build !linux

package run

import (
	"os"
	"slices"
	"strconv"

	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/process"
)

// Self returns this process.
func Self() (Process, error) {
	self, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return Process{}, err
	}
	start, err := self.CreateTime()
	if err != nil {
		return Process{}, err
	}
	boot, err := bootID()
	return Process{PID: os.Getpid(), Start: start, Boot: boot}, err
}

// Alive tells whether the process still runs on this machine. A zombie does not.
func (p Process) Alive() bool {
	boot, err := bootID()
	if err != nil || boot != p.Boot {
		return false
	}
	other, err := process.NewProcess(int32(p.PID))
	if err != nil {
		return false
	}
	start, err := other.CreateTime()
	if err != nil || start != p.Start {
		return false
	}
	state, err := other.Status()
	return err != nil || !slices.Contains(state, process.Zombie)
}

// numbersAsTheMachine says whether this process sees the numbers that the machine gives to processes.
func numbersAsTheMachine() bool { return true }

func bootID() (string, error) {
	t, err := host.BootTime()
	return strconv.FormatUint(t, 10), err
}
