package eval_test

import (
	"fmt"

	"finetui/core/eval"
	"finetui/core/eval/textmetric"
)

// What a model says of three clips is measured against what a coach would have said.
func ExampleScoreFreeText() {
	items := []eval.FreeTextItem{
		{ID: "1", Truth: "squats - The user does not go low enough.", Answer: "squats - You are not going low enough."},
		{ID: "2", Truth: "Squats - The heels lift.", Answer: "squats - The heels lift."},
		{ID: "3", Truth: "heel_lift - too fast", Answer: "toe touch - too fast"},
	}
	result, err := eval.ScoreFreeText(items, eval.FreeTextOptions{
		Subject: "0003-enhanced", Split: "test", Seed: 1337, Resamples: eval.DefaultResamples,
		Meteor: textmetric.Meteor{}, // give it what textmetric.FindWordNet finds, and synonyms count
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("identified %d of %d, METEOR %.3f of %.3f, ROUGE-L %.3f\n", result.Identified, result.Named,
		result.METEOR, result.SelfTest.METEOR, result.ROUGEL)
	for _, exercise := range result.Exercises {
		fmt.Printf("%s: %d\n", exercise.Name, exercise.Value.N)
	}
	// Output:
	// identified 2 of 3, METEOR 0.805 of 0.996, ROUGE-L 0.678
	// squats: 2
	// heel_lift: 1
}

// A coach speaks at three moments, the model at two: one in time, one too late.
func ExampleMatchFeedback() {
	coach := []eval.Feedback{{At: 2, Text: "lower"}, {At: 6, Text: "good"}, {At: 9, Text: "rest"}}
	model := []eval.Feedback{{At: 2.8, Text: "go lower"}, {At: 7.5, Text: "nice"}}
	for _, pair := range eval.MatchFeedback(coach, model) {
		fmt.Println(coach[pair[0]].Text, "←", model[pair[1]].Text)
	}
	// Output: lower ← go lower
}
