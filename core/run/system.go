package run

import (
	"os"
	"runtime"

	"github.com/shirou/gopsutil/v4/process"

	"finetui/core/gpu"
)

// Sampler measures this process and the machine's GPUs. It is for one goroutine.
type Sampler struct {
	self *process.Process
	gpus func() ([]gpu.Device, error)
}

// NewSampler starts measuring: the first Sample's CPU share is that of the time since now.
func NewSampler() *Sampler {
	s := &Sampler{gpus: gpu.Snapshot}
	if self, err := process.NewProcess(int32(os.Getpid())); err == nil {
		s.self = self
		self.Percent(0) // the base of the first share
	}
	return s
}

// SampleSystem returns a row with the process's share of all cores since the last sample, its memory, and every GPU.
// What cannot be measured is absent. It may take tens of milliseconds where there are GPUs.
func (s *Sampler) SampleSystem(step int) *System {
	row := &System{Head: Head{Step: step}, GPUs: []GPU{}}
	if s.self != nil {
		if percent, err := s.self.Percent(0); err == nil {
			share := min(100, percent/float64(runtime.NumCPU())) // a short interval is shorter than the clock's ticks
			row.CPU = &share
		}
		if memory, err := s.self.MemoryInfo(); err == nil {
			row.RSS = &memory.RSS
		}
	}
	devices, err := s.gpus()
	if err != nil {
		return row
	}
	for _, d := range devices {
		row.GPUs = append(row.GPUs, GPU{Index: d.Index, Util: d.Util, MemoryUsed: d.MemoryUsed,
			MemoryTotal: d.MemoryTotal, Power: d.Power, Temperature: d.Temperature})
	}
	return row
}
