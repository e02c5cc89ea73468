package recipe

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/level"
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
// where those name a condition, and words that only one class of an object type is given. questions are the parts that
// all prompts share: what stands there, such as the closed list, favours no answer and is not looked at.
func LintPrompts(samples iter.Seq[Sample], classes []dataset.Class, questions ...string) []dataset.Finding {
	p, asked := newPromptLint(classes, questions...), newPhrases()
	for s := range samples {
		s.phrase = asked.saying(s.Prompt).number
		p.add(s)
	}
	return p.findings()
}

// promptLint is LintPrompts for numbered samples that come one by one. Prompts are few where samples are many: each
// text is taken apart once.
type promptLint struct {
	classes    []dataset.Class
	questions  []string
	names      []string // of the classes, normalised
	stated     []bool   // the name says more than the object type
	conditions []string // normalised, each once
	condition  []int    // of each class, a place in conditions
	turns      []string // control tokens in each class's name

	n                       int
	total                   []int // by class
	answers, states, others []fault
	exercise                fault // that the answer names is named by the prompt
	exercises               int   // answers that name one
	broken                  fault
	words                   wordTally
	texts                   PhraseTable[*told]

	item    *dataset.Item // the one whose objects these are
	holding []int         // classes in it
	twice   []int         // classes that it holds more than once
}

// told is what one prompt says beyond the question.
type told struct {
	text    string   // normalised
	holds   []int8   // by class: 1 where its full name stands there, -1 where not, 0 not looked yet
	states  []string // by condition: the word that tells it
	turn    string   // from a control token on
	classes []int32  // samples, by class
}

func newPromptLint(classes []dataset.Class, questions ...string) *promptLint {
	n := len(classes)
	p := &promptLint{classes: classes, questions: questions, names: make([]string, n), stated: make([]bool, n),
		condition: make([]int, n), turns: make([]string, n),
		total: make([]int, n), answers: make([]fault, n), states: make([]fault, n), others: make([]fault, n),
		words: newWordTally(classes)}
	for c, class := range classes {
		p.names[c] = eval.Normalize(class.Name)
		p.stated[c] = p.names[c] != eval.Normalize(class.Object)
		p.turns[c] = ControlToken(class.Name)
		condition := eval.Normalize(class.Condition)
		if p.condition[c] = slices.Index(p.conditions, condition); p.condition[c] < 0 {
			p.condition[c] = len(p.conditions)
			p.conditions = append(p.conditions, condition)
		}
	}
	return p
}

func (p *promptLint) add(s Sample) {
	p.n++
	p.total[s.Class]++
	t := p.tell(s)
	t.classes[s.Class]++
	p.words.see(s)
	if t.turn != "" {
		p.broken.note(s, t.turn)
	} else if p.turns[s.Class] != "" {
		p.broken.note(s, p.turns[s.Class])
	}
	if s.Told() && eval.ExercisePart(s.Answer) != s.Answer {
		p.exercises++
		if p.named(t, s.Class) {
			p.exercise.note(s, p.classes[s.Class].Name)
		}
	}
	if p.holds(t, s.Class) {
		p.answers[s.Class].note(s, p.classes[s.Class].Name)
	}
	if word := t.states[p.condition[s.Class]]; word != "" {
		p.states[s.Class].note(s, word)
	}
	if c := p.otherTold(t, s); c >= 0 {
		p.others[s.Class].note(s, p.classes[c].Name)
	}
}

// tell takes a prompt apart.
func (p *promptLint) tell(s Sample) *told {
	if p.texts.forgets(s) {
		p.count()
	}
	kept := p.texts.At(s)
	if *kept == nil {
		*kept = p.takeApart(s.Prompt)
	}
	return *kept
}

func (p *promptLint) takeApart(prompt string) *told {
	t := &told{text: eval.Normalize(withoutQuestions(prompt, p.questions)), holds: make([]int8, len(p.classes)),
		classes: make([]int32, len(p.classes)), turn: ControlToken(prompt),
		states: make([]string, 0, len(p.conditions))}
	for _, condition := range p.conditions {
		t.states = append(t.states, namesCondition(t.text, condition))
	}
	return t
}

// count takes what the texts say into the tally of words, and forgets them.
func (p *promptLint) count() {
	for _, t := range p.texts.made {
		if t == nil { // no sample was asked so
			continue
		}
		words := strings.Fields(t.text)
		slices.Sort(words)
		words = slices.Compact(words)
		for class, n := range t.classes {
			if n > 0 {
				p.words.add(class, int(n), words)
			}
		}
	}
	p.texts = PhraseTable[*told]{}
}

// holds says whether a prompt has the full name of a class, where that says more than its object.
func (p *promptLint) holds(t *told, class int) bool { return p.stated[class] && p.named(t, class) }

// named says whether a prompt has the full name of a class.
func (p *promptLint) named(t *told, class int) bool {
	if t.holds[class] == 0 {
		t.holds[class] = -1
		if eval.IndexWords(t.text, p.names[class]) >= 0 {
			t.holds[class] = 1
		}
	}
	return t.holds[class] > 0
}

// otherTold is the class of the first other object of the picture
// whose full name the prompt tells; -1 where there is none.
func (p *promptLint) otherTold(t *told, s Sample) int {
	if p.item != s.Item {
		p.item, p.holding, p.twice = s.Item, p.holding[:0], p.twice[:0]
		for o := range s.Item.Objects {
			switch c := s.Item.Objects[o].Class; {
			case !slices.Contains(p.holding, c):
				p.holding = append(p.holding, c)
			case !slices.Contains(p.twice, c):
				p.twice = append(p.twice, c)
			}
		}
	}
	told := slices.ContainsFunc(p.holding, func(c int) bool {
		return (c != s.Class || slices.Contains(p.twice, c)) && p.holds(t, c)
	})
	if !told {
		return -1
	}
	for o := range s.Item.Objects {
		if c := s.Item.Objects[o].Class; o != s.Object && p.holds(t, c) {
			return c
		}
	}
	return -1
}

func (p *promptLint) findings() []dataset.Finding {
	p.count()
	var found []dataset.Finding
	for c, class := range p.classes {
		found = p.answers[c].report(found, "answer_in_prompt", p.total[c],
			fmt.Sprintf("prompts of class %q hold the answer", class.Name),
			"choose what a prompt tells by the object type, never by the class")
		found = p.states[c].report(found, "condition_in_prompt", p.total[c],
			fmt.Sprintf("prompts of class %q name the condition of the object in focus", class.Name),
			"leave the condition out of the prompt: it is what is asked")
		found = p.others[c].report(found, "class_names_in_prompt", p.total[c],
			fmt.Sprintf("prompts of class %q name other objects of the picture with their condition", class.Name),
			"name the others by their object type: stage 1 knows no more")
	}
	for c, f := range p.words.giveaways(p.classes, p.total) {
		if f.Code != "" && p.answers[c].n+p.states[c].n == 0 { // else it was said above, more plainly
			found = append(found, f)
		}
	}
	return found
}

// exerciseFindings finds prompts that name the exercise which the answer names: whether it is identified says nothing
// then, the rest of the answer does.
func (p *promptLint) exerciseFindings() []dataset.Finding {
	f := p.exercise
	if f.n == 0 {
		return nil
	}
	return []dataset.Finding{at(f.first, dataset.Finding{Code: "exercise_in_prompt", Level: level.Info,
		Text: fmt.Sprintf("prompts name the exercise that the answer names (%d of %d, first %s: %q): eval's share of "+
			"exercises identified then says no more than that the answer repeats it", f.n, p.exercises, f.first.id(),
			f.what),
		Do: "go by METEOR and ROUGE-L, or take {exercise} out of CONVERT.USER_PROMPT_TEMPLATE"})}
}

// turnFindings finds text that would break out of its turn, so that something beside the answer is trained on, or the
// answer is not.
func (p *promptLint) turnFindings() []dataset.Finding {
	return p.broken.report(nil, "supervision_outside_answer", p.n,
		"prompts or answers hold a control token of the chat, or a mark that stands for a picture: what is learned "+
			"would not be the answer",
		"take the token out of the class names, or out of the prompt")
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
	return append(found, at(f.first, dataset.Finding{Code: code, Level: level.Error,
		Text: fmt.Sprintf("%s (%d of %d, first %s: %q)", text, f.n, of, f.first.id(), f.what), Do: do}))
}

// withoutQuestions is what a prompt says beyond the shared questions.
func withoutQuestions(prompt string, questions []string) string {
	for _, question := range questions {
		if question != "" {
			prompt = strings.Replace(prompt, question, " ", 1)
		}
	}
	return prompt
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

// see takes a sample for an example of its class.
func (w *wordTally) see(s Sample) {
	if w.example[s.Class].Item == nil {
		w.example[s.Class] = s
	}
}

// add counts the words of a prompt that so many samples of a class have.
func (w *wordTally) add(class, n int, words []string) {
	for _, word := range words {
		if !slices.Contains(positionWords, word) {
			w.in[class][word] += n
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
		found[a] = at(w.example[a], dataset.Finding{Code: "answer_in_prompt", Level: level.Error,
			Text: fmt.Sprintf("all %d prompts of class %q have words that another class of the same object never "+
				"has (%s), first %s: the prompt is chosen by the answer",
				total[a], classes[a].Name, strings.Join(only, ", "), w.example[a].id()),
			Do: "choose what a prompt tells by the object type, never by the class"})
	}
	return found
}

// Supervision compares what a trainer really trains on with the answers. The zero value has seen nothing.
type Supervision struct {
	n                int
	outside, missing fault
}

// See takes a sample with the text of its supervised tokens; the end-of-turn
// token and a line feed after the answer belong to it.
func (v *Supervision) See(s Sample, supervised string) {
	v.n++
	text := strings.TrimSuffix(strings.TrimSuffix(supervised, "\n"), "<|im_end|>")
	switch {
	case text == s.Answer:
	case strings.Contains(text, s.Answer):
		v.outside.note(s, text)
	default:
		v.missing.note(s, text)
	}
}

// Findings says where the two differ.
func (v *Supervision) Findings() []dataset.Finding {
	found := v.outside.report(nil, "supervision_outside_answer", v.n,
		"more than the answer is trained on", "give every token outside the assistant's turn the label −100")
	return v.missing.report(found, "supervision_outside_answer", v.n,
		"what is trained on is not the answer",
		"give the tokens of the assistant's turn, and no others, their own ids as labels")
}

// lintTypes finds object types whose name is already the answer.
func (r *Recipe) lintTypes(v *survey) []dataset.Finding {
	if r.cfg.Recipe.PromptFacts == config.FactsNone {
		return nil
	}
	if r.facts.tellsAll {
		return []dataset.Finding{{Code: "facts_left_out", Level: level.Info, File: r.data.Root,
			Text: "every object type has one class only, so its name would be the answer: RECIPE.PROMPT_FACTS tells " +
				"nothing here",
			Do: `set RECIPE.PROMPT_FACTS to "none", or name conditions in DATASET.CONDITIONS`}}
	}
	found := r.lintKnowledge()
	for c, class := range r.Classes {
		if only, one := r.facts.tellsOne[class.Object]; !one || only != c {
			continue
		}
		if v.first[c].Item == nil {
			continue
		}
		found = append(found, at(v.first[c], dataset.Finding{Code: "type_tells_answer", Level: level.Info,
			Text: fmt.Sprintf("%s has one class only: told the object type, as RECIPE.PROMPT_FACTS does, its answer "+
				"is known", class.Object),
			Do: `read its score as given, and compare with RECIPE.PROMPT_FACTS = "none"`}))
	}
	return found
}

// lintKnowledge says what prompts tell before anything is seen: the object type is a first stage's knowledge.
func (r *Recipe) lintKnowledge() []dataset.Finding {
	known := r.Knowledge()
	nothing, object, place := known[0], known[1], known[2]
	if object.N == 0 || object.Texts < 2 {
		return nil
	}
	text := fmt.Sprintf("prompts tell the object type, which only a first stage knows: a guess by it alone is right for "+
		"%.0f %% of train, without it for %.0f %%", 100*object.Share, 100*nothing.Share)
	if r.cfg.Recipe.PromptFacts == config.FactsPlace && place.Right == object.Right {
		text += "; its usual place adds nothing to that"
	}
	return []dataset.Finding{{Code: "type_told", Level: level.Info, File: r.data.Root, Text: text,
		Do: `read its score as that of a second stage (integrate asks it with what a first stage finds), and score ` +
			`RECIPE.PROMPT_FACTS = "none" beside it`}}
}
