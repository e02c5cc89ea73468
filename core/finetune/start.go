// Package finetune is a training run: it lints and starts one in a process of its own, and is what that process does.
// It draws nothing; what it has to say goes into the run directory.
package finetune

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/run"
)

// Verb is the word by which the program calls itself to be a run's process: "finetui work DIR".
const Verb = "work"

// Faults are findings of error level that stop a run before it starts.
type Faults []dataset.Finding

func (f Faults) Error() string {
	return fmt.Sprintf("the recipe has %d findings of error level, the first: %s; finetui lint shows all",
		len(f), f[0].Text)
}

// Options of a start.
type Options struct {
	Name    string   // of the run; empty: the recipe's preset
	Exe     string   // the program itself
	Env     []string // NAME=value, added to the environment of the run's process
	Version string
	Report  project.Progress
}

// Start lints the recipe, makes a run directory and starts its process. Findings come back in any case; errors of
// the recipe stop the start (Faults), but for the preset enhanced-original, whose faults are known and kept; what
// is wrong with the data is left out of the run. A base that is not on this machine is left to the run's own
// process, so that nobody has to wait for it and a terminal that is closed does not break it off; that process
// checks then what cannot be checked without the base.
func Start(ctx context.Context, file *config.Snapshot, o Options) (*run.Run, []dataset.Finding, error) {
	if err := checkEngine(ctx, file); err != nil {
		return nil, nil, err
	}
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
	if _, err := run.Start(ctx, o.Exe, []string{Verb, r.Dir}, r.Dir, o.Env...); err != nil {
		return r, findings, err
	}
	return r, findings, r.Refresh()
}

// Lint checks a configuration as Start does.
func Lint(ctx context.Context, file *config.Snapshot, report project.Progress) ([]dataset.Finding, error) {
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
	if err := p.CheckPictures(ctx, report); err != nil {
		return nil, err
	}
	findings, err := p.Recipe.Lint(ctx, nil)
	if err != nil {
		return nil, err
	}
	findings = append(findings, p.DataFindings()...)
	// the next one says it, too
	findings = slices.DeleteFunc(findings, func(f dataset.Finding) bool { return f.Code == "length_not_checked" })
	cost := p.Cost()
	findings = append(append(findings, cost.Findings(p.Config.Model.Base)...), cost.Away(p.Config.Model.Base))
	slices.SortStableFunc(findings, func(a, b dataset.Finding) int {
		return a.Level.Severity() -
			b.Level.Severity()
	})
	return findings, nil
}

// Refuses says whether a finding stops a run before it starts: an error of the recipe. What is wrong with the data is
// said, and the run leaves out what it cannot use.
func Refuses(f dataset.Finding) bool { return f.Level == level.Error && !dataset.Rules(f.Code) }

// refusal is the error for findings that stop a run.
func refusal(c *config.Config, findings []dataset.Finding) error {
	var faults Faults
	for _, f := range findings {
		if Refuses(f) {
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 && c.Recipe.Preset != config.PresetEnhancedOriginal {
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
		name = string(p.Config.Recipe.Preset)
	}
	meta := run.Meta{Recipe: string(p.Config.Recipe.Preset), Base: p.Config.Model.Base,
		DataFingerprint: p.Data.Fingerprint(),
		Version:         o.Version, Root: root}
	if p.Base != nil { // else the run's process writes it down
		if meta.BaseFingerprint, err = p.Base.Fingerprint(ctx, o.Report); err != nil {
			return nil, err
		}
	}
	file, err := bind(p, root, &meta)
	if err != nil {
		return nil, err
	}
	w, err := run.Create(p.File.Abs(p.Config.Project.Runs), name, meta, file.Raw())
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return run.Open(w.Dir())
}

// bind names the sets that joined in the run's own configuration, and their folder in its meta: what comes to lie there
// later, or an environment that is another when it is resumed, changes nothing.
func bind(p *project.Project, root string, meta *run.Meta) (*config.Snapshot, error) {
	if p.Data.SetsFrom == "" {
		return p.File, nil
	}
	meta.SetsFrom = p.Data.SetsFrom
	if within, err := filepath.Rel(root, p.Data.SetsFrom); err == nil && filepath.IsLocal(within) {
		meta.SetsFrom = within
	}
	if len(p.Config.Dataset.Sets) > 0 {
		return p.File, nil
	}
	names := []string{config.NoSets}
	if len(p.Data.Sets) > 0 {
		names = nil
		for _, set := range p.Data.Sets {
			names = append(names, set.Entry())
		}
	}
	return p.File.With(config.Change{Key: "DATASET.SETS", New: strings.Join(names, ", ")})
}

// Resume starts a process (o.Exe, o.Env) that goes on with a run, with the constants that words, SECTION.KEY=value,
// give another value. A constant that cannot change is a *Fixed. Underway waits until the process has got through what
// comes first.
func Resume(ctx context.Context, r *run.Run, o Options, words ...string) error {
	changes, err := check(r, words)
	if err != nil {
		return err
	}
	arguments := []string{Verb}
	for _, c := range changes {
		arguments = append(arguments, c.Key+"="+c.New)
	}
	_, err = run.GoOn(ctx, o.Exe, append(arguments, r.Dir), r.Dir, o.Env...)
	return err
}

// check says whether a run can go on with the words, and what they change.
func check(r *run.Run, words []string) ([]config.Change, error) {
	if s := r.Status(); s.Live() {
		return nil, fmt.Errorf("%s is %s already, as process %d on %s", r.Label(), s.State, s.Process.PID,
			r.Info.Machine)
	}
	was, err := r.Config()
	if err != nil {
		return nil, fmt.Errorf("%s: its own config.toml: %w", r.Label(), err)
	}
	now, changes, err := change(r.Label(), was, words)
	switch {
	case err != nil:
	case r.Status().State == run.Done:
		err = goOn(r, was.Config, changes, now.Config)
	default:
		err = endsLater(r, was.Config, now.Config)
	}
	return changes, err
}
