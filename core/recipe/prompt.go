package recipe

import (
	"fmt"
	"math"
	"strconv"
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
	return string(r.appendPrompt(nil, &r.data.Items[ref.Item], ref.Object))
}

func (r *Recipe) appendPrompt(to []byte, it *dataset.Item, focus int) []byte {
	object := &it.Objects[focus]
	center := object.Box.Center()
	rec := &r.cfg.Recipe
	if rec.Context == config.ContextFull && it.Clip == nil {
		// Nothing in the picture says which of its objects is meant.
		to = appendHundredths(append(to, "At x "...), center.X)
		to = append(appendHundredths(append(to, ", y "...), center.Y), ". "...)
	}
	if rec.PositionWords && it.Clip == nil {
		to = append(appendCapital(to, r.band(center.Y)), ". "...)
	}
	if fact := r.facts.told[object.Class]; fact != "" {
		to = append(append(to, fact...), ' ')
	}
	switch rec.Prompt {
	case config.PromptBasic:
		if it.Clip == nil {
			to = r.appendOthers(to, it, focus)
		}
	case config.PromptEnhancedOriginal:
		to = append(append(to, r.originalFacts(it, focus)...), ' ')
	}
	return append(to, r.QuestionOf(it)...)
}

// QuestionOf is the part of the prompts about an item that no sample changes.
func (r *Recipe) QuestionOf(it *dataset.Item) string {
	if it.Clip != nil {
		return r.ClipQuestion
	}
	return r.Question
}

// appendOthers names the object types of a picture beside the object in focus, each once, in the order of the closed
// list.
func (r *Recipe) appendOthers(to []byte, it *dataset.Item, focus int) []byte {
	var room [128]bool
	held := room[:]
	if n := len(r.Classes); 2*n > len(room) {
		held = make([]bool, 2*n)
	}
	held, named := held[:len(held)/2], held[len(held)/2:] // by class; types by their first class
	for o := range it.Objects {
		if o != focus {
			held[it.Objects[o].Class] = true
		}
	}
	before := "Also in the picture: "
	for c := range r.Classes {
		kind := r.facts.kind[c]
		if !held[c] || named[kind] {
			continue
		}
		named[kind] = true
		to = append(append(to, before...), r.Classes[c].Object...)
		before = ", "
	}
	if before == ", " {
		to = append(to, ". "...)
	}
	return to
}

// appendHundredths is "%.2f", quickly where that is as exact.
func appendHundredths(to []byte, v float64) []byte {
	hundredths := 100 * v
	if !(v >= 0 && v < 9) || math.Signbit(v) || math.Abs(hundredths-math.Floor(hundredths)-0.5) < 1e-6 {
		return strconv.AppendFloat(to, v, 'f', 2, 64)
	}
	n := int(math.Floor(hundredths + 0.5))
	return append(to, byte('0'+n/100), '.', byte('0'+n/10%10), byte('0'+n%10))
}

// clipQuestion is the part of a clip's prompt that no sample changes. A clip is of what is done: it has no state, and no
// place.
func (r *Recipe) clipQuestion() string {
	const question = "What is done here?"
	switch r.cfg.Recipe.Prompt {
	case config.PromptBasic:
		return question + " Answer with its name only."
	case config.PromptList:
		return question + " " + r.choices()
	}
	return question
}

// choices are the closed list of answers in words.
func (r *Recipe) choices() string {
	var names []string
	for c := range r.Classes {
		if r.Classes[c].Name != dataset.FreeText { // of answers that a set which joined has in its own words
			names = append(names, r.Classes[c].Name)
		}
	}
	return "Choose: " + strings.Join(names, "; ") + "."
}

// question is the part of a picture's prompt that no sample changes.
func (r *Recipe) question() (string, error) {
	switch r.cfg.Recipe.Prompt {
	case "short":
		return "Name and state?", nil
	case "basic":
		return "What is the object in focus" + r.statesToLookFor() +
			"? Mind where it lies and what is beside it. Answer with its name and state only.", nil
	case "list":
		return "Name and state? " + r.choices(), nil
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
