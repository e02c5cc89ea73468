package infer

import (
	"slices"
	"testing"

	"finetui/core/dataset"
	"finetui/views"
)

func TestAFilterChoosesTheSamplesWhoseIDOrAnswerPasses(t *testing.T) {
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "Toe drain"}, {Name: "crack 7"}}}
	for i, id := range []string{"valid/one", "valid/Two #9", "valid/12"} {
		objects := make([]dataset.Object, 13)
		for o := range objects {
			objects[o].Class = o % 2
			if o == 5 {
				objects[o].Text = &dataset.Text{Answer: "Bend your knee"}
			}
		}
		set.Items = append(set.Items, dataset.Item{ID: id, Split: "valid", Objects: objects[:13-i]})
	}
	samples := set.Objects("valid")
	for _, text := range []string{"", "one", "TWO", "1", "12", "#1", "one#1", "e#12", "#9", "9#3", "9 #3", "one 3", "drain",
		"drain 1", "toe", "knee", "crack", "7", "valid knee", "nothing", "112", "+1"} {
		var filter views.Filter
		filter.Set(text)
		var want []int
		for n, ref := range samples.All() {
			item := &set.Items[ref.Item]
			answer := set.Classes[item.Objects[ref.Object].Class].Name
			if own := item.Objects[ref.Object].Text; own != nil {
				answer = own.Answer
			}
			if filter.Passes(dataset.ObjectID(item.ID, ref.Object), answer) {
				want = append(want, n)
			}
		}
		c := choose(t.Context(), filter, set, samples)
		var got []int
		for place := range c.len() {
			got = append(got, c.at(place))
			if c.place(c.at(place)) != place {
				t.Errorf("%q: sample %d stands in place %d, not %d", text, c.at(place), place, c.place(c.at(place)))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
		for n := range samples.Len() {
			if !slices.Contains(want, n) && c.place(n) >= 0 {
				t.Errorf("%q: sample %d is among them", text, n)
			}
		}
	}
}
