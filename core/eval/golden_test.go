package eval

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/dataset"
)

var drainClasses = []dataset.Class{
	{Name: "Toe drain", Object: "toe drain", Condition: "normal"},
	{Name: "Toe drain- Blocked", Object: "toe drain", Condition: "blocked"},
	{Name: "Toe drain- Damaged", Object: "toe drain", Condition: "damaged"},
	{Name: "rock toe", Object: "rock toe", Condition: "normal"},
	{Name: "rock toe damaged", Object: "rock toe", Condition: "damaged"},
	{Name: "slope drain", Object: "slope drain", Condition: "normal"},
	{Name: "slope drain blocked", Object: "slope drain", Condition: "blocked"},
	{Name: "slope drain damaged", Object: "slope drain", Condition: "damaged"},
	{Name: "vegetation", Object: "vegetation", Condition: "normal"},
}

// classesOf takes names apart as the data set does; names that are not drains are their own object.
func classesOf(names []string) []dataset.Class {
	classes := make([]dataset.Class, len(names))
	for i, n := range names {
		classes[i] = dataset.SplitClass(n, []string{"blocked", "damaged"}, "normal")
	}
	return classes
}

// itemsOf answers with the predicted class's name, or with nothing where it is −1.
func itemsOf(names []string, truth, said []int) []Item {
	items := make([]Item, len(truth))
	for i := range truth {
		items[i] = Item{ID: fmt.Sprint("test/", i, "#0"), Expected: truth[i], Seconds: 0.5}
		if said[i] >= 0 {
			items[i].Answer = names[said[i]]
		}
	}
	return items
}

func golden(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(goldenFolder(t), "metrics", name))
	if err != nil {
		t.Skipf("no golden to compare with (%v); set FINETUI_GOLDEN", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func goldenFolder(t *testing.T) string {
	if folder := os.Getenv("FINETUI_GOLDEN"); folder != "" {
		return folder
	}
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return filepath.Join(folder, "..", "shared", "golden")
		}
		up := filepath.Dir(folder)
		if up == folder {
			t.Skip("no go.mod above this package")
		}
		folder = up
	}
}

// near is 1e-9, relative where that is more.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want)) }

func sameInterval(got, want *Interval) bool {
	if got == nil || want == nil {
		return got == want
	}
	return near(got[0], want[0]) && near(got[1], want[1])
}

type goldenGroup struct {
	Group         string    `json:"group"`
	Support       float64   `json:"support"`
	Precision     float64   `json:"precision"`
	Recall        float64   `json:"recall"`
	F1            float64   `json:"f1"`
	Interval      *Interval `json:"recall_wilson95"`
	Exact         float64   `json:"exact_class_accuracy"`
	ExactInterval *Interval `json:"exact_class_accuracy_wilson95"`
}

func TestGoldenClassification(t *testing.T) {
	var sets []struct {
		Name     string   `json:"name"`
		Classes  []string `json:"classes"`
		Truth    []int    `json:"y_true"`
		Said     []int    `json:"y_pred"`
		PerClass []struct {
			Support           float64   `json:"support"` // written as 2.0 in places
			Predicted         float64   `json:"predicted"`
			Right             float64   `json:"tp"`
			Precision         float64   `json:"precision"`
			Recall            float64   `json:"recall"`
			F1                float64   `json:"f1"`
			PrecisionInterval *Interval `json:"precision_wilson95"`
			Interval          *Interval `json:"recall_wilson95"`
		} `json:"per_class"`
		Accuracy         float64       `json:"accuracy"`
		AccuracyInterval *Interval     `json:"accuracy_wilson95"`
		All              float64       `json:"macro_f1_all_classes"`
		Supported        float64       `json:"macro_f1_supported_classes"`
		Balanced         float64       `json:"balanced_accuracy"`
		MCC              float64       `json:"mcc_unparsed_as_a_label"`
		Kappa            float64       `json:"cohen_kappa_unparsed_as_a_label"`
		Confusion        [][]float64   `json:"confusion_rows_true_columns_predicted_last_is_unparsed"`
		Unparsed         float64       `json:"unparsed"`
		Objects          []goldenGroup `json:"per_object_type"`
		Conditions       []goldenGroup `json:"per_condition"`
	}
	golden(t, "classification.json", &sets)
	for _, set := range sets {
		classes := classesOf(set.Classes)
		r, err := Score(itemsOf(set.Classes, set.Truth, set.Said), classes, Options{Subject: set.Name})
		if err != nil {
			t.Errorf("%s: %v", set.Name, err)
			continue
		}
		for what, v := range map[string][2]float64{
			"accuracy":           {r.Accuracy, set.Accuracy},
			"macro-F1 supported": {r.MacroF1, set.Supported},
			"macro-F1 all":       {r.MacroF1AllClasses, set.All},
			"balanced accuracy":  {r.BalancedAccuracy, set.Balanced},
			"MCC":                {r.MCC, set.MCC},
			"kappa":              {r.Kappa, set.Kappa},
			"unparsed":           {float64(r.Unparsed), set.Unparsed},
		} {
			if !near(v[0], v[1]) {
				t.Errorf("%s: %s %v, want %v", set.Name, what, v[0], v[1])
			}
		}
		if !sameInterval(r.AccuracyInterval, set.AccuracyInterval) {
			t.Errorf("%s: accuracy interval %v, want %v", set.Name, r.AccuracyInterval, set.AccuracyInterval)
		}
		if fmt.Sprint(r.Confusion.Rows) != fmt.Sprint(set.Confusion) {
			t.Errorf("%s: confusion %v, want %v", set.Name, r.Confusion.Rows, set.Confusion)
		}
		for c, want := range set.PerClass {
			got := r.Classes[c].Value
			if [3]float64{float64(got.Support), float64(got.Predicted), float64(got.Right)} != [3]float64{want.Support,
				want.Predicted, want.Right} || !near(got.Precision, want.Precision) ||
				!near(got.Recall, want.Recall) || !near(got.F1, want.F1) ||
				!sameInterval(got.PrecisionInterval, want.PrecisionInterval) ||
				!sameInterval(got.Interval, want.Interval) {
				t.Errorf("%s class %d: %+v, want %+v", set.Name, c, got, want)
			}
		}
		sameGroups(t, set.Name, r.Objects, set.Objects)
		sameGroups(t, set.Name, r.Conditions, set.Conditions)
	}
}

func sameGroups(t *testing.T, set string, got Ordered[Group], want []goldenGroup) {
	t.Helper()
	for _, w := range want {
		g, ok := got.Get(w.Group)
		if !ok || float64(g.Support) != w.Support || !near(g.Precision, w.Precision) || !near(g.Recall, w.Recall) ||
			!near(g.F1, w.F1) ||
			!near(g.Exact, w.Exact) || !sameInterval(g.Interval, w.Interval) ||
			!sameInterval(g.ExactInterval, w.ExactInterval) {
			t.Errorf("%s %s: %+v, want %+v", set, w.Group, g, w)
		}
	}
}

func TestGoldenWilson(t *testing.T) {
	var file struct {
		Rows []struct {
			K, N int
			W90  *Interval `json:"wilson90"`
			W95  *Interval `json:"wilson95"`
			W99  *Interval `json:"wilson99"`
		}
	}
	golden(t, "wilson.json", &file)
	for _, row := range file.Rows {
		for confidence, want := range map[float64]*Interval{0.90: row.W90, 0.95: row.W95, 0.99: row.W99} {
			if got := Wilson(row.K, row.N, confidence); !sameInterval(got, want) {
				t.Errorf("%d of %d at %v: %v, want %v", row.K, row.N, confidence, got, want)
			}
		}
	}
	if Wilson(0, 0, 0.95) != nil {
		t.Error("an interval of nothing")
	}
}

func TestGoldenMcNemar(t *testing.T) {
	var file struct {
		Tables []struct {
			First  int     `json:"only_first_right"`
			Second int     `json:"only_second_right"`
			P      float64 `json:"p_exact_two_sided"`
		}
		Paired []struct {
			Classes []string `json:"classes"`
			Truth   []int    `json:"y_true"`
			First   []int
			Second  []int
			Table   [2][2]int
			Diff    float64 `json:"accuracy_difference_second_minus_first"`
			P       float64 `json:"p_exact_two_sided"`
		}
	}
	golden(t, "mcnemar.json", &file)
	for _, row := range file.Tables {
		if got := McNemar(row.First, row.Second); math.Abs(got-row.P) > 1e-9*row.P {
			t.Errorf("%d to %d: p %v, want %v", row.First, row.Second, got, row.P)
		}
	}
	for i, set := range file.Paired {
		classes := classesOf(set.Classes)
		a, err := Score(itemsOf(set.Classes, set.Truth, set.First), classes, Options{Subject: "first"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Score(itemsOf(set.Classes, set.Truth, set.Second), classes, Options{Subject: "second"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Compare(a, b, nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		table := [2][2]int{{c.BothRight, c.OnlyFirstRight}, {c.OnlySecondRight, c.BothWrong}}
		if table != set.Table || math.Abs(c.P-set.P) > 1e-9*set.P || !near(c.Difference, set.Diff) {
			t.Errorf("pair %d: %v p %v difference %v, want %v %v %v", i, table, c.P, c.Difference, set.Table,
				set.P, set.Diff)
		}
	}
}

func TestGoldenBootstrap(t *testing.T) {
	var file struct {
		Percentiles []struct {
			Values    []float64
			Quantiles []float64
			Type7     []float64 `json:"linear_type7"`
		}
		Resamples struct {
			Classes  []string
			Truth    []int `json:"y_true"`
			Said     []int `json:"y_pred"`
			Indices  [][]int
			Accuracy *Interval `json:"accuracy_percentile95_linear"`
			Macro    *Interval `json:"macro_f1_all_classes_percentile95_linear"`
			First    []float64 `json:"macro_f1_first_three_resamples"`
		}
	}
	golden(t, "bootstrap.json", &file)
	for _, p := range file.Percentiles {
		slices.Sort(p.Values)
		for i, q := range p.Quantiles {
			if got := Quantile(p.Values, q); !near(got, p.Type7[i]) {
				t.Errorf("quantile %v of %d values: %v, want %v", q, len(p.Values), got, p.Type7[i])
			}
		}
	}
	set := file.Resamples
	var accuracy, macro []float64
	c := newCounts(len(set.Classes))
	for _, at := range set.Indices {
		c.clear()
		for _, i := range at {
			c.add(set.Truth[i], set.Said[i])
		}
		_, all := c.macroF1()
		accuracy, macro = append(accuracy, share(c.allRight(), c.total)), append(macro, all)
	}
	for i, want := range set.First {
		if !near(macro[i], want) {
			t.Errorf("resample %d: macro-F1 %v, want %v", i, macro[i], want)
		}
	}
	if got := percentiles(accuracy, 0.95); !sameInterval(got, set.Accuracy) {
		t.Errorf("accuracy %v, want %v", got, set.Accuracy)
	}
	if got := percentiles(macro, 0.95); !sameInterval(got, set.Macro) {
		t.Errorf("macro-F1 %v, want %v", got, set.Macro)
	}
}

// firstSubstring is the rule of the originals' evaluator.
func firstSubstring(answer string) int {
	for c := range drainClasses {
		if strings.Contains(strings.ToLower(answer), strings.ToLower(drainClasses[c].Name)) {
			return c
		}
	}
	return 0
}

func TestGoldenPerfectModelScoresFullHereAndNotInTheOriginals(t *testing.T) {
	var file struct {
		Sets []struct {
			Split string
			N     int
			Right int
		}
		Answers [][2]string `json:"answer_to_class"`
	}
	golden(t, "substring_evaluator.json", &file)
	for _, a := range file.Answers {
		if got := drainClasses[firstSubstring(a[0])].Name; got != a[1] {
			t.Errorf("the originals map %q to %q, not to %q", a[0], a[1], got)
		}
	}
	counts := map[string][]int{
		"train": {44, 57, 58, 119, 282, 202, 75, 118, 174},
		"valid": {4, 13, 11, 23, 49, 41, 10, 17, 40},
		"test":  {4, 8, 7, 11, 35, 14, 12, 13, 24},
	}
	for _, set := range file.Sets {
		var items []Item
		originals := 0
		for c, n := range counts[set.Split] {
			for range n {
				items = append(items, Item{ID: fmt.Sprint(len(items)), Expected: c, Answer: drainClasses[c].Name})
				if firstSubstring(drainClasses[c].Name) == c {
					originals++
				}
			}
		}
		if set.Split == "all" {
			continue
		}
		r, err := Score(items, drainClasses, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Accuracy != 1 || r.SelfTest != 1 || len(items) != set.N || originals != set.Right {
			t.Errorf("%s: %v of %d here, %d in the originals; want 1 of %d and %d", set.Split, r.Accuracy, len(items),
				originals, set.N, set.Right)
		}
	}
}
