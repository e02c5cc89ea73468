package dataset

import (
	"encoding/json"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
)

// moduleRoot is the folder of go.mod above the test.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	return dir
}

// golden returns a path below the golden folder, and skips the test where it is absent.
func golden(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("FINETUI_GOLDEN")
	if root == "" {
		root = filepath.Join(moduleRoot(t), "..", "shared", "golden")
	}
	at := filepath.Join(root, filepath.FromSlash(name))
	if !exists(at) {
		t.Skipf("no reference outputs at %s: set FINETUI_GOLDEN", at)
	}
	return at
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// testConfig is the drains preset's way of looking at a set.
func testConfig(path string) config.Dataset {
	return config.Dataset{
		Path: path, Format: "auto", Conditions: []string{"blocked", "damaged"}, DefaultCondition: "normal",
		LevelWithin: 0.05, AlignedWithin: 0.1, TopBelow: 0.4, BottomAbove: 0.6, PositionBins: 10, ModerateAbove: 2,
		SevereAbove: 3,
	}
}

func TestGoldenDataYAMLDialects(t *testing.T) {
	folder := golden(t, "metrics/synthetic/data-yaml")
	var expected struct {
		Good   map[string][]string
		Faults map[string]string
	}
	readJSON(t, folder+".expected.json", &expected)
	for name, names := range expected.Good {
		data, err := readDataYAML(filepath.Join(folder, name+".yaml"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(data.names, names) || len(data.findings) > 0 {
			t.Errorf("%s: got %q with findings %v, want %q and none", name, data.names, data.findings, names)
		}
	}
	codes := map[string]string{"duplicate_names": DuplicateName, "gap": ClassIDGap, "numbers": NameNotText}
	for name := range expected.Faults {
		data, err := readDataYAML(filepath.Join(folder, name+".yaml"))
		switch name {
		case "not_yaml":
			if err == nil || !strings.Contains(err.Error(), "line ") {
				t.Errorf("%s: %v does not say the line", name, err)
			}
			continue
		case "no_names", "empty":
			if err != nil || data.names != nil {
				t.Errorf("%s: got names %q, %v, want none: the set is numbered then", name, data.names, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(data.findings) != 1 || data.findings[0].Code != codes[name] {
			t.Errorf("%s: findings %v, want one of code %s", name, data.findings, codes[name])
		}
	}
}

type goldenFile struct {
	File     string
	Objects  [][5]float64 `json:"objects_that_count"`
	Findings []struct {
		Line  int
		Kind  string
		Still *bool `json:"row_still_a_whole_object"`
	}
}

type goldenBroken struct {
	Classes []string
	Files   []goldenFile
	More    map[string]any `json:"more_label_files_that_are_good"`
	Folder  []struct {
		File string
		Kind *string
	} `json:"folder_findings"`
	Images int `json:"images_folder_count"`
}

// TestGoldenBrokenSet holds the reader against the set of faults. Where the specification rules otherwise than the
// generator of the set proposes, the specification counts: an object without area does not count, a repeated row counts
// once, and boxes beside outlines are said.
func TestGoldenBrokenSet(t *testing.T) {
	root := golden(t, "metrics/synthetic/yolo-broken")
	var expected goldenBroken
	readJSON(t, root+".expected.json", &expected)
	set, err := Open(testConfig(root), "")
	if err != nil {
		t.Fatal(err)
	}
	byFile := map[string][]Finding{}
	for _, f := range set.Findings {
		byFile[f.File] = append(byFile[f.File], f)
		if f.Text == "" || f.Do == "" || f.Level == "" {
			t.Errorf("finding without level, text or advice: %+v", f)
		}
	}
	for _, file := range expected.Files {
		compareBrokenFile(t, set, file, byFile[file.File])
	}
	for file, objects := range expected.More {
		count, single := objects.(float64)
		if !single {
			continue
		}
		item := itemOfLabel(set, file)
		if item == nil || len(item.Objects) != int(count) {
			t.Errorf("%s: want %v objects, got item %+v", file, count, item)
		}
	}
	for _, want := range expected.Folder {
		got := byFile[want.File]
		if path.Base(want.File) == "classes.txt" || want.Kind == nil {
			if len(got) > 0 {
				t.Errorf("%s is to be passed over, got %v", want.File, got)
			}
			continue
		}
		if !slices.ContainsFunc(got, func(f Finding) bool { return f.Code == *want.Kind }) {
			t.Errorf("%s: want finding %s, got %v", want.File, *want.Kind, got)
		}
	}
	images := 0
	for _, item := range set.Items {
		if item.Split == "train" {
			images++
		}
	}
	if images != expected.Images {
		t.Errorf("%d pictures in train, want %d", images, expected.Images)
	}
	if item := set.Find("train/truncated"); item == nil || !item.Broken || item.Width == 0 || item.Height == 0 {
		t.Errorf("the truncated picture has a size by its header and is broken, got %+v", item)
	}
}

func itemOfLabel(set *Dataset, file string) *Item {
	return set.Find(strings.TrimSuffix(strings.Replace(file, "/labels/", "/", 1), ".txt"))
}

func compareBrokenFile(t *testing.T, set *Dataset, want goldenFile, got []Finding) {
	t.Helper()
	item := itemOfLabel(set, want.File)
	if item == nil {
		t.Errorf("%s: no item", want.File)
		return
	}
	got = slices.DeleteFunc(slices.Clone(got), func(f Finding) bool { return f.Code == MixedRows })
	if len(got) != len(want.Findings) {
		t.Errorf("%s: findings %v, want %v", want.File, got, want.Findings)
	}
	for _, f := range want.Findings {
		kinds := strings.Split(f.Kind, "|")
		if !slices.ContainsFunc(got, func(g Finding) bool {
			return slices.Contains(kinds, g.Code) &&
				g.Line == f.Line
		}) {
			t.Errorf("%s: want %s at line %d, got %v", want.File, f.Kind, f.Line, got)
		}
		if f.Still == nil {
			return
		}
	}
	objects := specifiedObjects(want.Objects)
	if len(objects) != len(item.Objects) {
		t.Errorf("%s: %d objects, want %d", want.File, len(item.Objects), len(objects))
		return
	}
	for i, w := range objects {
		g := item.Objects[i]
		c := g.Box.Center()
		for k, v := range []float64{float64(g.Class), c.X, c.Y, g.Box.X1 - g.Box.X0, g.Box.Y1 - g.Box.Y0} {
			if math.Abs(v-w[k]) > 1e-9 {
				t.Errorf("%s: object %d is %+v, want %v", want.File, i, g, w)
				break
			}
		}
	}
}

// specifiedObjects applies the specification to what the generator counts.
func specifiedObjects(all [][5]float64) (counted [][5]float64) {
	for _, o := range all {
		if o[3] > 0 && o[4] > 0 && !slices.Contains(counted, o) {
			counted = append(counted, o)
		}
	}
	return counted
}
