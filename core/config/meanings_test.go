package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestEveryChoiceOfTheRecipeHasAMeaning(t *testing.T) {
	for _, field := range Fields() {
		choices := field.Choices
		if field.Section != "RECIPE" && meanings[field.Name()] == nil || field.Kind == List {
			continue
		}
		if field.Kind == Switch {
			choices = []string{"true", "false"}
		}
		for _, choice := range choices {
			if Means(field.Name(), choice) == "" {
				t.Errorf("%s = %s: nothing says what it means", field.Name(), choice)
			}
		}
	}
	for name, of := range meanings {
		field, err := Lookup(name)
		if err != nil {
			t.Errorf("%s: there is no such constant", name)
			continue
		}
		for choice := range of {
			if field.Kind != Switch && !slices.Contains(field.Choices, choice) {
				t.Errorf("%s has no choice %s", name, choice)
			}
		}
	}
}

// What a constant of fixed words may be is said by its type alone: the schema has no list of its own.
func TestFixedWordsAreTypes(t *testing.T) {
	known := map[string]string{"DATASET.SPLIT_BY": "SplitBy", "CONVERT.DIALECT": "Dialect",
		"RECIPE.PRESET":     "RecipePreset",
		"RECIPE.FACTS_FROM": "FactsFrom", "LORA.TARGETS": "Targets", "VIEW.THEME": "Theme", "VIEW.COLORS": "Colors",
		"VIEW.IMAGES": "Images", "VIEW.FORMAT": "Output"}
	root := reflect.TypeFor[Config]()
	for _, field := range Fields() {
		key := root.Field(field.index[0]).Type.Field(field.index[1])
		if _, tagged := key.Tag.Lookup("choices"); tagged {
			t.Errorf("%s lists its choices in a tag", field.Name())
		}
		if want := known[field.Name()]; want != "" && (key.Type.Name() != want || len(field.Choices) < 2) {
			t.Errorf("%s is a %s of %v, want %s", field.Name(), key.Type, field.Choices, want)
		}
		for _, choice := range field.Choices {
			if _, err := Changed(Default(), Change{Key: field.Name(), New: choice}); err != nil {
				t.Errorf("%s = %s: %v", field.Name(), choice, err)
			}
			if !strings.Contains(comment(field), choice) {
				t.Errorf("the comment of %s does not name %s: %s", field.Name(), choice, comment(field))
			}
		}
		if len(field.Choices) == 0 {
			continue
		}
		if _, err := Changed(Default(), Change{Key: field.Name(), New: "nonsense"}); err == nil {
			t.Errorf("%s takes nonsense", field.Name())
		}
	}
}
