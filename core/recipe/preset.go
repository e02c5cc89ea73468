package recipe

import (
	"fmt"
	"slices"
	"strings"

	"finetui/core/config"
)

// Custom names constants that are those of no preset.
const Custom = "custom"

// preset is a named set of RECIPE constants. It leaves alone what the base and the pictures decide (CONTEXT,
// CROP_MARGIN) and what its own choices do not use, so that two presets differ in nothing but the recipe.
type preset struct {
	name string
	set  func(*config.Recipe)
}

var presets = []preset{
	{"basic", func(r *config.Recipe) {
		r.ClassWeights, r.ConditionWeights, r.Sampling = "none", "none", config.SampleInstance
		r.Loss, r.Prompt, r.PositionWords, r.PromptFacts, r.FactsFrom = config.LossCrossEntropy, "short", false,
			"none", "train"
	}},
	{"enhanced", func(r *config.Recipe) {
		r.ClassWeights, r.ConditionWeights, r.Sampling = "none", "none", config.SampleSquareRoot
		r.Loss, r.Prompt, r.PositionWords, r.PromptFacts, r.FactsFrom = config.LossCrossEntropy, "short", true,
			"place", "train"
	}},
	{"enhanced-original", func(r *config.Recipe) {
		r.ClassWeights, r.ConditionWeights, r.Sampling = config.WeightMaxRatio, config.WeightMaxRatio,
			config.SampleIntWeight
		r.Loss, r.Prompt, r.PositionWords, r.PromptFacts, r.FactsFrom = config.LossCrossEntropy,
			config.PromptEnhancedOriginal, true,
			"none", "all"
	}},
}

// Presets are the names of the presets, without Custom.
func Presets() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}

// apply sets the RECIPE constants that a preset decides. "custom" keeps them as they are.
func apply(cfg *config.Config, name string) error {
	if name == Custom {
		cfg.Recipe.Preset = Custom
		return nil
	}
	for _, p := range presets {
		if p.name == name {
			p.set(&cfg.Recipe)
			cfg.Recipe.Preset = name
			return nil
		}
	}
	return fmt.Errorf("unknown RECIPE.PRESET %q: choose %s or %s", name, strings.Join(Presets(), ", "), Custom)
}

// detect names the preset whose constants these are, or Custom. RECIPE.PRESET itself is not looked at.
func detect(cfg *config.Config) string {
	for _, p := range presets {
		with := cfg.Recipe
		p.set(&with)
		if with == cfg.Recipe {
			return p.name
		}
	}
	return Custom
}

const (
	presetName = "RECIPE.PRESET"
	section    = "RECIPE."
)

// Changed is config.Changed with what goes together kept together: RECIPE.PRESET brings the constants that it decides,
// those that are changed beside it win, and whatever else of RECIPE is changed, RECIPE.PRESET names what they then are.
func Changed(c *config.Config, changes ...config.Change) (*config.Config, error) {
	after, err := config.Changed(c, changes...)
	if err != nil {
		return nil, err
	}
	named := func(change config.Change) bool { return change.Key == presetName }
	others := slices.DeleteFunc(slices.Clone(changes), named)
	if len(others) < len(changes) {
		if err := apply(after, after.Recipe.Preset); err != nil {
			return nil, err
		}
		if after, err = config.Changed(after, others...); err != nil {
			return nil, err
		}
	}
	ofRecipe := func(change config.Change) bool { return strings.HasPrefix(change.Key, section) }
	if slices.ContainsFunc(others, ofRecipe) {
		after.Recipe.Preset = detect(after)
	}
	return after, nil
}
