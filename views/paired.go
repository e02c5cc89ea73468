package views

import "finetui/core/eval"

// PairVerdict says whether McNemar's exact test finds that a pair differs, and in words. Where several pairs were
// looked at, p adjusted for that (Holm) must be small as well; of one pair alone it is 0.
func PairVerdict(pair *eval.Comparison) (differs bool, words string) {
	switch {
	case pair.SameRecipe:
		return false, "one recipe, two runs"
	case pair.Tells() && pair.PHolm < eval.Told:
		return true, "they differ"
	}
	return false, "not told apart"
}
