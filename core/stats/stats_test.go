package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/dataset"
)

// at is an object of that class with its centre there.
func at(class int, x, y float64) dataset.Object {
	return dataset.Object{Class: class, Box: dataset.Box{X0: x - .01, Y0: y - .01, X1: x + .01, Y1: y + .01},
		Confidence: 1}
}

// setOf is a set of one split per argument, each a list of images.
func setOf(classes []string, splits map[string][][]dataset.Object) *dataset.Dataset {
	set := &dataset.Dataset{Root: "/set", Format: "yolo"}
	for _, name := range classes {
		set.Classes = append(set.Classes, dataset.SplitClass(name, []string{"blocked", "damaged"}, "normal"))
	}
	for _, split := range []string{"train", "valid", "test"} {
		if _, there := splits[split]; !there {
			continue
		}
		set.Splits = append(set.Splits, split)
		for i, objects := range splits[split] {
			id := fmt.Sprintf("%s/%02d", split, i)
			set.Items = append(set.Items, dataset.Item{
				ID: id, Split: split, Media: "/set/" + id + ".jpg", Labels: "/set/" + id + ".txt", Width: 640,
				Height: 480, Objects: objects,
			})
		}
	}
	return set
}

func TestDirectionIsFlippedIntoNameOrder(t *testing.T) {
	// "slope" has the smaller id but stands after "Toe" by code point; it lies above and left in both images,
	// whichever comes first in the file.
	set := setOf([]string{"slope", "Toe"}, map[string][][]dataset.Object{"train": {
		{at(0, .2, .2), at(1, .8, .8)},
		{at(1, .8, .8), at(0, .2, .2)},
	}})
	got := Analyze(set, testConfig("")).Whole.Relations
	want := []Relation{{A: 1, B: 0, Directions: Directions{Below: 2, Right: 2}}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestLimitsOfRelationsAreThoseOfExactArithmetic(t *testing.T) {
	tests := []struct {
		a, b                 dataset.Point
		vertical, horizontal int
	}{
		{dataset.Point{X: .3, Y: .35}, dataset.Point{X: .4, Y: .3}, 0, -1}, // 0.05 is level, 0.1 is not aligned
		// bare float64 makes .9 - .8 less than .1
		{dataset.Point{X: .9, Y: .95}, dataset.Point{X: .8, Y: .9}, 0, 1},
		{dataset.Point{X: .5, Y: .5}, dataset.Point{X: .5, Y: .551}, -1, 0},   // above, aligned
		{dataset.Point{X: .5, Y: .551}, dataset.Point{X: .599, Y: .5}, 1, 0},  // below, aligned
		{dataset.Point{X: .5, Y: .5}, dataset.Point{X: .601, Y: .549}, 0, -1}, // level, left
	}
	cfg := testConfig("")
	for _, test := range tests {
		if v, h := Vertical(test.a, test.b, cfg), Horizontal(test.a, test.b, cfg); v != test.vertical ||
			h != test.horizontal {
			t.Errorf("%v to %v: %d, %d, want %d, %d", test.a, test.b, v, h, test.vertical, test.horizontal)
		}
	}
}

func TestImbalanceNamesTheClassesWithoutObjects(t *testing.T) {
	cfg := testConfig("")
	tests := []struct {
		counts  []int
		ratio   float64
		level   string
		absent  int
		defined bool
	}{
		{[]int{52, 78, 76, 153, 366, 257, 97, 148, 238}, 366. / 52, Severe, 0, true},
		{[]int{1, 3}, 3, Moderate, 0, true},
		{[]int{1, 2}, 2, Balanced, 0, true},
		{[]int{0, 2, 5}, 2.5, Moderate, 1, false},
		{[]int{0, 0}, 0, Balanced, 2, false},
	}
	for _, test := range tests {
		b := imbalance(test.counts, cfg)
		_, defined := b.OverAll()
		if math.Abs(b.Ratio-test.ratio) > 1e-12 || b.Level != test.level || len(b.Absent) != test.absent ||
			defined != test.defined {
			t.Errorf("%v: got %+v, defined %v", test.counts, b, defined)
		}
	}
}

func TestConditionsAndObjectTypesAreSummed(t *testing.T) {
	set := setOf([]string{"rock damaged", "drain- Blocked", "rock", "drain"}, map[string][][]dataset.Object{"train": {
		{at(0, .1, .1), at(0, .1, .2), at(1, .1, .3), at(2, .1, .4), at(3, .5, .5), at(3, .6, .6), at(3, .7, .7)},
	}})
	p := Analyze(set, testConfig("")).Whole
	if want := []Count{{"normal", 4}, {"blocked", 1}, {"damaged", 2}}; !slices.Equal(p.Conditions, want) {
		t.Errorf("conditions %v, want %v", p.Conditions, want)
	}
	if want := []Count{{"drain", 4}, {"rock", 3}}; !slices.Equal(p.ObjectTypes, want) {
		t.Errorf("object types %v, want %v", p.ObjectTypes, want)
	}
	if want := []int{3, 0, 1, 2}; !slices.Equal(p.ByCount(), want) {
		t.Errorf("by count %v, want %v", p.ByCount(), want)
	}
}

func TestBandsOfTheHeight(t *testing.T) {
	cfg := testConfig("")
	for y, want := range map[float64]string{0: Top, .39: Top, .4: Middle, .6: Middle, .4 - 1e-12: Middle, .6 +
		1e-12: Middle, .61: Bottom, 1: Bottom} {
		if got := Band(y, cfg); got != want {
			t.Errorf("%v is %s, want %s", y, got, want)
		}
	}
}

func TestHistogramTakesTheEdgesIn(t *testing.T) {
	p := position([]float64{0, 1, .999, .1, -1e-7, 1 + 1e-7}, testConfig(""))
	if want := []int{2, 1, 0, 0, 0, 0, 0, 0, 0, 3}; !slices.Equal(p.Histogram, want) {
		t.Errorf("histogram %v, want %v", p.Histogram, want)
	}
}

func TestAnalysisOfNothingHasNoNumberThatIsNone(t *testing.T) {
	for _, set := range []*dataset.Dataset{{}, setOf([]string{"a", "b"},
		map[string][][]dataset.Object{"train": {nil}})} {
		text, err := json.Marshal(Analyze(set, testConfig("")))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("NaN")) || !json.Valid(text) {
			t.Errorf("got %s", text)
		}
		if plain := Analyze(set, testConfig("")).Text(); strings.Contains(plain, "0.0 %") ||
			strings.Contains(plain, "0×0") {
			t.Errorf("a share of nothing, or the size of no picture, in\n%s", plain)
		}
	}
}

func TestWrittenAnalysisHasItsKeysAndIsTheSameEachTime(t *testing.T) {
	set := setOf([]string{"rock damaged", "drain", "none"}, map[string][][]dataset.Object{
		"train": {{at(0, .1, .1), at(1, .5, .5), at(1, .9, .9)}, nil}, "valid": {{at(1, .2, .2)}},
	})
	set.Findings = []dataset.Finding{{Code: "empty_label_file", Level: "info", File: "train/01.txt",
		Text: "x", Do: "y"}}
	path := filepath.Join(t.TempDir(), "dataset_analysis.json")
	var texts [2][]byte
	for i := range texts {
		if err := Analyze(set, testConfig("")).WriteJSON(path); err != nil {
			t.Fatal(err)
		}
		texts[i], _ = os.ReadFile(path)
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Error("two writings differ")
	}
	var got map[string]any
	if err := json.Unmarshal(texts[0], &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"schema", "images", "images_with_objects", "class_counts", "split_counts", "total_instances",
		"condition_distribution",
		"object_type_distribution", "spatial_relationships_count", "instances_per_image", "image_resolution",
		"imbalance", "positions",
		"relations", "cooccurrence", "findings", "splits",
	} {
		if _, there := got[key]; !there {
			t.Errorf("no key %s", key)
		}
	}
	if n := got["split_counts"].(map[string]any)["train"].(map[string]any)["drain"]; n != 2. {
		t.Errorf("train has %v of drain, want 2", n)
	}
	if got["positions"].(map[string]any)["none"] != nil {
		t.Error("a class without an object has a position")
	}
	if leftovers, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(leftovers) != 1 {
		t.Errorf("files beside: %v", leftovers)
	}
}

func TestAnalysisThatCannotBeWrittenSaysWhere(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "file", "a.json")
	if err := Analyze(&dataset.Dataset{}, testConfig("")).WriteJSON(path); err == nil ||
		!strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	if err := Analyze(&dataset.Dataset{}, testConfig("")).WriteJSON(filepath.Join(root, "out", "a.json")); err != nil {
		t.Errorf("a folder that is not there yet: %v", err)
	}
}

func TestFilterChoosesItemsAndObjects(t *testing.T) {
	set := setOf([]string{"rock damaged", "drain", "drain blocked"}, map[string][][]dataset.Object{
		"train": {{at(0, .1, .1), at(1, .5, .5), at(1, .9, .9)}, nil, {at(2, .3, .3)}}, "valid": {{at(1, .2, .2)}},
	})
	set.Findings = []dataset.Finding{
		{Code: "duplicate_row", Level: "warn", File: "train/00.txt", Line: 4},
		{Code: "empty_label_file", Level: "info", File: "train/01.txt"},
		{Code: "missing_folder", Level: "info", File: "data.yaml"},
	}
	x := NewIndex(set)
	tests := []struct {
		name    string
		filter  Filter
		items   []int
		objects int
	}{
		{"everything", Filter{}, []int{0, 1, 2, 3}, 5},
		{"a class", Filter{Classes: []string{"drain"}}, []int{0, 3}, 3},
		{"an object type", Filter{Objects: []string{"drain"}}, []int{0, 2, 3}, 4},
		{"a condition", Filter{Conditions: []string{"blocked"}}, []int{2}, 1},
		{"a split", Filter{Split: "valid"}, []int{3}, 1},
		{"class and split", Filter{Classes: []string{"drain"}, Split: "train"}, []int{0}, 2},
		{"a finding", Filter{Findings: []string{"empty_label_file"}}, []int{1}, 0},
		{"any finding", Filter{Findings: []string{AnyFinding}}, []int{0, 1}, 3},
		{"part of the id", Filter{Text: "TRAIN/0"}, []int{0, 1, 2}, 4},
		{"nothing", Filter{Classes: []string{"gone"}}, nil, 0},
	}
	for _, test := range tests {
		if got := x.Items(test.filter); !slices.Equal(got, test.items) {
			t.Errorf("%s: items %v, want %v", test.name, got, test.items)
		}
		if got := x.Objects(test.filter); len(got) != test.objects {
			t.Errorf("%s: objects %v, want %d", test.name, got, test.objects)
		}
	}
	if got := x.Findings(0); len(got) != 1 || got[0].Line != 4 {
		t.Errorf("findings of the first item: %v", got)
	}
	if groups := GroupFindings(set.Findings); len(groups) != 3 || groups[0].N != 1 ||
		groups[0].Code != "duplicate_row" {
		t.Errorf("groups %v", groups)
	}
}

// BenchmarkAnalyze goes through 10,000 images of five objects and nine classes.
func BenchmarkAnalyze(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	images := make([][]dataset.Object, 10_000)
	for i := range images {
		for range 5 {
			images[i] = append(images[i], at(rng.IntN(9), rng.Float64(), rng.Float64()))
		}
	}
	set := setOf([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i"},
		map[string][][]dataset.Object{"train": images[:8000], "valid": images[8000:]})
	b.ReportAllocs()
	for b.Loop() {
		Analyze(set, testConfig(""))
	}
}

// BenchmarkLabelsAndStatistics reads 10,000 label files and analyses them; the pictures are files without a byte, so
// that no header is read.
func BenchmarkLabelsAndStatistics(b *testing.B) {
	root := b.TempDir()
	for _, folder := range []string{"train/images", "train/labels"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	var rows bytes.Buffer
	for i := range 5 {
		fmt.Fprintf(&rows, "%d 0.1%d2345 0.512345 0.623456 0.512345 0.623456 0.712345 0.2%d2345 0.712345\n", i, i, i)
	}
	for i := range 10_000 {
		for name, text := range map[string][]byte{"images/%05d.jpg": nil, "labels/%05d.txt": rows.Bytes()} {
			if err := os.WriteFile(filepath.Join(root, "train", fmt.Sprintf(name, i)), text, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(root, "data.yaml"), []byte("names: [a, b, c, d, e]\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		set, err := dataset.Open(testConfig(root), "")
		if err != nil || len(set.Items) != 10_000 {
			b.Fatal(err)
		}
		if a := Analyze(set, testConfig("")); a.Whole.Objects != 50_000 {
			b.Fatalf("%d objects", a.Whole.Objects)
		}
	}
}

func TestTheTextSaysWhatCameFromWhichSet(t *testing.T) {
	set := setOf([]string{"a", "b"}, map[string][][]dataset.Object{
		"train": {{at(0, .2, .2), at(1, .8, .8)}, {at(0, .5, .5)}, {at(1, .5, .5)}}, "valid": {{at(1, .5, .5)}},
	})
	if text := Analyze(set, usual(t)).Text(); strings.Contains(text, "DATASET.PATH") {
		t.Errorf("one set alone is listed:\n%s", text)
	}
	set.Sets = []dataset.Joined{{Name: "talk", Share: 0.5, Items: 2, Samples: 2, Train: 1, Of: 2}}
	text := Analyze(set, usual(t)).Text()
	for _, want := range []string{"set  files  samples  train  of  share",
		"DATASET.PATH      2        3      3   3      1",
		"talk      2        2      1   2    0.5"} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}
}
