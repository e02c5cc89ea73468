package recipe

import (
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/stats"
)

// facts is what the splits of FACTS_FROM say about an object type.
// A prompt picks from it by the type, never by the class.
type facts struct {
	place     map[string]string // object type → "mostly at the bottom"; missing where none was seen
	tellsAll  bool              // every object type has one class only: its name would be the answer
	classMean map[int]float64   // mean y of each class, for the faults of enhanced-original alone
	tellsOne  map[string]int    // object types that have one class, and that class
	told      []string          // by class: what PROMPT_FACTS tells of its type; "" for nothing
	kind      []int             // by class: the first class of its type
}

func (r *Recipe) mineFacts() facts {
	f := facts{place: map[string]string{}, classMean: map[int]float64{}, tellsOne: map[string]int{}, tellsAll: true}
	sums := make([]float64, len(r.Classes))
	for i := range r.data.Items {
		it := &r.data.Items[i]
		if !r.mined(it.Split) {
			continue
		}
		for o := range it.Objects {
			sums[it.Objects[o].Class] += it.Objects[o].Box.Center().Y
		}
	}
	sumOf, countOf := map[string]float64{}, map[string]int{}
	for c, n := range r.weighCounts {
		if n > 0 {
			sumOf[r.Classes[c].Object] += sums[c]
			countOf[r.Classes[c].Object] += n
			f.classMean[c] = sums[c] / float64(n)
		}
	}
	for object, n := range countOf {
		f.place[object] = "mostly " + r.band(sumOf[object]/float64(n))
	}
	classes := map[string]int{}
	for _, c := range r.Classes {
		classes[c.Object]++
	}
	for i, c := range r.Classes {
		if classes[c.Object] == 1 {
			f.tellsOne[c.Object] = i
		} else {
			f.tellsAll = false
		}
	}
	f.told, f.kind = make([]string, len(r.Classes)), make([]int, len(r.Classes))
	for c := range r.Classes {
		f.told[c] = r.tells(&f, r.Classes[c].Object)
		f.kind[c] = slices.IndexFunc(r.Classes, func(other dataset.Class) bool {
			return other.Object == r.Classes[c].Object
		})
	}
	return f
}

// tells is what PROMPT_FACTS tells of an object type. Where every type has one class its name is the answer, so nothing
// is told (lint says so).
func (r *Recipe) tells(f *facts, object string) string {
	if r.cfg.Recipe.PromptFacts == config.FactsNone || f.tellsAll {
		return ""
	}
	place, known := f.place[object]
	if r.cfg.Recipe.PromptFacts == config.FactsObject || !known {
		return withArticle(object) + "."
	}
	return withArticle(object) + "; " + place + "."
}

// band puts a y into words by TOP_BELOW and BOTTOM_ABOVE.
func (r *Recipe) band(y float64) string { return stats.BandWords[stats.Band(y, r.cfg.Dataset)] }
