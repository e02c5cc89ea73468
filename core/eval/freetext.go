package eval

import (
	"strings"

	"finetui/core/dataset"
)

// FreeTextItem is one clip that was shown to a subject and answered in free words.
type FreeTextItem struct {
	ID       string
	Video    string
	Prompt   string
	Exercise string // the clip's class in the data set; "": the one that the truth names
	Truth    string
	Answer   string
	Tokens   int     // that were generated
	Seconds  float64 // that generating took
	Error    string  // why there is no answer; "" where there is one
}

// FreeTextKind is what tells a free-text result from the others that may lie in eval/SPLIT.json.
const FreeTextKind = "free_text"

// FreeTextResult is what is known of one subject's answers in free words on one split. Intervals are of 95 %: Wilson's
// for the exercise identified, a bootstrap's percentiles for the means; null where there are less than two items to
// estimate from. Items without an answer are counted in Failed and in nothing else.
type FreeTextResult struct {
	Schema  int    `json:"schema"`
	Kind    string `json:"kind"` // FreeTextKind
	Subject string `json:"subject"`
	Split   string `json:"split"`
	FreeTextFigures
	Failed   int    `json:"failed"`
	Synonyms string `json:"meteor_synonyms"` // textmetric.Meteor.Synonyms: METEOR with others is another measure

	// Exercises are in the order of their items, the rarest last.
	Exercises Ordered[FreeTextFigures] `json:"exercises"`
	SelfTest  PerfectText              `json:"self_test"`

	// Texts without a letter a–z or digit, for which ROUGE-L is 0 whatever they say.
	TruthsWithoutLatin  int `json:"truths_without_latin"`
	AnswersWithoutLatin int `json:"answers_without_latin"`

	SecondsPerAnswer float64          `json:"seconds_per_answer"`
	TokensPerSecond  float64          `json:"tokens_per_second"` // all tokens by all seconds; 0: not known
	Seed             uint64           `json:"seed"`              // of the bootstrap
	Resamples        int              `json:"resamples"`         // of the bootstrap
	Items            []FreeTextAnswer `json:"items"`

	told int // ExerciseTold, counted once
}

// FreeTextFigures are the figures of some answers.
type FreeTextFigures struct {
	N                  int       `json:"n"`
	Named              int       `json:"named"`      // of N: the expected answer names an exercise
	Identified         int       `json:"identified"` // of Named: the answer names the same one
	IdentifiedShare    float64   `json:"identified_share"`
	IdentifiedInterval *Interval `json:"identified_interval"` // Wilson
	METEOR             float64   `json:"meteor"`              // mean
	METEORInterval     *Interval `json:"meteor_interval"`     // bootstrap
	ROUGEL             float64   `json:"rouge_l"`             // mean F1
	ROUGELInterval     *Interval `json:"rouge_l_interval"`    // bootstrap
}

// PerfectText is what a model would reach that gives every expected answer. Its METEOR is below 1 (a text of n words
// scores 1 − 0.5/n³ against itself).
type PerfectText struct {
	METEOR     float64 `json:"meteor"`
	ROUGEL     float64 `json:"rouge_l"`
	Identified float64 `json:"identified"`
}

// What FreeTextAnswer.Status says.
const (
	Answered = "success"
	NoAnswer = "error"
)

// FreeTextAnswer is one item as it was scored. The fields of a failed one are 0 from Identified on.
type FreeTextAnswer struct {
	ID              string  `json:"id"`
	Video           string  `json:"video_path"`
	Prompt          string  `json:"prompt"`
	Truth           string  `json:"ground_truth"`
	Answer          string  `json:"prediction"`
	Tokens          int     `json:"generated_tokens"`
	Seconds         float64 `json:"generation_time"`
	TokensPerSecond float64 `json:"tokens_per_second"`
	Status          string  `json:"status"` // Answered or NoAnswer
	Error           string  `json:"error"`

	Exercise   string  `json:"exercise"` // as the first item that has it spells it; "" where none is known
	Named      bool    `json:"named"`
	Identified bool    `json:"identified"`
	METEOR     float64 `json:"meteor"`
	ROUGEL     float64 `json:"rouge_l"`
}

// exerciseEnd stands between an exercise and what is said of it.
const exerciseEnd = " - "

// namedExercise is the exercise that an expected answer names: its text before the first " - ". "" where it has none.
func namedExercise(truth string) string {
	name, _, found := strings.Cut(truth, exerciseEnd)
	if !found {
		return ""
	}
	return strings.TrimSpace(name)
}

// TellsExercise says whether a prompt names the exercise that the expected answer does: to name it is then no more than
// to repeat it.
func TellsExercise(prompt, truth string) bool {
	return IndexWords(Normalize(prompt), Normalize(dataset.ExerciseKey(namedExercise(truth)))) >= 0
}

// ExerciseTold says to how many answers that could identify their exercise the prompt names it.
func (r *FreeTextResult) ExerciseTold() int { return r.told }

// countTold counts ExerciseTold. Prompts and truths are few where items are many.
func (r *FreeTextResult) countTold() {
	known := map[[2]string]bool{}
	r.told = 0
	for i := range r.Items {
		a := &r.Items[i]
		if !a.Named {
			continue
		}
		key := [2]string{a.Prompt, a.Truth}
		tells, there := known[key]
		if !there {
			tells = TellsExercise(a.Prompt, a.Truth)
			known[key] = tells
		}
		if tells {
			r.told++
		}
	}
}

// ExercisePart is the exercise that an answer names: its text before the first " - ", all of it where there is none.
func ExercisePart(answer string) string {
	name, _, _ := strings.Cut(answer, exerciseEnd)
	return name
}

// identifies tells whether an answer names an exercise: its text before the first " - ", all of it where there is
// none, is the exercise but for its spelling.
func identifies(answer, exercise string) bool {
	return dataset.SameExercise(ExercisePart(answer), exercise)
}
