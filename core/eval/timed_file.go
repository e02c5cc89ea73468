package eval

import (
	"fmt"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval/textmetric"
	"finetui/core/printable"
	"finetui/ml/wholefile"
)

// WriteJSON writes eval/SPLIT.json, all of it or nothing.
func (r *TimedResult) WriteJSON(path string) error { return writeJSON(path, r) }

// ReadTimed reads a result that WriteJSON wrote. What does not agree with itself is a *DamagedError: the pairs are
// matched and the figures counted again.
func ReadTimed(path string) (*TimedResult, error) {
	data, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, fmt.Errorf("no evaluation to read: %w", err)
	}
	var r TimedResult
	if err := decodeWhole(path, data, TimedKind, &r); err != nil {
		return nil, err
	}
	if text := r.fault(); text != "" {
		return nil, &DamagedError{path, text}
	}
	return &r, intact(path, data)
}

func (r *TimedResult) fault() string {
	if r.Synonyms == "" || r.Within != FeedbackWithin {
		return "it does not say how it was measured"
	}
	seen := make(map[string]bool, len(r.Items))
	for i := range r.Items {
		a := &r.Items[i]
		if seen[a.ID] {
			return fmt.Sprintf("item %s is there twice", a.ID)
		}
		seen[a.ID] = true
		if text := a.fault(); text != "" {
			return fmt.Sprintf("item %s %s", a.ID, text)
		}
	}
	again := timedFigures(r.Items)
	switch perfect := perfectTimed(r.Items); {
	case r.SelfTest.N != perfect.N || r.SelfTest.Expected != perfect.Expected || r.SelfTest.Given != perfect.Given ||
		r.SelfTest.Matched != perfect.Matched || !r.SelfTest.same(perfect):
		return "a perfect model's figures are not those of its expected answers"
	case r.Resamples < 0 || r.Resamples == 0 && r.TFInterval != nil:
		return fmt.Sprintf("%d resamples do not go with its intervals", r.Resamples)
	case r.N != again.N || r.Expected != again.Expected || r.Given != again.Given || r.Matched != again.Matched ||
		r.Failed != len(r.Items)-again.N:
		return "its counts are not those of its items"
	case !r.TimedFigures.same(again):
		return "its figures are not those of its items"
	}
	for _, i := range []*Interval{r.TFInterval, r.PrecisionInterval, r.RecallInterval, r.METEORInterval,
		r.ROUGELInterval} {
		if !around(i) {
			return "an interval is none"
		}
	}
	return ""
}

func (f TimedFigures) same(o TimedFigures) bool {
	return same(f.TF, o.TF) && same(f.Precision, o.Precision) && same(f.Recall, o.Recall) &&
		same(f.METEOR, o.METEOR) && same(f.ROUGEL, o.ROUGEL)
}

// perfectTimed is what a model would reach that says what is expected, when it is.
func perfectTimed(items []TimedAnswer) TimedFigures {
	s := timedSums{videos: len(items)}
	for _, a := range items {
		for _, f := range a.Truth {
			s.meteor += textmetric.Meteor{}.Perfect(f.Text)
			if textmetric.HasLatin(f.Text) {
				s.rouge++
			}
		}
		s.expected += len(a.Truth)
	}
	s.given, s.matched = s.expected, s.expected
	return s.figures()
}

func (a *TimedAnswer) fault() string {
	if a.Status == NoAnswer && a.Error != "" && len(a.Pairs) == 0 {
		return ""
	}
	if a.Status != Answered || a.Error != "" {
		return fmt.Sprintf("has the status %q, which its other fields deny", a.Status)
	}
	for _, list := range [][]Feedback{a.Truth, a.Answer} {
		for _, f := range list {
			if f.At < 0 {
				return fmt.Sprintf("has a feedback at %v s", f.At)
			}
		}
	}
	var pairs [][2]int
	for _, p := range a.Pairs {
		if !(p.METEOR >= 0 && p.METEOR <= 1) || !(p.ROUGEL >= 0 && p.ROUGEL <= 1) {
			return "has scores outside 0 to 1"
		}
		pairs = append(pairs, [2]int{p.Truth, p.Answer})
	}
	if !slices.Equal(pairs, MatchFeedback(a.Truth, a.Answer)) {
		return "pairs its feedback otherwise than the rule does"
	}
	return ""
}

// Text is the result as plain lines.
func (r *TimedResult) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s: %s, %s expected, %d given, %d matched within %g s\n", printable.Line(r.Subject),
		printable.Line(r.Split), dataset.Counted(r.N, "video", "videos"),
		dataset.Counted(r.Expected, "feedback", "feedbacks"), r.Given, r.Matched, r.Within)
	line := func(note string) {
		if note != "" {
			b.WriteString(note + "\n")
		}
	}
	line(r.failedText())
	fmt.Fprintf(&b, "T-F        %s\n", meanOf(r.TF, r.TFInterval))
	fmt.Fprintf(&b, "precision  %s\n", orDash(r.Given, meanOf(r.Precision, r.PrecisionInterval)))
	fmt.Fprintf(&b, "recall     %s\n", orDash(r.Expected, meanOf(r.Recall, r.RecallInterval)))
	fmt.Fprintf(&b, "METEOR     %s, %s; of the matched pairs\n",
		orDash(r.Matched, meanOf(r.METEOR, r.METEORInterval)), meteorText(r.Synonyms))
	fmt.Fprintf(&b, "ROUGE-L F1 %s; of the matched pairs\n", orDash(r.Matched, meanOf(r.ROUGEL, r.ROUGELInterval)))
	fmt.Fprintf(&b, "perfect answers would score T-F %.3f, METEOR %.3f, ROUGE-L %.3f\n\n", r.SelfTest.TF,
		r.SelfTest.METEOR, r.SelfTest.ROUGEL)
	rows := [][]string{{"video", "expected", "given", "matched", "METEOR", "ROUGE-L"}}
	for i := range r.Items {
		a := &r.Items[i]
		f := a.Figures()
		name := printable.Line(a.ID)
		if a.Status != Answered {
			rows = append(rows, []string{name, fmt.Sprint(len(a.Truth)), "–", "–", "–", "–"})
			continue
		}
		rows = append(rows, []string{name, fmt.Sprint(f.Expected), fmt.Sprint(f.Given), fmt.Sprint(f.Matched),
			orDash(f.Matched, fmt.Sprintf("%.3f", f.METEOR)), orDash(f.Matched, fmt.Sprintf("%.3f", f.ROUGEL))})
	}
	b.WriteString(printable.Table(rows))
	line(r.fewText())
	return b.String()
}

func (r *TimedResult) failedText() string {
	if r.Failed == 0 {
		return ""
	}
	return dataset.Counted(r.Failed, "video more has", "videos more have") +
		" no answer: counted in none of the figures"
}

func (r *TimedResult) fewText() string {
	if r.TFInterval == nil || r.N >= fewItems {
		return ""
	}
	return fmt.Sprintf("A bootstrap of fewer than %d videos gives too narrow an interval.", fewItems)
}

// orDash is a figure, or a dash where there are none that it is of.
func orDash(n int, figure string) string {
	if n == 0 {
		return "–"
	}
	return figure
}
