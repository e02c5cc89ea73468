package project

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/model"
	"finetui/core/recipe"
)

// NoSplit is the error for a split in which there is nothing to ask about.
func (p *Project) NoSplit(split string) error {
	if p.furtherFault != nil && split == filepath.Base(p.Config.Eval.Data) {
		return p.furtherFault
	}
	return &config.Unusable{Key: "EVAL.SPLIT",
		Text: fmt.Sprintf("there is nothing in %q to ask about, or its pictures are missing; splits are %s", split,
			strings.Join(p.Data.Splits, ", "))}
}

// Evaluate asks a subject about every object of a split that can be shown, and scores the answers. resamples is that of
// the bootstrap, eval.DefaultResamples or 0.
func (p *Project) Evaluate(ctx context.Context, subject *model.Subject, name, split string, resamples int,
	report Progress) (*eval.Result, error) {
	samples := slices.DeleteFunc(p.Recipe.Samples(split), p.Hides)
	if len(samples) == 0 {
		return nil, p.NoSplit(split)
	}
	replies, err := p.Ask(ctx, subject, samples, report)
	if err != nil {
		return nil, err
	}
	return p.Score(samples, replies, name, split, resamples)
}

// Ask asks a subject about samples by EVAL.
func (p *Project) Ask(ctx context.Context, subject *model.Subject, samples []recipe.Sample,
	report Progress) ([]model.Reply, error) {
	if p.Base.Remembers() { // kept features are known by it
		if _, err := p.Base.Fingerprint(ctx, report); err != nil {
			return nil, err
		}
	}
	encoder := p.Encoder()
	return subject.Ask(ctx, len(samples), func(i int) (model.Question, error) { return encoder.Question(samples[i]) },
		model.Asking{View: encoder.View(), MaxNew: p.Config.Eval.MaxNewTokens, Seed: uint64(p.Config.Project.Seed),
			Progress: report})
}

// Score scores what a subject said to the samples of a split.
func (p *Project) Score(samples []recipe.Sample, replies []model.Reply, name, split string,
	resamples int) (*eval.Result, error) {
	if _, err := eval.SelfTest(p.Recipe.Classes); err != nil {
		return nil, err
	}
	items := make([]eval.Item, len(samples))
	for i, s := range samples {
		items[i] = eval.Item{ID: s.ID, Expected: s.Class, Answer: replies[i].Text, Seconds: replies[i].Seconds}
	}
	return eval.Score(items, p.Recipe.Classes, eval.Options{Subject: name, Split: split,
		Seed: uint64(p.Config.Project.Seed), Resamples: resamples,
		SuccessOverall: p.Config.Eval.SuccessOverall, SuccessCondition: p.Config.Eval.SuccessCondition})
}
