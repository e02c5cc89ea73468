package views

import (
	"fmt"

	"finetui/core/eval"
	"finetui/views/widget"
)

// PairedTest says what McNemar's exact test came to for one of so many pairs, and whether it tells the two apart. Where
// several pairs were looked at, p adjusted for that (Holm) decides as well.
func PairedTest(pair *eval.Comparison, pairs int) (text string, told bool) {
	text = "McNemar's exact p " + widget.Probability(pair.P)
	if pairs > 1 {
		text += fmt.Sprintf(" (%s for all %d pairs together)", widget.Probability(pair.PHolm), pairs)
	}
	if pair.P < eval.Told && (pairs < 2 || pair.PHolm < eval.Told) {
		return text + ": they differ", true
	}
	return text + ": not told apart", false
}
