package recipe

import (
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
)

// RECIPE.PRESET and the constants that it decides go together, whoever changes them.
func TestAPresetAndItsConstantsGoTogether(t *testing.T) {
	for _, c := range []struct {
		name, changes string // KEY=value, with blanks between
		preset        string
		sampling      config.Sampling
		facts         config.Facts
	}{
		{"nothing changes", "", "enhanced", config.SampleSquareRoot, config.FactsPlace},
		{"a preset brings its constants", "PRESET=basic", "basic", config.SampleInstance, config.FactsNone},
		{"a constant makes it custom", "SAMPLING=instance", "custom", config.SampleInstance, config.FactsPlace},
		{"its last constant makes it another preset", "SAMPLING=instance POSITION_WORDS=false PROMPT_FACTS=none",
			"basic",
			config.SampleInstance, config.FactsNone},
		{"custom leaves them alone", "PRESET=custom", "custom", config.SampleSquareRoot, config.FactsPlace},
		{"a constant beside a preset wins", "PRESET=basic SAMPLING=class_balanced", "custom",
			config.SampleClassBalanced, config.FactsNone},
		{"in either order", "SAMPLING=class_balanced PRESET=basic", "custom", config.SampleClassBalanced,
			config.FactsNone},
		{"one that a preset leaves alone keeps its name", "CROP_MARGIN=0.3", "enhanced", config.SampleSquareRoot,
			config.FactsPlace},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := config.Default()
			if err := apply(before, "enhanced"); err != nil {
				t.Fatal(err)
			}
			var changes []config.Change
			for change := range strings.FieldsSeq(c.changes) {
				key, value, _ := strings.Cut(change, "=")
				changes = append(changes, config.Change{Key: "RECIPE." + key, New: value})
			}
			after, err := Changed(before, changes...)
			if err != nil {
				t.Fatal(err)
			}
			if r := after.Recipe; string(r.Preset) != c.preset || r.Sampling != c.sampling || r.PromptFacts != c.facts {
				t.Errorf("preset %s, sampling %s, facts %s; want %s, %s, %s", r.Preset, r.Sampling, r.PromptFacts,
					c.preset, c.sampling, c.facts)
			}
			if before.Recipe.Preset != "enhanced" {
				t.Errorf("the constants from before are %s now", before.Recipe.Preset)
			}
		})
	}
}

// Another section's change leaves RECIPE.PRESET as the file has it, even where that is not what the constants are.
func TestAnotherSectionsChangeNamesNoPreset(t *testing.T) {
	before := config.Default()
	before.Recipe.Preset = "basic"
	before.Recipe.Sampling = config.SampleClassBalanced
	after, err := Changed(before, config.Change{Key: "TRAIN.EPOCHS", New: "9"})
	if err != nil || after.Recipe != before.Recipe || after.Train.Epochs != 9 {
		t.Errorf("%v, %v", after, err)
	}
}

func TestEveryPresetIsAChoice(t *testing.T) {
	if got, want := append(Presets(), string(config.PresetCustom)),
		config.RecipePreset("").Choices(); !slices.Equal(got,
		want) {
		t.Errorf("%v, the choices are %v", got, want)
	}
}

// A file that the program writes names its recipe as it is: else its first screen warns of it.
func TestThePresetsOfProjectsNameTheirRecipe(t *testing.T) {
	for _, name := range config.Presets() {
		file, err := config.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := detect(file.Config); got != file.Config.Recipe.Preset {
			t.Errorf("%s says RECIPE.PRESET %s, its constants are those of %s", name, file.Config.Recipe.Preset, got)
		}
	}
}
