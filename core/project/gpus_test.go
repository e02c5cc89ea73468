//go:build cgo && linux

package project

import (
	"strings"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/NVIDIA/go-nvml/pkg/nvml/mock"

	"finetui/core/config"
	"finetui/core/gpu"
)

// card is a GPU of which so many bytes of 80 GB are taken, by one other process where any are.
func card(uuid string, used uint64) *mock.Device {
	return &mock.Device{
		GetNameFunc: func() (string, nvml.Return) { return "NVIDIA H100", nvml.SUCCESS },
		GetUUIDFunc: func() (string, nvml.Return) { return uuid, nvml.SUCCESS },
		GetUtilizationRatesFunc: func() (nvml.Utilization, nvml.Return) {
			return nvml.Utilization{}, nvml.ERROR_NOT_SUPPORTED
		},
		GetMemoryInfoFunc: func() (nvml.Memory, nvml.Return) {
			return nvml.Memory{Total: 80e9, Used: used, Free: 80e9 - used}, nvml.SUCCESS
		},
		GetPowerUsageFunc:         func() (uint32, nvml.Return) { return 0, nvml.ERROR_NOT_SUPPORTED },
		GetEnforcedPowerLimitFunc: func() (uint32, nvml.Return) { return 0, nvml.ERROR_NOT_SUPPORTED },
		GetTemperatureFunc: func(nvml.TemperatureSensors) (uint32, nvml.Return) {
			return 0, nvml.ERROR_NOT_SUPPORTED
		},
		GetClockInfoFunc: func(nvml.ClockType) (uint32, nvml.Return) { return 0, nvml.ERROR_NOT_SUPPORTED },
		GetCurrentClocksThrottleReasonsFunc: func() (uint64, nvml.Return) {
			return 0, nvml.ERROR_NOT_SUPPORTED
		},
		GetMigModeFunc: func() (int, int, nvml.Return) { return 0, 0, nvml.ERROR_NOT_SUPPORTED },
		GetComputeRunningProcessesFunc: func() ([]nvml.ProcessInfo, nvml.Return) {
			if used == 0 {
				return nil, nvml.SUCCESS
			}
			return []nvml.ProcessInfo{{Pid: 4194000, UsedGpuMemory: used}}, nvml.SUCCESS
		},
	}
}

// machineOf is what a driver that sees these GPUs says.
func machineOf(cards ...*mock.Device) func() ([]gpu.Device, error) {
	return gpu.NewMonitor(&mock.Interface{
		InitFunc:           func() nvml.Return { return nvml.SUCCESS },
		DeviceGetCountFunc: func() (int, nvml.Return) { return len(cards), nvml.SUCCESS },
		DeviceGetHandleByIndexFunc: func(i int) (nvml.Device, nvml.Return) {
			return cards[i], nvml.SUCCESS
		},
	}).Snapshot
}

// Before a run is started each of its GPUs has a row: what a process takes there and what is free now, of those that
// CUDA_VISIBLE_DEVICES names. One that is too full is a finding.
func TestWhatARunTakesOfEachGPUStandsAgainstWhatIsFreeThere(t *testing.T) {
	p := drawn(t)
	p.Config.Model.Engine, p.Config.Torch.Processes = config.EngineTorch, 2
	o, ok := p.outlook(t.Context())
	if !ok {
		t.Fatal("the base is not open")
	}
	snapshot := machineOf(card("GPU-a", 79e9), card("GPU-b", 0), card("GPU-c", 79_900e6))
	for _, c := range []struct {
		visible []string
		want    []string // beginnings of the rows
		short   int      // findings
	}{
		{[]string{"GPU-a", "GPU-b", "GPU-c"}, []string{"GPU 0 NVIDIA H100: takes about ", "GPU 1 NVIDIA H100: "}, 0},
		{[]string{"2", "GPU-b"}, []string{"GPU 2 NVIDIA H100: ", "GPU 1 NVIDIA H100: "}, 1},
		{[]string{"GPU-elsewhere"}, []string{"GPU 0: takes about "}, 0},
		{nil, nil, 0},
	} {
		var d demand
		newProcess(p, p.Batches(), o.kind, o.bytes, o.all, o.valid).onTorch(&d, len(c.visible) > 0)
		cost := Cost{Memory: d.Memory}
		cost.onGPUs(&d, c.visible, snapshot)
		if len(cost.GPUs) != len(c.want) || cost.Memory <= 0 {
			t.Errorf("%v: %v, memory %d", c.visible, cost.GPUs, cost.Memory)
			continue
		}
		for i, g := range cost.GPUs {
			if !strings.HasPrefix(g.String(), c.want[i]) || g.Need < contextHeld {
				t.Errorf("%v: %s", c.visible, g)
			}
		}
		found := 0
		for _, f := range cost.Findings("tiny") {
			if f.Code == "gpu_memory_short" {
				found++
				if !strings.Contains(f.Text, "GPU 2") ||
					!strings.HasSuffix(f.Text, "95.4 MiB are free beside 1 process: it does "+
						"not fit") {
					t.Error(f.Text)
				}
			}
		}
		if found != c.short {
			t.Errorf("%v: %d findings", c.visible, found)
		}
	}
}
