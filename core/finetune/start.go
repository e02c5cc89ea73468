// Package finetune is a training run: it lints and starts one in a process of its own, and is what that process does.
// It draws nothing; what it has to say goes into the run directory.
package finetune

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
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
// they stop the start (Faults), but for the preset enhanced-original, whose faults are known and kept. A base that is not
// on this machine is left to the run's own process, so that nobody has to wait for it and a terminal that is closed does
// not break it off; that process checks then what cannot be checked without the base.
func Start(ctx context.Context, file *config.File, o Options) (*run.Run, []dataset.Finding, error) {
	p, err := project.Open(ctx, file, o.Report)
	if err != nil {
		return nil, nil, err
	}
	defer p.Close()
	findings, err := lint(ctx, p, o.Report)
	if err != nil {
		return nil, nil, err
	}
	if err := refusal(p.Config, findings); err != nil {
		return nil, findings, err
	}
	r, err := create(ctx, p, o)
	if err != nil {
		return nil, findings, err
	}
	if _, err := run.Start(ctx, o.Exe, []string{Verb, r.Dir}, r.Dir); err != nil {
		return r, findings, err
	}
	return r, findings, r.Refresh()
}

// Lint checks a configuration as Start does.
func Lint(ctx context.Context, file *config.File, report project.Progress) ([]dataset.Finding, error) {
	p, err := project.Open(ctx, file, report)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return lint(ctx, p, report)
}

// lint checks as much as can be checked now.
func lint(ctx context.Context, p *project.Project, report project.Progress) ([]dataset.Finding, error) {
	base, away, err := model.OpenPresent(p.Config.Model.Base, p.File.Root)
	if err != nil {
		return nil, err
	}
	if p.Base = base; !away {
		return p.Lint(ctx, report)
	}
	findings := recipe.Lint(p.Data, p.Config, nil)
	findings = slices.DeleteFunc(findings, func(f dataset.Finding) bool { return f.Code == "length-not-checked" }) // the next one says it, too
	cost := p.Cost()
	findings = append(append(findings, cost.Findings(p.Config.Model.Base)...), cost.Away(p.Config.Model.Base))
	slices.SortStableFunc(findings, func(a, b dataset.Finding) int { return dataset.Severity(a.Level) - dataset.Severity(b.Level) })
	return findings, nil
}

// refusal is the error for findings that stop a run.
func refusal(c *config.Config, findings []dataset.Finding) error {
	var faults Faults
	for _, f := range findings {
		if f.Level == dataset.LevelError {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 && c.Recipe.Preset != "enhanced-original" {
		return faults
	}
	return nil
}

func create(ctx context.Context, p *project.Project, o Options) (*run.Run, error) {
	root, err := filepath.Abs(p.File.Root)
	if err != nil {
		return nil, err
	}
	name := o.Name
	if name == "" {
		name = p.Config.Recipe.Preset
	}
	meta := run.Meta{Recipe: p.Config.Recipe.Preset, Base: p.Config.Model.Base, DataFingerprint: p.Data.Fingerprint(), Version: o.Version, Root: root}
	if p.Base != nil { // else the run's process writes it down
		if meta.BaseFingerprint, err = p.Base.Fingerprint(ctx, o.Report); err != nil {
			return nil, err
		}
	}
	w, err := run.Create(p.File.Abs(p.Config.Project.Runs), name, meta, p.File.Raw())
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
