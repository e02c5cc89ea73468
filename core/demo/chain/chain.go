// Package chain runs the whole chain on the demo project, link by link, as a user would call it: data, statistics,
// lint, three runs, evaluation on two test sets, comparison, report. It computes nothing itself.
package chain

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/core/stats"
)

// Options of the chain.
type Options struct {
	Exe, Version string
	Log          func(format string, args ...any)
	Report       func(done, total int, what string) // may be nil
	Clips        int                                // of a split of drawn clips at most; 0: all
}

// subject is one row of the comparison.
type subject struct {
	title     string
	name      string // of its run; empty: the base
	constants []config.Change
	about     string
}

// subjects are what the demo compares: the base with the closed list in its prompt, the two recipes, and a control that
// is the enhanced recipe without one ingredient.
var subjects = []subject{
	{"zero-shot", "", []config.Change{{Key: "RECIPE.PROMPT", New: "list"}},
		"the base as it is, with the nine names listed in its prompt"},
	{"basic", "basic", preset("basic"), "every object once an epoch, a plain question"},
	{"enhanced", "enhanced", preset("enhanced"),
		"square-root class sampling; position word, object type and its usual place in the prompt"},
	{"control", "control", append(preset("enhanced"), config.Change{Key: "RECIPE.PROMPT_FACTS", New: "none"}),
		"enhanced without the object type and its place: only RECIPE.PROMPT_FACTS differs"},
}

func preset(name string) []config.Change {
	return []config.Change{{Key: "RECIPE.PRESET", New: name}}
}

// with is the configuration with a subject's constants.
func (s subject) with(file *config.Snapshot) (*config.Snapshot, error) {
	to, err := recipe.Changed(file.Config, s.constants...)
	if err != nil {
		return nil, err
	}
	return file.With(config.Diff(file.Config, to)...)
}

// outcome is what came of a subject.
type outcome struct {
	subject
	lint    []dataset.Finding
	run     *run.Run // nil: the base
	mass    recipe.Table
	results map[string]*eval.Result
	kept    map[string]session.Kept
	texts   map[string]*eval.FreeTextResult // of answers in free words
	seconds float64                         // of training
}

// Data draws the demo's data sets where the configuration expects them, unless they are there.
func Data(ctx context.Context, file *config.Snapshot, o Options) error {
	return demo.Sets(ctx, file.Abs(file.Config.Dataset.Path), file.Abs(file.Config.Eval.Data),
		demo.Options{Seed: uint64(file.Config.Project.Seed)},
		func(dir string) { o.Log("%s", dir) }, o.Report)
}

// Run runs the chain and writes report.md beside the data; it returns its path.
func Run(ctx context.Context, file *config.Snapshot, o Options) (string, error) {
	began := time.Now()
	if err := Data(ctx, file, o); err != nil {
		return "", err
	}
	data, err := dataset.Read(ctx, file.Config.Dataset, file.Root, o.Report)
	if err != nil {
		return "", err
	}
	analysis := stats.Analyze(data, file.Config.Dataset)
	if err := analysis.WriteJSON(file.Abs(file.Config.Dataset.Analysis)); err != nil {
		return "", err
	}
	o.Log("%s", analysis.Text())
	splits := []string{file.Config.Eval.Split}
	if more := file.Config.Eval.Data; more != "" {
		splits = append(splits, filepath.Base(more))
	}
	var done []outcome
	for _, s := range subjects {
		out, err := follow(ctx, file, s, data, splits, o)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.title, err)
		}
		done = append(done, out)
	}
	boards, err := compare(ctx, file, done, splits)
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(file.Abs(file.Config.Dataset.Path)), "report.md")
	r := report{file: file, analysis: analysis, outcomes: done, splits: splits, boards: boards,
		seconds: time.Since(began).Seconds(), version: o.Version}
	return path, r.write(path)
}

// follow trains a subject, unless it is the base, and evaluates it on every split.
func follow(ctx context.Context, file *config.Snapshot, s subject, data *dataset.Dataset, splits []string,
	o Options) (outcome, error) {
	out := outcome{subject: s, results: map[string]*eval.Result{}, kept: map[string]session.Kept{},
		texts: map[string]*eval.FreeTextResult{}}
	f, err := s.with(file)
	if err != nil {
		return out, err
	}
	r, err := recipe.Build(data, f.Config)
	if err != nil {
		return out, err
	}
	out.mass = recipe.Mass(r, nil)
	name := session.Base
	if s.name != "" {
		o.Log("%s: %s", s.title, s.about)
		out.run, out.lint, err = finetune.Start(ctx, f, finetune.Options{Name: s.name, Exe: o.Exe, Version: o.Version,
			Report: o.Report})
		if err != nil {
			return out, err
		}
		if err := finetune.Wait(ctx, out.run, o.Report); err != nil {
			return out, err
		}
		name, out.seconds = out.run.Label(), out.run.Status().Elapsed.Seconds()
		o.Log("%s: %s trained in %.0f s", s.title, name, out.seconds)
	}
	opened, err := session.Open(ctx, f, o.Report)
	if err != nil {
		return out, err
	}
	defer opened.Close()
	for _, split := range splits {
		r, err := opened.Evaluate(ctx, name, split, o.Report)
		if err != nil {
			return out, err
		}
		out.results[split] = r
		if out.kept[split], err = opened.Result(name, split); err != nil {
			return out, err
		}
		text, err := out.kept[split].FreeText()
		if err != nil {
			return out, err
		}
		if text == nil {
			o.Log("%s: %s: accuracy %.1f %%, macro-F1 %.3f, %d of %d unparsed", s.title, split,
				100*r.Accuracy, r.MacroF1,
				r.Unparsed, r.N)
			continue
		}
		out.texts[split] = text
		n, of := right(text)
		o.Log("%s: %s: %d of %d answers right, exercise identified %.1f %%, METEOR %.3f, ROUGE-L %.3f",
			s.title, split, n,
			of, 100*text.IdentifiedShare, text.METEOR, text.ROUGEL)
	}
	return out, nil
}

// compare puts the subjects side by side on each split.
func compare(ctx context.Context, file *config.Snapshot, done []outcome, splits []string) (map[string]*eval.Board,
	error) {
	s, err := session.Open(ctx, file, nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	boards := map[string]*eval.Board{}
	for _, split := range splits {
		var list []session.Kept
		for _, d := range done {
			list = append(list, d.kept[split])
		}
		if boards[split], err = s.Board(list); err != nil {
			return nil, err
		}
		if err := boards[split].WriteJSON(filepath.Join(s.RunsDir(), "compare-"+split+".json")); err != nil {
			return nil, err
		}
	}
	return boards, nil
}
