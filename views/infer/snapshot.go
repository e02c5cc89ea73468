package infer

import (
	"cmp"
	"slices"

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
	samples    [subjectCount][]recipe.Sample // the same objects, each with its subject's prompt
	place      map[string]int                // of a sample's ID
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

func newSnapshot(s *session.Session, split, run string) (*snapshot, error) {
	c := &snapshot{session: s, splits: s.Splits(), place: map[string]int{}}
	c.split = chooseSplit(c.splits, split, s.Project.Config.Eval.Split)
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
			c.samples[who] = setting.Project.Recipe.Samples(c.split)
		}
	}
	for i, x := range c.samples[base] {
		c.place[x.ID] = i
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
		if c.Run == nil || c.Why != "" {
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

func (c *snapshot) idAt(i int) string {
	if i < 0 || i >= len(c.samples[base]) {
		return ""
	}
	return c.samples[base][i].ID
}
