package eval

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
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

// coach are 9 clips: 5 squats (4 identified), 2 lunges, one plank in its folder's class, one that failed.
func coach() []FreeTextItem {
	clip := func(id, exercise, truth, answer string) FreeTextItem {
		return FreeTextItem{ID: id, Video: "./" + id + ".mp4", Prompt: "What is wrong?", Exercise: exercise,
			Truth:  truth,
			Answer: answer, Tokens: 20, Seconds: 0.5}
	}
	items := []FreeTextItem{
		clip("p0", "elbow plank", "No feedback available.", "elbow plank - perfect"),
		clip("l0", "", "Lunges - The front knee passes the toes.", "lunges - The front knee passes the toes."),
		clip("s0", "", "squats - The user does not go low enough.", "squats - You are not going low enough."),
		clip("s1", "", "Squats - The heels lift.", "squats - The heels lift."),
		clip("s2", "", "squats - too fast", "SQUATS - too fast"),
		clip("s3", "", "squats - too fast", "jumping jacks - too slow"),
		clip("s4", "", "squats - 深蹲", "squats - 膝盖"),
		clip("l1", "lunges", "lunges - no mistakes", "lunges - no mistakes"),
		clip("x0", "", "squats - too fast", ""),
	}
	items[8].Error = "the clip cannot be read"
	return items
}

var coached = FreeTextOptions{Subject: "enhanced", Split: "test", Seed: 7, Resamples: 500}

func scoreFreeText(t *testing.T, items []FreeTextItem, o FreeTextOptions) *FreeTextResult {
	t.Helper()
	r, err := ScoreFreeText(items, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFreeTextCountsByHand(t *testing.T) {
	r := scoreFreeText(t, coach(), coached)
	if r.N != 8 || r.Failed != 1 || r.Named != 7 || r.Identified != 6 || !near(r.IdentifiedShare, 6./7) {
		t.Errorf("%+v", r.FreeTextFigures)
	}
	if !sameInterval(r.IdentifiedInterval, Wilson(6, 7, Confidence)) {
		t.Errorf("%v", r.IdentifiedInterval)
	}
	var meteor, rouge float64
	for _, it := range coach()[:8] {
		meteor += textmetric.Meteor{}.Score(it.Truth, it.Answer)
		rouge += textmetric.RougeL(it.Truth, it.Answer).F1
	}
	if !near(r.METEOR, meteor/8) || !near(r.ROUGEL, rouge/8) || r.Synonyms != textmetric.NoSynonyms {
		t.Errorf("METEOR %v ROUGE-L %v by %s", r.METEOR, r.ROUGEL, r.Synonyms)
	}
	if r.SecondsPerAnswer != 0.5 || r.TokensPerSecond != 40 {
		t.Errorf("%v s, %v tokens/s", r.SecondsPerAnswer, r.TokensPerSecond)
	}
	// "squats" is all that ROUGE-L sees of both
	if r.Items[6].ROUGEL != 1 || r.TruthsWithoutLatin != 0 {
		t.Errorf("%+v", r.Items[6])
	}
}

func TestExercisesStandInTheOrderOfTheirItems(t *testing.T) {
	var got []string
	for _, e := range scoreFreeText(t, coach(), coached).Exercises {
		got = append(got, fmt.Sprintf("%s %d %d/%d", e.Name, e.Value.N, e.Value.Identified, e.Value.Named))
	}
	// the first spelling is shown; a plank's truth names no exercise
	if want := "[squats 5 4/5 Lunges 2 2/2 elbow plank 1 0/0]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestSpellingMakesNoOtherExercise(t *testing.T) {
	for _, c := range []struct {
		truth, answer     string
		named, identified bool
	}{
		{"heel_lift - low", "Heel  Lift - high", true, true},
		{"tricep stretch (right arm) - x", "Tricep_Stretch_(Right_Arm) - y", true, true},
		{"squats - low", "squats", true, true},
		{"squats - low", "squats: low", true, false},
		{"squats - a - b", "squats - c - d", true, true},
		{"cat-cow pose - x", "cat cow pose - x", true, false},
		{"STRASSE - x", "straße - y", true, true},
		{"no exercise here", "no exercise here", false, false},
		{" - x", " - x", false, false},
		{"squats - low", "", true, false},
		{"squats - low", " squats  - \nlow", true, true},
	} {
		a := scoreFreeText(t, []FreeTextItem{{ID: "1", Truth: c.truth, Answer: c.answer}}, coached).Items[0]
		if a.Named != c.named || a.Identified != c.identified {
			t.Errorf("%q | %q: named %v, identified %v", c.truth, c.answer, a.Named, a.Identified)
		}
	}
}

func TestIntervalsOfFreeTextDependOnTheSeedAndTheExercisesOwnItems(t *testing.T) {
	first, again := scoreFreeText(t, coach(), coached), scoreFreeText(t, coach(), coached)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same seed gives another result")
	}
	alone := scoreFreeText(t, coach()[2:7], coached)
	squats, _ := first.Exercises.Get("squats")
	if i := squats.METEORInterval; i == nil || *i != *alone.METEORInterval || i[0] >= squats.METEOR ||
		i[1] <= squats.METEOR {
		t.Errorf("%v and %v around %v", i, alone.METEORInterval, squats.METEOR)
	}
	plank, _ := first.Exercises.Get("elbow plank")
	if plank.METEORInterval != nil || plank.IdentifiedInterval != nil {
		t.Errorf("one item has the intervals %v and %v", plank.METEORInterval, plank.IdentifiedInterval)
	}
	other := coached
	other.Seed = 8
	if r := scoreFreeText(t, coach(), other); *r.METEORInterval == *first.METEORInterval {
		t.Error("another seed gives the same interval")
	}
}

func TestAPerfectModelIsFedBeforeAScoreIsGiven(t *testing.T) {
	r := scoreFreeText(t, coach(), coached)
	var perfect float64
	for _, it := range coach() {
		n := float64(len(textmetric.Words(it.Truth)))
		perfect += (1 - 0.5/(n*n*n)) / 9
	}
	if !near(r.SelfTest.METEOR, perfect) || r.SelfTest.ROUGEL != 1 || r.SelfTest.Identified != 1 {
		t.Errorf("%+v, METEOR by hand %v", r.SelfTest, perfect)
	}
	for what, c := range map[string]struct {
		spoil func([]FreeTextItem)
		says  string
	}{
		"an empty truth": {func(i []FreeTextItem) { i[2].Truth = " \n" }, "item s0 expects an empty answer"},
		"one ID twice":   {func(i []FreeTextItem) { i[2].ID = "s1" }, "item s1 is scored twice"},
		"one ID but for bytes that are no text": {func(i []FreeTextItem) { i[2].ID, i[3].ID = "\xff", "\xfe" },
			"is scored twice"},
		"a time that is none": {func(i []FreeTextItem) { i[2].Seconds = math.NaN() }, "item s0 took NaN seconds"},
		"less than no token":  {func(i []FreeTextItem) { i[2].Tokens = -1 }, "for -1 tokens"},
	} {
		items := coach()
		c.spoil(items)
		if _, err := ScoreFreeText(items, coached); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestFreeTextSaysWhatItMeasured(t *testing.T) {
	items := coach()
	items[6].Truth, items[6].Answer = "深蹲", "squats - low"
	items[0].ID, items[0].Exercise = "evil", "plank\x1b[31m"
	text := scoreFreeText(t, items, coached).Text()
	for _, want := range []string{
		"enhanced on test: 8 items",
		"1 item more has no answer",
		"of 6",
		"words and stems, without WordNet's synonyms",
		"perfect answers would score METEOR 0.9",
		"0.500 s an answer · 40.0 tokens/s",
		`2 expected answers name no exercise (no " - ")`,
		"1 expected answer and 0 answers have no letter a–z and no digit: ROUGE-L sees no word there and is 0",
		"plank␛[31m",
		"fewer than 10 items",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if text := scoreFreeText(t, nil, coached).Text(); !strings.Contains(text, "0 items") {
		t.Error(text)
	}
}

func TestFreeTextComesBackAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	items := coach()
	items[3].Answer = "two\nlines, \"quoted\" \xff"
	for name, list := range map[string][]FreeTextItem{"some": items, "none": nil, "failed": items[8:]} {
		r := scoreFreeText(t, list, coached)
		path := filepath.Join(dir, name+".json")
		if err := r.WriteJSON(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFreeText(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(got, r) {
			t.Errorf("%s: %+v, want %+v", name, got, r)
		}
	}
}

func TestDamagedFreeTextIsRefusedByName(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.json")
	if err := scoreFreeText(t, coach(), coached).WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("no %s in the result", old)
			}
			return bytes.Replace(b, []byte(old), []byte(with), 1)
		}
	}
	for what, c := range map[string]struct {
		spoil func([]byte) []byte
		says  string
	}{
		"cut off":              {func(b []byte) []byte { return b[:len(b)/2] }, "no whole JSON object"},
		"empty":                {func([]byte) []byte { return nil }, "no whole JSON object"},
		"with a tail":          {func(b []byte) []byte { return append(b, "{}"...) }, "no whole JSON object"},
		"an unknown field":     {change(`"split":`, `"slit": 1, "split":`), "fields that no result has"},
		"a word for a number":  {change(`"failed": 1`, `"failed": "one"`), `"failed"`},
		"another n":            {change(`"n": 8`, `"n": 9`), "overall"},
		"another count":        {change(`"failed": 1`, `"failed": 2`), "counts"},
		"another score":        {change(`"meteor": 0,`, `"meteor": 0.1,`), ""},
		"a score that is none": {change(`"rouge_l": 1,`, `"rouge_l": 2,`), ""},
		"another answer":       {change(`"prediction": "lunges - The`, `"prediction": "squats - The`), "item l0"},
		"two of one ID":        {change(`"id": "s1"`, `"id": "s2"`), "item s2 is there twice"},
		"another status":       {change(`"status": "error"`, `"status": "success"`), "item x0"},
		"no measure": {change(`"meteor_synonyms": "none"`, `"meteor_synonyms": ""`),
			"how METEOR was measured"},
		"no resamples":           {change(`"resamples": 500`, `"resamples": 0`), "resamples"},
		"another exercise's row": {change(`"Lunges": {`, `"lunges": {`), `"lunges"`},
		"a perfect model's figures": {change(`"self_test": {
  "meteor": 0.`, `"self_test": {
  "meteor": 0.1`), "perfect"},
	} {
		if err := os.WriteFile(path, c.spoil(bytes.Clone(whole)), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFreeText(path)
		var damaged *DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestOneKindOfEvaluationIsNotReadAsAnother(t *testing.T) {
	dir := t.TempDir()
	free, closed := filepath.Join(dir, "free.json"), filepath.Join(dir, "closed.json")
	if err := scoreFreeText(t, coach(), coached).WriteJSON(free); err != nil {
		t.Fatal(err)
	}
	if err := score(t, someItems(), thresholds).WriteJSON(closed); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFreeText(closed); err == nil || !strings.Contains(err.Error(), "a closed list, not free text") {
		t.Error(err)
	}
	if _, err := Read(free); err == nil || !strings.Contains(err.Error(), "free text") {
		t.Error(err)
	}
	if _, err := ReadFreeText(filepath.Join(dir, "absent.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	newer := []byte(`{"schema": 99, "kind": "free_text"}`)
	if err := os.WriteFile(free, newer, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFreeText(free); err == nil || !strings.Contains(err.Error(), "schema 99") {
		t.Error(err)
	}
}

func TestBatchRowsHoldEveryItem(t *testing.T) {
	items := coach()
	items[3].Answer = "two\nlines, \"quoted\""
	path := filepath.Join(t.TempDir(), "test.csv")
	if err := scoreFreeText(t, items, coached).WriteCSV(path); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 10 || strings.Join(rows[0], ",") != "video_path,prompt,ground_truth,prediction,generated_tokens,"+
		"generation_time,tokens_per_second,status,error" {
		t.Errorf("%d rows, %v", len(rows), rows[0])
	}
	if got := strings.Join(rows[4], "|"); got != "./s1.mp4|What is wrong?|Squats - The heels lift.|two\nlines, "+
		"\"quoted\"|20|0.5|40|success|" {
		t.Error(got)
	}
	if got := strings.Join(rows[9][7:], "|"); got != "error|the clip cannot be read" {
		t.Error(got)
	}
}

// Whatever a file holds, it is refused, or is a result that can be shown, written and read again.
func FuzzReadFreeText(f *testing.F) {
	seed, err := ScoreFreeText(coach(), FreeTextOptions{Subject: "enhanced", Split: "test"})
	if err != nil {
		f.Fatal(err)
	}
	text, err := json.Marshal(seed)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"schema":1,"kind":"free_text","items":[null],"exercises":{"a":null},"meteor_synonyms":"none"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeFreeText("test.json", data)
		if err != nil {
			return
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeFreeText("test.json", text); err != nil || again.Text() != r.Text() {
			t.Fatalf("read and written, it is no longer what it was: %v", err)
		}
	})
}
