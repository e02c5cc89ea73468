//go:build cgo && linux

package gpu

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"
)

func working() *mock.Device {
	return &mock.Device{
		GetNameFunc: func() (string, nvml.Return) { return "H100", nvml.SUCCESS },
		GetUUIDFunc: func() (string, nvml.Return) { return "GPU-1", nvml.SUCCESS },
		GetUtilizationRatesFunc: func() (nvml.Utilization, nvml.Return) {
			return nvml.Utilization{Gpu: 0},
				nvml.SUCCESS
		},
		GetMemoryInfoFunc: func() (nvml.Memory, nvml.Return) {
			return nvml.Memory{Total: 80 << 30,
				Used: 61 << 30}, nvml.SUCCESS
		},
		GetPowerUsageFunc:         func() (uint32, nvml.Return) { return 350500, nvml.SUCCESS },
		GetEnforcedPowerLimitFunc: func() (uint32, nvml.Return) { return 700000, nvml.SUCCESS },
		GetTemperatureFunc:        func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 71, nvml.SUCCESS },
		GetClockInfoFunc:          func(nvml.ClockType) (uint32, nvml.Return) { return 1200, nvml.SUCCESS },
		GetCurrentClocksThrottleReasonsFunc: func() (uint64, nvml.Return) {
			return nvml.ClocksThrottleReasonHwSlowdown | nvml.ClocksThrottleReasonHwThermalSlowdown |
				nvml.ClocksEventReasonSwPowerCap | nvml.ClocksEventReasonGpuIdle, nvml.SUCCESS
		},
		GetMigModeFunc: func() (int, int, nvml.Return) { return nvml.DEVICE_MIG_DISABLE, 0, nvml.SUCCESS },
		GetComputeRunningProcessesFunc: func() ([]nvml.ProcessInfo, nvml.Return) {
			return []nvml.ProcessInfo{{Pid: 4100, UsedGpuMemory: 60 << 30}, {Pid: 977, UsedGpuMemory: math.MaxUint64}},
				nvml.SUCCESS
		},
	}
}

// split is a GPU in instances, of which the driver gives no utilisation.
func split() *mock.Device {
	d := working()
	d.GetUtilizationRatesFunc = func() (nvml.Utilization, nvml.Return) {
		return nvml.Utilization{}, nvml.ERROR_NOT_SUPPORTED
	}
	d.GetMigModeFunc = func() (int, int, nvml.Return) { return nvml.DEVICE_MIG_ENABLE, 1, nvml.SUCCESS }
	return d
}

// silent is a GPU of which the driver gives nothing, with zeros beside the code.
func silent() *mock.Device {
	none := nvml.ERROR_NOT_SUPPORTED
	return &mock.Device{
		GetNameFunc:                         func() (string, nvml.Return) { return "", none },
		GetUUIDFunc:                         func() (string, nvml.Return) { return "", none },
		GetUtilizationRatesFunc:             func() (nvml.Utilization, nvml.Return) { return nvml.Utilization{}, none },
		GetMemoryInfoFunc:                   func() (nvml.Memory, nvml.Return) { return nvml.Memory{}, none },
		GetPowerUsageFunc:                   func() (uint32, nvml.Return) { return 0, none },
		GetEnforcedPowerLimitFunc:           func() (uint32, nvml.Return) { return 0, none },
		GetTemperatureFunc:                  func(nvml.TemperatureSensors) (uint32, nvml.Return) { return 0, none },
		GetClockInfoFunc:                    func(nvml.ClockType) (uint32, nvml.Return) { return 0, none },
		GetCurrentClocksThrottleReasonsFunc: func() (uint64, nvml.Return) { return 0, none },
		GetMigModeFunc:                      func() (int, int, nvml.Return) { return 0, 0, none },
		GetComputeRunningProcessesFunc:      func() ([]nvml.ProcessInfo, nvml.Return) { return nil, none },
	}
}

func TestAbsentFiguresAreNotZero(t *testing.T) {
	devices := []nvml.Device{working(), silent(), nil, split()}
	api := &mock.Interface{
		InitFunc:           func() nvml.Return { return nvml.SUCCESS },
		DeviceGetCountFunc: func() (int, nvml.Return) { return len(devices), nvml.SUCCESS },
		DeviceGetHandleByIndexFunc: func(i int) (nvml.Device, nvml.Return) {
			if devices[i] == nil {
				return nil, nvml.ERROR_GPU_IS_LOST
			}
			return devices[i], nvml.SUCCESS
		},
	}
	m := NewMonitor(api)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			got, err := m.Snapshot()
			if err != nil || len(got) != 4 {
				t.Errorf("%v %v", got, err)
				return
			}
			d := got[0]
			if d.Name != "H100" || *d.Util != 0 || *d.MemoryUsed != 61<<30 || *d.MemoryTotal != 80<<30 ||
				*d.Power != 350.5 || *d.PowerLimit != 700 || *d.Temperature != 71 || *d.Clock != 1200 || d.MIG ||
				d.Lost || strings.Join(d.Throttle, ", ") != "heat, power limit" {
				t.Errorf("%+v", d)
			}
			if p := d.Processes; len(p) != 2 || p[0].PID != 4100 || *p[0].Memory != 60<<30 || p[1].Memory != nil {
				t.Errorf("%+v", p)
			}
			for i, want := range []Device{{Index: 1}, {Index: 2, Lost: true}} {
				if !reflect.DeepEqual(got[i+1], want) {
					t.Errorf("%+v should hold nothing", got[i+1])
				}
			}
			if d := got[3]; !d.MIG || d.Util != nil || *d.MemoryUsed != 61<<30 {
				t.Errorf("%+v", d)
			}
		})
	}
	wg.Wait()
	if n := len(api.InitCalls()); n != 1 {
		t.Errorf("started %d times", n)
	}
}

func TestNothingIsCalledAfterAFailedStart(t *testing.T) {
	api := &mock.Interface{InitFunc: func() nvml.Return { return nvml.ERROR_LIBRARY_NOT_FOUND }}
	api.DeviceGetCountFunc = func() (int, nvml.Return) {
		t.Error("called after a failed start")
		return 0,
			nvml.SUCCESS
	}
	m := NewMonitor(api)
	for range 3 {
		_, err := m.Snapshot()
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "no NVIDIA driver is installed") {
			t.Error(err)
		}
	}
	if n := len(api.InitCalls()); n != 1 {
		t.Errorf("start tried %d times", n)
	}
}

func TestFailuresAreSaidInWords(t *testing.T) {
	for ret, want := range map[nvml.Return]string{
		nvml.ERROR_DRIVER_NOT_LOADED:       "not loaded",
		nvml.ERROR_LIB_RM_VERSION_MISMATCH: "differ in version",
		nvml.ERROR_NO_PERMISSION:           "permission",
		nvml.ERROR_UNKNOWN:                 "code 999",
	} {
		m := NewMonitor(&mock.Interface{InitFunc: func() nvml.Return { return ret }})
		if _, err := m.Snapshot(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", ret, err)
		}
	}
	m := NewMonitor(&mock.Interface{
		InitFunc:           func() nvml.Return { return nvml.SUCCESS },
		DeviceGetCountFunc: func() (int, nvml.Return) { return 0, nvml.SUCCESS },
	})
	if _, err := m.Snapshot(); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
}

func TestThisMachineAnswersOrSaysWhyNot(t *testing.T) {
	devices, err := Snapshot()
	if err != nil && !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	t.Log(devices, err)
}

// An old driver lacks some functions; go-nvml would end the process if they were called.
func TestFunctionsThatTheDriverLacksAreNotCalled(t *testing.T) {
	d := working()
	d.GetCurrentClocksThrottleReasonsFunc, d.GetMigModeFunc, d.GetComputeRunningProcessesFunc = nil, nil, nil
	api := &mock.Interface{
		DeviceGetHandleByIndexFunc: func(int) (nvml.Device, nvml.Return) { return d, nvml.SUCCESS },
	}
	got := nvmlLibrary{api, func(string) bool { return false }}.read(0)
	if *got.Clock != 1200 || got.Throttle != nil || got.Processes != nil {
		t.Errorf("%+v", got)
	}
}
