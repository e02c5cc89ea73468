package finetune

import (
	"context"
	"fmt"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/torch"
	"finetui/ml/train"
)

// # How to add an engine
//
// An engine takes the optimizer steps of a run, wherever: in this process (native.go) or in a child on a pipe. It is a
// type with the methods below and a line in engines under the name that MODEL.ENGINE gives it. It is told which samples
// a step takes and answers with what it measured; of the run it writes the files of a checkpoint into the folder that
// it is given, and nothing else. Order of samples, rows, events, when to check, save and stop are the run's own
// (work.go), so that pane, follow and resume need not know which engine is at work. engine_test.go has one that is a
// child process, and takes it through a whole run with kill and resume.

// Engine takes the optimizer steps of one run. Its methods are called one at a time.
type Engine interface {
	// Step takes one optimizer step on samples. first is the place of the first of them in its epoch: with seed and
	// step it names their streams of dropout. With an error the engine is where it was.
	Step(ctx context.Context, samples []recipe.Sample, first int) (*Result, error)
	// Check measures samples and answers their questions with the adapter as it is, and changes nothing.
	Check(ctx context.Context, samples []recipe.Sample) (*Result, []model.Reply, error)
	// Save writes the adapter in PEFT's format and all that Restore needs into a folder
	// that exists. The counters are the run's own, and come back.
	Save(dir string, counters map[string]uint64) error
	// Restore goes to where Save was called. The error is train.ErrOther
	// where the checkpoint is whole and another run's.
	Restore(dir string) (State, error)
	// About tells of the engine for the run's log.
	About() About
	Close() error
}

// Result is what a step or a check measured.
type Result struct {
	train.Result
	Making time.Duration // of the samples: their pictures, and what a frozen tower sees in them
	Ranks  []torch.Share // what each of several processes did of it
	Told   string        // the signal that told a process of the engine to end; "": none was
}

// State is where a restored engine stands.
type State struct {
	Step     int
	Steps    int     // of the whole run, as it was planned when the checkpoint was written
	Rate     float64 // learning rate of the next step
	Counters map[string]uint64
}

// About is what an engine tells of itself.
type About struct {
	Trainable int    // values
	Text      string // "2 workers on 2 cores, kernels avx512"
}

// Task is what an engine is opened for.
type Task struct {
	Project *project.Project // with its base open
	Dir     string           // the run's folder, for what an engine's processes say
	Steps   int              // of the whole run
	Say     project.Progress // what it is at before its first step; nil: nobody listens
	// SampleWeight is what the tokens of an answer weigh together on the mean of an epoch; 0 where all weigh alike
	SampleWeight float64
}

// native is the engine of this program.
const native = config.EngineNative

// engines are those that MODEL.ENGINE can name.
var engines = map[config.Engine]func(ctx context.Context, t Task) (Engine, error){
	native:             openNative,
	config.EngineTorch: openTorch,
}

// checkEngine says whether there is such an engine, and whether this machine has what it needs.
func checkEngine(ctx context.Context, f *config.Snapshot) error {
	c := f.Config
	if c.Model.Engine == config.EngineTorch {
		_, err := project.Python(ctx, f)
		return err
	}
	if engines[c.Model.Engine] != nil {
		return nil
	}
	return &config.Unusable{Key: "MODEL.ENGINE",
		Text: fmt.Sprintf("there is no engine %q in this program yet; there is %s",
			c.Model.Engine, strings.Join(c.Model.Engine.Choices(), ", "))}
}
