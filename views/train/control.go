package train

import (
	"context"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/finetune"
	"finetui/core/gpu"
	"finetui/core/run"
	"finetui/core/sweep"
)

// Control is what the pane reaches the program by. Start, Lint, Foresee, Measure, Resume, Preparing, Rename, Delete and Save
// are called beside the screen, and all but Preparing may take long; Runs and Now are called
// on it. An action whose function is nil is not offered.
type Control struct {
	File *config.File  // the constants that the program began with; nil: none
	Runs func() string // absolute folder of the run directories; "": no project is open
	// absolute folders in which runs of other trainers are looked for; nil: none
	Watched func() []string
	Lint    func(ctx context.Context) ([]dataset.Finding, error)
	// Adopt looks for runs of other trainers in a folder, as somebody wrote it, and returns how PROJECT.WATCH names that,
	// and how many are there; without any it is an error. nil: none is asked for.
	Adopt func(ctx context.Context, folder string) (name string, runs int, err error)
	// Foresee says in lines what a run comes to, the last one what Measure would add to it; Measure takes a few steps of
	// it and keeps what they took. Both may be nil.
	Foresee func(ctx context.Context) ([]string, error)
	Measure func(ctx context.Context, report func(done, total int, what string)) error
	// lints, too; an error says why nothing was started
	Start  func(ctx context.Context, name string) (*run.Run, []dataset.Finding, error)
	Resume func(ctx context.Context, r *run.Run) error
	Stop   func(dir string, now bool) error // nil: run.RequestStop

	// of a run that nobody works on
	Rename func(r *run.Run, name string) (*run.Run, error) // nil: run.Rename
	Delete func(r *run.Run) error                          // nil: run.Delete

	// Preparing says what a live run is at before its first step; nil: not asked
	Preparing func(r *run.Run) (finetune.Preparation, bool)

	// Sweeps emits the project's sweeps until none is at work; ForeseeSweep says what a plan comes to that is written in
	// a line (sweep.Usage), PlanSweep starts it and returns its name; ForeseeSeeds says what n seeds more
	// of one come to, AddSeeds adds them and goes on; SteerSweep pauses one, or goes on with it. All may be nil.
	Sweeps       func(ctx context.Context, emit func([]sweep.Report)) error
	ForeseeSweep func(ctx context.Context, line string) (*sweep.Outlook, error)
	PlanSweep    func(ctx context.Context, line string) (name string, err error)
	ForeseeSeeds func(ctx context.Context, s *sweep.Sweep, n int) (*sweep.Outlook, error)
	AddSeeds     func(ctx context.Context, s *sweep.Sweep, n int) (added []int, err error)
	SteerSweep   func(ctx context.Context, s *sweep.Sweep, pause bool) error

	Save func(name string, data []byte) (string, error) // writes an export and returns its path
	Bell func() config.Bell                             // VIEW.BELL; nil: it never rings
	GPUs func() ([]gpu.Device, error)                   // nil: gpu.Snapshot
	Now  func() time.Time                               // nil: time.Now
}

// complete gives what is nil its usual function.
func (c *Control) complete() {
	if c.Runs == nil {
		c.Runs = func() string { return "" }
	}
	if c.Watched == nil {
		c.Watched = func() []string { return nil }
	}
	if c.Stop == nil {
		c.Stop = run.RequestStop
	}
	if c.Rename == nil {
		c.Rename = run.Rename
	}
	if c.Delete == nil {
		c.Delete = run.Delete
	}
	if c.Bell == nil {
		c.Bell = func() config.Bell { return config.BellOff }
	}
	if c.GPUs == nil {
		c.GPUs = gpu.Snapshot
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}
