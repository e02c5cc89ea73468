package textmetric

import (
	"math"
	"slices"
)

// The parameters of METEOR, nltk's defaults.
const (
	meteorAlpha = 0.9 // weight of recall
	meteorBeta  = 3.0 // how steeply scattered matches are punished
	meteorGamma = 0.5 // how much at most
)

// Meteor scores by nltk's METEOR. Its zero value matches equal words and equal stems.
type Meteor struct {
	WordNet *WordNet // for synonyms; nil: none
}

// Synonyms says what synonyms are looked up in: "none", or the name of a WordNet.
func (m Meteor) Synonyms() string {
	if m.WordNet == nil {
		return NoSynonyms
	}
	return m.WordNet.Name()
}

// NoSynonyms is what Synonyms says where there is no WordNet.
const NoSynonyms = "none"

// Score is METEOR of two texts, 0 to 1: 0 where nothing matches or one is empty.
func (m Meteor) Score(reference, prediction string) float64 {
	return m.ScoreWords(Words(reference), Words(prediction))
}

// ScoreWords is Score for texts that are split into words.
func (m Meteor) ScoreWords(reference, prediction []string) float64 {
	pairs := m.align(numbered(reference), numbered(prediction))
	if len(pairs) == 0 {
		return 0
	}
	n := float64(len(pairs))
	precision, recall := n/float64(len(prediction)), n/float64(len(reference))
	mean := precision * recall / (meteorAlpha*precision + (1-meteorAlpha)*recall)
	penalty := meteorGamma * math.Pow(float64(chunks(pairs))/n, meteorBeta)
	return (1 - penalty) * mean
}

// Perfect is METEOR of a text against itself: 1 − 0.5/n³ for n words, 0 for none.
func (m Meteor) Perfect(text string) float64 {
	n := float64(len(Words(text)))
	if n == 0 {
		return 0
	}
	return 1 - meteorGamma/math.Pow(n, meteorBeta)
}

// word is a word, or its stem, with its place in the text.
type word struct {
	at   int
	text string
}

func numbered(words []string) []word {
	list := make([]word, len(words))
	for i, w := range words {
		list[i] = word{i, lower(w)}
	}
	return list
}

// align pairs places of the prediction with places of the reference, in the order of the former.
func (m Meteor) align(reference, prediction []word) [][2]int {
	pairs, reference, prediction := pair(nil, reference, prediction, itself)
	stem(reference)
	stem(prediction)
	pairs, reference, prediction = pair(pairs, reference, prediction, itself)
	if m.WordNet != nil {
		pairs, _, _ = pair(pairs, reference, prediction, func(w string) []string {
			return append(m.WordNet.Synonyms(w), w)
		})
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return a[0] - b[0] })
	return pairs
}

func itself(w string) []string { return []string{w} }

func stem(words []word) {
	for i := range words {
		words[i].text = Stem(words[i].text)
	}
}

// pair walks the prediction from its last word to its first and gives each the last free word of the reference that
// equals one of its forms. It returns the pairs with the new ones, and the words without a partner.
func pair(pairs [][2]int, reference, prediction []word, forms func(string) []string) ([][2]int, []word, []word) {
	free := make(map[string][]int, len(reference)) // of each word where it is still free, ascending
	for j, w := range reference {
		free[w.text] = append(free[w.text], j)
	}
	taken, left := make([]bool, len(reference)), make([]word, 0, len(prediction))
	for i := len(prediction) - 1; i >= 0; i-- {
		best, form := -1, ""
		for _, f := range forms(prediction[i].text) {
			if at := free[f]; len(at) > 0 && at[len(at)-1] > best {
				best, form = at[len(at)-1], f
			}
		}
		if best < 0 {
			left = append(left, prediction[i])
			continue
		}
		free[form] = free[form][:len(free[form])-1]
		taken[best] = true
		pairs = append(pairs, [2]int{prediction[i].at, reference[best].at})
	}
	slices.Reverse(left)
	var rest []word
	for j, w := range reference {
		if !taken[j] {
			rest = append(rest, w)
		}
	}
	return pairs, rest, left
}

// chunks counts the runs of pairs that are neighbours in both texts.
func chunks(pairs [][2]int) int {
	n := 1
	for i := 1; i < len(pairs); i++ {
		if pairs[i][0] != pairs[i-1][0]+1 || pairs[i][1] != pairs[i-1][1]+1 {
			n++
		}
	}
	return n
}
