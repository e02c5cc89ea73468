// Package recipe decides what is done about an imbalanced data set: weights, sampling, prompts and the facts in them,
// and shows what that decision does to the loss before anything is trained. It never reads a picture, never trains,
// and never changes a data set.
package recipe

import (
	"fmt"

	"finetui/core/config"
	"finetui/core/dataset"
)

const trainSplit = "train"

// Recipe is a data set seen through the constants of RECIPE. Building one is cheap (counts only); prompts are made
// when samples are asked for.
type Recipe struct {
	Classes []dataset.Class // the closed list of answers
	// the part of every prompt that is the same for all samples: for those of pictures, and for those of clips
	Question, ClipQuestion string

	// FileQuestion is the question about a picture's file of which nothing is known: Question, or of a set whose answers
	// are its own words that of CONVERT.USER_PROMPT_TEMPLATE. FileClipQuestion is that about a clip's.
	FileQuestion, FileClipQuestion string

	data        *dataset.Dataset
	cfg         config.Config
	conditions  []string // in the order of their first class
	trainCounts []int    // objects of each class in train
	weighCounts []int    // objects of each class in the splits of FACTS_FROM
	rawWeights  []Weight // class × condition, before scaling
	lossWeights []Weight // the same with mean 1 over an epoch's samples
	facts       facts
}

// Build applies the constants to a data set. It fails where a constant has no meaning or an object's class is not in
// the closed list.
func Build(d *dataset.Dataset, cfg *config.Config) (*Recipe, error) {
	r := &Recipe{Classes: d.Classes, data: d, cfg: *cfg}
	if err := checkSampling(cfg.Recipe.Sampling); err != nil {
		return nil, err
	}
	if err := r.count(); err != nil {
		return nil, err
	}
	if err := r.weigh(); err != nil {
		return nil, err
	}
	r.facts = r.mineFacts()
	question, err := r.question()
	if err != nil {
		return nil, err
	}
	r.Question, r.ClipQuestion = question, r.clipQuestion()
	r.FileQuestion, r.FileClipQuestion = r.fileQuestion(r.Question), r.fileQuestion(r.ClipQuestion)
	return r, nil
}

// On is the recipe as it was built, with its facts and weights, asked about another set of the same classes: of a
// detector's finds in place of the labels.
func (r *Recipe) On(d *dataset.Dataset) *Recipe {
	other := *r
	other.data = d
	return &other
}

func (r *Recipe) count() error {
	r.trainCounts = make([]int, len(r.Classes))
	r.weighCounts = make([]int, len(r.Classes))
	for i := range r.data.Items {
		it := &r.data.Items[i]
		for o := range it.Objects {
			c := it.Objects[o].Class
			if c < 0 || c >= len(r.Classes) {
				return fmt.Errorf("%s: object %d has class %d, but the data set names %d classes: read it again or "+
					"correct the label",
					it.ID, o, c, len(r.Classes))
			}
			if it.Split == trainSplit {
				r.trainCounts[c]++
			}
			if r.mined(it.Split) {
				r.weighCounts[c]++
			}
		}
	}
	for _, c := range r.Classes {
		if indexOf(r.conditions, c.Condition) < 0 {
			r.conditions = append(r.conditions, c.Condition)
		}
	}
	return nil
}

// mined tells whether facts and weights come from that split.
func (r *Recipe) mined(split string) bool {
	return split == trainSplit || r.cfg.Recipe.FactsFrom == config.FactsFromAll
}

// weigh multiplies class and condition weights. The original counts its copies from weights of two digits, so
// int_weight rounds both factors; no other sampling does.
func (r *Recipe) weigh() error {
	rec := &r.cfg.Recipe
	class, err := Weights(rec.ClassWeights, r.weighCounts, rec.EffectiveBeta)
	if err != nil {
		return fmt.Errorf("RECIPE.CLASS_WEIGHTS: %w", err)
	}
	condition, err := Weights(rec.ConditionWeights, r.byCondition(r.weighCounts), rec.EffectiveBeta)
	if err != nil {
		return fmt.Errorf("RECIPE.CONDITION_WEIGHTS: %w", err)
	}
	if rec.Sampling == config.SampleIntWeight {
		class, condition = Round2(class), Round2(condition)
	}
	r.rawWeights = make([]Weight, len(class))
	for c := range class {
		r.rawWeights[c] = class[c] * condition[r.conditionOf(c)]
	}
	r.lossWeights = MeanOne(r.rawWeights, r.Plan().Expected())
	return nil
}

func (r *Recipe) byCondition(counts []int) []int {
	sums := make([]int, len(r.conditions))
	for c, n := range counts {
		sums[r.conditionOf(c)] += n
	}
	return sums
}

func (r *Recipe) conditionOf(class int) int { return indexOf(r.conditions, r.Classes[class].Condition) }

func indexOf(list []string, s string) int {
	for i, v := range list {
		if v == s {
			return i
		}
	}
	return -1
}
