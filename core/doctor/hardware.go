package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/mem"

	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/printable"
	"finetui/ml/blas"
	"finetui/ml/cores"
)

func processor() Line {
	name := "unknown model"
	if info, err := cpu.Info(); err == nil && len(info) > 0 && info[0].ModelName != "" {
		name = info[0].ModelName
	}
	value := fmt.Sprintf("%s · %s", name, dataset.Counted(runtime.NumCPU(), "core", "cores"))
	if used := cores.Count(); used < runtime.NumCPU() {
		value += fmt.Sprintf(", of which %d may be used here", used)
	}
	return Line{"processor", value, OK, ""}
}

func kernels() Line {
	name := blas.Kernels()
	if name == "go" {
		return Line{"kernels", "plain Go: this processor has no AVX2 with FMA", Info,
			"nothing; a processor with AVX2 or AVX-512 trains many times faster"}
	}
	return Line{"kernels", name, OK, ""}
}

const gib = 1 << 30

// leastMemory is what training on the built-in base takes with its pictures.
const leastMemory = 2 * gib

func memory() Line {
	m, err := mem.VirtualMemory()
	if err != nil {
		return Line{"memory", "unknown: " + printable.Error(err), Info, ""}
	}
	value := fmt.Sprintf("%.1f GiB, %.1f free", float64(m.Total)/gib, float64(m.Available)/gib)
	if limit, ok := containerNumber("memory.max"); ok && limit < m.Total {
		value += fmt.Sprintf("; this container may use %.1f", float64(limit)/gib)
	}
	if free, err := FreeMemory(); err == nil && free < leastMemory {
		return Line{"memory", value, Info,
			"close other programs: training the built-in base takes about 2 GiB, other bases their weights and more"}
	}
	return Line{"memory", value, OK, ""}
}

// FreeMemory is how many bytes a program can have that starts now: what the system calls
// available, or what is left of the limit of a container.
func FreeMemory() (int64, error) {
	m, err := mem.VirtualMemory()
	if err != nil {
		return 0, fmt.Errorf("how much memory is free: %w", err)
	}
	free := m.Available
	if limit, ok := containerNumber("memory.max"); ok && limit < m.Total {
		used, _ := containerNumber("memory.current")
		free = min(free, limit-min(used, limit))
	}
	return int64(free), nil
}

// PeakMemory is the most memory that this process held so far, in bytes, as Linux counts it: every page that was in
// memory, those of mapped files among them; 0 elsewhere.
func PeakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	return kib << 10
}

// containerNumber is a number that a control group (cgroup v2) has about its memory, where there is one.
func containerNumber(name string) (uint64, bool) {
	text, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", name))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// leastSpace is what a demo project with its runs takes.
const leastSpace = gib / 2

func space(folder string) Line {
	u, err := disk.Usage(folder)
	if err != nil {
		return Line{"disk", fmt.Sprintf("%s: %v", folder, err), Info, ""}
	}
	value := fmt.Sprintf("%.1f GiB free of %.1f where %s lies", float64(u.Free)/gib, float64(u.Total)/gib, folder)
	if u.Free < leastSpace {
		return Line{"disk", value, Missing, "make room: a project with its runs and checkpoints takes about half a GiB"}
	}
	return Line{"disk", value, OK, ""}
}

// gpus lists the GPUs, or why there is none.
func gpus(snapshot func() ([]gpu.Device, error)) []Line {
	devices, err := snapshot()
	if err != nil {
		return []Line{{"GPU", printable.Error(err), Info, "nothing: this program trains and answers on the processor"}}
	}
	var lines []Line
	for _, d := range devices {
		facts := []string{d.Name}
		if d.Name == "" {
			facts[0] = "unknown model"
		}
		if d.MemoryUsed != nil && d.MemoryTotal != nil {
			facts = append(facts, fmt.Sprintf("%.1f of %.1f GiB used", float64(*d.MemoryUsed)/gib,
				float64(*d.MemoryTotal)/gib))
		}
		if d.Util != nil {
			facts = append(facts, fmt.Sprintf("%.0f %% busy", *d.Util))
		}
		if d.Temperature != nil {
			facts = append(facts, fmt.Sprintf("%.0f °C", *d.Temperature))
		}
		lines = append(lines, Line{fmt.Sprintf("GPU %d", d.Index), strings.Join(facts, " · "), OK, ""})
	}
	return lines
}
