// Package finetune is a training run: it lints and starts one in a process of its own, and is what that process does.
// It draws nothing; what it has to say goes into the run directory.
package finetune

import (
	"context"
	"fmt"
	"path/filepath"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/project"
	"finetui/core/run"
)

// Verb is the word by which the program calls itself to be a run's process: "finetui work DIR".
const Verb = "work"

// Faults are findings of error level that stop a run before it starts.
type Faults []dataset.Finding

func (f Faults) Error() string {
	return fmt.Sprintf("the recipe has %d findings of error level, the first: %s; finetui lint shows all", len(f), f[0].Text)
}

// Options of a start.
type Options struct {
	Name    string // of the run; empty: the recipe's preset
	Exe     string // the program itself
	Version string
	Report  project.Progress
}

// Start lints the recipe, makes a run directory and starts its process. Findings come back in any case; of error level
// they stop the start (Faults), but for the preset enhanced-original, whose faults are known and kept.
func Start(ctx context.Context, file *config.File, o Options) (*run.Run, []dataset.Finding, error) {
	p, err := project.Open(ctx, file, o.Report)
	if err != nil {
		return nil, nil, err
	}
	defer p.Close()
	findings, err := p.Lint(ctx, o.Report)
	if err != nil {
		return nil, nil, err
	}
	var faults Faults
	for _, f := range findings {
		if f.Level == dataset.LevelError {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 && p.Config.Recipe.Preset != "enhanced-original" {
		return nil, findings, faults
	}
	r, err := create(p, o)
	if err != nil {
		return nil, findings, err
	}
	if _, err := run.Start(ctx, o.Exe, []string{Verb, r.Dir}, r.Dir); err != nil {
		return r, findings, err
	}
	return r, findings, r.Refresh()
}

func create(p *project.Project, o Options) (*run.Run, error) {
	root, err := filepath.Abs(p.File.Root)
	if err != nil {
		return nil, err
	}
	name := o.Name
	if name == "" {
		name = p.Config.Recipe.Preset
	}
	w, err := run.Create(p.File.Abs(p.Config.Project.Runs), name, run.Meta{
		Recipe: p.Config.Recipe.Preset, Base: p.Base.Name, BaseFingerprint: p.Base.Fingerprint,
		DataFingerprint: p.Data.Fingerprint(), Version: o.Version, Root: root,
	}, p.File.Raw())
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return run.Open(w.Dir())
}

// Resume starts a process that goes on with a run.
func Resume(ctx context.Context, r *run.Run, exe string) error {
	_, err := run.Resume(ctx, exe, []string{Verb, r.Dir}, r.Dir)
	return err
}
