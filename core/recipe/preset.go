package recipe

import (
	"fmt"
	"strings"

	"finetui/core/config"
)

// Custom is what Detect calls constants that are no preset's.
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

// Presets lists the names that Apply knows.
func Presets() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}

// Apply sets the RECIPE constants that a preset decides. "custom" keeps them as they are.
func Apply(cfg *config.Config, name string) error {
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

// Detect names the preset whose constants these are, or Custom. RECIPE.PRESET itself is not looked at.
func Detect(cfg *config.Config) string {
	for _, p := range presets {
		with := cfg.Recipe
		p.set(&with)
		if with == cfg.Recipe {
			return p.name
		}
	}
	return Custom
}
