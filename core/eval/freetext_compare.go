package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"finetui/core/eval/textmetric"
	"finetui/core/printable"
)

// FreeTextComparison is two subjects' answers to the same items in free words.
type FreeTextComparison struct {
	Schema   int       `json:"schema"`
	Kind     string    `json:"kind"` // FreeTextComparisonKind
	Split    string    `json:"split"`
	Subjects [2]string `json:"subjects"`
	N        int       `json:"n"` // items that both answered and that expect the same of both

	OnlyInFirst  []string `json:"only_in_first,omitempty"` // IDs that are left out
	OnlyInSecond []string `json:"only_in_second,omitempty"`
	TruthDiffers []string `json:"truth_differs,omitempty"`
	Unanswered   []string `json:"unanswered,omitempty"` // by one of the two or both

	Named              int        `json:"named"` // items whose expected answer names an exercise
	BothIdentified     int        `json:"both_identified"`
	OnlyFirst          int        `json:"only_first_identified"`
	OnlySecond         int        `json:"only_second_identified"`
	NeitherIdentified  int        `json:"neither_identified"`
	P                  float64    `json:"p"` // McNemar's exact test of the exercise identified, two-sided
	Identified         [2]float64 `json:"identified_share"`
	Difference         float64    `json:"identified_difference"` // second minus first
	DifferenceInterval *Interval  `json:"identified_difference_interval"`
	DifferenceMethod   string     `json:"identified_difference_method"`

	Synonyms string         `json:"meteor_synonyms"` // by which METEOR was measured for both
	METEOR   MeanDifference `json:"meteor"`
	ROUGEL   MeanDifference `json:"rouge_l"`
	Method   string         `json:"mean_difference_method"`

	Exercises Ordered[FreeTextPair] `json:"exercises"` // the rarest last

	Timed *TimedComparison `json:"timed_feedback,omitempty"` // nil: the items have no feedback with times

	Constants  []string `json:"constants"`   // in which the two differ
	SameRecipe bool     `json:"same_recipe"` // runs that differ by chance alone: none is better than the other
	Sentences  []string `json:"sentences"`

	told [2]int // of Named, those whose prompt names the exercise: TellsExercise
}

// Verdict says whether the two answer differently, and by which measures: each by its own test or interval.
func (c *FreeTextComparison) Verdict() (differs bool, words string) {
	var by, none []string
	for _, m := range []struct {
		name      string
		has, told bool
	}{{"T-F", c.Timed != nil, c.Timed != nil && c.Timed.TF.told()},
		{"the exercise identified", c.Named > 0, c.P < Told}, {"METEOR", true, c.METEOR.told()},
		{"ROUGE-L", true, c.ROUGEL.told()}} {
		switch {
		case !m.has:
		case m.told:
			by = append(by, m.name)
		default:
			none = append(none, m.name)
		}
	}
	switch {
	case c.SameRecipe:
		return false, "one recipe, two runs: what lies between them is chance"
	case len(by) == 0:
		return false, "not told apart by " + listed(none, "or")
	case len(none) == 0:
		return true, "they differ by " + listed(by, "and")
	}
	return true, "they differ by " + listed(by, "and") + ", and are not told apart by " + listed(none, "or")
}

// listed is a list in words.
func listed(names []string, last string) string {
	n := len(names)
	if n < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:n-1], ", ") + " " + last + " " + names[n-1]
}

// FreeTextComparisonKind is FreeTextComparison.Kind.
const FreeTextComparisonKind = "free_text_comparison"

// MeanDifference is a mean over the same items in both subjects.
type MeanDifference struct {
	Means      [2]float64 `json:"means"`
	Difference float64    `json:"difference"` // second minus first
	Interval   *Interval  `json:"interval"`   // nil for less than two items
}

// told tells whether the interval leaves 0 out.
func (d MeanDifference) told() bool {
	return d.Interval != nil && (d.Interval[0] > 0 || d.Interval[1] < 0)
}

// FreeTextPair is an exercise in both subjects.
type FreeTextPair struct {
	N          int        `json:"n"`
	Named      int        `json:"named"`
	Identified [2]int     `json:"identified"`
	METEOR     [2]float64 `json:"meteor"`
	ROUGEL     [2]float64 `json:"rouge_l"`
}

// CompareFreeText puts two subjects beside each other on the items that both answered. constants are those in which
// their configurations differ, as they are to be shown. seed is that of the bootstrap. Where their METEOR was measured
// with different synonyms it is measured again for both, without any.
func CompareFreeText(a, b *FreeTextResult, constants []string, seed uint64) (*FreeTextComparison, error) {
	c := &FreeTextComparison{
		Schema: Schema, Kind: FreeTextComparisonKind, Split: a.Split, Subjects: [2]string{a.Subject, b.Subject},
		DifferenceMethod: "Newcombe 1998, method 10 (paired, from Wilson intervals)",
		Method:           fmt.Sprintf("paired bootstrap, %d resamples", DefaultResamples),
		Synonyms:         a.Synonyms,
		Constants:        append([]string{}, constants...), // a list in JSON, even where it is empty
		SameRecipe:       constants != nil && len(constants) == 0,
	}
	pairs := c.match(a, b)
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s (%s) and %s (%s) have no answered item in common: evaluate both on the same split",
			a.Subject, a.Split, b.Subject, b.Split)
	}
	again := a.Synonyms != b.Synonyms
	if again {
		c.Synonyms = textmetric.NoSynonyms
		for i := range pairs {
			for s := range pairs[i] {
				pairs[i][s].METEOR = textmetric.Meteor{}.Score(pairs[i][s].Truth, pairs[i][s].Answer)
			}
		}
	}
	c.count(pairs)
	c.METEOR, c.ROUGEL = meanDifferences(pairs, seed)
	c.groups(pairs)
	c.Sentences = c.say()
	if again {
		c.Sentences = append(c.Sentences, fmt.Sprintf("METEOR was measured with different synonyms (%s: %s, %s: %s): "+
			"here it is without any for both.", a.Subject, a.Synonyms, b.Subject, b.Synonyms))
	}
	return c, nil
}

// textPair is one item in both subjects.
type textPair [2]FreeTextAnswer

// match pairs the items by ID and lists those that have no partner.
func (c *FreeTextComparison) match(a, b *FreeTextResult) []textPair {
	second := make(map[string]int, len(b.Items))
	for i := range b.Items {
		second[b.Items[i].ID] = i
	}
	var pairs []textPair
	common := make(map[string]bool, len(a.Items))
	for _, first := range a.Items {
		at, ok := second[first.ID]
		common[first.ID] = true
		switch {
		case !ok:
			c.OnlyInFirst = append(c.OnlyInFirst, first.ID)
		case b.Items[at].Truth != first.Truth:
			c.TruthDiffers = append(c.TruthDiffers, first.ID)
		case first.Status != Answered || b.Items[at].Status != Answered:
			c.Unanswered = append(c.Unanswered, first.ID)
		default:
			pairs = append(pairs, textPair{first, b.Items[at]})
		}
	}
	for i := range b.Items {
		if !common[b.Items[i].ID] {
			c.OnlyInSecond = append(c.OnlyInSecond, b.Items[i].ID)
		}
	}
	return pairs
}

// count takes the exercises that both name.
func (c *FreeTextComparison) count(pairs []textPair) {
	c.N = len(pairs)
	for _, p := range pairs {
		if !p[0].Named { // both expect the same
			continue
		}
		c.Named++
		for s := range 2 {
			if TellsExercise(p[s].Prompt, p[s].Truth) {
				c.told[s]++
			}
		}
		switch first, second := p[0].Identified, p[1].Identified; {
		case first && second:
			c.BothIdentified++
		case first:
			c.OnlyFirst++
		case second:
			c.OnlySecond++
		default:
			c.NeitherIdentified++
		}
	}
	c.Identified = [2]float64{share(c.BothIdentified+c.OnlyFirst, c.Named),
		share(c.BothIdentified+c.OnlySecond, c.Named)}
	c.Difference = share(c.OnlySecond-c.OnlyFirst, c.Named)
	c.DifferenceInterval = NewcombeDifference(c.BothIdentified, c.OnlyFirst, c.OnlySecond, c.NeitherIdentified,
		Confidence)
	c.P = McNemar(c.OnlyFirst, c.OnlySecond)
}

func meanDifferences(pairs []textPair, seed uint64) (meteor, rouge MeanDifference) {
	ofMeteor, ofRouge := make([]float64, len(pairs)), make([]float64, len(pairs))
	for i, p := range pairs {
		for s, a := range p {
			meteor.Means[s] += a.METEOR / float64(len(pairs))
			rouge.Means[s] += a.ROUGEL / float64(len(pairs))
		}
		ofMeteor[i], ofRouge[i] = p[1].METEOR-p[0].METEOR, p[1].ROUGEL-p[0].ROUGEL
	}
	meteor.Difference, rouge.Difference = meteor.Means[1]-meteor.Means[0], rouge.Means[1]-rouge.Means[0]
	meteor.Interval, rouge.Interval = bootstrapMeans(ofMeteor, ofRouge, DefaultResamples, seed)
	return meteor, rouge
}

// groups sums up by the exercise of the first subject's items.
func (c *FreeTextComparison) groups(pairs []textPair) {
	of := map[string]int{}
	for _, p := range pairs {
		g, ok := of[p[0].Exercise]
		if !ok {
			g = len(c.Exercises)
			of[p[0].Exercise] = g
			c.Exercises = append(c.Exercises, Named[FreeTextPair]{Name: p[0].Exercise})
		}
		v := &c.Exercises[g].Value
		v.N++
		if p[0].Named {
			v.Named++
		}
		for s, a := range p {
			if a.Identified {
				v.Identified[s]++
			}
			v.METEOR[s] += a.METEOR
			v.ROUGEL[s] += a.ROUGEL
		}
	}
	for i := range c.Exercises {
		v := &c.Exercises[i].Value
		for s := range 2 {
			v.METEOR[s] /= float64(v.N)
			v.ROUGEL[s] /= float64(v.N)
		}
	}
	slices.SortStableFunc(c.Exercises, func(a, b Named[FreeTextPair]) int {
		return byCount(a.Value.N, b.Value.N, a.Name, b.Name)
	})
}

// say puts the comparison into sentences.
func (c *FreeTextComparison) say() []string {
	first, second := c.Subjects[0], c.Subjects[1]
	var out []string
	if c.Named > 0 {
		counts := fmt.Sprintf("of %s %s alone names the right one on %d, %s alone on %d (McNemar's exact p %s)",
			items(c.Named), first, c.OnlyFirst, second, c.OnlySecond, pText(c.P))
		switch {
		case c.SameRecipe:
			out = append(out, fmt.Sprintf("Two runs of one recipe: what lies between them is chance, no gain: %s.",
				counts))
		case c.P < Told:
			better := second
			if c.Difference < 0 {
				better = first
			}
			out = append(out, fmt.Sprintf("%s identifies more exercises: %s.", better, counts))
		default:
			out = append(out, fmt.Sprintf("The two cannot be told apart by the exercise that they name: %s.", counts))
			out = append(out, fewDiscordant(c.OnlyFirst+c.OnlySecond)...)
		}
		out = append(out, fmt.Sprintf("Exercise identified %s → %s, a difference of %s points (95 %%: %s).",
			percent(c.Identified[0]), percent(c.Identified[1]), signed(100*c.Difference), points(c.DifferenceInterval)))
	}
	if c.told[0]+c.told[1] > 0 {
		out = append(out, fmt.Sprintf("The prompt names the exercise in %d of %d and %d of %d: to identify it there is "+
			"to repeat it.", c.told[0], c.Named, c.told[1], c.Named))
	}
	out = append(out, c.METEOR.say("METEOR"), c.ROUGEL.say("ROUGE-L"))
	out = append(out, differText(c.Constants)...)
	left := len(c.OnlyInFirst) + len(c.OnlyInSecond) + len(c.TruthDiffers) + len(c.Unanswered)
	if left > 0 {
		out = append(out, fmt.Sprintf("Left out: %s, %d only in %s, %d only in %s, %d with another truth, %d without "+
			"an answer.", items(left), len(c.OnlyInFirst), first, len(c.OnlyInSecond), second, len(c.TruthDiffers),
			len(c.Unanswered)))
	}
	return out
}

func (d MeanDifference) say(name string) string {
	text := fmt.Sprintf("%s %.3f → %.3f, a difference of %s", name, d.Means[0], d.Means[1], signedScore(d.Difference))
	if d.Interval == nil {
		return text + ", from one item."
	}
	text += fmt.Sprintf(" (95 %%: %s to %s)", signedScore(d.Interval[0]), signedScore(d.Interval[1]))
	if !d.told() {
		text += "; the interval holds 0"
	}
	return text + "."
}

// signedScore writes a difference of scores that are not spoken of in percent.
func signedScore(v float64) string {
	s := fmt.Sprintf("%+.3f", v)
	if s == "-0.000" || s == "+0.000" {
		return "0.000"
	}
	return strings.Replace(s, "-", "−", 1)
}

// WriteJSON writes compare.json, all of it or nothing.
func (c *FreeTextComparison) WriteJSON(path string) error { return writeJSON(path, c) }

// Text is the comparison as plain lines: what it says, then exercise by exercise.
func (c *FreeTextComparison) Text() string {
	var b strings.Builder
	first, second := printable.Line(c.Subjects[0]), printable.Line(c.Subjects[1])
	fmt.Fprintf(&b, "%s → %s on %s\n", first, second, printable.Line(c.Split))
	for _, s := range c.Sentences {
		b.WriteString(printable.Line(s) + "\n")
	}
	b.WriteByte('\n')
	if c.Timed != nil {
		b.WriteString(c.Timed.table(c.Subjects) + "\n")
	}
	rows := [][]string{{"exercise", "n", "METEOR " + first, second, "", "ROUGE-L " + first, second, "",
		"identified " + first, second}}
	for _, e := range c.Exercises {
		v := e.Value
		row := []string{exerciseName(e.Name), strconv.Itoa(v.N)}
		for _, means := range [][2]float64{v.METEOR, v.ROUGEL} {
			row = append(row, fmt.Sprintf("%.3f", means[0]), fmt.Sprintf("%.3f", means[1]),
				signedScore(means[1]-means[0]))
		}
		for _, k := range v.Identified {
			row = append(row, orDash(v.Named, percent(share(k, v.Named))))
		}
		rows = append(rows, row)
	}
	b.WriteString(printable.Table(rows))
	for _, list := range []struct {
		what string
		ids  []string
	}{{"only in " + first, c.OnlyInFirst}, {"only in " + second, c.OnlyInSecond}, {"another truth", c.TruthDiffers},
		{"no answer", c.Unanswered}} {
		if len(list.ids) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", list.what, strings.Join(printable.Lines(list.ids), ", "))
		}
	}
	return b.String()
}
