package sweep

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model"
)

// Share is how a machine is divided among the runs of a sweep.
type Share struct {
	Together int `json:"together"` // runs at once
	Threads  int `json:"threads"`  // of each
	// GPUs are given out to the runs that PyTorch trains, Each to a run; none: there are none, or runs find them themselves.
	GPUs []string `json:"gpus,omitempty"`
	Each int      `json:"gpus_each,omitempty"`
}

// mostSmall is how many runs of a small base are made at once unless the plan says how many.
const mostSmall = 8

// share divides a machine among a plan's runs. Where it does not say how many are made at once, they are as many as
// there are GPUs where PyTorch trains, as many as there are cores where our engine trains a small base (one thread on a
// product of its own gets more done than several on one), else one. TRAIN.THREADS, where it is set, holds for each run;
// else the cores are divided.
func (p *Plan) share(c *config.Config, small bool, cores int, gpus func() []string) Share {
	s := Share{Together: max(1, p.Together), Threads: c.Train.Threads}
	torch := c.Model.Engine == config.EngineTorch || slices.ContainsFunc(p.Axes, func(a Axis) bool {
		return a.Key == "MODEL.ENGINE" && slices.Contains(a.Values, string(config.EngineTorch))
	})
	if torch && len(c.Torch.Hosts) == 0 { // those of other machines are not known here
		if s.GPUs, s.Each = gpus(), max(1, c.Torch.Processes); p.Together == 0 {
			s.Together = max(1, len(s.GPUs)/s.Each)
		}
	}
	if p.Together == 0 && small && !torch {
		s.Together = min(mostSmall, max(1, cores/max(1, c.Train.Threads)))
	}
	if s.Threads == 0 {
		s.Threads = max(1, cores/s.Together)
	}
	return s
}

// small says whether the plan's runs are all of a base that is here and small.
func (p *Plan) small(file *config.Snapshot) bool {
	if slices.ContainsFunc(p.Axes, func(a Axis) bool { return a.Key == "MODEL.BASE" }) {
		return false
	}
	small, err := smallBase(file)
	return err == nil && small
}

// smallBase says whether MODEL.BASE is here and small.
func smallBase(file *config.Snapshot) (bool, error) {
	base, _, err := model.OpenPresent(file.Config.Model.Base, file.Root)
	if err != nil || base == nil {
		return false, err
	}
	return base.Kind.Sizes().Small(), base.Close()
}

func (s Share) String() string {
	text := "One run at a time, with " + dataset.Counted(s.Threads, "thread", "threads")
	if s.Together > 1 {
		text = fmt.Sprintf("%d runs at once, with %s each", s.Together, dataset.Counted(s.Threads, "thread", "threads"))
	}
	switch {
	case len(s.GPUs) == 0:
		return text + "."
	case s.Each > 1 && s.Together*s.Each <= len(s.GPUs):
		return fmt.Sprintf("%s and %d GPUs of its own (of %d).", text, s.Each, len(s.GPUs))
	case s.Together*s.Each <= len(s.GPUs):
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

// take are n GPUs, with commas between: those that are wanted where there are such, else the ones with the fewest runs;
// "" where there are none. They are to be given back.
func (c *cards) take(n int, wanted string) string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var taken []string
	for _, name := range strings.Split(wanted, ",") {
		if at := slices.Index(c.names, name); at >= 0 {
			c.runs[at]++
			taken = append(taken, name)
		}
	}
	for len(taken) < min(n, len(c.names)) {
		at := -1
		for i, runs := range c.runs {
			if !slices.Contains(taken, c.names[i]) && (at < 0 || runs < c.runs[at]) {
				at = i
			}
		}
		c.runs[at]++
		taken = append(taken, c.names[at])
	}
	return strings.Join(taken, ",")
}

func (c *cards) giveBack(names string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, name := range strings.Split(names, ",") {
		if at := slices.Index(c.names, name); at >= 0 {
			c.runs[at]--
		}
	}
}
