package chain

import (
	"context"
	"fmt"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/core/session"
)

// subject is one row of the comparison.
type subject struct {
	title     string
	name      string // of its run; empty: the base
	constants []config.Change
	about     string
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
	kept    map[string]session.Kept
	texts   map[string]*eval.FreeTextResult // of answers in free words
	seconds float64                         // of training
}

// follow trains a subject, unless it is the base, and evaluates it on every split.
func follow(ctx context.Context, file *config.Snapshot, s subject, data *dataset.Dataset, splits []string,
	o Options) (outcome, error) {
	out := outcome{subject: s, kept: map[string]session.Kept{}, texts: map[string]*eval.FreeTextResult{}}
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
		if _, err := opened.Evaluate(ctx, name, split, o.Report); err != nil {
			return out, err
		}
		if out.kept[split], err = opened.Result(name, split); err != nil {
			return out, err
		}
		text, err := out.kept[split].FreeText()
		if err != nil {
			return out, err
		}
		if text == nil {
			return out, fmt.Errorf("the evaluation of %s left no answers in words", split)
		}
		out.texts[split] = text
		n, of := right(text)
		o.Log("%s: %s: %d of %d answers right, exercise identified %.1f %%, METEOR %.3f, ROUGE-L %.3f",
			s.title, split, n,
			of, 100*text.IdentifiedShare, text.METEOR, text.ROUGEL)
	}
	return out, nil
}
