package run

import (
	"os"
	"os/user"
	"runtime"
	"strconv"
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
	busy  cpuTimes          // of the machine, likewise
	users map[int]string    // the owners that were asked for
}

// cpuTimes are the processor seconds that a machine has spent, and those of them in which it worked.
type cpuTimes struct{ all, working float64 }

// NewSampler starts measuring: the first Sample's CPU share is that of the time since now.
func NewSampler() *Sampler {
	s := &Sampler{self: int32(os.Getpid()), gpus: gpu.Snapshot, cores: float64(runtime.NumCPU()), at: time.Now(),
		users: map[int]string{}}
	s.spent, _ = s.measure(s.family())
	s.busy, _ = machineTimes()
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
	if busy, ok := machineTimes(); ok {
		if all := busy.all - s.busy.all; all > 0 {
			share := min(100, max(0, 100*(busy.working-s.busy.working)/all))
			row.Busy = &share
		}
		s.busy = busy
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
	all := map[int32]*process.Process{}
	self, err := process.NewProcess(s.self)
	if err != nil {
		return all
	}
	for queue := []*process.Process{self}; len(queue) > 0; queue = queue[1:] {
		if p := queue[0]; all[p.Pid] == nil {
			all[p.Pid] = p
			children, _ := p.Children() // an error: it has none
			queue = append(queue, children...)
		}
	}
	return all
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

// machineTimes asks the system for the processor time that the machine has spent since it started.
func machineTimes() (t cpuTimes, ok bool) {
	list, err := cpu.Times(false)
	if err != nil || len(list) != 1 {
		return t, false
	}
	// guests count as user time already
	c := list[0]
	t.working = c.User + c.System + c.Nice + c.Irq + c.Softirq + c.Steal
	t.all = t.working + c.Idle + c.Iowait
	return t, true
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
