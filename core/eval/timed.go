package eval

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/dataset"
	"finetui/core/eval/textmetric"
)

// FeedbackWithin is how near in seconds a feedback has to come to be the expected one: nearer than this, not as near.
const FeedbackWithin = 1.5

// Feedback is what a coach says at one moment of a video.
type Feedback struct {
	At   float64 `json:"at"` // seconds from its beginning
	Text string  `json:"text"`
}

// FeedbackIn reads the feedbacks of an answer, each on a line of its own (dataset.TimedLine). whole says that there are
// some, and that nothing else is said.
func FeedbackIn(answer string) (list []Feedback, whole bool) {
	whole = true
	for line := range strings.Lines(answer) {
		if at, text, ok := dataset.ReadTimedLine(line); ok {
			list = append(list, Feedback{at, text})
		} else if strings.TrimSpace(line) != "" {
			whole = false
		}
	}
	return list, whole && len(list) > 0
}

// TimedItem is one video through which a subject spoke.
type TimedItem struct {
	ID     string
	Video  string
	Truth  []Feedback
	Answer []Feedback
	Error  string // why there is no answer; "" where there is one
}

// MatchFeedback pairs expected feedback with given: in time order each expected one takes the nearest given one that is
// free and less than FeedbackWithin away, of two as near ones the earlier. It returns pairs of places in truth and
// answer, in the order of time.
func MatchFeedback(truth, answer []Feedback) [][2]int {
	given := inTime(answer)
	taken := make([]bool, len(answer))
	var pairs [][2]int
	for _, t := range inTime(truth) {
		best, least := -1, FeedbackWithin-timeSlack
		for _, a := range given {
			if away := math.Abs(answer[a].At - truth[t].At); !taken[a] && away < least {
				best, least = a, away
			}
		}
		if best >= 0 {
			taken[best] = true
			pairs = append(pairs, [2]int{t, best})
		}
	}
	return pairs
}

// timeSlack keeps 0.1 and 1.6 seconds apart, whose difference in float64 is below 1.5.
const timeSlack = 1e-9

func inTime(list []Feedback) []int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case list[a].At < list[b].At:
			return -1
		case list[a].At > list[b].At:
			return 1
		}
		return 0
	})
	return order
}

// TimedKind is what tells a result of timed feedback from others.
const TimedKind = "timed_feedback"

// TimedResult is what is known of one subject's feedback on the videos of one split. Counts are pooled
// over the videos; the intervals, of 95 %, are a bootstrap's over videos, as feedback within one is no
// independent draw. They are null for less than two videos.
type TimedResult struct {
	Schema  int    `json:"schema"`
	Kind    string `json:"kind"` // TimedKind
	Subject string `json:"subject"`
	Split   string `json:"split"`
	TimedFigures
	TFInterval        *Interval     `json:"t_f_interval"`
	PrecisionInterval *Interval     `json:"precision_interval"`
	RecallInterval    *Interval     `json:"recall_interval"`
	METEORInterval    *Interval     `json:"meteor_interval"`
	ROUGELInterval    *Interval     `json:"rouge_l_interval"`
	Failed            int           `json:"failed"` // videos without an answer, in none of the figures
	Within            float64       `json:"within"` // FeedbackWithin
	Synonyms          string        `json:"meteor_synonyms"`
	SelfTest          TimedFigures  `json:"self_test"` // of a model that says what is expected, when it is
	Seed              uint64        `json:"seed"`
	Resamples         int           `json:"resamples"`
	Items             []TimedAnswer `json:"items"`
}

// TimedFigures are the figures of some videos. The measures of text are means over the matched pairs alone.
type TimedFigures struct {
	N         int     `json:"n"`         // videos
	Expected  int     `json:"expected"`  // feedbacks
	Given     int     `json:"given"`     // feedbacks
	Matched   int     `json:"matched"`   // pairs
	Precision float64 `json:"precision"` // of the given ones
	Recall    float64 `json:"recall"`    // of the expected ones
	TF        float64 `json:"t_f"`       // 2PR/(P+R), 0 where nothing matched
	METEOR    float64 `json:"meteor"`
	ROUGEL    float64 `json:"rouge_l"`
}

// TimedAnswer is one video as it was scored.
type TimedAnswer struct {
	ID     string         `json:"id"`
	Video  string         `json:"video_path"`
	Truth  []Feedback     `json:"ground_truth"`
	Answer []Feedback     `json:"prediction"`
	Pairs  []FeedbackPair `json:"pairs"`
	Status string         `json:"status"` // Answered or NoAnswer
	Error  string         `json:"error"`
}

// FeedbackPair is an expected feedback with the one that answers it.
type FeedbackPair struct {
	Truth  int     `json:"ground_truth"` // place in Truth
	Answer int     `json:"prediction"`   // place in Answer
	METEOR float64 `json:"meteor"`
	ROUGEL float64 `json:"rouge_l"`
}

// ScoreTimed measures feedback that has its moment. It refuses as ScoreFreeText does, and where a time is none.
func ScoreTimed(items []TimedItem, o FreeTextOptions) (*TimedResult, error) {
	r := &TimedResult{
		Schema: Schema, Kind: TimedKind, Subject: o.Subject, Split: o.Split, Within: FeedbackWithin,
		Synonyms: o.Meteor.Synonyms(), Seed: o.Seed, Resamples: max(0, o.Resamples),
		Items: make([]TimedAnswer, 0, len(items)),
	}
	perfect := make([]TimedAnswer, 0, len(items))
	seen := make(map[string]bool, len(items))
	var wrong []string
	for _, it := range items {
		a := TimedAnswer{ID: utf8Only(it.ID), Video: utf8Only(it.Video), Status: Answered, Error: utf8Only(it.Error)}
		if seen[a.ID] {
			return nil, fmt.Errorf("item %s is scored twice: give every item an ID of its own", a.ID)
		}
		seen[a.ID] = true
		var err error
		if a.Truth, err = feedbackOf(a.ID, it.Truth); err != nil {
			return nil, err
		}
		if a.Answer, err = feedbackOf(a.ID, it.Answer); err != nil {
			return nil, err
		}
		for _, f := range a.Truth {
			if text := textFault(f.Text, o.Meteor); text != "" {
				wrong = append(wrong, fmt.Sprintf("item %s at %g s %s", a.ID, f.At, text))
			}
		}
		ideal := a
		ideal.Status, ideal.Answer = Answered, a.Truth
		ideal.match(o.Meteor)
		perfect = append(perfect, ideal)
		if a.Error != "" {
			a.Status = NoAnswer
		}
		a.match(o.Meteor)
		r.Items = append(r.Items, a)
	}
	if err := refuse(wrong); err != nil {
		return nil, err
	}
	r.SelfTest = timedFigures(perfect)
	if r.SelfTest.Matched != r.SelfTest.Expected {
		return nil, fmt.Errorf("a perfect model would match %d of %d expected feedbacks: mend their times",
			r.SelfTest.Matched, r.SelfTest.Expected)
	}
	r.sumUp()
	r.bootstrap()
	return r, nil
}

func feedbackOf(id string, list []Feedback) ([]Feedback, error) {
	out := make([]Feedback, len(list)) // a list in JSON, even where it is empty
	for i, f := range list {
		if !(f.At >= 0) || math.IsInf(f.At, 0) {
			return nil, fmt.Errorf("item %s has a feedback at %v s: a time is 0 or more seconds from the beginning", id,
				f.At)
		}
		out[i] = Feedback{f.At, utf8Only(f.Text)}
	}
	return out, nil
}

func (a *TimedAnswer) match(meteor textmetric.Meteor) {
	a.Pairs = []FeedbackPair{}
	if a.Status != Answered {
		return
	}
	for _, p := range MatchFeedback(a.Truth, a.Answer) {
		truth, said := a.Truth[p[0]].Text, a.Answer[p[1]].Text
		a.Pairs = append(a.Pairs, FeedbackPair{p[0], p[1], meteor.Score(truth, said),
			textmetric.RougeL(truth, said).F1})
	}
}

func (r *TimedResult) sumUp() {
	r.TimedFigures = timedFigures(r.Items)
	r.Failed = len(r.Items) - r.N
}

// timedFigures pools the counts of the videos that were answered.
func timedFigures(videos []TimedAnswer) TimedFigures {
	var s timedSums
	for i := range videos {
		if videos[i].Status == Answered {
			s.add(sumsOf(&videos[i]))
		}
	}
	return s.figures()
}

// timedSums are what figures of several videos are made of.
type timedSums struct {
	videos, expected, given, matched int
	meteor, rouge                    float64
}

func sumsOf(a *TimedAnswer) timedSums {
	s := timedSums{videos: 1, expected: len(a.Truth), given: len(a.Answer), matched: len(a.Pairs)}
	for _, p := range a.Pairs {
		s.meteor += p.METEOR
		s.rouge += p.ROUGEL
	}
	return s
}

func (s *timedSums) add(o timedSums) {
	s.videos, s.expected, s.given, s.matched = s.videos+o.videos, s.expected+o.expected, s.given+o.given,
		s.matched+o.matched
	s.meteor, s.rouge = s.meteor+o.meteor, s.rouge+o.rouge
}

func (s timedSums) figures() TimedFigures {
	return TimedFigures{
		N: s.videos, Expected: s.expected, Given: s.given, Matched: s.matched,
		Precision: share(s.matched, s.given), Recall: share(s.matched, s.expected),
		TF:     share(2*s.matched, s.expected+s.given), // = 2PR/(P+R)
		METEOR: over(s.meteor, s.matched), ROUGEL: over(s.rouge, s.matched),
	}
}

// bootstrap draws videos. A resample in which a figure has nothing to be of is left out of it, and a figure that less
// than two videos have anything to say of gets no interval.
func (r *TimedResult) bootstrap() {
	var videos []timedSums
	for i := range r.Items {
		if r.Items[i].Status == Answered {
			videos = append(videos, sumsOf(&r.Items[i]))
		}
	}
	draws := make([]timedSums, 0, r.Resamples)
	for draw := newResampler(len(videos), r.Seed); len(videos) > 0 && len(draws) < r.Resamples; {
		var s timedSums
		for _, at := range draw.next() {
			s.add(videos[at])
		}
		draws = append(draws, s)
	}
	interval := func(m timedMeasure) *Interval {
		told := 0
		for _, v := range videos {
			if m.of(v) > 0 {
				told++
			}
		}
		if told < 2 {
			return nil
		}
		var values []float64
		for _, s := range draws {
			if m.of(s) > 0 {
				values = append(values, m.figure(s.figures()))
			}
		}
		return percentiles(values, Confidence)
	}
	r.TFInterval, r.PrecisionInterval, r.RecallInterval = interval(measureTF), interval(measurePrecision),
		interval(measureRecall)
	matched := func(s timedSums) int { return s.matched }
	r.METEORInterval = interval(timedMeasure{matched, func(f TimedFigures) float64 { return f.METEOR }})
	r.ROUGELInterval = interval(timedMeasure{matched, func(f TimedFigures) float64 { return f.ROUGEL }})
}

// timedMeasure is a figure, and of how many feedbacks it is a share: of none there is no figure.
type timedMeasure struct {
	of     func(timedSums) int
	figure func(TimedFigures) float64
}

var (
	measureTF = timedMeasure{func(s timedSums) int { return s.expected + s.given },
		func(f TimedFigures) float64 { return f.TF }}
	measurePrecision = timedMeasure{func(s timedSums) int { return s.given },
		func(f TimedFigures) float64 { return f.Precision }}
	measureRecall = timedMeasure{func(s timedSums) int { return s.expected },
		func(f TimedFigures) float64 { return f.Recall }}
)
