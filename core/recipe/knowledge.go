package recipe

import "cmp"

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
	ingredients := []struct {
		what string
		text func(object string, y float64) string
	}{
		{"nothing", func(string, float64) string { return "" }},
		{"the object type", func(object string, _ float64) string { return object }},
		{"the object type and its usual place", func(object string, _ float64) string {
			return object + "; " + r.facts.place[object]
		}},
		{"the object type and the position word", func(object string, y float64) string {
			return object + "; " + r.band(y)
		}},
	}
	out := make([]Knowledge, len(ingredients))
	for i, g := range ingredients {
		counts := map[string]map[int]int{}
		k := Knowledge{What: g.what}
		for j := range r.data.Items {
			it := &r.data.Items[j]
			if it.Split != trainSplit {
				continue
			}
			for o := range it.Objects {
				c := it.Objects[o].Class
				text := g.text(r.Classes[c].Object, it.Objects[o].Box.Center().Y)
				if counts[text] == nil {
					counts[text] = map[int]int{}
				}
				counts[text][c]++
				k.N++
			}
		}
		for _, classes := range counts {
			most := 0
			for _, n := range classes {
				most = max(most, n)
			}
			k.Right += most
		}
		k.Texts, k.Share = len(counts), float64(k.Right)/float64(cmp.Or(k.N, 1))
		out[i] = k
	}
	return out
}
