package sweep

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/gpu"
)

func TestAMachineIsDividedAmongRuns(t *testing.T) {
	two := []string{"GPU-a", "GPU-b"}
	engines := []Axis{{"MODEL.ENGINE", []string{"native", "torch"}}}
	for _, c := range []struct {
		name      string
		together  int
		threads   int // TRAIN.THREADS
		engine    config.Engine
		processes int
		hosts     []string
		axes      []Axis
		gpus      []string
		small     bool
		want      Share
		says      string
	}{
		{name: "one run has all cores", want: Share{Together: 1, Threads: 8}, says: "One run at a time, with 8 threads."},
		{name: "several divide them", together: 3, want: Share{Together: 3, Threads: 2},
			says: "3 runs at once, with 2 threads each."},
		{name: "more runs than cores", together: 12, want: Share{Together: 12, Threads: 1},
			says: "12 runs at once, with 1 thread each."},
		{name: "a constant holds for each", together: 2, threads: 6, want: Share{Together: 2, Threads: 6},
			says: "2 runs at once, with 6 threads each."},
		{name: "runs of a small base get a thread each", small: true, want: Share{Together: 8, Threads: 1},
			says: "8 runs at once, with 1 thread each."},
		{name: "or as many as the constant says", small: true, threads: 3, want: Share{Together: 2, Threads: 3},
			says: "2 runs at once, with 3 threads each."},
		{name: "or one, as the plan says", small: true, together: 1, want: Share{Together: 1, Threads: 8},
			says: "One run at a time, with 8 threads."},
		{name: "our engine takes no GPU", gpus: two, want: Share{Together: 1, Threads: 8},
			says: "One run at a time, with 8 threads."},
		{name: "PyTorch has as many runs as GPUs", engine: config.EngineTorch, gpus: two,
			want: Share{Together: 2, Threads: 4, GPUs: two},
			says: "2 runs at once, with 4 threads each and a GPU of its own (of 2)."},
		{name: "more runs than GPUs share them", engine: config.EngineTorch, together: 4, gpus: two,
			want: Share{Together: 4, Threads: 2, GPUs: two}, says: "4 runs at once, with 2 threads each; they share 2 GPUs."},
		{name: "a GPU for each process of a run", engine: config.EngineTorch, processes: 2, gpus: append(two, "2", "3"),
			want: Share{Together: 2, Threads: 4, GPUs: append(two, "2", "3")},
			says: "2 runs at once, with 4 threads each and 2 GPUs of its own (of 4)."},
		{name: "runs on several machines find theirs", engine: config.EngineTorch, hosts: []string{"a", "b"}, gpus: two,
			want: Share{Together: 1, Threads: 8}, says: "One run at a time, with 8 threads."},
		{name: "PyTorch without a GPU", engine: config.EngineTorch, want: Share{Together: 1, Threads: 8},
			says: "One run at a time, with 8 threads."},
		{name: "PyTorch in one variant", axes: engines, gpus: two, want: Share{Together: 2, Threads: 4, GPUs: two},
			says: "2 runs at once, with 4 threads each and a GPU of its own (of 2)."},
	} {
		cfg := *config.Default()
		cfg.Train.Threads, cfg.Torch.Processes, cfg.Torch.Hosts = c.threads, max(1, c.processes), c.hosts
		if cfg.Model.Engine = config.EngineNative; c.engine != "" {
			cfg.Model.Engine = c.engine
		}
		p := Plan{Together: c.together, Axes: c.axes}
		got := p.share(&cfg, c.small, 8, func() []string { return c.gpus })
		if got.Together != c.want.Together || got.Threads != c.want.Threads || !slices.Equal(got.GPUs, c.want.GPUs) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if got.String() != c.says {
			t.Errorf("%s: %q, want %q", c.name, got, c.says)
		}
	}
}

func TestEveryRunGetsAGPUOfItsOwnAsLongAsThereAreSome(t *testing.T) {
	c := newCards([]string{"0", "GPU-b", "2"})
	a, b := c.take(1, ""), c.take(1, "")
	if a != "0" || b != "GPU-b" {
		t.Errorf("the first two got %q and %q", a, b)
	}
	if got := c.take(1, "2"); got != "2" {
		t.Errorf("the one that it was on is %q", got)
	}
	if got := c.take(1, ""); got != "0" {
		t.Errorf("with all taken, the next got %q", got)
	}
	c.giveBack("GPU-b")
	if got := c.take(1, "gone"); got != "GPU-b" {
		t.Errorf("in place of one that is not there any more it got %q, not the free one", got)
	}
	c = newCards([]string{"0", "1", "2", "3"})
	if a, b, third := c.take(2, ""), c.take(2, ""), c.take(2, ""); a != "0,1" || b != "2,3" || third != "0,1" {
		t.Errorf("runs of two processes got %q, %q and %q", a, b, third)
	}
	if got := newCards(nil).take(1, ""); got != "" {
		t.Errorf("of none it got %q", got)
	}
}

const cardsTo = "FINETUI_TEST_CARDS" // a file in which runs note the GPU that they see, in place of training

// noteCard notes in the process of a run which GPU it was given, and says whether that is all that is asked of it.
func noteCard(dir string) bool {
	path := os.Getenv(cardsTo)
	if path == "" {
		return false
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintln(f, filepath.Base(dir), os.Getenv(gpu.VisibleVariable))
	return true
}

func TestRunsOfPyTorchSeeAGPUEach(t *testing.T) {
	f := small(t)
	if err := f.Override([]string{"MODEL.ENGINE=torch", "TORCH.PYTHON=" + os.Getenv("FINETUI_PYTHON")}); err != nil {
		t.Fatal(err)
	}
	notes := filepath.Join(t.TempDir(), "cards")
	t.Setenv(cardsTo, notes)
	t.Setenv(gpu.VisibleVariable, "7,GPU-b") // the fake list
	s, err := Create(f.Snapshot, Plan{Name: "cards", Seeds: []int{1}, Axes: []Axis{{"LORA.R", []string{"4", "8"}}}})
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.GoOn(context.Background(), exe); err != nil {
		t.Fatal(err)
	}
	st := until(t, s, "the end", func(st Status) bool {
		return !st.Live && !slices.ContainsFunc(st.Cells, func(c Cell) bool { return c.State != GivenUp })
	})
	if reason := st.Cells[0].Reason; strings.Contains(reason, "no Python") {
		t.Skip(reason)
	}
	if st.Share.Together != 2 || len(st.Share.GPUs) != 2 {
		t.Errorf("the machine was divided as %+v", st.Share)
	}
	seen := map[string]string{}
	text, err := os.ReadFile(notes)
	if err != nil {
		t.Fatalf("%v: %+v", err, st.Cells)
	}
	for line := range strings.Lines(string(text)) {
		run, card, _ := strings.Cut(strings.TrimSpace(line), " ")
		seen[card] = run
	}
	if len(seen) != 2 || seen["7"] == "" || seen["GPU-b"] == "" || seen["7"] == seen["GPU-b"] {
		t.Errorf("the runs saw\n%s", text)
	}
}
