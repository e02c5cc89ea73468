package recipe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/level"
)

// Lint says what is wrong with a recipe on a data set before anything is trained: one finding for each fault and class,
// with the first row that shows it and how many do. tokens counts a whole sample, picture included, as the model will
// see it; where it is nil the length is not checked, and a finding says so. Errors come first.
func Lint(d *dataset.Dataset, cfg *config.Config, tokens func(Sample) int) []dataset.Finding {
	r, err := Build(d, cfg)
	if err != nil {
		return []dataset.Finding{{Code: "recipe_void", Level: level.Error, File: d.Root, Text: err.Error(),
			Do: "correct the constant or the label it names"}}
	}
	found, _ := r.Lint(context.Background(), tokens) // nothing stops it
	return found
}

// Lint is Lint of a recipe that is built. It goes through the samples once and keeps none; tokens is asked about each,
// whose ID is empty. An error is that of ctx.
func (r *Recipe) Lint(ctx context.Context, tokens func(Sample) int) ([]dataset.Finding, error) {
	cfg := &r.cfg
	v := survey{prompts: newPromptLint(r.Classes, r.Question, r.ClipQuestion), first: make([]Sample, len(r.Classes))}
	for s := range r.Each("") {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v.see(s)
		if tokens != nil {
			v.measure(s, tokens(s), cfg.Model.MaxLength)
		}
	}
	var found []dataset.Finding
	found = append(found, v.prompts.findings()...)
	found = append(found, v.prompts.turnFindings()...)
	found = append(found, v.prompts.exerciseFindings()...)
	found = append(found, r.lintNames()...)
	found = append(found, r.lintTypes(&v)...)
	found = append(found, r.lintSources(&v)...)
	found = append(found, r.lintMass()...)
	found = append(found, r.lintClasses(&v)...)
	found = append(found, r.lintLength(&v, tokens != nil)...)
	found = append(found, r.lintPreset()...)
	found = append(found, lintRate(cfg)...)
	found = append(found, r.lintCopies()...)
	found = append(found, r.lintChoice()...)
	slices.SortStableFunc(found, func(a, b dataset.Finding) int {
		return cmp.Compare(a.Level.Severity(), b.Level.Severity())
	})
	return found, nil
}

// survey is what one look at all samples tells.
type survey struct {
	n       int
	prompts *promptLint
	first   []Sample // of each class; without an Item where there is none

	outside      int    // samples that are not train's
	firstOutside Sample // of them

	tooLong    int
	longest    Sample
	mostTokens int
}

func (v *survey) see(s Sample) {
	v.n++
	v.prompts.add(s)
	if v.first[s.Class].Item == nil {
		v.first[s.Class] = s
	}
	if s.Item.Split != trainSplit {
		if v.outside++; v.outside == 1 {
			v.firstOutside = s
		}
	}
}

func (v *survey) measure(s Sample, tokens, most int) {
	if tokens > most {
		v.tooLong++
	}
	if tokens > v.mostTokens {
		v.longest, v.mostTokens = s, tokens
	}
}

// at points a finding to the row of a sample.
func at(s Sample, f dataset.Finding) dataset.Finding {
	f.File, f.Line = s.Item.Labels, s.Line()
	if f.File == "" {
		f.File = s.Item.ID
	}
	return f
}

// lintSources finds weights and facts that come from what is meant for scoring.
func (r *Recipe) lintSources(v *survey) []dataset.Finding {
	rec := &r.cfg.Recipe
	if rec.FactsFrom != config.FactsFromAll {
		return nil
	}
	var used []string
	if rec.ClassWeights != config.WeightNone || rec.ConditionWeights != config.WeightNone {
		used = append(used, "weights")
	}
	if rec.Prompt == config.PromptEnhancedOriginal || rec.PromptFacts == config.FactsPlace && !r.facts.tellsAll {
		used = append(used, "facts")
	}
	if len(used) == 0 || v.outside == 0 {
		return nil
	}
	return []dataset.Finding{at(v.firstOutside, dataset.Finding{
		Code:  "facts_from_other_splits",
		Level: level.Error,
		Text: fmt.Sprintf("%s are mined from %d objects outside train, first %s: its score would be that of a "+
			"model which has seen it", strings.Join(used, " and "), v.outside, v.firstOutside.id()),
		Do: `set RECIPE.FACTS_FROM to "train"`,
	})}
}

// lintMass finds an imbalance that is compensated more than once, or turned round.
func (r *Recipe) lintMass() []dataset.Finding {
	rec := &r.cfg.Recipe
	table := Mass(r, nil)
	heaviest := slices.MaxFunc(append([]Row{{}}, table.Classes...),
		func(a, b Row) int { return cmp.Compare(a.Mass, b.Mass) })
	var ways []string
	if rec.ClassWeights != config.WeightNone {
		ways = append(ways, "CLASS_WEIGHTS "+string(rec.ClassWeights))
	}
	if rec.ConditionWeights != config.WeightNone {
		ways = append(ways, "CONDITION_WEIGHTS "+string(rec.ConditionWeights))
	}
	if rec.Sampling != config.SampleInstance && table.resamples() {
		ways = append(ways, "SAMPLING "+string(rec.Sampling))
	}
	var found []dataset.Finding
	if len(ways) > 1 {
		found = append(found, r.atClass(heaviest.Class, dataset.Finding{
			Code:  "paid_twice",
			Level: level.Warn,
			Text: fmt.Sprintf("the imbalance is paid for %d times (%s): %s goes from %.1f %% of the samples to %.1f "+
				"%% of the loss, and the imbalance of the loss from %.1f× to %.1f×",
				len(ways), strings.Join(ways, ", "), heaviest.Class, 100*heaviest.ShareBefore, 100*heaviest.ShareMass,
				table.ImbalanceBefore, table.ImbalanceAfter),
			Do: "keep one of them",
		}))
	}
	if turned, yes := table.Inverted(max(1, r.cfg.Dataset.ModerateAbove)); yes {
		found = append(found, r.atClass(turned.Rarer.Class, dataset.Finding{
			Code:  "mass_inverted",
			Level: level.Warn,
			Text: fmt.Sprintf("%s has %d samples in train and %.1f× the loss of %s with %d: the common class is now "+
				"the rare one",
				turned.Rarer.Class, turned.Rarer.N, turned.Ratio, turned.Commoner.Class, turned.Commoner.N),
			Do: "use a milder weight or sampling: square_root, progressive, effective_number",
		}))
	}
	return found
}

// resamples tells whether an epoch shows any class more or less often than the data does.
func (t Table) resamples() bool {
	return slices.ContainsFunc(t.Classes, func(row Row) bool {
		d := row.ShareSamples - row.ShareBefore
		return d > 1e-9 || d < -1e-9
	})
}

// atClass points a finding to the first train row of a class.
func (r *Recipe) atClass(class string, f dataset.Finding) dataset.Finding {
	for i := range r.data.Items {
		it := &r.data.Items[i]
		for o := range it.Objects {
			if it.Split == trainSplit && r.Classes[it.Objects[o].Class].Name == class {
				return at(Sample{Item: it, Object: o}, f)
			}
		}
	}
	f.File = r.data.Root
	return f
}

// lintClasses finds classes that cannot be learned, and names that cannot be told apart in an answer.
func (r *Recipe) lintClasses(v *survey) []dataset.Finding {
	var found []dataset.Finding
	if _, err := eval.SelfTest(r.Classes); err != nil {
		found = append(found, dataset.Finding{Code: "answers_collide", Level: level.Error, File: r.data.Root,
			Text: err.Error(), Do: "rename the classes in the data set"})
	}
	_, inTrain := tally(r.trainCounts)
	_, what := r.data.Words()
	if inTrain == 0 {
		found = append(found, dataset.Finding{Code: "train_empty", Level: level.Error, File: r.data.Root,
			Text: "split train has no object: there is nothing to learn from",
			Do:   "name the folder or list of the training " + what + " train, or correct DATASET.PATH"})
		return found
	}
	for c, n := range r.trainCounts {
		if n > 0 {
			continue
		}
		elsewhere := v.first[c]
		if elsewhere.Item == nil {
			found = append(found, dataset.Finding{Code: "class_missing_from_train", Level: level.Info,
				File: r.data.Root,
				Text: fmt.Sprintf("class %q has no object in any split: it stays in the closed list and lowers the "+
					"macro-F1 over all classes", r.Classes[c].Name),
				Do: "take it out of the data set's names if it is not meant to be answered"})
			continue
		}
		found = append(found, at(elsewhere, dataset.Finding{Code: "class_missing_from_train", Level: level.Warn,
			Text: fmt.Sprintf("class %q has no object in train, but some elsewhere, first %s: it cannot be learned",
				r.Classes[c].Name, elsewhere.id()),
			Do: "move some of its " + what + " into train"}))
	}
	return found
}

// lintLength finds samples that would be cut off; the answer stands at their end.
func (r *Recipe) lintLength(v *survey, measured bool) []dataset.Finding {
	if !measured {
		return []dataset.Finding{{Code: "length_not_checked", Level: level.Info, File: r.data.Root,
			Text: "the length of the samples was not checked: no tokenizer was loaded",
			Do:   "run lint with a base that can be read (MODEL.BASE)"}}
	}
	if v.tooLong == 0 {
		return nil
	}
	shorter := "lower MODEL.MAX_PIXELS, or choose a shorter RECIPE.PROMPT"
	if v.longest.Item.Clip != nil {
		shorter = "or ask and answer in fewer words"
	}
	return []dataset.Finding{at(v.longest, dataset.Finding{Code: "prompt_too_long", Level: level.Error,
		Text: fmt.Sprintf("%d of %d samples are longer than MODEL.MAX_LENGTH %d, the longest %s with %d tokens: the "+
			"answer would be cut off",
			v.tooLong, v.n, r.cfg.Model.MaxLength, v.longest.id(), v.mostTokens),
		Do: fmt.Sprintf("raise MODEL.MAX_LENGTH to %d, %s", v.mostTokens, shorter)})}
}

// lintPreset finds a name that no longer says what is done.
func (r *Recipe) lintPreset() []dataset.Finding {
	named, is := r.cfg.Recipe.Preset, detect(&r.cfg)
	if named == is || named == config.PresetCustom || named == "" {
		return nil
	}
	return []dataset.Finding{{Code: "preset_differs", Level: level.Warn, File: r.data.Root,
		Text: fmt.Sprintf("RECIPE.PRESET says %s, but its constants are those of %s", named, is),
		Do:   fmt.Sprintf("set RECIPE.PRESET to %q, or apply %s again", is, named)}}
}
