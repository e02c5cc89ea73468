package eval

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval/textmetric"
)

// FreeTextOptions of a scoring.
type FreeTextOptions struct {
	Subject, Split string
	Meteor         textmetric.Meteor
	Seed           uint64 // of the bootstrap
	Resamples      int    // of the bootstrap; 0: no intervals of the means
}

// ScoreFreeText measures answers in free words. It refuses where the expected answers themselves would not get full
// marks by the same measures, and where two items have one ID.
func ScoreFreeText(items []FreeTextItem, o FreeTextOptions) (*FreeTextResult, error) {
	r := &FreeTextResult{
		Schema: Schema, Kind: FreeTextKind, Subject: o.Subject, Split: o.Split,
		Synonyms: o.Meteor.Synonyms(), Seed: o.Seed, Resamples: max(0, o.Resamples),
		Items: make([]FreeTextAnswer, 0, len(items)),
	}
	spelling := map[string]string{} // of each exercise: how it was first spelt
	seen := make(map[string]bool, len(items))
	for _, it := range items {
		a := answerText(it, o.Meteor)
		switch {
		case seen[a.ID]:
			return nil, fmt.Errorf("item %s is scored twice: give every item an ID of its own", a.ID)
		case !(a.Seconds >= 0) || math.IsInf(a.Seconds, 0) || a.Tokens < 0:
			return nil, fmt.Errorf("item %s took %v seconds for %d tokens: measure it again", a.ID, a.Seconds, a.Tokens)
		}
		seen[a.ID] = true
		if first, ok := spelling[dataset.ExerciseKey(a.Exercise)]; ok {
			a.Exercise = first
		} else {
			spelling[dataset.ExerciseKey(a.Exercise)] = a.Exercise
		}
		r.Items = append(r.Items, a)
	}
	r.SelfTest = perfectText(r.Items)
	var wrong []string
	faults := map[string]string{} // of each truth: many items expect the same
	for _, a := range r.Items {
		text, known := faults[a.Truth]
		if !known {
			text = textFault(a.Truth, o.Meteor)
			faults[a.Truth] = text
		}
		if text != "" {
			wrong = append(wrong, "item "+a.ID+" "+text)
		}
	}
	if err := refuse(wrong); err != nil {
		return nil, err
	}
	r.sumUp()
	r.countTold()
	r.bootstrap()
	return r, nil
}

// perfectText is what a model would reach that gives every expected answer.
func perfectText(items []FreeTextAnswer) (p PerfectText) {
	named, identified := 0, 0
	for _, a := range items {
		p.METEOR += textmetric.Meteor{}.Perfect(a.Truth)
		if textmetric.HasLatin(a.Truth) {
			p.ROUGEL++
		}
		if exercise := namedExercise(a.Truth); exercise != "" {
			named++
			if identifies(a.Truth, exercise) {
				identified++
			}
		}
	}
	return PerfectText{over(p.METEOR, len(items)), over(p.ROUGEL, len(items)), share(identified, named)}
}

// textFault feeds an expected answer through the measures as if a model had given it, and says where it does not get
// what a perfect one gets; "" where it does.
func textFault(truth string, meteor textmetric.Meteor) string {
	own, best := meteor.Score(truth, truth), meteor.Perfect(truth)
	rouge, latin := textmetric.RougeL(truth, truth).F1, textmetric.HasLatin(truth)
	switch exercise := namedExercise(truth); {
	case best == 0:
		return "expects an empty answer"
	case math.Abs(own-best) > 1e-9 || (rouge == 1) != latin:
		return fmt.Sprintf("scores METEOR %.4f and ROUGE-L %.4f against itself", own, rouge)
	case exercise != "" && !identifies(truth, exercise):
		return "does not name its own exercise"
	}
	return ""
}

// refuse is the error for what keeps a perfect model from full marks; nil for nothing.
func refuse(wrong []string) error {
	const shown = 5
	if len(wrong) == 0 {
		return nil
	}
	more := ""
	if len(wrong) > shown {
		more = fmt.Sprintf(" and %d more", len(wrong)-shown)
	}
	return fmt.Errorf("a perfect model would not get full marks: %s%s; mend the expected answers or leave these items "+
		"out", strings.Join(wrong[:min(shown, len(wrong))], "; "), more)
}

func answerText(it FreeTextItem, meteor textmetric.Meteor) FreeTextAnswer {
	a := FreeTextAnswer{
		ID: utf8Only(it.ID), Video: utf8Only(it.Video), Prompt: utf8Only(it.Prompt), Truth: utf8Only(it.Truth),
		Answer: utf8Only(it.Answer), Tokens: it.Tokens, Seconds: it.Seconds, Status: Answered,
		Error:    utf8Only(it.Error),
		Exercise: strings.TrimSpace(utf8Only(it.Exercise)),
	}
	named := namedExercise(a.Truth)
	if a.Exercise == "" {
		a.Exercise = named
	}
	if it.Seconds > 0 {
		a.TokensPerSecond = float64(it.Tokens) / it.Seconds
	}
	if a.Error != "" {
		a.Status = NoAnswer
		return a
	}
	a.Named = named != ""
	a.Identified = a.Named && identifies(a.Answer, named)
	a.METEOR = meteor.Score(a.Truth, a.Answer)
	a.ROUGEL = textmetric.RougeL(a.Truth, a.Answer).F1
	return a
}

// utf8Only makes what is measured what a result can hold: JSON has no other bytes.
func utf8Only(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// sumUp counts Items: everything but the bootstrap's intervals and what a perfect model would reach.
func (r *FreeTextResult) sumUp() {
	var all []*FreeTextAnswer
	of := map[string][]*FreeTextAnswer{}
	var names []string
	tokens, timed := 0, 0.0
	var seconds float64
	r.Failed, r.TruthsWithoutLatin, r.AnswersWithoutLatin = 0, 0, 0
	for i := range r.Items {
		a := &r.Items[i]
		if a.Status != Answered {
			r.Failed++
			continue
		}
		all = append(all, a)
		if of[a.Exercise] == nil {
			names = append(names, a.Exercise)
		}
		of[a.Exercise] = append(of[a.Exercise], a)
		seconds += a.Seconds
		if a.Tokens > 0 && a.Seconds > 0 {
			tokens, timed = tokens+a.Tokens, timed+a.Seconds
		}
		if !textmetric.HasLatin(a.Truth) {
			r.TruthsWithoutLatin++
		}
		if !textmetric.HasLatin(a.Answer) {
			r.AnswersWithoutLatin++
		}
	}
	r.FreeTextFigures = figuresOf(all)
	r.SecondsPerAnswer = over(seconds, len(all))
	r.TokensPerSecond = 0
	if timed > 0 {
		r.TokensPerSecond = float64(tokens) / timed
	}
	slices.SortStableFunc(names, func(a, b string) int {
		return byCount(len(of[a]), len(of[b]), a, b)
	})
	r.Exercises = nil
	for _, name := range names {
		r.Exercises = append(r.Exercises, Named[FreeTextFigures]{name, figuresOf(of[name])})
	}
}

// byCount orders exercises: those with more items first, of as many by name.
func byCount(n, m int, a, b string) int {
	return cmp.Or(cmp.Compare(m, n), strings.Compare(dataset.ExerciseKey(a), dataset.ExerciseKey(b)))
}

func figuresOf(answers []*FreeTextAnswer) FreeTextFigures {
	f := FreeTextFigures{N: len(answers)}
	for _, a := range answers {
		if a.Named {
			f.Named++
		}
		if a.Identified {
			f.Identified++
		}
		f.METEOR += a.METEOR
		f.ROUGEL += a.ROUGEL
	}
	f.METEOR, f.ROUGEL = over(f.METEOR, f.N), over(f.ROUGEL, f.N)
	f.IdentifiedShare = share(f.Identified, f.Named)
	f.IdentifiedInterval = Wilson(f.Identified, f.Named, Confidence)
	return f
}

// bootstrap fills the intervals of the means, an exercise's from its own items alone.
func (r *FreeTextResult) bootstrap() {
	var meteor, rouge []float64
	of := map[string][2][]float64{}
	for _, a := range r.Items {
		if a.Status == Answered {
			meteor, rouge = append(meteor, a.METEOR), append(rouge, a.ROUGEL)
			own := of[a.Exercise]
			of[a.Exercise] = [2][]float64{append(own[0], a.METEOR), append(own[1], a.ROUGEL)}
		}
	}
	r.METEORInterval, r.ROUGELInterval = bootstrapMeans(meteor, rouge, r.Resamples, r.Seed)
	for i := range r.Exercises {
		f, own := &r.Exercises[i].Value, of[r.Exercises[i].Name]
		f.METEORInterval, f.ROUGELInterval = bootstrapMeans(own[0], own[1], r.Resamples, r.Seed)
	}
}

// bootstrapMeans are the intervals of the means of two figures of the same items; nil for less than two items, which
// cannot tell how much they vary.
func bootstrapMeans(a, b []float64, resamples int, seed uint64) (ofA, ofB *Interval) {
	if len(a) < 2 {
		return nil, nil
	}
	draw := newResampler(len(a), seed)
	meansA, meansB := make([]float64, resamples), make([]float64, resamples)
	for i := range resamples {
		for _, at := range draw.next() {
			meansA[i] += a[at]
			meansB[i] += b[at]
		}
		meansA[i] /= float64(len(a))
		meansB[i] /= float64(len(b))
	}
	return percentiles(meansA, Confidence), percentiles(meansB, Confidence)
}
