package eval

import (
	"fmt"

	"finetui/core/dataset"
)

// Item is one question that was answered.
type Item struct {
	ID       string
	Expected int // index into the closed list
	Answer   string
	Seconds  float64 // that the answer took
}

// Options of a scoring.
type Options struct {
	Subject, Split                   string
	Data                             string  // names all that was asked and expected (Result.Data)
	SuccessOverall, SuccessCondition float64 // EVAL.SUCCESS_OVERALL, EVAL.SUCCESS_CONDITION
	Seed                             uint64  // of the bootstrap
	Resamples                        int     // of the bootstrap; 0: no interval for F1 and balanced accuracy
}

// DefaultResamples is enough for percentiles of two digits.
const DefaultResamples = 2000

// Score counts the answers. It refuses where a perfect model would not score 100 %, where an item expects a class that
// is not in the closed list, and where two items have one ID.
func Score(items []Item, classes []dataset.Class, o Options) (*Result, error) {
	selfTest, err := SelfTest(classes)
	if err != nil {
		return nil, err
	}
	if err := checkItems(items, classes); err != nil {
		return nil, err
	}
	s := newScoring(items, classes)
	r := &Result{
		Schema:           Schema,
		Subject:          o.Subject,
		Data:             o.Data,
		Split:            o.Split,
		N:                len(items),
		Accuracy:         share(s.classes.allRight(), len(items)),
		AccuracyInterval: Wilson(s.classes.allRight(), len(items), Confidence),
		BalancedAccuracy: s.classes.balancedAccuracy(),
		Unparsed:         s.classes.predicted(len(classes)),
		SelfTest:         selfTest,
		Resamples:        o.Resamples,
	}
	r.MacroF1, r.MacroF1AllClasses = s.classes.macroF1()
	r.MCC, r.Kappa = s.classes.agreement()
	for c := range classes {
		if s.classes.support(c) > 0 {
			r.MacroF1Classes++
		}
		r.ClosedList = append(r.ClosedList, Label{Name: classes[c].Name, Object: classes[c].Object,
			Condition: classes[c].Condition})
	}
	r.Classes = groups(&s.classes, s.classNames, s.exactByClass())
	r.Conditions = groups(&s.conditions, s.conditionNames, s.exact(s.condition))
	r.Objects = groups(&s.objects, s.objectNames, s.exact(s.object))
	s.bootstrap(r, o.Resamples, o.Seed)
	r.Confusion = Confusion{Labels: append(append([]string(nil), s.classNames...), UnparsedLabel), Rows: s.classes.rows}
	r.Success = success(r, o)
	r.answers(items, s)
	return r, nil
}

func checkItems(items []Item, classes []dataset.Class) error {
	seen := make(map[string]bool, len(items))
	for _, it := range items {
		if it.Expected < 0 || it.Expected >= len(classes) {
			return fmt.Errorf("item %s expects class %d of %d: score it with the closed list it was asked with", it.ID,
				it.Expected, len(classes))
		}
		if seen[it.ID] {
			return fmt.Errorf("item %s is scored twice: give every item an ID of its own", it.ID)
		}
		seen[it.ID] = true
	}
	return nil
}

// scoring holds the three ways of counting: by class, by condition, by object type.
type scoring struct {
	truth, said                             []int // of each item: class, or Unparsed
	condition, object                       []int // of each class: index into the names below
	classNames, conditionNames, objectNames []string
	classes, conditions, objects            counts
}

func newScoring(items []Item, classes []dataset.Class) *scoring {
	s := &scoring{truth: make([]int, len(items)), said: make([]int, len(items))}
	for _, c := range classes {
		s.classNames = append(s.classNames, c.Name)
		s.condition = append(s.condition, place(&s.conditionNames, c.Condition))
		s.object = append(s.object, place(&s.objectNames, c.Object))
	}
	s.classes, s.conditions, s.objects = newCounts(len(classes)), newCounts(len(s.conditionNames)),
		newCounts(len(s.objectNames))
	p := NewParser(classes)
	for i, it := range items {
		s.truth[i], s.said[i] = it.Expected, p.Parse(it.Answer)
		s.classes.add(s.truth[i], s.said[i])
	}
	s.regroup()
	return s
}

// place returns the index of a name, adding it where it is new.
func place(names *[]string, name string) int {
	for i, n := range *names {
		if n == name {
			return i
		}
	}
	*names = append(*names, name)
	return len(*names) - 1
}

// regroup adds the class matrix up into those of conditions and object types.
func (s *scoring) regroup() {
	s.conditions.sumUp(&s.classes, s.condition)
	s.objects.sumUp(&s.classes, s.object)
}

func (g *counts) sumUp(classes *counts, groupOf []int) {
	g.clear()
	unparsed := len(classes.rows)
	for truth, row := range classes.rows {
		for said, n := range row {
			to := len(g.rows)
			if said != unparsed {
				to = groupOf[said]
			}
			g.rows[groupOf[truth]][to] += n
		}
	}
	g.total = classes.total
}

func (s *scoring) exact(groupOf []int) []int {
	right := make([]int, len(groupOf))
	for c, g := range groupOf {
		right[g] += s.classes.right(c)
	}
	return right
}

func (s *scoring) exactByClass() []int {
	right := make([]int, len(s.classNames))
	for c := range right {
		right[c] = s.classes.right(c)
	}
	return right
}

func groups(c *counts, names []string, exact []int) Ordered[Group] {
	out := make(Ordered[Group], len(names))
	for g, name := range names {
		support, predicted, right := c.support(g), c.predicted(g), c.right(g)
		out[g] = Named[Group]{Name: name, Value: Group{
			Support:           support,
			Predicted:         predicted,
			Right:             right,
			Precision:         share(right, predicted),
			Recall:            share(right, support),
			F1:                c.f1(g),
			Interval:          Wilson(right, support, Confidence),
			PrecisionInterval: Wilson(right, predicted, Confidence),
			ExactRight:        exact[g],
			Exact:             share(exact[g], support),
			ExactInterval:     Wilson(exact[g], support, Confidence),
		}}
	}
	return out
}

// bootstrap fills the intervals of what is no proportion. A resample in which a group is neither true nor answered
// says nothing about the group's F1 and is left out of it; a group without a true item gets no interval at all.
func (s *scoring) bootstrap(r *Result, resamples int, seed uint64) {
	if len(s.truth) == 0 || resamples <= 0 {
		return
	}
	type gathered struct {
		counts *counts
		groups Ordered[Group]
		f1     [][]float64
	}
	again := &scoring{
		condition: s.condition, object: s.object,
		classes: newCounts(len(s.classes.rows)), conditions: newCounts(len(s.conditions.rows)),
		objects: newCounts(len(s.objects.rows)),
	}
	kinds := []gathered{
		{&again.classes, r.Classes, make([][]float64, len(r.Classes))},
		{&again.conditions, r.Conditions, make([][]float64, len(r.Conditions))},
		{&again.objects, r.Objects, make([][]float64, len(r.Objects))},
	}
	var macro, balanced []float64
	draw := newResampler(len(s.truth), seed)
	for range resamples {
		again.classes.clear()
		for _, i := range draw.next() {
			again.classes.add(s.truth[i], s.said[i])
		}
		again.regroup()
		for _, k := range kinds {
			for g := range k.f1 {
				if k.groups[g].Value.Support > 0 && k.counts.support(g)+k.counts.predicted(g) > 0 {
					k.f1[g] = append(k.f1[g], k.counts.f1(g))
				}
			}
		}
		supported, _ := again.classes.macroF1()
		macro = append(macro, supported)
		balanced = append(balanced, again.classes.balancedAccuracy())
	}
	for _, k := range kinds {
		for g := range k.f1 {
			k.groups[g].Value.F1Interval = percentiles(k.f1[g], Confidence)
		}
	}
	r.MacroF1Interval = percentiles(macro, Confidence)
	r.BalancedAccuracyInterval = percentiles(balanced, Confidence)
}

func success(r *Result, o Options) Success {
	s := Success{Overall: target(r.N, r.Accuracy, r.AccuracyInterval, o.SuccessOverall)}
	s.Met = s.Overall.Met
	for _, c := range r.Conditions {
		if c.Value.Support == 0 {
			continue
		}
		t := target(c.Value.Support, c.Value.Exact, c.Value.ExactInterval, o.SuccessCondition)
		s.Conditions = append(s.Conditions, Named[Target]{c.Name, t})
		s.Met = s.Met && t.Met
	}
	return s
}

func target(support int, accuracy float64, interval *Interval, atLeast float64) Target {
	const slack = 1e-12 // 17 of 20 meets 0.85
	return Target{
		Support:  support,
		Accuracy: accuracy,
		Interval: interval,
		AtLeast:  atLeast,
		Met:      support > 0 && accuracy >= atLeast-slack,
		Certain:  interval != nil && interval[0] >= atLeast-slack,
	}
}

func (r *Result) answers(items []Item, s *scoring) {
	var seconds float64
	r.Items = make([]Answer, len(items))
	for i, it := range items {
		parsed := UnparsedLabel
		if s.said[i] != Unparsed {
			parsed = s.classNames[s.said[i]]
		}
		r.Items[i] = Answer{
			ID:       it.ID,
			Expected: s.classNames[it.Expected],
			Answer:   it.Answer,
			Parsed:   parsed,
			Right:    s.said[i] == it.Expected,
			Seconds:  it.Seconds,
		}
		seconds += it.Seconds
	}
	r.SecondsPerAnswer = over(seconds, len(items))
}
