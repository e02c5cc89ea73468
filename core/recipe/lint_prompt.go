package recipe

import (
	"fmt"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval"
)

// giveawayFrom is how many samples two classes of one object type need before a word that only one of them has counts
// as chosen by the answer rather than as chance.
const giveawayFrom = 10

// fault is one kind of leak in one class: the first sample that shows it, and how many do.
type fault struct {
	first Sample
	n     int
	what  string // that was told
}

// LintPrompts finds prompts that tell what they ask for: the answer, its condition, the full names of other objects
// where those name a condition, and words that only one class of an object type is given. question is the part that
// all prompts share: what stands there, such as the closed list, favours no answer and is not looked at.
func LintPrompts(samples []Sample, classes []dataset.Class, question string) []dataset.Finding {
	names := make([]string, len(classes))      // normalised
	stated := make([]bool, len(classes))       // the name says more than the object type
	conditions := make([]string, len(classes)) // normalised
	total := make([]int, len(classes))
	for c, class := range classes {
		names[c] = eval.Normalize(class.Name)
		stated[c] = names[c] != eval.Normalize(class.Object)
		conditions[c] = eval.Normalize(class.Condition)
	}
	answers, states, others := make([]fault, len(classes)), make([]fault, len(classes)), make([]fault, len(classes))
	words := newWordTally(classes)
	for _, s := range samples {
		total[s.Class]++
		told := eval.Normalize(withoutQuestion(s.Prompt, question))
		words.add(s, told)
		if stated[s.Class] && eval.IndexWords(told, names[s.Class]) >= 0 {
			answers[s.Class].note(s, classes[s.Class].Name)
		}
		if word := namesCondition(told, conditions[s.Class]); word != "" {
			states[s.Class].note(s, word)
		}
		for o := range s.Item.Objects {
			c := s.Item.Objects[o].Class
			if o != s.Object && stated[c] && eval.IndexWords(told, names[c]) >= 0 {
				others[s.Class].note(s, classes[c].Name)
				break
			}
		}
	}
	var found []dataset.Finding
	for c, class := range classes {
		found = answers[c].report(found, "answer-in-prompt", total[c],
			fmt.Sprintf("prompts of class %q hold the answer", class.Name), "choose what a prompt tells by the object type, never by the class")
		found = states[c].report(found, "condition-in-prompt", total[c],
			fmt.Sprintf("prompts of class %q name the condition of the object in focus", class.Name), "leave the condition out of the prompt: it is what is asked")
		found = others[c].report(found, "class-names-in-prompt", total[c],
			fmt.Sprintf("prompts of class %q name other objects of the picture with their condition", class.Name), "name the others by their object type: stage 1 knows no more")
	}
	for c, f := range words.giveaways(classes, total) {
		if f.Code != "" && answers[c].n+states[c].n == 0 { // else it was said above, more plainly
			found = append(found, f)
		}
	}
	return found
}

func (f *fault) note(s Sample, what string) {
	if f.n == 0 {
		f.first, f.what = s, what
	}
	f.n++
}

func (f *fault) report(found []dataset.Finding, code string, of int, text, do string) []dataset.Finding {
	if f.n == 0 {
		return found
	}
	return append(found, at(f.first, dataset.Finding{Code: code, Level: dataset.LevelError,
		Text: fmt.Sprintf("%s (%d of %d, first %s: %q)", text, f.n, of, f.first.ID, f.what), Do: do}))
}

// withoutQuestion is what a prompt says beyond the shared question.
func withoutQuestion(prompt, question string) string {
	if question == "" {
		return prompt
	}
	return strings.Replace(prompt, question, " ", 1)
}

// namesCondition returns the word of a normalised text that tells the condition, in any form: blocked, blockage, block.
func namesCondition(text, condition string) string {
	if condition == "" {
		return ""
	}
	if strings.Contains(condition, " ") {
		if eval.IndexWords(text, condition) >= 0 {
			return condition
		}
		return ""
	}
	stem := condition
	if short := strings.TrimSuffix(condition, "ed"); short != condition && len(short) >= 4 {
		stem = short
	}
	for _, word := range strings.Fields(text) {
		if word == condition || stem != condition && strings.HasPrefix(word, stem) {
			return word
		}
	}
	return ""
}

// wordTally counts in how many prompts of a class a word stands.
type wordTally struct {
	in      []map[string]int
	example []Sample
}

func newWordTally(classes []dataset.Class) wordTally {
	w := wordTally{in: make([]map[string]int, len(classes)), example: make([]Sample, len(classes))}
	for c := range w.in {
		w.in[c] = map[string]int{}
	}
	return w
}

// positionWords tell where an object lies: they are read off the picture, whichever class they favour.
var positionWords = []string{"at", "the", "in", "top", "middle", "bottom", "x", "y"}

func (w *wordTally) add(s Sample, told string) {
	if w.example[s.Class].Item == nil {
		w.example[s.Class] = s
	}
	words := strings.Fields(told)
	slices.Sort(words)
	for _, word := range slices.Compact(words) {
		if !slices.Contains(positionWords, word) {
			w.in[s.Class][word]++
		}
	}
}

// giveaways finds words that stand in every prompt of a class and in none of another class of the same object type.
// It returns one finding for each class, empty where there is nothing.
func (w *wordTally) giveaways(classes []dataset.Class, total []int) []dataset.Finding {
	found := make([]dataset.Finding, len(classes))
	for a := range classes {
		var only []string
		for b := range classes {
			if a == b || classes[a].Object != classes[b].Object || total[a] < giveawayFrom || total[b] < giveawayFrom {
				continue
			}
			for word, n := range w.in[a] {
				if n == total[a] && w.in[b][word] == 0 {
					only = append(only, word)
				}
			}
		}
		if len(only) == 0 {
			continue
		}
		slices.Sort(only)
		only = slices.Compact(only)
		found[a] = at(w.example[a], dataset.Finding{Code: "answer-in-prompt", Level: dataset.LevelError,
			Text: fmt.Sprintf("all %d prompts of class %q have words that another class of the same object never has (%s), first %s: the prompt is chosen by the answer",
				total[a], classes[a].Name, strings.Join(only, ", "), w.example[a].ID),
			Do: "choose what a prompt tells by the object type, never by the class"})
	}
	return found
}

// lintTurns finds text that would break out of its turn, so that something beside the answer is trained on, or the
// answer is not.
func (r *Recipe) lintTurns(samples []Sample) []dataset.Finding {
	var broken fault
	for _, s := range samples {
		for _, text := range []string{s.Prompt, s.Answer} {
			if token := ControlToken(text); token != "" {
				broken.note(s, token)
				break
			}
		}
	}
	return broken.report(nil, "supervision-outside-answer", len(samples),
		"prompts or answers hold a control token of the chat, or a mark that stands for a picture: what is learned would not be the answer",
		"take the token out of the class names, or out of the prompt")
}

// LintSupervision compares what a trainer really trains on with the answer. supervised returns the text of a sample's
// supervised tokens; the end-of-turn token and a line feed after the answer belong to it.
func LintSupervision(samples []Sample, supervised func(Sample) string) []dataset.Finding {
	var outside, missing fault
	for _, s := range samples {
		text := strings.TrimSuffix(strings.TrimSuffix(supervised(s), "\n"), "<|im_end|>")
		switch {
		case text == s.Answer:
		case strings.Contains(text, s.Answer):
			outside.note(s, text)
		default:
			missing.note(s, text)
		}
	}
	found := outside.report(nil, "supervision-outside-answer", len(samples),
		"more than the answer is trained on", "give every token outside the assistant's turn the label −100")
	return missing.report(found, "supervision-outside-answer", len(samples),
		"what is trained on is not the answer", "give the tokens of the assistant's turn, and no others, their own ids as labels")
}

// lintTypes finds object types whose name is already the answer.
func (r *Recipe) lintTypes(samples []Sample) []dataset.Finding {
	if r.cfg.Recipe.PromptFacts == "none" {
		return nil
	}
	if r.facts.tellsAll {
		return []dataset.Finding{{Code: "facts-left-out", Level: dataset.LevelInfo, File: r.data.Root,
			Text: "every object type has one class only, so its name would be the answer: RECIPE.PROMPT_FACTS tells nothing here",
			Do:   `set RECIPE.PROMPT_FACTS to "none", or name conditions in DATASET.CONDITIONS`}}
	}
	var found []dataset.Finding
	for c, class := range r.Classes {
		if only, one := r.facts.tellsOne[class.Object]; !one || only != c {
			continue
		}
		first := slices.IndexFunc(samples, func(s Sample) bool { return s.Class == c })
		if first < 0 {
			continue
		}
		found = append(found, at(samples[first], dataset.Finding{Code: "type-tells-answer", Level: dataset.LevelInfo,
			Text: fmt.Sprintf("%s has one class only: told the object type, as RECIPE.PROMPT_FACTS does, its answer is known", class.Object),
			Do:   `read its score as given, and compare with RECIPE.PROMPT_FACTS = "none"`}))
	}
	return found
}
