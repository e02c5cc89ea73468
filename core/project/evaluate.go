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
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/pixels"
)

// Question is what a model is shown and asked for a sample.
func (p *Project) Question(s recipe.Sample) (model.Question, error) {
	return model.Question{Prompt: s.Prompt, See: func(tower *qwen2vl.Tower, frozen bool) ([]float32,
		[]qwen2vl.Grid, error) {
		return p.See(tower, frozen, s)
	}}, nil
}

// Hidden says that a sample cannot be shown: its picture is missing or broken, which the data set's findings tell.
func Hidden(s recipe.Sample) bool { return s.Item.Media == "" || s.Item.Broken }

// Hides says that a sample cannot be shown: it is Hidden, or what RECIPE.CONTEXT shows of it has a shape that the model
// refuses.
func (p *Project) Hides(s recipe.Sample) bool {
	return Hidden(s) || s.Item.Width > 0 && s.Item.Height > 0 &&
		slices.ContainsFunc(p.sizes(s), func(size [2]int) bool {
			_, tooLong := pixels.TooLong(size[0], size[1])
			return tooLong
		})
}

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
	if _, err := eval.SelfTest(p.Recipe.Classes); err != nil {
		return nil, err
	}
	samples := slices.DeleteFunc(p.Recipe.Samples(split), p.Hides)
	if len(samples) == 0 {
		return nil, p.NoSplit(split)
	}
	if p.Base.Seen != nil { // kept features are known by it
		if _, err := p.Base.Fingerprint(ctx, report); err != nil {
			return nil, err
		}
	}
	replies, err := subject.Ask(ctx, len(samples), func(i int) (model.Question,
		error) {
		return p.Question(samples[i])
	},
		model.Asking{View: p.View(), MaxNew: p.Config.Eval.MaxNewTokens, Seed: uint64(p.Config.Project.Seed),
			Progress: report})
	if err != nil {
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
