package recipe

import (
	"fmt"
	"slices"
	"strings"

	"finetui/core/config"
)

// preset is a named set of RECIPE constants. It leaves alone what the base and the pictures decide (CONTEXT,
// CROP_MARGIN) and what its own choices do not use, so that two presets differ in nothing but the recipe.
type preset struct {
	name config.RecipePreset
	set  func(*config.Recipe)
}

var presets = []preset{
	{config.PresetBasic, func(r *config.Recipe) {
		r.ClassWeights, r.ConditionWeights, r.Sampling = config.WeightNone, config.WeightNone, config.SampleInstance
		r.Loss, r.Prompt, r.PositionWords = config.LossCrossEntropy, config.PromptShort, false
		r.PromptFacts, r.FactsFrom = config.FactsNone, config.FactsFromTrain
	}},
	{config.PresetEnhanced, func(r *config.Recipe) {
		r.ClassWeights, r.ConditionWeights, r.Sampling = config.WeightNone, config.WeightNone, config.SampleSquareRoot
		r.Loss, r.Prompt, r.PositionWords = config.LossCrossEntropy, config.PromptShort, true
		r.PromptFacts, r.FactsFrom = config.FactsPlace, config.FactsFromTrain
	}},
	{config.PresetEnhancedOriginal, func(r *config.Recipe) {
		r.ClassWeights, r.ConditionWeights = config.WeightMaxRatio, config.WeightMaxRatio
		r.Sampling, r.Loss = config.SampleIntWeight, config.LossCrossEntropy
		r.Prompt, r.PositionWords = config.PromptEnhancedOriginal, true
		r.PromptFacts, r.FactsFrom = config.FactsNone, config.FactsFromAll
	}},
}

// Presets are the names of the presets, without PresetCustom.
func Presets() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = string(p.name)
	}
	return names
}

// apply sets the RECIPE constants that a preset decides. "custom" keeps them as they are.
func apply(cfg *config.Config, name config.RecipePreset) error {
	if name == config.PresetCustom {
		cfg.Recipe.Preset = config.PresetCustom
		return nil
	}
	for _, p := range presets {
		if p.name == name {
			p.set(&cfg.Recipe)
			cfg.Recipe.Preset = name
			return nil
		}
	}
	return fmt.Errorf("unknown RECIPE.PRESET %q: choose one of %s", name, strings.Join(name.Choices(), ", "))
}

// detect names the preset whose constants these are, or PresetCustom. RECIPE.PRESET itself is not looked at.
func detect(cfg *config.Config) config.RecipePreset {
	for _, p := range presets {
		with := cfg.Recipe
		p.set(&with)
		if with == cfg.Recipe {
			return p.name
		}
	}
	return config.PresetCustom
}

// PresetKey is the constant that names a preset.
const PresetKey = "RECIPE.PRESET"

const section = "RECIPE."

// Changed is config.Changed with what goes together kept together: RECIPE.PRESET brings the constants that it decides,
// those that are changed beside it win, and whatever else of RECIPE is changed, RECIPE.PRESET names what they then are.
func Changed(c *config.Config, changes ...config.Change) (*config.Config, error) {
	after, err := config.Changed(c, changes...)
	if err != nil {
		return nil, err
	}
	named := func(change config.Change) bool { return change.Key == PresetKey }
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
