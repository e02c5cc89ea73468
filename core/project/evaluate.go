package project

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/eval/textmetric"
	"finetui/core/model"
	"finetui/core/recipe"
)

// NoSplit is the error for a split in which there is nothing to ask about.
func (p *Project) NoSplit(split string) error {
	if p.furtherFault != nil && split == filepath.Base(p.Config.Eval.Data) {
		return p.furtherFault
	}
	_, what := p.Data.Words()
	return &config.Unusable{Key: "EVAL.SPLIT",
		Text: fmt.Sprintf("there is nothing in %q to ask about, or its %s are missing; splits are %s", split, what,
			strings.Join(p.Data.Splits, ", "))}
}

// Evaluation is a subject's answers about a split, scored.
type Evaluation struct {
	*eval.Result                      // by the closed list; of answers in free words: by the exercise that they name
	FreeText     *eval.FreeTextResult // nil where the data set has no answers in words of its own
	Timed        *eval.TimedResult    // nil where no answer is of feedbacks that have their times
}

// Evaluate asks a subject about every object of a split that can be shown, and scores the answers. resamples is that of
// the bootstrap, eval.DefaultResamples or 0.
func (p *Project) Evaluate(ctx context.Context, subject *model.Subject, name, split string, resamples int,
	report Progress) (Evaluation, error) {
	samples := slices.DeleteFunc(p.Recipe.Samples(split), p.Encoder().Ruler().Hides)
	if len(samples) == 0 {
		return Evaluation{}, p.NoSplit(split)
	}
	replies, err := p.Ask(ctx, subject, samples, report)
	if err != nil {
		return Evaluation{}, err
	}
	var e Evaluation
	if e.Result, err = p.Score(samples, replies, name, split, resamples); err != nil {
		return e, err
	}
	if slices.ContainsFunc(samples, recipe.Sample.Told) {
		e.FreeText, err = p.ScoreText(samples, replies, name, split, resamples)
	} else if p.Config.Eval.PriorTau > 0 {
		err = p.scoreClosed(ctx, subject, samples, replies, e.Result, resamples, report)
	}
	if err == nil && e.FreeText != nil {
		e.Timed, err = p.ScoreTimed(samples, replies, name, split, resamples)
	}
	return e, err
}

// ScoreTimed measures feedback that has its times; nil where the data set has none.
func (p *Project) ScoreTimed(samples []recipe.Sample, replies []model.Reply, name, split string,
	resamples int) (*eval.TimedResult, error) {
	var items []eval.TimedItem
	for i, s := range samples {
		truth, timed := eval.FeedbackIn(s.Answer)
		if !timed {
			continue
		}
		answer, _ := eval.FeedbackIn(replies[i].Text)
		items = append(items, eval.TimedItem{ID: s.ID, Video: p.Data.Short(s.Item.Media), Truth: truth, Answer: answer})
	}
	if len(items) == 0 {
		return nil, nil
	}
	options, err := p.textOptions(name, split, resamples)
	if err != nil {
		return nil, err
	}
	return eval.ScoreTimed(items, options)
}

// scoreClosed asks how likely each name of the closed list is, and adds to a result what choosing among them comes to:
// the likeliest name and, where the subject was trained on a draw of this recipe, the one after EVAL.PRIOR_TAU.
func (p *Project) scoreClosed(ctx context.Context, subject *model.Subject, samples []recipe.Sample,
	replies []model.Reply, r *eval.Result, resamples int, report Progress) error {
	names := make([]string, len(p.Recipe.Classes))
	for c := range names {
		names[c] = p.Recipe.Classes[c].Name
	}
	encoder := p.Encoder()
	probs, err := subject.LogProbs(ctx, len(samples),
		func(i int) (model.Question, error) { return encoder.Question(samples[i]) }, names,
		model.Asking{View: encoder.View(), Progress: report})
	if err != nil {
		return err
	}
	taus := []float64{0}
	if subject.Adapter != "" {
		taus = append(taus, p.Config.Eval.PriorTau)
	}
	prior := recipe.Mass(p.Recipe, nil).Prior()
	items, o := p.items(samples, replies), p.scoring(samples, r.Subject, r.Split, resamples)
	for _, tau := range taus {
		if err := r.ScoreClosedSet(items, p.Recipe.Classes, probs, prior, tau, o); err != nil {
			return err
		}
	}
	return nil
}

// ScoreText measures answers in free words.
func (p *Project) ScoreText(samples []recipe.Sample, replies []model.Reply, name, split string,
	resamples int) (*eval.FreeTextResult, error) {
	options, err := p.textOptions(name, split, resamples)
	if err != nil {
		return nil, err
	}
	items := make([]eval.FreeTextItem, len(samples))
	for i, s := range samples {
		items[i] = eval.FreeTextItem{ID: s.ID, Video: p.Data.Short(s.Item.Media), Prompt: s.Prompt,
			Exercise: p.Recipe.Classes[s.Class].Name, Truth: s.Answer, Answer: replies[i].Text,
			Tokens: replies[i].Tokens, Seconds: replies[i].Seconds}
	}
	return eval.ScoreFreeText(items, options)
}

func (p *Project) textOptions(name, split string, resamples int) (eval.FreeTextOptions, error) {
	words, err := textmetric.FindWordNet()
	return eval.FreeTextOptions{Subject: name, Split: split, Meteor: textmetric.Meteor{WordNet: words},
		Seed: uint64(p.Config.Project.Seed), Resamples: resamples}, err
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

// Score scores what a subject said to the samples of a split by the closed list.
func (p *Project) Score(samples []recipe.Sample, replies []model.Reply, name, split string,
	resamples int) (*eval.Result, error) {
	if _, err := eval.SelfTest(p.Recipe.Classes); err != nil {
		return nil, err
	}
	return eval.Score(p.items(samples, replies), p.Recipe.Classes, p.scoring(samples, name, split, resamples))
}

// items are replies as they are scored by the closed list.
func (p *Project) items(samples []recipe.Sample, replies []model.Reply) []eval.Item {
	items := make([]eval.Item, len(samples))
	for i, s := range samples {
		answer := replies[i].Text
		if s.Told() { // the exercise stands before what is said of it
			answer = eval.ExercisePart(answer)
		}
		items[i] = eval.Item{ID: s.ID, Expected: s.Class, Answer: answer, Seconds: replies[i].Seconds}
	}
	return items
}

func (p *Project) scoring(samples []recipe.Sample, name, split string, resamples int) eval.Options {
	return eval.Options{Subject: name, Split: split, Data: p.asked(samples), Seed: uint64(p.Config.Project.Seed),
		Resamples: resamples, SuccessOverall: p.Config.Eval.SuccessOverall,
		SuccessCondition: p.Config.Eval.SuccessCondition}
}

// asked names what samples ask about and expect, however it is worded: items, their sizes, objects, classes, answers.
func (p *Project) asked(samples []recipe.Sample) string {
	hash := sha256.New()
	for _, s := range samples {
		o := &s.Item.Objects[s.Object]
		fmt.Fprintf(hash, "%q %q %d %d %v", s.ID, p.Recipe.Classes[s.Class].Name, s.Item.Width, s.Item.Height, o.Box)
		if o.Text != nil {
			fmt.Fprintf(hash, " %q %q", o.Text.Question, o.Text.Answer)
		}
		fmt.Fprintln(hash)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8])
}
