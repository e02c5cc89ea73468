package main

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo/chain"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/media"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/core/stats"
	"finetui/core/sweep"
	configpane "finetui/views/config"
	datapane "finetui/views/dataset"
	inferpane "finetui/views/infer"
	trainpane "finetui/views/train"
)

// What each pane needs of the program stands in its Control; this is the one place where they are filled in.

const cacheBytes = 128 << 20 // of decoded pictures, for all panes

// dataControl is what the Data pane can ask of the program.
func dataControl(pictures *media.Cache, frames *project.Frames) datapane.Control {
	return datapane.Control{
		Picture: pictures.Decode,
		Frames:  frames.Of,
		DrawDemo: func(ctx context.Context, file *config.Snapshot, report func(done, total int, what string)) error {
			o := chain.Options{Report: report, Log: func(string, ...any) {}}
			if file.Config.Dataset.Format == "qved" {
				return chain.ClipData(ctx, file, o)
			}
			return chain.Data(ctx, file, o)
		},
		WriteAnalysis: func(path string, a *stats.Analysis) error { return a.WriteJSON(path) },
		WriteSheet:    func(path string, s media.Sheet) error { return s.WritePNG(path) },
	}
}

// inferControl is what the Infer pane can ask of the program: models that are loaded, and their answers.
func inferControl(pictures *media.Cache) inferpane.Control {
	return inferpane.Control{
		Open: func(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, before *session.Session,
			report session.Progress) (*session.Session, error) {
			ctx = dataset.Beside(ctx)
			if before == nil {
				return session.OpenOn(ctx, file, set, report)
			}
			return before.Reopen(ctx, file, set, report)
		},
		Load: func(ctx context.Context, s *session.Session, name string, report session.Progress) (inferpane.Asker,
			error) {
			return s.Subject(ctx, name, report)
		},
		Evaluate: func(ctx context.Context, s *session.Session, name, split string,
			report session.Progress) (*eval.Result, error) {
			return s.Evaluate(ctx, name, split, report)
		},
		Picture: pictures.Decode,
		Clip: func(ctx context.Context, s *session.Session, who *session.Setting, path string) (*session.Clip, error) {
			return s.Clip(ctx, who, path, pictures)
		},
	}
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

// watched are the folders of PROJECT.WATCH, absolute.
func (c *current) watched() []string {
	if s := c.snapshot.Load(); s != nil {
		return watchedFolders(s)
	}
	return nil
}

// runControl is what the Train pane can ask of the program.
func runControl(begun *config.File, c *current) trainpane.Control {
	var sweeps sweep.Watcher
	var kept atomic.Pointer[project.Estimator] // with the base that it has open
	estimator := func(root string) *project.Estimator {
		if kept.Load() == nil {
			kept.CompareAndSwap(nil, project.NewEstimator(root))
		}
		return kept.Load()
	}
	return trainpane.Control{
		File:    begun,
		Runs:    c.runsDir,
		Watched: c.watched,
		Bell: func() config.Bell {
			if s := c.snapshot.Load(); s != nil {
				return s.Config.View.Bell
			}
			return config.BellOff
		},
		Lint: func(ctx context.Context) ([]dataset.Finding, error) {
			file, err := c.file()
			if err != nil {
				return nil, err
			}
			return finetune.Lint(dataset.Beside(ctx), file, nil)
		},
		Adopt: func(ctx context.Context, folder string) (string, int, error) {
			file, err := c.file()
			if err != nil {
				return "", 0, err
			}
			return adoptable(file, folder)
		},
		Foresee: func(ctx context.Context) ([]string, error) {
			file, err := c.file()
			if err != nil {
				return nil, err
			}
			x, err := estimator(file.Root).Estimate(ctx, file.Config)
			if err != nil {
				return nil, err
			}
			lines := x.Cost.Lines(x.Plan.Total)
			if x.Cost.Measurable() {
				lines = append(lines, fmt.Sprintf("ctrl+t takes %d steps to measure it, and leaves no run",
					finetune.ProbeSteps))
			}
			return lines, nil
		},
		Measure: func(ctx context.Context, report func(done, total int, what string)) error {
			file, err := c.file()
			if err != nil {
				return err
			}
			exe, err := executable()
			if err != nil {
				return err
			}
			_, err = finetune.MeasureSteps(ctx, file, finetune.Options{Exe: exe, Report: report})
			return err
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
			return finetune.Start(dataset.Beside(ctx), file, finetune.Options{Name: name, Exe: exe, Version: version()})
		},
		Preparing: finetune.Preparing,
		Resume: func(ctx context.Context, r *run.Run) error {
			exe, err := executable()
			if err != nil {
				return err
			}
			return finetune.Resume(ctx, r, finetune.Options{Exe: exe})
		},
		Sweeps: func(ctx context.Context, emit func([]sweep.Report)) error {
			file, err := c.file()
			if err != nil {
				return err
			}
			return sweeps.Watch(ctx, file, emit)
		},
		ForeseeSweep: func(ctx context.Context, line string) (*sweep.Outlook, error) {
			file, err := c.file()
			if err != nil {
				return nil, err
			}
			plan, file, err := sweep.Read(file, line)
			if err != nil {
				return nil, err
			}
			return sweep.Foresee(ctx, estimator(file.Root), file, plan)
		},
		PlanSweep: func(ctx context.Context, line string) (string, error) {
			file, err := c.file()
			if err != nil {
				return "", err
			}
			return beginSweep(ctx, file, line)
		},
		ForeseeSeeds: func(ctx context.Context, s *sweep.Sweep, n int) (*sweep.Outlook, error) {
			file, err := s.Constants()
			if err != nil {
				return nil, err
			}
			return s.ForeseeSeeds(ctx, estimator(file.Root), n)
		},
		AddSeeds: func(ctx context.Context, s *sweep.Sweep, n int) ([]int, error) {
			exe, err := executable()
			if err != nil {
				return nil, err
			}
			return s.AddSeeds(ctx, n, exe)
		},
		SteerSweep: func(ctx context.Context, s *sweep.Sweep, pause bool) error {
			if pause {
				return s.Pause()
			}
			exe, err := executable()
			if err != nil {
				return err
			}
			return s.GoOn(ctx, exe)
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

// roughly is a time in words, none where it is not known.
func roughly(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return project.Roughly(d)
}

// between is a range of numbers in words, "" where it is empty.
func between(r [2]int) string {
	switch {
	case r[1] == 0:
		return ""
	case r[0] == r[1]:
		return fmt.Sprint(r[0])
	}
	return fmt.Sprintf("%d to %d", r[0], r[1])
}

// configControl is what the Config pane can ask of the program: the consequences of constants.
func configControl(file *config.File, actions func() []string) configpane.Control {
	control := configpane.Control{Actions: actions}
	root, err := filepath.Abs(".") // also of a file that is yet to be mended on the screen
	if err != nil {
		return control
	}
	if file != nil {
		root = file.Root
	}
	e := project.NewEstimator(root)
	control.Await = func(ctx context.Context, cfg *config.Config) error {
		_, err := project.ReadShared(ctx, cfg.Dataset, root, false, nil)
		return err
	}
	control.Estimate = func(ctx context.Context, cfg *config.Config) (configpane.Consequences, error) {
		x, err := e.Estimate(ctx, cfg)
		if err != nil {
			return configpane.Consequences{}, err
		}
		return configpane.Consequences{TrainSamples: x.TrainSamples, StepsPerEpoch: x.Plan.PerEpoch,
			Steps:  x.Plan.Total,
			Warmup: x.Plan.Warmup, EffectiveBatch: x.Plan.Batch,
			Trainable: x.Trainable, VisualTokens: between(x.VisualTokens), Frames: between(x.Frames),
			MemoryBytes: x.Cost.Memory, FreeBytes: x.Cost.Free,
			DownloadBytes: x.Cost.Download, Takes: roughly(x.Cost.Time), TakesOf: x.Cost.Parts(),
			MassBefore: x.MassBefore, MassAfter: x.MassAfter, Notes: x.Notes}, nil
	}
	return control
}
