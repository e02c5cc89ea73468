package eval

import (
	"fmt"
	"slices"
	"strings"
)

// Told is the p below which two subjects are called different.
const Told = 0.05

// Comparison is two subjects on the same items.
type Comparison struct {
	Schema   int       `json:"schema"`
	Split    string    `json:"split"`
	Subjects [2]string `json:"subjects"`
	N        int       `json:"n"` // items that both answered and that expect the same of both

	OnlyInFirst  []string `json:"only_in_first,omitempty"` // IDs that are left out
	OnlyInSecond []string `json:"only_in_second,omitempty"`
	TruthDiffers []string `json:"truth_differs,omitempty"`

	BothRight       int     `json:"both_right"`
	OnlyFirstRight  int     `json:"only_first_right"`
	OnlySecondRight int     `json:"only_second_right"`
	BothWrong       int     `json:"both_wrong"`
	P               float64 `json:"p"`                // McNemar's exact test, two-sided
	PHolm           float64 `json:"p_holm,omitempty"` // the same, adjusted for all pairs of a Board

	Accuracy           [2]float64 `json:"accuracy"`
	Difference         float64    `json:"difference"` // of the accuracies, second minus first
	DifferenceInterval *Interval  `json:"difference_interval"`
	DifferenceMethod   string     `json:"difference_method"`

	MacroF1                   [2]float64 `json:"macro_f1"` // over the classes that have a true item
	MacroF1Difference         float64    `json:"macro_f1_difference"`
	MacroF1DifferenceInterval *Interval  `json:"macro_f1_difference_interval"`
	MacroF1Method             string     `json:"macro_f1_difference_method"`

	Classes    Ordered[Pair] `json:"classes"`
	Conditions Ordered[Pair] `json:"conditions"`
	Objects    Ordered[Pair] `json:"objects"`

	Constants  []string `json:"constants"`   // in which the two differ, and the adapter where one has none
	SameRecipe bool     `json:"same_recipe"` // runs that differ by chance alone: none is better than the other
	DataDiffer bool     `json:"data_differ"` // the items of the two were not the same in all that is asked and shown
	// ItemsNeeded would tell two subjects apart that truly differ as much, in four of five experiments; 0: no number.
	ItemsNeeded int      `json:"items_needed"`
	Sentences   []string `json:"sentences"`
}

// Pair is a class, a condition or an object type in both subjects. Recall asks for the exact class.
type Pair struct {
	Support int        `json:"support"`
	Right   [2]int     `json:"right"`
	Recall  [2]float64 `json:"recall"`
}

// paired is one item of both.
type paired struct{ truth, first, second int }

// Compare puts two subjects beside each other on the items that both have. constants are those in which their
// configurations differ, as they are to be shown; nil where that is not known: no constant at all (and not nil) makes
// them two runs of one recipe. seed is that of the bootstrap.
func Compare(a, b *Result, constants []string, seed uint64) (*Comparison, error) {
	if !slices.Equal(a.ClosedList, b.ClosedList) {
		return nil, fmt.Errorf("%s and %s were asked with different closed lists: evaluate both on the same data set",
			a.Subject, b.Subject)
	}
	c := &Comparison{
		Schema:           Schema,
		Split:            a.Split,
		Subjects:         [2]string{a.Subject, b.Subject},
		DifferenceMethod: "Newcombe 1998, method 10 (paired, from Wilson intervals)",
		MacroF1Method:    fmt.Sprintf("paired bootstrap, %d resamples", DefaultResamples),
		Constants:        append([]string{}, constants...), // a list in JSON, even where it is empty
		SameRecipe:       constants != nil && len(constants) == 0,
		DataDiffer:       a.Data != "" && b.Data != "" && a.Data != b.Data,
	}
	pairs, err := c.match(a, b)
	if err != nil {
		return nil, err
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("%s (%s) and %s (%s) have no item in common: evaluate both on the same split", a.Subject,
			a.Split, b.Subject, b.Split)
	}
	c.count(pairs)
	c.groups(a.ClosedList, pairs)
	c.macro(len(a.ClosedList), pairs, seed)
	c.Sentences = c.say()
	return c, nil
}

// match pairs the items by ID and lists those that have no partner.
func (c *Comparison) match(a, b *Result) ([]paired, error) {
	classOf := map[string]int{UnparsedLabel: Unparsed}
	for i, l := range a.ClosedList {
		classOf[l.Name] = i
	}
	second := make(map[string]*Answer, len(b.Items))
	for i := range b.Items {
		second[b.Items[i].ID] = &b.Items[i]
	}
	var pairs []paired
	common := make(map[string]bool, len(a.Items))
	for i := range a.Items {
		first := &a.Items[i]
		other, ok := second[first.ID]
		common[first.ID] = true
		switch {
		case !ok:
			c.OnlyInFirst = append(c.OnlyInFirst, first.ID)
			continue
		case other.Expected != first.Expected:
			c.TruthDiffers = append(c.TruthDiffers, first.ID)
			continue
		}
		truth, known := classOf[first.Expected]
		said, known1 := classOf[first.Parsed]
		said2, known2 := classOf[other.Parsed]
		if !known || truth == Unparsed || !known1 || !known2 {
			return nil, fmt.Errorf("item %s names a class that is not in its own closed list: evaluate again", first.ID)
		}
		pairs = append(pairs, paired{truth, said, said2})
	}
	for i := range b.Items {
		if !common[b.Items[i].ID] {
			c.OnlyInSecond = append(c.OnlyInSecond, b.Items[i].ID)
		}
	}
	return pairs, nil
}

func (c *Comparison) count(pairs []paired) {
	c.N = len(pairs)
	for _, p := range pairs {
		switch first, second := p.first == p.truth, p.second == p.truth; {
		case first && second:
			c.BothRight++
		case first:
			c.OnlyFirstRight++
		case second:
			c.OnlySecondRight++
		default:
			c.BothWrong++
		}
	}
	c.Accuracy = [2]float64{share(c.BothRight+c.OnlyFirstRight, c.N), share(c.BothRight+c.OnlySecondRight, c.N)}
	c.Difference = share(c.OnlySecondRight-c.OnlyFirstRight, c.N)
	c.DifferenceInterval = NewcombeDifference(c.BothRight, c.OnlyFirstRight, c.OnlySecondRight, c.BothWrong, Confidence)
	c.P = McNemar(c.OnlyFirstRight, c.OnlySecondRight)
	c.ItemsNeeded = ItemsNeeded(c.OnlyFirstRight, c.OnlySecondRight, c.N)
}

// Tells says that the two are told apart. Two runs of one recipe are not: what lies between them is chance.
func (c *Comparison) Tells() bool { return c.P < Told && !c.SameRecipe }

func (c *Comparison) groups(list []Label, pairs []paired) {
	by := func(name func(Label) string) Ordered[Pair] {
		var names []string
		of := make([]int, len(list))
		for i, l := range list {
			of[i] = place(&names, name(l))
		}
		out := make(Ordered[Pair], len(names))
		for g, n := range names {
			out[g].Name = n
		}
		for _, p := range pairs {
			v := &out[of[p.truth]].Value
			v.Support++
			if p.first == p.truth {
				v.Right[0]++
			}
			if p.second == p.truth {
				v.Right[1]++
			}
		}
		for g := range out {
			v := &out[g].Value
			v.Recall = [2]float64{share(v.Right[0], v.Support), share(v.Right[1], v.Support)}
		}
		return out
	}
	c.Classes = by(func(l Label) string { return l.Name })
	c.Conditions = by(func(l Label) string { return l.Condition })
	c.Objects = by(func(l Label) string { return l.Object })
}

func (c *Comparison) macro(classes int, pairs []paired, seed uint64) {
	first, second := newCounts(classes), newCounts(classes)
	difference := func(at []int) float64 {
		first.clear()
		second.clear()
		for _, i := range at {
			first.add(pairs[i].truth, pairs[i].first)
			second.add(pairs[i].truth, pairs[i].second)
		}
		c.MacroF1[0], _ = first.macroF1()
		c.MacroF1[1], _ = second.macroF1()
		return c.MacroF1[1] - c.MacroF1[0]
	}
	draw := newResampler(len(pairs), seed)
	values := make([]float64, DefaultResamples)
	for i := range values {
		values[i] = difference(draw.next())
	}
	c.MacroF1DifferenceInterval = percentiles(values, Confidence)
	all := make([]int, len(pairs))
	for i := range all {
		all[i] = i
	}
	c.MacroF1Difference = difference(all)
}

// say puts the comparison into sentences.
func (c *Comparison) say() []string {
	first, second := c.Subjects[0], c.Subjects[1]
	counts := fmt.Sprintf("of %s %s alone is right on %d, %s alone on %d (McNemar's exact p %s)",
		items(c.N), first, c.OnlyFirstRight, second, c.OnlySecondRight, pText(c.P))
	var out []string
	switch better := second; {
	case c.SameRecipe:
		out = append(out, fmt.Sprintf("Two runs of one recipe: what lies between them is chance, no gain: %s.", counts))
	case c.P < Told:
		if c.Difference < 0 {
			better = first
		}
		out = append(out, fmt.Sprintf("%s answers more items right: %s.", better, counts))
	default:
		out = append(out, fmt.Sprintf("The two cannot be told apart on these items: %s.", counts))
		out = append(out, fewDiscordant(c.OnlyFirstRight+c.OnlySecondRight)...)
		if c.ItemsNeeded > c.N {
			out = append(out, fmt.Sprintf("If they truly differ as much as here, %d items would tell in four of five "+
				"experiments (now %d).", c.ItemsNeeded, c.N))
		}
	}
	if c.DataDiffer {
		out = append(out, "The data differ: not all that was asked and shown was the same for both. Evaluate both again.")
	}
	out = append(out, fmt.Sprintf("Accuracy %s → %s, a difference of %s points (95 %%: %s).",
		percent(c.Accuracy[0]), percent(c.Accuracy[1]), signed(100*c.Difference), points(c.DifferenceInterval)))
	macro := fmt.Sprintf("Macro-F1 %.3f → %.3f, a difference of %s points (95 %%: %s)",
		c.MacroF1[0], c.MacroF1[1], signed(100*c.MacroF1Difference), points(c.MacroF1DifferenceInterval))
	if i := c.MacroF1DifferenceInterval; i != nil && i[0] <= 0 && i[1] >= 0 {
		macro += "; the interval holds 0"
	}
	out = append(out, macro+".")
	out = append(out, differText(c.Constants)...)
	if c.Tells() {
		out = append(out, modelsOnly)
	}
	if left := len(c.OnlyInFirst) + len(c.OnlyInSecond) + len(c.TruthDiffers); left > 0 {
		out = append(out, fmt.Sprintf("Left out: %s, %d only in %s, %d only in %s, %d with another truth.",
			items(left), len(c.OnlyInFirst), first, len(c.OnlyInSecond), second, len(c.TruthDiffers)))
	}
	return out
}

// modelsOnly bounds what a p of two models says.
const modelsOnly = "This tells two models apart; two recipes take several seeds of each (compare RUN,RUN RUN,RUN)."

// fewDiscordant says so where two subjects differ on so few items that no outcome could tell them apart.
func fewDiscordant(n int) []string {
	if McNemar(0, n) < Told {
		return nil
	}
	if n == 0 {
		return []string{"Both are right on the same items, and wrong on the same: nothing here tells them apart."}
	}
	return []string{fmt.Sprintf("They differ on %s only: whichever way those fell, p could not be below %.2f. "+
		"More items are needed, not more training.", items(n), Told)}
}

// differText says in which constants two subjects differ.
func differText(constants []string) []string {
	switch len(constants) {
	case 0:
		return nil
	case 1:
		return []string{"They differ in one thing: " + constants[0] + "."}
	}
	return []string{fmt.Sprintf("They differ in %d things (%s): the comparison does not say which of them made a "+
		"difference.", len(constants), strings.Join(constants, "; "))}
}
