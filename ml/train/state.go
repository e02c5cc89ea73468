package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"finetui/ml/safetensors"
	"finetui/ml/wholefile"
)

// The files of a checkpoint that this package writes. The values of the parameters lie in files of their own formats.
const (
	OptimizerFile = "optimizer.safetensors"
	StateFile     = "state.json"
)

// State is where a run stands between two optimizer steps. Dropout depends on seed, step and sample alone, so that
// no generator's state need be kept here but what the caller draws samples with.
type State struct {
	Step     int               `json:"step"` // optimizer steps taken
	Seed     uint64            `json:"seed"` // of dropout
	Schedule Schedule          `json:"schedule"`
	Counters map[string]uint64 `json:"counters"` // the caller's: epoch, place in it, states of generators
}

// Save writes the solver's moments and the state into a folder that exists.
func (t *Trainer) Save(dir string, counters map[string]uint64) error {
	if err := t.Solver.Save(filepath.Join(dir, OptimizerFile)); err != nil {
		return err
	}
	return State{t.Solver.Steps(), t.options.Seed, t.Schedule, counters}.Write(dir)
}

// ErrOther is in the error for a state that is whole, but of a run with other constants.
var ErrOther = errors.New("start a new run instead")

// mostState is more than any state has, in bytes.
const mostState = 16 << 20

// ReadState reads the state that Save wrote into a folder.
func ReadState(dir string) (s State, err error) {
	path := filepath.Join(dir, StateFile)
	text, err := wholefile.Read(path, mostState)
	if err != nil {
		return s, err
	}
	if err = json.Unmarshal(text, &s); err == nil {
		err = s.Schedule.Check()
	}
	if err != nil {
		err = fmt.Errorf("%s is damaged: %w", path, err)
	}
	return s, err
}

// Write writes the state into a folder that exists.
func (s State) Write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, StateFile), append(text, '\n'))
}

// GoOn is the schedule of a run that goes on from the state with a seed and a schedule of its own. Where it has been
// given more steps, or fewer, the schedule is bent there: see Schedule.Bend. What else differs is ErrOther.
func (s State) GoOn(seed uint64, own Schedule) (Schedule, error) {
	schedule := s.Schedule
	if total := own.Total(); total != schedule.Total() && total > s.Step {
		schedule = schedule.Bend(s.Step, total)
	} else if schedule.Warmup != own.Warmup && total == schedule.Steps {
		schedule.Kind = "" // below
	}
	if s.Seed != seed || schedule.Kind != own.Kind {
		return schedule, fmt.Errorf("its checkpoint was written by a run with seed %d and schedule %+v, this "+
			"one has %d "+
			"and %+v: %w", s.Seed, s.Schedule, seed, own, ErrOther)
	}
	return schedule, nil
}

// Restore puts the trainer where the one stood that saved into the folder, and returns that one's state. The values of
// the parameters must be restored beside it.
func (t *Trainer) Restore(dir string) (s State, err error) {
	if s, err = ReadState(dir); err != nil {
		return s, err
	}
	schedule, err := s.GoOn(t.options.Seed, t.Schedule)
	if err != nil {
		return s, fmt.Errorf("%s: %w", dir, err)
	}
	if err := t.Solver.Load(filepath.Join(dir, OptimizerFile)); err != nil {
		return s, err
	}
	if t.Solver.Steps() != s.Step {
		return s, fmt.Errorf("%s is of step %d, but %s beside it of step %d: the checkpoint is torn, use an "+
			"earlier one", filepath.Join(dir, StateFile), s.Step, OptimizerFile, t.Solver.Steps())
	}
	t.Schedule = schedule
	return s, nil
}

// The names of the two moments of a tensor, as PyTorch's AdamW calls them.
var moments = [2]string{":exp_avg", ":exp_avg_sq"}

const stepKey = "step"

// views calls f for the moments of each tensor, in a fixed order.
func (a *AdamW) views(f func(name string, shape []int, values []float32) error) error {
	for _, s := range a.slots {
		for _, span := range s.spans {
			for i, flat := range [][]float32{s.m, s.v} {
				if err := f(s.name+"."+span.Name+moments[i], span.Shape, span.Of(flat)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Save writes the solver's moments and its number of steps to a safetensors file.
func (a *AdamW) Save(path string) error {
	var tensors []safetensors.Tensor
	_ = a.views(func(name string, shape []int, values []float32) error { // which never fails
		tensors = append(tensors, safetensors.FromFloat32(name, shape, values))
		return nil
	})
	return safetensors.Write(path, tensors, map[string]string{"format": "pt", stepKey: strconv.Itoa(a.steps)})
}

// Load reads what Save wrote for the same parameters. With an error the solver is as before.
func (a *AdamW) Load(path string) (err error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	step, err := strconv.Atoi(file.Metadata()[stepKey])
	if err != nil || step < 0 {
		return fmt.Errorf("%s: its metadata names no step: it is not an optimizer's state", path)
	}
	wanted := 0
	check := func(name string, shape []int, _ []float32) error {
		wanted++
		dtype, got, ok := file.Info(name)
		switch {
		case !ok:
			return fmt.Errorf("%s holds no %s: it belongs to a run that trains something else", path, name)
		case dtype != safetensors.F32 || !slices.Equal(got, shape):
			return fmt.Errorf("%s: %s is %s%v, but F32%v is trained", path, name, dtype, got, shape)
		}
		return nil
	}
	if err := a.views(check); err != nil {
		return err
	}
	if n := len(file.Names()); n != wanted {
		return fmt.Errorf("%s holds %d tensors where %d belong to what is trained", path, n, wanted)
	}
	a.steps = step
	return a.views(func(name string, _ []int, values []float32) error {
		stored, err := file.Float32(name)
		copy(values, stored)
		return err
	})
}
