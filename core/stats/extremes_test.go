package stats

import (
	"fmt"
	"strings"
	"testing"

	"finetui/core/dataset"
)

func TestExtremesAreTheOutermostOfWhatDiffers(t *testing.T) {
	square := func(class int, side float64) dataset.Object {
		return dataset.Object{Class: class, Box: dataset.Box{X1: side, Y1: side}}
	}
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "wall"}, {Name: "drain"}}, Items: []dataset.Item{
		{ID: "a", Width: 100, Height: 100, Objects: []dataset.Object{square(0, 0.5), square(0, 0.1)}},
		{ID: "b", Width: 100, Height: 100, Objects: []dataset.Object{square(0, 0.3), square(1, 0.2), square(0, 0.4)}},
		{ID: "c", Objects: []dataset.Object{{Class: 0, Box: dataset.Box{X1: 0.4, Y1: 0.4}}}},
		{ID: "d", Width: 100, Height: 100, Objects: []dataset.Object{{Class: 0, Box: dataset.Box{X1: 0.8, Y1: 0.2}}}},
	}}
	a := Analyze(set, usual(t))
	words := func(items ...int) string {
		var list []string
		for _, e := range a.Extremes(set, items) {
			list = append(list, fmt.Sprintf("%s: %s %s/%d", e.What, e.Much, set.Items[e.Item].ID, e.Object))
		}
		return strings.Join(list, "; ")
	}
	for _, c := range []struct {
		items []int
		want  string
	}{
		{[]int{0, 1, 2, 3}, "rarest class: drain, 1 in all b/1; smallest object: 1 % of picture a/1; " +
			"largest object: 25 % of picture a/0; most slender object: 4× as long as wide d/0; " +
			"most objects: 3 objects b/-1"},
		{[]int{0}, "smallest object: 1 % of picture a/1; largest object: 25 % of picture a/0"},
		{[]int{2}, ""}, // one object in a picture of unknown size: nothing differs
		{nil, ""},
	} {
		if got := words(c.items...); got != c.want {
			t.Errorf("%v: %s\nwant %s", c.items, got, c.want)
		}
	}
}

func TestExtremesOfClipsPassOverThoseNotLookedInto(t *testing.T) {
	clip := func(frames int, seconds, rate float64) dataset.Item {
		return dataset.Item{Clip: &dataset.Clip{Frames: frames, Seconds: seconds, FPS: rate},
			Objects: []dataset.Object{{Box: dataset.Whole}}}
	}
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "squats"}},
		Items: []dataset.Item{clip(30, 1, 30), clip(0, 0, 0), clip(45, 3, 15), clip(60, 2, 30)}}
	var got []string
	for _, e := range Analyze(set, usual(t)).Extremes(set, []int{0, 1, 2, 3}) {
		got = append(got, fmt.Sprint(e.What, ": ", e.Much, " ", e.Item))
	}
	want := "shortest clip: 1 s 0; longest clip: 3 s 2; fewest frames: 30 frames 0; " +
		"lowest rate: 15 frames a second 2; highest rate: 30 frames a second 0"
	if strings.Join(got, "; ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, "; "), want)
	}
}
