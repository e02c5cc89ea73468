package eval

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"finetui/core/eval/textmetric"
)

// at makes feedback of moments; what is said is the number of the moment.
func at(times ...float64) []Feedback {
	list := []Feedback{}
	for i, v := range times {
		list = append(list, Feedback{v, fmt.Sprint("say ", i)})
	}
	return list
}

func TestFeedbackMatchesInTimeOrderTheNearestThatIsFree(t *testing.T) {
	for what, c := range map[string]struct {
		truth, answer []Feedback
		want          [][2]int
	}{
		"nothing":                        {nil, nil, nil},
		"nothing given":                  {at(1), nil, nil},
		"nothing expected":               {nil, at(1), nil},
		"three of four":                  {at(1, 5, 9), at(1.4, 3.6, 9.2, 20), [][2]int{{0, 0}, {1, 1}, {2, 2}}},
		"1.5 s away is too far":          {at(2), at(3.5), nil},
		"1.5 s away but for rounding":    {at(0.1), at(1.6), nil},
		"1.499 s away":                   {at(2), at(0.501), [][2]int{{0, 0}}},
		"each once":                      {at(1, 2), at(1.5), [][2]int{{0, 0}}},
		"the nearest, not the first":     {at(5), at(4, 5.2), [][2]int{{0, 1}}},
		"of two as near the earlier":     {at(5), at(6, 4), [][2]int{{0, 1}}},
		"the earlier truth chooses":      {at(1, 2), at(1.9, 3.6), [][2]int{{0, 0}}},
		"lists that are not in order":    {at(5, 1), at(5.1, 1.1), [][2]int{{1, 1}, {0, 0}}},
		"two at one moment":              {at(3, 3), at(3, 3.2), [][2]int{{0, 0}, {1, 1}}},
		"the next nearest when it is so": {at(3, 3.1), at(3.1, 4), [][2]int{{0, 0}, {1, 1}}},
	} {
		if got := MatchFeedback(c.truth, c.answer); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

func twoVideos() []TimedItem {
	return []TimedItem{
		{ID: "a", Video: "./a.mp4", Truth: []Feedback{{1, "lower your hips"}, {5, "keep going"}, {9, "good"}},
			Answer: []Feedback{{1.4, "lower your hips"}, {3.6, "stop"}, {9.2, "good"}, {20, "well done"}}},
		{ID: "b", Video: "./b.mp4", Truth: []Feedback{{2, "back straight"}, {4, "deeper"}},
			Answer: []Feedback{{30, "hm"}}},
	}
}

func scoreTimed(t *testing.T, items []TimedItem) *TimedResult {
	t.Helper()
	r, err := ScoreTimed(items, coached)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// By hand: 3 matched, 5 given, 5 expected. The matched pairs score METEOR 1 − 0.5/27, 0 and 0.5.
func TestTimedCountsArePooledByHand(t *testing.T) {
	r := scoreTimed(t, twoVideos())
	if r.N != 2 || r.Matched != 3 || r.Given != 5 || r.Expected != 5 {
		t.Errorf("%+v", r.TimedFigures)
	}
	if !near(r.Precision, 0.6) || !near(r.Recall, 0.6) || !near(r.TF, 0.6) {
		t.Errorf("%+v", r.TimedFigures)
	}
	if !near(r.METEOR, (1-0.5/27+0.5)/3) || !near(r.ROUGEL, 2./3) {
		t.Errorf("METEOR %v ROUGE-L %v", r.METEOR, r.ROUGEL)
	}
	one := scoreTimed(t, twoVideos()[:1])
	if !near(one.Precision, 0.75) || one.Recall != 1 || !near(one.TF, 6./7) || one.TFInterval != nil {
		t.Errorf("%+v %v", one.TimedFigures, one.TFInterval)
	}
	// A bootstrap of two videos draws the first, both or the second: T-F 6/7, 0.6 or 0.
	if i := r.TFInterval; i == nil || i[0] != 0 || !near(i[1], 6./7) {
		t.Errorf("%v", i)
	}
	if r.METEORInterval != nil {
		t.Errorf("one video alone has matched pairs, and METEOR the interval %v", r.METEORInterval)
	}
	if s := r.SelfTest; s.TF != 1 || s.Matched != 5 || s.ROUGEL != 1 {
		t.Errorf("%+v", s)
	}
}

func TestTimedVideosWithoutAnswerCountInNoFigure(t *testing.T) {
	items := twoVideos()
	items[1].Error = "out of memory"
	r := scoreTimed(t, items)
	if r.N != 1 || r.Failed != 1 || r.Expected != 3 || !near(r.TF, 6./7) {
		t.Errorf("%+v", r)
	}
	text := r.Text()
	for _, want := range []string{"enhanced on test: 1 video, 3 feedbacks expected, 4 given, 3 matched within 1.5 s",
		"1 video more has no answer", "T-F        0.857", "perfect answers would score T-F 1.000"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestTimedRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		spoil func([]TimedItem)
		says  string
	}{
		"one ID twice":    {func(i []TimedItem) { i[1].ID = "a" }, "item a is scored twice"},
		"a time before 0": {func(i []TimedItem) { i[1].Answer[0].At = -1 }, "item b has a feedback at -1 s"},
		"no number":       {func(i []TimedItem) { i[0].Truth[0].At = math.NaN() }, "item a has a feedback at NaN s"},
		"endless":         {func(i []TimedItem) { i[0].Truth[0].At = math.Inf(1) }, "item a has a feedback at +Inf s"},
		"an empty truth":  {func(i []TimedItem) { i[0].Truth[1].Text = " " }, "item a at 5 s expects an empty answer"},
	} {
		items := twoVideos()
		c.spoil(items)
		if _, err := ScoreTimed(items, coached); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTimedComesBackAsItWasWrittenOrNotAtAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.json")
	items := twoVideos()
	items = append(items, TimedItem{ID: "c", Truth: at(1), Error: "unreadable"}, TimedItem{ID: "d"})
	r := scoreTimed(t, items)
	if err := r.WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTimed(path)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("%+v %v, want %+v", got, err, r)
	}
	if _, err := ReadFreeText(path); err == nil || !strings.Contains(err.Error(), "timed feedback, not free text") {
		t.Error(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{`"matched": 3`, `"matched": 4`, "counts"},
		{`"resamples": 500`, `"resamples": 0`, "resamples"},
		{`"t_f": 1,`, `"t_f": 0.9,`, "perfect"},
		{`"t_f": 0.6`, `"t_f": 0.7`, "figures"},
		{`"at": 1.4`, `"at": 4.4`, "item a pairs"},
		{`"at": 1.4`, `"at": -1.4`, "item a has a feedback at -1.4"},
		{`"id": "b"`, `"id": "a"`, "item a is there twice"},
		{`"within": 1.5`, `"within": 2`, "how it was measured"},
		{`"status": "error"`, `"status": "success"`, "item c"},
		{`"meteor": 0.5`, `"meteor": 1.5`, ""},
		{"\n}", "\n", "no whole JSON"},
	} {
		spoilt := bytes.Replace(whole, []byte(c[0]), []byte(c[1]), 1)
		if c[0] == "\n}" {
			spoilt = whole[:len(whole)-2]
		}
		if bytes.Equal(spoilt, whole) {
			t.Fatalf("no %s in the result", c[0])
		}
		if err := os.WriteFile(path, spoilt, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadTimed(path)
		var damaged *DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: %v", c[1], err)
		}
	}
}

func TestTimedTextIsMeasuredOnMatchedPairsAlone(t *testing.T) {
	items := twoVideos()
	before := scoreTimed(t, items)
	items[1].Answer[0].Text = "deeper"
	if after := scoreTimed(t, items); after.METEOR != before.METEOR || after.ROUGEL != before.ROUGEL {
		t.Errorf("an unmatched feedback moved METEOR from %v to %v", before.METEOR, after.METEOR)
	}
	items[0].Answer[1].Text = "keep going"
	want := (1 - 0.5/27 + 0.5 + textmetric.Meteor{}.Perfect("keep going")) / 3
	if after := scoreTimed(t, items); !near(after.METEOR, want) {
		t.Errorf("METEOR %v, want %v", after.METEOR, want)
	}
}
