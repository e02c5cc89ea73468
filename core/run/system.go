package run

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/process"

	"finetui/core/gpu"
)

// Sampler measures this process with what it started, and the machine's GPUs. It is for one goroutine.
type Sampler struct {
	self  int32
	gpus  func() ([]gpu.Device, error)
	cores float64
	at    time.Time         // of the last sample
	spent map[int32]float64 // processor time of each process of the run at the last sample, seconds
	users map[int]string    // the owners that were asked for
}

// NewSampler starts measuring: the first Sample's CPU share is that of the time since now.
func NewSampler() *Sampler {
	s := &Sampler{self: int32(os.Getpid()), gpus: gpu.Snapshot, cores: float64(runtime.NumCPU()), at: time.Now(),
		users: map[int]string{}}
	s.spent, _ = s.measure(s.family())
	cpu.Percent(0, false) // the base of the machine's first share
	return s
}

// SampleSystem returns a row with the share of all cores that the run takes since the last sample, its memory, the
// machine's load and every GPU. What cannot be measured is absent. It may take tens of milliseconds where there are
// GPUs.
func (s *Sampler) SampleSystem(step int) *System {
	row := &System{Head: Head{Step: step}, GPUs: []GPU{}}
	family := s.family()
	if spent, rss := s.measure(family); len(spent) > 0 {
		worked := 0.0
		for pid, seconds := range spent {
			worked += max(seconds-s.spent[pid], 0) // one that was started since has spent all of it since
		}
		now := time.Now()
		if past := now.Sub(s.at).Seconds(); past > 0 {
			share := min(100, 100*worked/past/s.cores) // a short interval is shorter than the clock's ticks
			row.CPU = &share
		}
		row.RSS, s.spent, s.at = &rss, spent, now
	}
	if shares, err := cpu.Percent(0, false); err == nil && len(shares) == 1 {
		row.Busy = &shares[0]
	}
	devices, err := s.gpus()
	if err != nil {
		return row
	}
	for _, d := range devices {
		row.GPUs = append(row.GPUs, GPU{Index: d.Index, Util: d.Util, MemoryUsed: d.MemoryUsed,
			MemoryTotal: d.MemoryTotal, Power: d.Power, PowerLimit: d.PowerLimit, Temperature: d.Temperature,
			Clock: d.Clock, Throttle: d.Throttle, MIG: d.MIG, Lost: d.Lost, Processes: s.computing(d, family)})
	}
	return row
}

// family are this process and all that it started, and that they started.
func (s *Sampler) family() map[int32]*process.Process {
	all := map[int32]*process.Process{s.self: {Pid: s.self}}
	var everybody func(pid int32) []*process.Process
	for queue := []int32{s.self}; len(queue) > 0; queue = queue[1:] {
		children, known := childrenOf(queue[0])
		if !known && everybody == nil {
			everybody = parents()
		}
		if !known {
			children = everybody(queue[0])
		}
		for _, p := range children {
			all[p.Pid] = p
			queue = append(queue, p.Pid)
		}
	}
	return all
}

// childrenOf are the processes that one has started, as the kernel lists them; it may not, and then known is false.
func childrenOf(pid int32) (list []*process.Process, known bool) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		known = true
		for _, word := range strings.Fields(string(text)) {
			if n, err := strconv.ParseInt(word, 10, 32); err == nil {
				list = append(list, &process.Process{Pid: int32(n)})
			}
		}
	}
	return list, known
}

// parents asks all processes once who started them: a machine with GPUs has thousands.
func parents() func(pid int32) []*process.Process {
	started := map[int32][]*process.Process{}
	list, _ := process.Processes() // an error: nothing is known
	for _, p := range list {
		if parent, err := p.Ppid(); err == nil {
			started[parent] = append(started[parent], p)
		}
	}
	return func(pid int32) []*process.Process { return started[pid] }
}

// measure is the processor time of processes in seconds, and the resident memory of all of them in bytes, in which
// pages that several hold count for each.
func (s *Sampler) measure(family map[int32]*process.Process) (spent map[int32]float64, rss uint64) {
	spent = map[int32]float64{}
	for pid, p := range family {
		times, err := p.Times()
		memory, fault := p.MemoryInfo()
		if err != nil || fault != nil {
			continue // it has ended
		}
		spent[pid] = times.User + times.System
		rss += memory.RSS
	}
	return spent, rss
}

// computing are the processes on a GPU. The driver numbers them as the machine does: in a container, which numbers its
// own, nothing but the number is known of them.
func (s *Sampler) computing(d gpu.Device, family map[int32]*process.Process) (list []GPUProcess) {
	whole := numbersAsTheMachine()
	for _, p := range d.Processes {
		g := GPUProcess{PID: p.PID, Memory: p.Memory}
		if whole {
			g.Own = family[int32(p.PID)] != nil
			g.User = s.owner(p.PID)
		}
		list = append(list, g)
	}
	return list
}

// owner is the name of a process's user, its number where that has none, empty where it is not known.
func (s *Sampler) owner(pid int) string {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return ""
	}
	ids, err := p.Uids()
	if err != nil || len(ids) == 0 {
		return ""
	}
	id := int(ids[0])
	name, known := s.users[id]
	if !known {
		name = strconv.Itoa(id)
		if u, err := user.LookupId(name); err == nil {
			name = u.Username
		}
		s.users[id] = name
	}
	return name
}
