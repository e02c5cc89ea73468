package recipe

import (
	"fmt"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
)

// Prompt is the user turn about one object: where it lies, what is known of its type, then the question. Nothing in it
// depends on the object's condition, but for PROMPT = enhanced-original, which repeats the original's faults. A
// reference that the data set does not have gives the question alone.
func (r *Recipe) Prompt(ref dataset.Ref) string {
	if ref.Item < 0 || ref.Item >= len(r.data.Items) || ref.Object < 0 ||
		ref.Object >= len(r.data.Items[ref.Item].Objects) {
		return r.Question
	}
	it := &r.data.Items[ref.Item]
	object := it.Objects[ref.Object]
	center := object.Box.Center()
	rec := &r.cfg.Recipe

	var said []string
	if rec.Context == "full" && it.Clip == nil {
		// Nothing in the picture says which of its objects is meant.
		said = append(said, fmt.Sprintf("At x %.2f, y %.2f.", center.X, center.Y))
	}
	if rec.PositionWords && it.Clip == nil {
		said = append(said, capital(r.band(center.Y))+".")
	}
	if fact := r.fact(r.Classes[object.Class].Object); fact != "" {
		said = append(said, fact)
	}
	switch rec.Prompt {
	case "basic":
		if others := r.othersIn(it, ref.Object); len(others) > 0 {
			said = append(said, "Also in the picture: "+strings.Join(others, ", ")+".")
		}
	case "enhanced-original":
		said = append(said, r.originalFacts(it, ref.Object))
	}
	return strings.Join(append(said, r.Question), " ")
}

// question is the part of the prompt that no sample changes.
func (r *Recipe) question() (string, error) {
	switch r.cfg.Recipe.Prompt {
	case "short":
		return "Name and state?", nil
	case "basic":
		return "What is the object in focus" + r.statesToLookFor() +
			"? Mind where it lies and what is beside it. Answer with its name and state only.", nil
	case "list":
		var names []string
		for c := range r.Classes {
			if r.Classes[c].Name != dataset.FreeText { // of answers that a set which joined has in its own words
				names = append(names, r.Classes[c].Name)
			}
		}
		return "Name and state? Choose: " + strings.Join(names, "; ") + ".", nil
	case "enhanced-original":
		return "Which kind of object is it and what state is it in?", nil
	}
	return "", fmt.Errorf("unknown RECIPE.PROMPT %q: choose short, basic, list or enhanced-original",
		r.cfg.Recipe.Prompt)
}

// statesToLookFor names every condition there is, so that it favours none.
func (r *Recipe) statesToLookFor() string {
	if len(r.conditions) < 2 {
		return ""
	}
	last := len(r.conditions) - 1
	return ", and is it " + strings.Join(r.conditions[:last], ", ") + " or " + r.conditions[last]
}

// fact is what PROMPT_FACTS tells of an object type. Where every type has one class its name is the answer, so
// nothing is told (lint says so).
func (r *Recipe) fact(object string) string {
	if r.cfg.Recipe.PromptFacts == config.FactsNone || r.facts.tellsAll {
		return ""
	}
	place, known := r.facts.place[object]
	if r.cfg.Recipe.PromptFacts == config.FactsObject || !known {
		return withArticle(object) + "."
	}
	return withArticle(object) + "; " + place + "."
}

// originalFacts repeats, in our words, what the original told: every class name in the picture, the condition of the
// object in focus, and facts chosen by the answer.
func (r *Recipe) originalFacts(it *dataset.Item, focus int) string {
	c := it.Objects[focus].Class
	var in []string
	for class := range r.Classes {
		for o := range it.Objects {
			if it.Objects[o].Class == class {
				in = append(in, r.Classes[class].Name)
				break
			}
		}
	}
	return fmt.Sprintf("The picture holds %s. In focus: %s, %s, y %.2f. %s: %d known, mean y %.2f.",
		strings.Join(in, ", "), r.Classes[c].Object, r.Classes[c].Condition, it.Objects[focus].Box.Center().Y,
		r.Classes[c].Name, r.weighCounts[c], r.facts.classMean[c])
}
