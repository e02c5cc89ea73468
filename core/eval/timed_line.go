package eval

import (
	"cmp"
	"slices"
)

// Moment is one entry of a video's time line: an expected feedback, a given one, or both where they are matched.
type Moment struct {
	At     float64       // seconds: when it is expected, else when it is given
	Truth  *Feedback     // nil: nothing is expected, it is a false one
	Answer *Feedback     // nil: it is missed
	Pair   *FeedbackPair // nil: it is one of the two
}

// Moments are what is expected and what is given on one time line, in the order of time; of the same moment what is
// expected comes first.
func (a *TimedAnswer) Moments() []Moment {
	list := make([]Moment, 0, len(a.Truth)+len(a.Answer)-len(a.Pairs))
	paired := make([]bool, len(a.Answer))
	matched := make([]*FeedbackPair, len(a.Truth))
	for i := range a.Pairs {
		pair := &a.Pairs[i]
		paired[pair.Answer], matched[pair.Truth] = true, pair
	}
	for i := range a.Truth {
		m := Moment{At: a.Truth[i].At, Truth: &a.Truth[i], Pair: matched[i]}
		if m.Pair != nil {
			m.Answer = &a.Answer[m.Pair.Answer]
		}
		list = append(list, m)
	}
	for i := range a.Answer {
		if !paired[i] {
			list = append(list, Moment{At: a.Answer[i].At, Answer: &a.Answer[i]})
		}
	}
	slices.SortStableFunc(list, func(x, y Moment) int { return cmp.Compare(x.At, y.At) })
	return list
}

// Figures are those of this video alone.
func (a *TimedAnswer) Figures() TimedFigures { return timedFigures([]TimedAnswer{*a}) }

// Notes are what is to be borne in mind with the figures, a sentence each.
func (r *TimedResult) Notes() (notes []string) {
	if text := r.failedText(); text != "" {
		notes = append(notes, text)
	}
	if text := r.fewText(); text != "" {
		notes = append(notes, text)
	}
	return notes
}
