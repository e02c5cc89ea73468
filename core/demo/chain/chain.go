// Package chain runs the whole chain on a demo project, link by link, as a user would call it: data, statistics, lint,
// a queue of experiments, evaluation, comparison, report. It computes nothing itself.
package chain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/core/stats"
	"finetui/core/sweep"
)

// Options of the chain.
type Options struct {
	Exe, Version string
	Log          func(format string, args ...any)
	Report       func(done, total int, what string) // may be nil
	Clips        int                                // of a split of drawn clips at most; 0: all
	Each, Seeds  int                                // of a class of the balanced set, and of the runs; 0: the demo's
}

// mode is a question about recipes: what they are trained on, and what their runs are scored on. The demo with pictures
// has two, one for each of its train sets, that with clips has one.
type mode struct {
	name, title string
	path        string          // DATASET.PATH
	constants   []config.Change // in which it differs from the project
	split, set  string          // what is scored first, and what it is called: "balanced", "the balanced set"
	further     []string        // splits that are scored beside it
	planned     bool            // the planned test is made on it
	listed      bool            // the base is asked with the closed list in its prompt
	axes        []sweep.Axis
	tried       []described // the recipes that the axes come to, in their order
	seeds       []int
}

// described is a recipe of the demo.
type described struct{ name, about string }

// modes are the demo's for a configuration.
func modes(file *config.Snapshot) []mode {
	m := mode{split: balancedSplit, set: "the balanced set", listed: true, tried: subjects, seeds: seeds,
		axes: []sweep.Axis{
			{Key: "RECIPE.PRESET", Values: []string{string(config.PresetBasic), string(config.PresetEnhanced)}},
			{Key: "RECIPE.SAMPLING", Values: []string{string(config.SampleInstance), sampling}},
		}}
	published, longTail := m, m
	published.name, published.title, published.further = "published", "As published", []string{"test"}
	published.path = file.Config.Dataset.Path
	longTail.name, longTail.title, longTail.planned = "long-tail", "Long tail", true
	longTail.path, longTail.seeds = beside(file, "long-tail"), slices.Concat(seeds, moreSeeds)
	list := []mode{published, longTail}
	for i := range list {
		list[i].constants = []config.Change{{Key: "DATASET.PATH", New: list[i].path},
			{Key: "EVAL.DATA", New: beside(file, balancedSplit)}, {Key: "EVAL.SPLIT", New: balancedSplit}}
	}
	return list
}

// beside is a folder beside the data set's, as a configuration names it.
func beside(file *config.Snapshot, name string) string {
	return filepath.Join(filepath.Dir(file.Config.Dataset.Path), name)
}

// balancedSplit is the folder of the balanced set, and so the name of its split.
const balancedSplit = "balanced"

// The recipes of the demo with pictures: two ingredients, each with and without the other. The order is that of the
// sweep's variants.
const (
	basic = iota
	samplingOnly
	toldOnly
	enhanced
)

// subjects are the recipes' names and what they are.
var subjects = []described{
	{"basic", "every object once an epoch; a plain question"},
	{"sampling only", "classes drawn by " + sampling + "; a plain question"},
	{"told only", "every object once an epoch; position word, object type and its usual place in the prompt"},
	{"enhanced", "both"},
}

// sampling is what the demo sets against the imbalance.
const sampling = string(config.SampleSquareRoot)

// zeroShot is the base as it is; about pictures it is asked with the closed list in its prompt.
const zeroShot = "zero-shot"

// plan is the sweep of a mode.
func (m mode) plan(name string, o Options) sweep.Plan {
	p := sweep.Plan{Name: name, Seeds: m.seeds, Together: 2, Split: m.split, Axes: m.axes}
	for _, s := range m.tried {
		p.Names = append(p.Names, s.name)
	}
	if m.planned {
		for _, seed := range moreSeeds {
			p.Skipped = append(p.Skipped, fmt.Sprintf("%s/%d", subjects[toldOnly].name, seed))
		}
	}
	if o.Seeds > 0 {
		p.Seeds = p.Seeds[:o.Seeds]
	}
	return p
}

// findings is everything that is known of a mode when its sweep is done.
type findings struct {
	mode
	file     *config.Snapshot
	analysis *stats.Analysis
	sweep    *sweep.Sweep
	recipes  []recipeFindings
	zero     map[string]*eval.Result           // by split
	compared map[string]*eval.RecipeComparison // by split
	planned  *eval.RecipeComparison            // nil: no test was planned on it
	added    *eval.RecipeComparison            // enhanced against sampling only
	told     []recipe.Knowledge                // by enhanced, of pictures
	overBase *eval.RecipeComparison            // all recipes against the base as it is, of clips
}

// recipeFindings are what is known of one recipe in a mode.
type recipeFindings struct {
	name, about string
	lint        []dataset.Finding
	mass        recipe.Table
	runs        []*run.Run
	results     map[string][]*eval.Result // by split, of each run
	kept        map[string][]session.Kept
}

// Data draws what the workbench shows of the demo where the configuration expects it, unless it is there: the published
// set and the balanced one. The long tail is the chain's alone.
func Data(ctx context.Context, file *config.Snapshot, o Options) error {
	return draw(ctx, file, demo.Sets{Published: file.Abs(file.Config.Dataset.Path),
		Balanced: file.Abs(file.Config.Eval.Data)}, o)
}

func draw(ctx context.Context, file *config.Snapshot, sets demo.Sets, o Options) error {
	sets.Each = o.Each
	return sets.Draw(ctx, demo.Options{Seed: uint64(file.Config.Project.Seed)},
		func(dir string) { o.Log("%s", dir) }, o.Report)
}

// Run runs the chain and writes report.md and report.html beside the data; it returns their paths. What an earlier call
// has come to is used where it is of the same constants, data, base and program.
func Run(ctx context.Context, file *config.Snapshot, o Options) ([]string, error) {
	began := time.Now()
	all := modes(file)
	err := draw(ctx, file, demo.Sets{Published: file.Abs(all[0].path), LongTail: file.Abs(all[1].path),
		Balanced: file.Abs(beside(file, balancedSplit))}, o)
	if err != nil {
		return nil, err
	}
	r := report{file: file, version: o.Version, modes: make([]*findings, len(all))}
	zero := map[string]*eval.Result{}
	for i, m := range slices.Backward(all) { // the planned test's first: who stops early has it
		if r.modes[i], err = m.findings(ctx, file, zero, o); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	r.seconds = time.Since(began).Seconds()
	return r.write(filepath.Dir(file.Abs(file.Config.Dataset.Path)))
}

// findings makes a mode's experiments and scores them. zero is what the base was scored before, and what it is here.
func (m mode) findings(ctx context.Context, file *config.Snapshot, zero map[string]*eval.Result, o Options) (*findings,
	error) {
	constants, err := file.With(m.constants...)
	if err != nil {
		return nil, err
	}
	f := &findings{mode: m, file: constants, zero: zero, compared: map[string]*eval.RecipeComparison{}}
	data, err := project.ReadSet(ctx, constants.Config.Dataset, constants.Root, o.Report)
	if err != nil {
		return nil, err
	}
	f.analysis = stats.Analyze(data, constants.Config.Dataset)
	if m.path == file.Config.Dataset.Path {
		if err := f.analysis.WriteJSON(constants.Abs(constants.Config.Dataset.Analysis)); err != nil {
			return nil, err
		}
	}
	o.Log("%s\n\n%s", m.title, f.analysis.Text())
	if err := f.scoreBase(ctx, o); err != nil {
		return nil, err
	}
	if f.sweep, err = m.sweep(ctx, constants, o); err != nil {
		return nil, err
	}
	st, err := attend(ctx, f.sweep, o)
	if err != nil {
		return nil, err
	}
	if err := f.recipesOf(ctx, data, st, o); err != nil {
		return nil, err
	}
	return f, f.compare(ctx)
}

// scoreBase asks the base about all that is scored.
func (f *findings) scoreBase(ctx context.Context, o Options) error {
	asked := f.file
	if f.listed {
		var err error
		if asked, err = sweep.Vary(f.file, "RECIPE.PROMPT="+string(config.PromptList)); err != nil {
			return err
		}
	}
	s, err := session.Open(ctx, asked, o.Report)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, split := range f.splits() {
		if f.zero[split] != nil { // the balanced set is the same in both modes
			continue
		}
		if f.zero[split], err = s.Evaluate(ctx, session.Base, split, o.Report); err != nil {
			return err
		}
	}
	return nil
}

// splits are what is scored.
func (m mode) splits() []string { return append([]string{m.split}, m.further...) }

// sweep is the mode's queue of experiments: the newest one that fits, or a new one.
func (m mode) sweep(ctx context.Context, file *config.Snapshot, o Options) (*sweep.Sweep, error) {
	for n := 1; ; n++ {
		name := m.name
		if n > 1 {
			name = fmt.Sprintf("%s-%d", m.name, n)
		}
		plan := m.plan(name, o)
		s, err := sweep.Open(filepath.Join(sweep.Folder(file), name))
		if errors.Is(err, fs.ErrNotExist) {
			return sweep.Create(file, plan)
		}
		if err != nil {
			return nil, err
		}
		if fits, err := s.Fits(ctx, file, plan, o.Version); err != nil || fits {
			return s, err
		}
	}
}

// attend starts a sweep's queue, unless it is at work, and waits until all is done. Where ctx ends the queue and its
// runs are asked to stop; they go on from there when the chain is called again.
func attend(ctx context.Context, s *sweep.Sweep, o Options) (sweep.Status, error) {
	var watcher sweep.Watcher
	st, err := watcher.Status(s)
	if err != nil {
		return st, err
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for scored := -1; ; {
		done, of := st.Done()
		if done > scored {
			scored = done
			o.Log("%s", s.Title(st))
		}
		for _, c := range st.Cells {
			if c.State == sweep.GivenUp {
				return st, fmt.Errorf("%s, seed %d is given up: %s", c.Variant, c.Seed, c.Reason)
			}
		}
		switch {
		case done == of && !st.Live:
			return st, nil
		case !st.Live:
			if err := s.GoOn(ctx, o.Exe); err != nil {
				return st, err
			}
		}
		if o.Report != nil {
			o.Report(progress(st))
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if s.Live() {
				if err := s.Stop(); err != nil {
					return st, errors.Join(ctx.Err(), err)
				}
				o.Log("%s stops at the next checkpoints; the same call goes on from there", s.Plan.Name)
			}
			return st, ctx.Err()
		}
		if st, err = watcher.Status(s); err != nil {
			return st, err
		}
	}
}

// progress is how many steps a sweep has taken.
func progress(st sweep.Status) (done, total int, what string) {
	steps, runs := 0, 0
	for _, c := range st.Cells {
		if c.Run != nil {
			steps, runs = steps+c.Run.Info.Steps, runs+1
		}
	}
	scored, of := st.Done()
	for _, c := range st.Cells {
		switch {
		case c.State == run.Done || c.State == sweep.Scoring || c.State == sweep.Scored:
			done += c.Run.Info.Steps
		default:
			done += c.Step
		}
	}
	if runs > 0 {
		total = steps * len(st.Cells) / runs
	}
	return done, total, fmt.Sprintf("steps, %d of %d runs scored", scored, of)
}

// recipesOf gathers what is known of each recipe, and scores what is not scored yet on the data of now.
func (f *findings) recipesOf(ctx context.Context, data *dataset.Dataset, st sweep.Status, o Options) error {
	for i, v := range f.sweep.Plan.Variants() {
		file, err := sweep.Vary(f.file, v.Words...)
		if err != nil {
			return err
		}
		r, err := recipe.Build(data, file.Config)
		if err != nil {
			return err
		}
		out := recipeFindings{name: v.Name, about: f.tried[i].about, mass: recipe.Mass(r, nil),
			results: map[string][]*eval.Result{}, kept: map[string][]session.Kept{}}
		if f.listed && i == enhanced {
			f.told = r.Knowledge()
		}
		if out.lint, err = finetune.Lint(ctx, file, o.Report); err != nil {
			return err
		}
		for _, c := range st.Cells {
			if c.Variant == v.Name && c.State == sweep.Scored {
				out.runs = append(out.runs, c.Run)
			}
		}
		if len(out.runs) == 0 {
			return fmt.Errorf("all of %s is left out: finetui sweep %s skip %q takes that back", v.Name,
				f.sweep.Plan.Name, v.Name)
		}
		if err := f.score(ctx, file, &out, o); err != nil {
			return err
		}
		f.recipes = append(f.recipes, out)
	}
	return nil
}

// score reads a recipe's evaluations, and makes those that are not there or are of other data or an older checkpoint.
func (f *findings) score(ctx context.Context, file *config.Snapshot, r *recipeFindings, o Options) error {
	s, err := session.Open(ctx, file, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, split := range f.splits() {
		known, err := s.Results(split)
		if err != nil {
			return err
		}
		current := map[string]bool{}
		for _, k := range known {
			current[k.Name] = k.Fault == nil && !k.Older && k.Result.Data == f.zero[split].Data
		}
		for _, of := range r.runs {
			if !current[of.Label()] {
				if _, err := s.Evaluate(ctx, of.Label(), split, o.Report); err != nil {
					return err
				}
			}
			k, err := s.Result(of.Label(), split)
			if err != nil {
				return err
			}
			r.kept[split], r.results[split] = append(r.kept[split], k), append(r.results[split], k.Result)
		}
	}
	return nil
}

// compare compares the recipes over their seeds on each split, and makes the planned test.
func (f *findings) compare(ctx context.Context) error {
	s, err := session.Open(ctx, f.file, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	groups := make([]session.Recipe, len(f.recipes))
	for i, r := range f.recipes {
		groups[i].Name = r.name
		for _, of := range r.runs {
			groups[i].Runs = append(groups[i].Runs, of.Label())
		}
	}
	for _, split := range f.splits() {
		c, err := s.CompareRecipes(groups, split)
		if err != nil {
			return err
		}
		f.compared[split] = c
		if err := c.WriteJSON(filepath.Join(f.sweep.Dir, "compare-"+split+".json")); err != nil {
			return err
		}
	}
	if !f.listed {
		base := session.Recipe{Name: zeroShot, Runs: []string{session.Base}}
		f.overBase, err = s.CompareRecipes(append([]session.Recipe{base}, groups...), f.split)
		return err
	}
	f.added, err = s.CompareRecipes([]session.Recipe{groups[samplingOnly], groups[enhanced]}, f.split)
	if err == nil && f.mode.planned {
		f.planned, err = s.CompareRecipes([]session.Recipe{groups[basic], groups[samplingOnly], groups[enhanced]},
			f.split)
	}
	return err
}
