package eval

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// someItems are 12 answers: 4 toe drains (2 right), 5 blocked ones (4 right), 3 rock toes (1 unparsed).
func someItems() []Item {
	names := make([]string, len(drainClasses))
	for i, c := range drainClasses {
		names[i] = c.Name
	}
	return itemsOf(names, []int{0, 0, 0, 0, 1, 1, 1, 1, 1, 3, 3, 3}, []int{0, 0, 1, 2, 1, 1, 1, 1, 6, 3, 3, -1})
}

var thresholds = Options{Subject: "enhanced", Split: "test", SuccessOverall: 0.9, SuccessCondition: 0.8, Seed: 7,
	Resamples: 500}

func score(t *testing.T, items []Item, o Options) *Result {
	t.Helper()
	r, err := Score(items, drainClasses, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTwoOfFourIsFifteenToEightyFivePercent(t *testing.T) {
	toe, _ := score(t, someItems(), thresholds).Classes.Get("Toe drain")
	if toe.Support != 4 || toe.Right != 2 || span(toe.Interval) != "15.0–85.0" {
		t.Errorf("%+v %s", toe, span(toe.Interval))
	}
}

func TestSuccessAsksForTheClassInEachCondition(t *testing.T) {
	s := score(t, someItems(), thresholds).Success
	blocked, _ := s.Conditions.Get("blocked")
	normal, _ := s.Conditions.Get("normal")
	// five answers name a blocked drain, four the right one
	if !blocked.Met || blocked.Certain || blocked.Accuracy != 0.8 {
		t.Errorf("blocked: %+v", blocked)
	}
	if normal.Met || s.Overall.Met || s.Met {
		t.Errorf("%+v", s)
	}
	if _, judged := s.Conditions.Get("damaged"); judged {
		t.Error("a condition without a true item was judged")
	}
}

func TestBootstrapDependsOnItsSeedAlone(t *testing.T) {
	first, again := score(t, someItems(), thresholds), score(t, someItems(), thresholds)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same seed gives another result")
	}
	i := first.MacroF1Interval
	if i == nil || i[0] > first.MacroF1 || i[1] < first.MacroF1 || i[0] < 0 || i[1] > 1 {
		t.Errorf("macro-F1 %v in %v", first.MacroF1, i)
	}
	if v, _ := first.Classes.Get("vegetation"); v.F1Interval != nil || v.Interval != nil {
		t.Errorf("intervals of a class that is neither true nor answered: %+v", v)
	}
}

func TestScoreRefuses(t *testing.T) {
	for says, items := range map[string][]Item{
		"expects class 9":  {{ID: "a", Expected: 9}},
		"expects class -1": {{ID: "a", Expected: -1}},
		"scored twice":     {{ID: "a"}, {ID: "a"}},
	} {
		if _, err := Score(items, drainClasses, Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestNothingScoredIsNotAPanic(t *testing.T) {
	r := score(t, nil, thresholds)
	if r.N != 0 || r.Accuracy != 0 || r.AccuracyInterval != nil || r.Success.Met {
		t.Errorf("%+v", r)
	}
	if err := r.WriteJSON(filepath.Join(t.TempDir(), "test.json")); err != nil {
		t.Error(err)
	}
}

func TestResultIsReadAsItWasWritten(t *testing.T) {
	folder := t.TempDir()
	r := score(t, someItems(), thresholds)
	path := filepath.Join(folder, "test.json")
	if err := r.WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	back, err := Read(path)
	if err != nil || !reflect.DeepEqual(r, back) {
		t.Errorf("read back: %v\n%+v\n%+v", err, r, back)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for _, c := range drainClasses { // in the order of the closed list, not of the alphabet
		at := strings.Index(string(data), `"`+c.Name+`": {`)
		if at <= last {
			t.Errorf("%q stands at %d, after %d", c.Name, at, last)
		}
		last = at
	}
	for _, key := range []string{"schema", "subject", "split", "n", "accuracy", "macro_f1", "balanced_accuracy",
		"unparsed", "classes", "conditions",
		"objects", "confusion", "success", "seconds_per_answer", "self_test", "items", "interval", "support", "labels",
		"rows", "overall", "parsed", "right"} {
		if !strings.Contains(string(data), `"`+key+`":`) {
			t.Errorf("no key %s", key)
		}
	}
	if err := r.WriteCSV(filepath.Join(folder, "test.csv")); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(folder, "test.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) != 13 || rows[3][1] != "Toe drain" || rows[3][3] != "Toe drain- Blocked" ||
		rows[12][3] != UnparsedLabel {
		t.Errorf("%v %v", rows, err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.json")
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	for text, says := range map[string]string{`{"schema": 1, "cl`: "is no evaluation", `{"schema": 99}`: "schema 99",
		`{}`: "schema 0", `{"schema":1,"classes":[1]}`: "is no evaluation"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTextShowsWhatIsUncertain(t *testing.T) {
	text := score(t, someItems(), thresholds).Text()
	for _, want := range []string{"enhanced on test: 12 items", "accuracy           66.7 % (95 %: 39.1–86.2)",
		"unparsed 1", "over the 3 classes with a true item", "15.0–85.0", "met, but the interval reaches below",
		"not met"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func BenchmarkScoreOfATestSplit(b *testing.B) {
	var items []Item
	for i := range 128 {
		items = append(items, Item{ID: string(rune(i + 32)), Expected: i % 9, Answer: drainClasses[i%7].Name})
	}
	for b.Loop() {
		if _, err := Score(items, drainClasses, Options{Seed: 1, Resamples: DefaultResamples}); err != nil {
			b.Fatal(err)
		}
	}
}
