package textmetric

import "strings"

// Overlap is how much two texts share: of the prediction's words, of the reference's, and their harmonic mean.
type Overlap struct{ Precision, Recall, F1 float64 }

// RougeL is rouge_score's rougeL without stemming: the longest common subsequence of the words. Line ends count as
// blanks. All 0 where either text has no word.
func RougeL(reference, prediction string) Overlap {
	ref, pred := latin(reference), latin(prediction)
	n := float64(common(ref, pred))
	if n == 0 {
		return Overlap{}
	}
	precision, recall := n/float64(len(pred)), n/float64(len(ref))
	return Overlap{precision, recall, 2 * precision * recall / (precision + recall)}
}

// HasLatin tells whether a text has a word that ROUGE-L sees: a letter a–z or a digit 0–9, in any case.
func HasLatin(text string) bool { return len(latin(text)) > 0 }

// latin are the words of a text in lower case: its runs of a–z and 0–9.
func latin(text string) []string {
	return strings.FieldsFunc(lower(text), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

// common is the length of the longest common subsequence.
func common(a, b []string) int {
	same := 0
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b, same = a[1:], b[1:], same+1
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b, same = a[:len(a)-1], b[:len(b)-1], same+1
	}
	above, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for _, w := range a {
		for j, v := range b {
			if w == v {
				row[j+1] = above[j] + 1
			} else {
				row[j+1] = max(above[j+1], row[j])
			}
		}
		above, row = row, above
	}
	return same + above[len(b)]
}
