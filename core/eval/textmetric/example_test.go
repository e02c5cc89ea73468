package textmetric_test

import (
	"fmt"

	"finetui/core/eval/textmetric"
)

func Example() {
	const expected = "squats - The user does not go low enough."
	const answer = "squats - You are not going low enough."
	meteor := textmetric.Meteor{} // words and stems; with a WordNet also synonyms
	fmt.Printf("METEOR %.4f of at most %.4f, synonyms: %s\n", meteor.Score(expected, answer), meteor.Perfect(expected),
		meteor.Synonyms())
	fmt.Printf("ROUGE-L %.4f\n", textmetric.RougeL(expected, answer).F1)
	fmt.Printf("%q\n", textmetric.Words("don't stop, keep going!"))
	// Output:
	// METEOR 0.6988 of at most 0.9995, synonyms: none
	// ROUGE-L 0.5333
	// ["do" "n't" "stop" "," "keep" "going" "!"]
}
