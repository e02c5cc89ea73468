package recipe

import (
	"cmp"
	"slices"
)

// Knowledge is what a part of the prompt tells of the answer by itself: how many of the train split's objects are of
// the class that is the commonest among those that are told the same.
type Knowledge struct {
	What  string  // that is told
	Texts int     // different ones
	Right int     // objects whose class is the commonest of its text
	N     int     // objects
	Share float64 // Right of N
}

// Knowledge measures what the prompts' ingredients tell before anything is seen: nothing, the object type, the type
// with its usual place, and the type with the position word. The type is what a first stage knows. Its usual place is
// chosen by the type, so it can tell nothing beyond it; the figures show that.
func (r *Recipe) Knowledge() []Knowledge {
	counts := map[string][]int{} // of each class, by the word for the place
	for i := range r.data.Items {
		it := &r.data.Items[i]
		if it.Split != trainSplit {
			continue
		}
		for o := range it.Objects {
			word := r.band(it.Objects[o].Box.Center().Y)
			if counts[word] == nil {
				counts[word] = make([]int, len(r.Classes))
			}
			counts[word][it.Objects[o].Class]++
		}
	}
	var out []Knowledge
	for _, told := range []struct {
		what string
		text func(object, word string) string
	}{
		{"nothing", func(_, _ string) string { return "" }},
		{"the object type", func(object, _ string) string { return object }},
		{"the object type and its usual place", func(object, _ string) string {
			return object + "; " + r.facts.place[object]
		}},
		{"the object type and the position word", func(object, word string) string { return object + "; " + word }},
	} {
		k := Knowledge{What: told.what}
		texts := map[string][]int{} // of each class, by what is told
		for word, classes := range counts {
			for c, n := range classes {
				if n == 0 {
					continue
				}
				text := told.text(r.Classes[c].Object, word)
				if texts[text] == nil {
					texts[text] = make([]int, len(classes))
				}
				texts[text][c] += n
				k.N += n
			}
		}
		for _, classes := range texts {
			k.Right += slices.Max(classes)
		}
		k.Texts, k.Share = len(texts), float64(k.Right)/float64(cmp.Or(k.N, 1))
		out = append(out, k)
	}
	return out
}
