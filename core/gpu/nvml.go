//go:build cgo && linux

package gpu

import (
	"errors"
	"fmt"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// driver returns NVML. Only functions that every NVML since 2012 has are called: a missing one would end the process.
func driver() library { return nvmlLibrary{nvml.New()} }

// NewMonitor returns a monitor of another NVML, such as go-nvml's mock.
func NewMonitor(api nvml.Interface) *Monitor { return &Monitor{lib: nvmlLibrary{api}} }

type nvmlLibrary struct{ api nvml.Interface }

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
		return d // fallen off the bus: it is there, and nothing is known of it
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
	}
	return d
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
