package run

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/core/gpu"
)

// gpusOf are rows of the machine with the same GPUs in each.
func gpusOf(n int, gpus ...GPU) *History {
	h := &History{}
	for i := range n {
		h.System = append(h.System, &System{Head: Head{Step: i}, GPUs: gpus})
	}
	return h
}

func figure[T any](v T) *T { return &v }

func notesOf(h *History, s TimeSpent) string {
	var all []string
	for _, n := range h.GPUNotes(s) {
		sign := "·"
		if n.Warn {
			sign = "!"
		}
		all = append(all, sign+" "+n.Text)
	}
	return strings.Join(all, "\n")
}

func TestWhatIsWorthASentenceOfGPUs(t *testing.T) {
	own := []GPUProcess{{PID: 1, Own: true, User: "ada"}}
	steady := TimeSpent{Steps: 10, Data: .1, Forward: 3, Backward: 6, Optimizer: .1}
	decoding := TimeSpent{Steps: 10, Data: 6, Forward: 1, Backward: 2.9, Optimizer: .1}
	for _, c := range []struct {
		name  string
		gpus  []GPU
		spent TimeSpent
		want  string
	}{
		{"all is well", []GPU{{Util: figure(95.0), MemoryUsed: figure(uint64(70)), MemoryTotal: figure(uint64(80)),
			Processes: own}}, steady, ""},
		{"nothing is known", []GPU{{Index: 3}}, steady, ""},
		{"split into instances, whose utilisation the driver does not give", []GPU{{MIG: true}}, steady, ""},
		{"it waits for pictures", []GPU{{Util: figure(39.0), Processes: own}}, decoding,
			"! GPU 0 is idle 61 % of the time: pictures and clips take 60 % of the step"},
		{"its kernels are small", []GPU{{Util: figure(30.0)}}, steady, "! GPU 0 is idle 70 % of the time: its kernels are " +
			"small, or wait; a larger TRAIN.BATCH_SIZE would fill it"},
		{"lost", []GPU{{Util: figure(95.0)}, {Index: 1, Lost: true}}, steady,
			"! GPU 1 has fallen off the bus: restart the machine"},
		{"hot, and at its limit: heat is said", []GPU{{Util: figure(95.0), Temperature: figure(88.0),
			Throttle: []string{gpu.PowerCap, gpu.Heat}}}, steady,
			"! GPU 0 is held back by its heat in 100 % of the samples (88 °C)"},
		{"at its limit is no fault", []GPU{{Util: figure(99.0), PowerLimit: figure(700.0),
			Throttle: []string{gpu.PowerCap}}}, steady, "· GPU 0 is held back by its power limit in 100 % of the samples " +
			"(700 W), as is usual under full load"},
		{"shared", []GPU{{Util: figure(95.0), Processes: append(slices.Clone(own),
			GPUProcess{PID: 7, User: "grace", Memory: figure(uint64(12 << 30))}, GPUProcess{PID: 8, User: "grace"},
			GPUProcess{PID: 9})}}, steady,
			"! GPU 0 is shared: 2 processes of grace with 12.0 GiB, 1 process of somebody"},
		{"full", []GPU{{Util: figure(95.0), MemoryUsed: figure(uint64(79)), MemoryTotal: figure(uint64(80))}}, steady,
			"! GPU 0 has 99 % of its memory taken: the next longer sample may not fit"},
		{"one is behind; one that is not the run's is idle and not its matter", []GPU{{Util: figure(95.0), Processes: own},
			{Index: 1, Util: figure(65.0), Processes: own}, {Index: 2, Util: figure(0.0)}}, steady,
			"! GPU 1 works 65 % of the time, the others 95 %: the shares of the samples differ, or it waits for them"},
	} {
		if got := notesOf(gpusOf(25, c.gpus...), c.spent); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	h := gpusOf(5, GPU{Util: figure(95.0)}, GPU{Index: 1, Util: figure(95.0)})
	h.System = append(h.System, &System{GPUs: []GPU{{Util: figure(95.0)}}})
	if got := notesOf(h, steady); got != "! GPU 1 is no longer reported by the driver" {
		t.Error(got)
	}
}

// The run's figures are those of its process and of all that it started, which a torch run's trainers are.
func TestTheMachinesRowCountsWhatARunHasStarted(t *testing.T) {
	s := NewSampler()
	child := exec.Command("sh", "-c", "while :; do :; done")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	defer child.Process.Kill()
	mine, child0, stranger := uint64(3<<30), child.Process.Pid, os.Getppid()
	s.gpus = func() ([]gpu.Device, error) {
		return []gpu.Device{{Throttle: []string{gpu.Heat}, Processes: []gpu.Process{{PID: child0, Memory: &mine},
			{PID: stranger}}}}, nil
	}
	var row *System
	for range 1000 { // until the child has been given a share of the cores
		time.Sleep(10 * time.Millisecond)
		if row = s.SampleSystem(7); row.CPU == nil || *row.CPU > 1 {
			break
		}
	}
	if row.Step != 7 || row.CPU == nil || *row.CPU <= 1 || row.RSS == nil || *row.RSS == 0 || row.Busy == nil {
		t.Errorf("%+v", row)
	}
	g := row.GPUs[0]
	if len(g.Processes) != 2 || *g.Processes[0].Memory != mine || g.Throttle[0] != gpu.Heat {
		t.Errorf("%+v", g)
	}
	if known := numbersAsTheMachine(); g.Processes[0].Own != known || g.Processes[1].Own ||
		(g.Processes[0].User != "") != known {
		t.Errorf("numbers known %v: %+v", known, g.Processes)
	}
}
