package config

import (
	"slices"
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
