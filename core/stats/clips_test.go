package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// exercises is a set of clips: two exercises done in three ways by two participants, one clip that was not looked into.
func exercises() *dataset.Dataset {
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "squats", Object: "squats", Condition: "normal"},
		{Name: "elbow plank", Object: "elbow plank", Condition: "normal"}}, Splits: []string{"train", "valid"}}
	slow, early := &dataset.Text{Answer: "Squats - too slow\nsecond line"},
		&dataset.Text{Answer: "elbow_plank  - User stopped early"}
	for i, clip := range []struct {
		class        int
		text         *dataset.Text
		split, group string
		seconds, fps float64
		frames       int
	}{
		{0, slow, "train", "p1", 2, 30, 60}, {0, slow, "train", "p1", 4, 30, 120}, {0, nil, "valid", "p2", 3, 25, 75},
		{1, early, "valid", "p1", 9, 30, 270}, {1, early, "train", "", 0, 0, 0},
	} {
		codec := "h264"
		if clip.frames == 0 {
			codec = ""
		}
		set.Items = append(set.Items, dataset.Item{ID: fmt.Sprint(i), Split: clip.split, Group: dataset.GroupOf(clip.group),
			Clip:    &dataset.Clip{Frames: clip.frames, FPS: clip.fps, Seconds: clip.seconds, Codec: codec},
			Objects: []dataset.Object{{Class: clip.class, Box: dataset.Whole, Text: clip.text}}})
	}
	return set
}

func usual(t *testing.T) config.Dataset {
	t.Helper()
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	return file.Config.Dataset
}

func TestClipsAreDescribedByLabelsAndFiles(t *testing.T) {
	a := Analyze(exercises(), usual(t))
	c := a.Whole.Clips
	if c.N != 5 || c.Known != 4 || c.Unnamed != 1 || c.Varied() != 2 {
		t.Errorf("%d clips, %d known, %d unnamed, %d ways", c.N, c.Known, c.Unnamed, c.Varied())
	}
	if m := c.Seconds; m.N != 4 || m.Mean != 4.5 || m.Median != 3.5 || m.Min != 2 || m.Max != 9 ||
		math.Abs(m.SD-math.Sqrt(7.25)) > 1e-9 || m.From > m.Min || m.To < m.Max {
		t.Errorf("lengths: %+v", m)
	}
	if fmt.Sprint(c.Codecs) != "[{h264 4}]" {
		t.Errorf("codecs: %v", c.Codecs)
	}
	if fmt.Sprint(c.People) != "[{p1 3 2 [train valid]} {p2 1 1 [valid]}]" {
		t.Errorf("participants: %v", c.People)
	}
	if fmt.Sprint(c.Variations) != "[{0 too slow 2} {1 User stopped early 2} {0  1}]" {
		t.Errorf("variations: %v", c.Variations)
	}
	sum := 0
	for _, n := range c.Seconds.Histogram {
		sum += n
	}
	if sum != 4 {
		t.Errorf("the histogram holds %d of 4 clips", sum)
	}
	if valid := a.Split("valid").Clips; valid.N != 2 || valid.Seconds.Mean != 6 {
		t.Errorf("split valid: %+v", valid)
	}
}

func TestAMeasureHoldsItsValuesWhateverTheyAre(t *testing.T) {
	for _, values := range [][]float64{{30, 30, 30}, {29.97, 29.97, 29.97, 29.97, 29.97}, {0, 0}, {29.5, 30},
		{1e-3, 3600}, {5}} {
		m, sum := measure(values), 0
		for _, n := range m.Histogram {
			sum += n
		}
		if sum != len(values) || m.From > m.Min || m.To < m.Max || m.To <= m.From || m.Min == m.Max &&
			(m.SD != 0 || m.Mean != m.Min) {
			t.Errorf("%v: %d in the histogram, from %v to %v", values, sum, m.From, m.To)
		}
	}
}

func TestAnAnalysisOfClipsSpeaksOfClips(t *testing.T) {
	a := Analyze(exercises(), usual(t))
	text := a.Text()
	for _, want := range []string{"5 clips in 2 classes", "4 of 5 clips were looked into", "4.50 s ± 2.69",
		"h264 4", "2; not known of 1 clip"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
	for _, never := range []string{"image", "mean y", "pairs"} {
		if strings.Contains(text, never) {
			t.Errorf("the text of a set of clips speaks of %q:\n%s", never, text)
		}
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var written struct {
		Clips struct {
			N          int
			LookedInto int `json:"looked_into"`
			FPS        struct{ Median float64 }
			Codecs     map[string]int
			Variations []struct {
				Class, Variation string
				N                int
			}
			Participants []struct{ Splits []string }
		}
		Splits map[string]struct{ Clips *struct{ N int } }
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		t.Fatal(err)
	}
	w := written.Clips
	if w.N != 5 || w.LookedInto != 4 || w.FPS.Median != 30 || w.Codecs["h264"] != 4 || len(w.Variations) != 3 ||
		w.Variations[0].Variation != "too slow" || len(w.Participants[0].Splits) != 2 ||
		written.Splits["valid"].Clips.N != 2 {
		t.Errorf("written: %+v", written)
	}
	pictures, _ := json.Marshal(Analyze(&dataset.Dataset{Splits: []string{"train"}}, usual(t)))
	if strings.Contains(string(pictures), `"clips"`) {
		t.Error("a set of pictures is described as clips, too")
	}
}

// longTail is a set of 269 classes whose counts fall from 6477 to 4, each in one picture.
func longTail(clips bool) *dataset.Dataset {
	const most, least, classes = 6477, 4, 269
	set := &dataset.Dataset{Splits: []string{"train"}}
	for c := range classes {
		name := fmt.Sprintf("exercise %d", c)
		set.Classes = append(set.Classes, dataset.Class{Name: name, Object: name, Condition: "normal"})
		n := int(math.Round(most * math.Pow(float64(least)/most, float64(c)/(classes-1))))
		item := dataset.Item{ID: name, Split: "train"}
		if clips {
			item.Clip = &dataset.Clip{}
		}
		for range n {
			item.Objects = append(item.Objects, dataset.Object{Class: c, Box: dataset.Whole, Confidence: 1})
		}
		set.Items = append(set.Items, item)
	}
	return set
}

func TestTheTextOfManyClassesIsShort(t *testing.T) {
	for _, clips := range []bool{true, false} {
		a := Analyze(longTail(clips), usual(t))
		text := a.Text()
		for _, want := range []string{"1619.25×", "and 241 more", "exercise 0 ", "exercise 268",
			"half of all lies in"} {
			if !strings.Contains(text, want) {
				t.Errorf("the text lacks %q:\n%s", want, text)
			}
		}
		if n := strings.Count(text, "\n"); n > 60 {
			t.Errorf("the text has %d lines", n)
		}
	}
}

func TestReachingCountsClassesAndTheirObjects(t *testing.T) {
	p := Part{Objects: 100, ClassCounts: []int{5, 60, 35}}
	for _, c := range []struct {
		share            float64
		classes, objects int
	}{{0, 0, 0}, {0.5, 1, 60}, {0.6, 1, 60}, {0.61, 2, 95}, {1, 3, 100}} {
		if n, objects := p.Reaching(c.share); n != c.classes || objects != c.objects {
			t.Errorf("%v: %d classes with %d objects", c.share, n, objects)
		}
	}
}
