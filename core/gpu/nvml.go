//go:build cgo && linux

package gpu

import (
	"errors"
	"fmt"
	"math"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// driver returns NVML. What not every NVML since 2012 has is looked up first: a missing function would end the process.
func driver() library {
	api := nvml.New()
	return nvmlLibrary{api, func(symbol string) bool { return api.Extensions().LookupSymbol(symbol) == nil }}
}

// NewMonitor returns a monitor of another NVML, such as go-nvml's mock, that has all functions.
func NewMonitor(api nvml.Interface) *Monitor {
	return &Monitor{lib: nvmlLibrary{api, func(string) bool { return true }}}
}

type nvmlLibrary struct {
	api nvml.Interface
	has func(symbol string) bool // the library has that function
}

func (l nvmlLibrary) start() error {
	if ret := l.api.Init(); ret != nvml.SUCCESS {
		return reason(ret)
	}
	return nil
}

func (l nvmlLibrary) count() (int, error) {
	n, ret := l.api.DeviceGetCount()
	if ret != nvml.SUCCESS {
		return 0, reason(ret)
	}
	return n, nil
}

func (l nvmlLibrary) read(index int) Device {
	d := Device{Index: index}
	handle, ret := l.api.DeviceGetHandleByIndex(index)
	if ret != nvml.SUCCESS {
		d.Lost = ret == nvml.ERROR_GPU_IS_LOST
		return d
	}
	if name, ret := handle.GetName(); ret == nvml.SUCCESS {
		d.Name = name
	}
	if uuid, ret := handle.GetUUID(); ret == nvml.SUCCESS {
		d.UUID = uuid
	}
	if u, ret := handle.GetUtilizationRates(); ret == nvml.SUCCESS && u.Gpu <= 100 {
		d.Util = known(float64(u.Gpu))
	}
	if m, ret := handle.GetMemoryInfo(); ret == nvml.SUCCESS && m.Total > 0 {
		d.MemoryUsed, d.MemoryTotal = known(m.Used), known(m.Total)
	}
	if mw, ret := handle.GetPowerUsage(); ret == nvml.SUCCESS {
		d.Power = known(float64(mw) / 1000)
	}
	if mw, ret := handle.GetEnforcedPowerLimit(); ret == nvml.SUCCESS && mw > 0 {
		d.PowerLimit = known(float64(mw) / 1000)
	}
	if t, ret := handle.GetTemperature(nvml.TEMPERATURE_GPU); ret == nvml.SUCCESS {
		d.Temperature = known(float64(t))
	} else if ret == nvml.ERROR_GPU_IS_LOST {
		return Device{Index: index, Name: d.Name, UUID: d.UUID, Lost: true}
	}
	if mhz, ret := handle.GetClockInfo(nvml.CLOCK_SM); ret == nvml.SUCCESS {
		d.Clock = known(float64(mhz))
	}
	if l.has("nvmlDeviceGetCurrentClocksThrottleReasons") { // its newer name is not in drivers before 535
		if reasons, ret := handle.GetCurrentClocksThrottleReasons(); ret == nvml.SUCCESS {
			d.Throttle = throttle(reasons)
		}
	}
	if l.has("nvmlDeviceGetMigMode") {
		if mode, _, ret := handle.GetMigMode(); ret == nvml.SUCCESS {
			d.MIG = mode == nvml.DEVICE_MIG_ENABLE
		}
	}
	if l.has("nvmlDeviceGetComputeRunningProcesses") {
		if list, ret := handle.GetComputeRunningProcesses(); ret == nvml.SUCCESS {
			for _, p := range list {
				process := Process{PID: int(p.Pid)}
				if p.UsedGpuMemory != math.MaxUint64 { // NVML_VALUE_NOT_AVAILABLE
					process.Memory = known(p.UsedGpuMemory)
				}
				d.Processes = append(d.Processes, process)
			}
		}
	}
	return d
}

// throttle says in words which of NVML's reasons hold the clocks down.
func throttle(reasons uint64) (words []string) {
	const heat = nvml.ClocksEventReasonSwThermalSlowdown | nvml.ClocksThrottleReasonHwThermalSlowdown
	for _, r := range []struct {
		bits uint64
		word string
	}{{heat, Heat}, {nvml.ClocksEventReasonSwPowerCap, PowerCap},
		{nvml.ClocksThrottleReasonHwPowerBrakeSlowdown, PowerBrake}} {
		if reasons&r.bits != 0 {
			words = append(words, r.word)
		}
	}
	if len(words) == 0 && reasons&nvml.ClocksThrottleReasonHwSlowdown != 0 { // set beside the two hardware reasons, too
		words = append(words, Hardware)
	}
	return words
}

func known[T any](v T) *T { return &v }

// reason says in words what a return code means here. It does not ask the library, which may not be loaded.
func reason(ret nvml.Return) error {
	switch ret {
	case nvml.ERROR_LIBRARY_NOT_FOUND:
		return errors.New("libnvidia-ml.so.1 was not found: no NVIDIA driver is installed")
	case nvml.ERROR_DRIVER_NOT_LOADED:
		return errors.New("the NVIDIA driver is not loaded")
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return errors.New("NVIDIA's library and kernel module differ in version: restart the machine after the " +
			"driver update")
	case nvml.ERROR_NO_PERMISSION:
		return errors.New("no permission to talk to the NVIDIA driver")
	case nvml.ERROR_GPU_IS_LOST:
		return errors.New("a GPU has fallen off the bus: restart the machine")
	}
	return fmt.Errorf("NVML answered with code %d", int(ret))
}
