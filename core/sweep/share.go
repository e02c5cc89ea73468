package sweep

import (
	"fmt"
	"slices"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
)

// Share is how a machine is divided among the runs of a sweep.
type Share struct {
	Together int      `json:"together"`       // runs at once
	Threads  int      `json:"threads"`        // of each
	GPUs     []string `json:"gpus,omitempty"` // each run that PyTorch trains gets one of them; none: there are none
}

// share divides a machine among a plan's runs. Where it does not say how many are made at once, they are as many as
// there are GPUs where PyTorch trains, else one. TRAIN.THREADS, where it is set, holds for each run; else the cores are
// divided.
func (p *Plan) share(c *config.Config, cores int, gpus func() []string) Share {
	s := Share{Together: max(1, p.Together), Threads: c.Train.Threads}
	torch := c.Model.Engine == config.EngineTorch || slices.ContainsFunc(p.Axes, func(a Axis) bool {
		return a.Key == "MODEL.ENGINE" && slices.Contains(a.Values, string(config.EngineTorch))
	})
	if torch {
		if s.GPUs = gpus(); p.Together == 0 {
			s.Together = max(1, len(s.GPUs))
		}
	}
	if s.Threads == 0 {
		s.Threads = max(1, cores/s.Together)
	}
	return s
}

func (s Share) String() string {
	text := "One run at a time, with " + dataset.Counted(s.Threads, "thread", "threads")
	if s.Together > 1 {
		text = fmt.Sprintf("%d runs at once, with %s each", s.Together, dataset.Counted(s.Threads, "thread", "threads"))
	}
	switch {
	case len(s.GPUs) == 0:
		return text + "."
	case s.Together <= len(s.GPUs):
		return fmt.Sprintf("%s and a GPU of its own (of %d).", text, len(s.GPUs))
	}
	return fmt.Sprintf("%s; they share %s.", text, dataset.Counted(len(s.GPUs), "GPU", "GPUs"))
}

// cards gives GPUs out. Its zero value has none.
type cards struct {
	mutex sync.Mutex
	names []string
	runs  []int // on each
}

func newCards(names []string) *cards { return &cards{names: names, runs: make([]int, len(names))} }

// take is the GPU that is wanted where there is such a one, else the one with the fewest runs; "" where there is none.
// It is to be given back.
func (c *cards) take(wanted string) string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.names) == 0 {
		return ""
	}
	at := slices.Index(c.names, wanted)
	if at < 0 {
		at = slices.Index(c.runs, slices.Min(c.runs))
	}
	c.runs[at]++
	return c.names[at]
}

func (c *cards) giveBack(name string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if at := slices.Index(c.names, name); at >= 0 {
		c.runs[at]--
	}
}
