package eval

import (
	"fmt"
	"slices"

	"finetui/core/dataset"
	"finetui/core/printable"
)

// TimedComparison is two subjects' feedback that has its time, on the videos that both answered and that expect the
// same of both. Counts are pooled over the videos, as in TimedResult.
type TimedComparison struct {
	N       int             `json:"n"`        // videos
	Left    int             `json:"left_out"` // videos of one of the two alone, without an answer, or with another truth
	Figures [2]TimedFigures `json:"figures"`

	TF        TimedDifference `json:"t_f"`
	Precision TimedDifference `json:"precision"`
	Recall    TimedDifference `json:"recall"`
	Method    string          `json:"difference_method"`
}

// TimedDifference is a figure of pooled counts in both subjects: Means are its values. Nothing is known where one of the
// two has nothing that it is a share of, as the precision of a subject that says nothing.
type TimedDifference struct {
	Known [2]bool `json:"known"`
	MeanDifference
}

// AddTimed puts the two subjects' feedback that has its time beside each other, too. seed is that of the bootstrap.
func (c *FreeTextComparison) AddTimed(a, b *TimedResult, seed uint64) {
	t := &TimedComparison{Method: fmt.Sprintf("paired bootstrap over videos, %d resamples", DefaultResamples)}
	pairs := t.match(a, b)
	if len(pairs) == 0 {
		return
	}
	t.count(pairs, seed)
	c.Timed, c.Sentences = t, append(t.Sentences(c.Subjects), c.Sentences...)
}

// match pairs the videos by ID.
func (c *TimedComparison) match(a, b *TimedResult) (pairs [][2]timedSums) {
	second := make(map[string]*TimedAnswer, len(b.Items))
	for i := range b.Items {
		second[b.Items[i].ID] = &b.Items[i]
	}
	common := 0
	for i := range a.Items {
		one := &a.Items[i]
		other := second[one.ID]
		if other != nil {
			common++
		}
		if other != nil && one.Status == Answered && other.Status == Answered && slices.Equal(one.Truth, other.Truth) {
			pairs = append(pairs, [2]timedSums{sumsOf(one), sumsOf(other)})
		}
	}
	c.N, c.Left = len(pairs), len(a.Items)+len(b.Items)-common-len(pairs)
	return pairs
}

// count pools the counts and draws videos, for both subjects the same.
func (c *TimedComparison) count(pairs [][2]timedSums, seed uint64) {
	pooled := func(list [][2]timedSums, at []int) (sums [2]timedSums) {
		for _, i := range at {
			for s := range sums {
				sums[s].add(list[i][s])
			}
		}
		return sums
	}
	all := make([]int, len(pairs))
	for i := range all {
		all[i] = i
	}
	sums := pooled(pairs, all)
	draws := make([][2]timedSums, DefaultResamples)
	for i, draw := 0, newResampler(len(pairs), seed); i < len(draws); i++ {
		draws[i] = pooled(pairs, draw.next())
	}
	for s := range sums {
		c.Figures[s] = sums[s].figures()
	}
	difference := func(m timedMeasure) (d TimedDifference) {
		for s := range sums {
			d.Known[s], d.Means[s] = m.of(sums[s]) > 0, m.figure(c.Figures[s])
		}
		if !d.known() {
			return d
		}
		d.Difference = d.Means[1] - d.Means[0]
		told := 0
		for _, p := range pairs {
			if m.of(p[0])+m.of(p[1]) > 0 {
				told++
			}
		}
		if told < 2 {
			return d
		}
		var values []float64
		for _, s := range draws {
			if m.of(s[0]) > 0 && m.of(s[1]) > 0 {
				values = append(values, m.figure(s[1].figures())-m.figure(s[0].figures()))
			}
		}
		d.Interval = percentiles(values, Confidence)
		return d
	}
	c.TF, c.Precision, c.Recall = difference(measureTF), difference(measurePrecision), difference(measureRecall)
}

// Sentences say what the comparison of two subjects of these names came to.
func (c *TimedComparison) Sentences(subjects [2]string) []string {
	text := fmt.Sprintf("Feedback with times, %s, %s expected: %s gives %d and matches %d, %s gives %d and matches %d.",
		dataset.Counted(c.N, "video", "videos"), dataset.Counted(c.Figures[0].Expected, "feedback", "feedbacks"),
		subjects[0], c.Figures[0].Given, c.Figures[0].Matched, subjects[1], c.Figures[1].Given, c.Figures[1].Matched)
	out := []string{text, c.TF.sayTimed("T-F", subjects), c.Precision.sayTimed("Precision", subjects),
		c.Recall.sayTimed("Recall", subjects)}
	if c.Left > 0 {
		out = append(out, fmt.Sprintf("Left out of these: %s that one of the two has alone or did not answer.",
			dataset.Counted(c.Left, "video", "videos")))
	}
	if c.N < fewItems {
		out = append(out, fmt.Sprintf("A bootstrap of fewer than %d videos gives too narrow an interval.", fewItems))
	}
	return out
}

func (d TimedDifference) known() bool { return d.Known[0] && d.Known[1] }

// Value is the figure of a subject as it is shown.
func (d TimedDifference) Value(subject int) string {
	if !d.Known[subject] {
		return "–"
	}
	return fmt.Sprintf("%.3f", d.Means[subject])
}

func (d TimedDifference) sayTimed(name string, subjects [2]string) string {
	switch {
	case d.known():
		return d.say(name)
	case d.Known[0]:
		return fmt.Sprintf("%s %s → –: %s has nothing that it is a share of.", name, d.Value(0), subjects[1])
	case d.Known[1]:
		return fmt.Sprintf("%s – → %s: %s has nothing that it is a share of.", name, d.Value(1), subjects[0])
	}
	return name + ": neither has anything that it is a share of."
}

// table is the comparison in figures.
func (c *TimedComparison) table(subjects [2]string) string {
	rows := [][]string{{"feedback with times", printable.Line(subjects[0]), printable.Line(subjects[1]), "difference",
		"95 %"}}
	for _, m := range []struct {
		name string
		TimedDifference
	}{{"T-F", c.TF}, {"precision", c.Precision}, {"recall", c.Recall}} {
		difference, interval := "–", "–"
		if m.known() {
			difference = signedScore(m.Difference)
		}
		if m.Interval != nil {
			interval = signedScore(m.Interval[0]) + " to " + signedScore(m.Interval[1])
		}
		rows = append(rows, []string{m.name, m.Value(0), m.Value(1), difference, interval})
	}
	return printable.Table(rows)
}
