package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/finetune"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/ml/wholefile"
	"finetui/views"
	configpane "finetui/views/config"
	datapane "finetui/views/dataset"
	inferpane "finetui/views/infer"
	trainpane "finetui/views/train"
)

// openWorkbench opens the workbench on ./config.toml, and is the exit code.
func openWorkbench(overrides []string) int {
	file, err := config.Load(configFile)
	if err == nil {
		if err = applyOverrides(file, overrides); err == nil {
			err = file.KeepApart() // for this session: s does not save it
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "finetui:", printable.Error(err))
			return exitCall
		}
	}
	clearLeftovers(file)
	r := newWorkbench(file, err)
	code := show(r)
	if root := r.current.folder(); root != "" {
		r.keep(root)
	}
	return code
}

// clearLeftovers removes the files that a killed program was at when it ended; nil: there is no project.
func clearLeftovers(file *config.File) {
	if file == nil {
		return
	}
	wholefile.SweepFiles(file.Root, configFile)
	analysis := file.Abs(file.Config.Dataset.Analysis)
	wholefile.SweepFiles(filepath.Dir(analysis), filepath.Base(analysis))
	wholefile.SweepFiles(filepath.Join(file.Root, ".finetui"))
	runs := file.Abs(file.Config.Project.Runs)
	wholefile.SweepFiles(runs)
	for _, below := range []string{"*/eval", "*/integrate/*"} {
		folders, _ := filepath.Glob(filepath.Join(runs, below))
		for _, folder := range folders {
			wholefile.SweepFiles(folder)
		}
	}
}

// newWorkbench is the root with its panes on a configuration, or on the error that kept it from being read.
func newWorkbench(file *config.File, fault error) *root {
	if fault != nil {
		file = nil
	}
	r := newRoot("")
	r.data.Read, r.file = project.ReadShared, file
	r.panes = []views.Pane{
		datapane.New(file),
		configpane.New(configpane.Options{Path: configFile, File: file, Err: fault, Estimate: estimates(file),
			Actions: r.actionNames}),
		trainpane.New(runControl(&r.current)),
		inferpane.New(file, inferpane.Models()),
	}
	if file == nil {
		r.open = 1
		return r
	}
	r.current.keep(file)
	r.adopt(file.Config)
	r.recall(file.Root)
	return r
}

// current is the configuration as it stands, for commands that run beside the screen: a File belongs to the screen.
type current struct {
	snapshot atomic.Pointer[config.Snapshot]
}

func (c *current) keep(file *config.File) { c.snapshot.Store(file.Snapshot) }

// file is what was kept last, or an error that says that nothing could be read.
func (c *current) file() (*config.Snapshot, error) {
	if s := c.snapshot.Load(); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%s could not be read: mend it in the Config pane", configFile)
}

// folder is the project's, or empty where there is none.
func (c *current) folder() string {
	if s := c.snapshot.Load(); s != nil {
		return s.Root
	}
	return ""
}

// runsDir is PROJECT.RUNS, absolute, or empty where there is no project.
func (c *current) runsDir() string {
	if s := c.snapshot.Load(); s != nil {
		return s.Abs(s.Config.Project.Runs)
	}
	return ""
}

// runControl is what the Train pane can ask of the program.
func runControl(c *current) trainpane.Control {
	return trainpane.Control{
		Runs: c.runsDir,
		Lint: func(ctx context.Context) ([]dataset.Finding, error) {
			file, err := c.file()
			if err != nil {
				return nil, err
			}
			return finetune.Lint(ctx, file, nil)
		},
		Start: func(ctx context.Context, name string) (*run.Run, []dataset.Finding, error) {
			file, err := c.file()
			if err != nil {
				return nil, nil, err
			}
			exe, err := executable()
			if err != nil {
				return nil, nil, err
			}
			return finetune.Start(ctx, file, finetune.Options{Name: name, Exe: exe, Version: version()})
		},
		Preparing: func(r *run.Run) (done, total int, what string) {
			p, _ := finetune.Preparing(r)
			return p.Done, p.Total, p.What
		},
		Resume: func(ctx context.Context, r *run.Run) error {
			exe, err := executable()
			if err != nil {
				return err
			}
			return finetune.Resume(ctx, r, exe)
		},
		Save: func(name string, data []byte) (string, error) {
			file, err := c.file()
			if err != nil {
				return "", err
			}
			return saveExport(file.Root, name, data)
		},
	}
}

// adopt takes what is the root's own from the constants.
func (r *root) adopt(c *config.Config) {
	r.project, r.keys, r.colours = c.Project.Name, views.Keys(c.Keys), c.View.Colors
	r.choice, r.redraw.perSecond = views.ThemeChoice(c.View.Theme), max(c.View.Redraws, 1)
	r.retheme()
}

// actionNames are the names that [KEYS] may hold.
func (r *root) actionNames() []string {
	var names []string
	for _, a := range r.everyAction() {
		names = append(names, a.Name)
	}
	return names
}

// roughly is a time in words, none where it is not known.
func roughly(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return project.Roughly(d)
}

// estimates is what the Config pane asks for the consequences of constants.
func estimates(file *config.File) configpane.Estimate {
	root, err := filepath.Abs(".") // also of a file that is yet to be mended on the screen
	if err != nil {
		return nil
	}
	if file != nil {
		root = file.Root
	}
	e := project.NewEstimator(root)
	return func(cfg *config.Config) (configpane.Consequences, error) {
		x, err := e.Estimate(context.Background(), cfg)
		if err != nil {
			return configpane.Consequences{}, err
		}
		tokens := ""
		if x.VisualTokens[1] > 0 {
			tokens = fmt.Sprint(x.VisualTokens[0])
			if x.VisualTokens[0] != x.VisualTokens[1] {
				tokens = fmt.Sprintf("%d to %d", x.VisualTokens[0], x.VisualTokens[1])
			}
		}
		return configpane.Consequences{TrainSamples: x.TrainSamples, StepsPerEpoch: x.Plan.PerEpoch,
			Steps:  x.Plan.Total,
			Warmup: x.Plan.Warmup, EffectiveBatch: x.Plan.Batch,
			Trainable: x.Trainable, VisualTokens: tokens, MemoryBytes: x.Cost.Memory, FreeBytes: x.Cost.Free,
			DownloadBytes: x.Cost.Download, Takes: roughly(x.Cost.Time),
			MassBefore: x.MassBefore, MassAfter: x.MassAfter, Notes: x.Notes}, nil
	}
}
