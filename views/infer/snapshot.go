package infer

import (
	"cmp"
	"slices"

	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/recipe"
	"finetui/core/session"
)

// The two who can be asked, as places in arrays.
const (
	base = iota
	adapter
	subjectCount
)

// snapshot is one look at everything that a split's questions need. It is not changed afterwards.
type snapshot struct {
	session    *session.Session
	split      string
	splits     []string
	candidates []session.Candidate
	settings   [subjectCount]*session.Setting // nil: faults says why
	titles     [subjectCount]string           // of the settings
	faults     [subjectCount]error
	samples    *dataset.Objects // of the split; each is made as a sample when it is seen
	parser     eval.Parser
	kept       []session.Kept // evaluations of the split
	answers    [subjectCount]map[string]eval.Answer
	changed    [subjectCount][]string // constants that are others since the evaluation

	// Of answers in free words; nil where the evaluation has none, or texted says why they cannot be read.
	texts  [subjectCount]*eval.FreeTextResult
	worded [subjectCount]map[string]*eval.FreeTextAnswer // by ID
	// the places of the evaluation's items, the answers farthest from their truth first
	worst  [subjectCount][]int
	texted [subjectCount]error

	times [subjectCount]*eval.TimedResult // of feedback that has its moment; nil where the evaluation has none
}

// newSnapshot looks anew; before is the look before, or nil: what cannot have changed is taken from it.
func newSnapshot(s *session.Session, split, run string, before *snapshot) (*snapshot, error) {
	c := &snapshot{session: s, splits: s.Splits()}
	c.split = chooseSplit(c.splits, split, s.Project.Config.Eval.Split)
	if before != nil && before.session == s && before.split == c.split {
		c.samples = before.samples
	} else {
		c.samples = s.Project.Data.Objects(c.split)
	}
	var err error
	if c.candidates, err = s.Candidates(); err != nil {
		return c, err
	}
	c.settings[base], c.faults[base] = s.Setting(session.Base)
	if run = chooseRun(c.candidates, run); run != "" {
		c.settings[adapter], c.faults[adapter] = s.Setting(run)
	}
	if len(c.splits) == 0 {
		return c, nil
	}
	for who, setting := range c.settings {
		if setting != nil {
			c.titles[who] = setting.Title()
		}
	}
	c.parser = eval.NewParser(s.Project.Recipe.Classes)
	if c.kept, err = s.Results(c.split); err != nil {
		return c, err
	}
	for who, setting := range c.settings {
		c.answers[who] = map[string]eval.Answer{}
		if k := c.keptOf(setting); k != nil && k.Result != nil {
			c.changed[who] = setting.Changed(*k)
			for _, item := range k.Result.Items {
				c.answers[who][item.ID] = item
			}
			c.readTexts(who, *k)
		}
	}
	return c, nil
}

// readTexts reads a subject's answers in free words, where there are some.
func (c *snapshot) readTexts(who int, k session.Kept) {
	if c.texts[who], c.texted[who] = k.FreeText(); c.texts[who] == nil {
		return
	}
	c.times[who], c.texted[who] = k.Timed()
	c.worded[who] = map[string]*eval.FreeTextAnswer{}
	for i := range c.texts[who].Items {
		a := &c.texts[who].Items[i]
		c.worded[who][a.ID] = a
	}
	meteor := make([]float64, len(k.Result.Items))
	for i, item := range k.Result.Items {
		c.worst[who] = append(c.worst[who], i)
		if a := c.worded[who][item.ID]; a != nil {
			meteor[i] = a.METEOR
		}
	}
	slices.SortStableFunc(c.worst[who], func(a, b int) int { return cmp.Compare(meteor[a], meteor[b]) })
}

// chooseSplit is the wanted split where it exists, else EVAL.SPLIT, else the last one.
func chooseSplit(splits []string, wanted, usual string) string {
	for _, split := range []string{wanted, usual} {
		if slices.Contains(splits, split) {
			return split
		}
	}
	if len(splits) == 0 {
		return ""
	}
	return splits[len(splits)-1]
}

// chooseRun is the wanted run where it can be asked, else the newest that can; empty where there is none.
func chooseRun(candidates []session.Candidate, wanted string) string {
	newest := ""
	for _, c := range candidates {
		if c.Name == session.Base || c.Why != "" {
			continue
		}
		if newest = c.Name; newest == wanted {
			return wanted
		}
	}
	return newest
}

// keptOf is the evaluation of a subject on the split, or nil.
func (c *snapshot) keptOf(setting *session.Setting) *session.Kept {
	if setting == nil {
		return nil
	}
	return c.keptBy(setting.Name)
}

func (c *snapshot) keptBy(name string) *session.Kept {
	for i := range c.kept {
		if c.kept[i].Name == name {
			return &c.kept[i]
		}
	}
	return nil
}

// sample is the object of a number as a subject is asked about it; false where there is no such object, or the subject
// cannot be asked.
func (c *snapshot) sample(who, n int) (recipe.Sample, bool) {
	setting := c.settings[who]
	if setting == nil || n < 0 || n >= c.samples.Len() {
		return recipe.Sample{}, false
	}
	return setting.Project.Recipe.Sample(c.samples.At(n))
}

// idAt is the ID of the object of a number; "" where there is none.
func (c *snapshot) idAt(n int) string {
	x, _ := c.sample(base, n)
	return x.ID
}
