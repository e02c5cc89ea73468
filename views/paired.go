package views

import "finetui/core/eval"

// Told says whether McNemar's exact test tells a pair apart, and in words. Where several pairs were looked at, p
// adjusted for that (Holm) must be small as well; of one pair alone it is 0.
func Told(pair *eval.Comparison) (told bool, words string) {
	switch {
	case pair.SameRecipe:
		return false, "one recipe, two runs"
	case pair.Tells() && pair.PHolm < eval.Told:
		return true, "they differ"
	}
	return false, "not told apart"
}
