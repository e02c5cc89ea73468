package stats

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// shared returns a path in the folder that the variable names,
// or in one beside the module, and skips where it is absent.
func shared(t testing.TB, variable, beside, name string) string {
	t.Helper()
	root := os.Getenv(variable)
	if root == "" {
		dir, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			if dir == filepath.Dir(dir) {
				t.Fatal("no go.mod above the test")
			}
			dir = filepath.Dir(dir)
		}
		root = filepath.Join(dir, "..", beside)
	}
	at := filepath.Join(root, filepath.FromSlash(name))
	if _, err := os.Stat(at); err != nil {
		t.Skipf("%s is absent: set %s", at, variable)
	}
	return at
}

func testConfig(path string) config.Dataset {
	cfg := config.Default().Dataset
	cfg.Path = path
	cfg.PositionBins = 10
	return cfg
}

type goldenSummary struct {
	N    int
	Mean float64
	SD   float64 `json:"sd_population"`
	Min  int
	Max  int
}

type goldenPosition struct {
	N         int
	Mean      float64
	SD        float64 `json:"sd_population"`
	Min       float64
	Q25       float64
	Median    float64
	Q75       float64
	Max       float64
	Histogram []int `json:"histogram10"`
	Position  string
}

type goldenStatistics struct {
	Classes       []string
	Images        int
	WithObjects   int `json:"images_with_objects"`
	Objects       int
	ClassCounts   map[string]int `json:"class_counts"`
	ImagesOfClass map[string]int `json:"images_with_class"`
	Splits        map[string]struct {
		Images      int
		WithObjects int `json:"images_with_objects"`
		Objects     int
		ClassCounts []int `json:"class_counts"`
	} `json:"split_counts"`
	Ratio      float64                        `json:"imbalance_ratio_over_present_classes"`
	Absent     []string                       `json:"classes_without_objects"`
	All        goldenSummary                  `json:"objects_per_image_all_images"`
	NotEmpty   goldenSummary                  `json:"objects_per_image_with_objects"`
	Pairs      int                            `json:"unordered_pairs"`
	Positions  map[string]*goldenPosition     `json:"y_center_per_class"`
	SplitMeans map[string]map[string]*float64 `json:"y_center_mean_per_split"`
	Resolution struct {
		Width    float64  `json:"mean_width"`
		Height   float64  `json:"mean_height"`
		Distinct [][2]int `json:"distinct"`
	} `json:"image_resolution"`
	Cooccurrence  struct{ Rows [][5]any }
	Relations     []goldenRelation
	Totals        goldenRelation `json:"relation_totals"`
	FindingsCount map[string]int `json:"findings_count"`
	Findings      []struct{ Kind, File string }
}

type goldenRelation struct {
	A, B                                      string
	Above, Below, Level, Left, Right, Aligned int
}

func TestGoldenStatistics(t *testing.T) {
	sets := []struct{ name, data, expected string }{
		{"drains", "drains", "metrics/datasets/drains.json"},
		{"yolo-clean", "", "metrics/synthetic/yolo-clean.expected.json"},
		{"yolo-thresholds", "", "metrics/synthetic/yolo-thresholds.expected.json"},
	}
	for _, set := range sets {
		t.Run(set.name, func(t *testing.T) {
			text, err := os.ReadFile(shared(t, "FINETUI_GOLDEN", "shared/golden", set.expected))
			if err != nil {
				t.Fatal(err)
			}
			var want goldenStatistics
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			path := ""
			if set.data != "" {
				path = shared(t, "FINETUI_SHARED", "shared", "data/"+set.data)
			} else {
				path = shared(t, "FINETUI_GOLDEN", "shared/golden", "metrics/synthetic/"+set.name)
			}
			d, err := dataset.Open(testConfig(path), "")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, d, Analyze(d, testConfig(path)), want)
		})
	}
}

func compare(t *testing.T, d *dataset.Dataset, a *Analysis, want goldenStatistics) {
	t.Helper()
	w := a.Whole
	same(t, "images", w.Images, want.Images)
	same(t, "images with objects", w.ImagesWithObjects, want.WithObjects)
	same(t, "objects", w.Objects, want.Objects)
	same(t, "pairs", w.Pairs, want.Pairs)
	near(t, "imbalance", w.Imbalance.Ratio, want.Ratio)
	same(t, "classes without objects", len(w.Imbalance.Absent), len(want.Absent))
	compareSummary(t, "objects per image", w.PerImage, want.All)
	compareSummary(t, "objects per image with objects", w.PerImageWithObjects, want.NotEmpty)
	near(t, "mean width", w.Resolution.MeanWidth, want.Resolution.Width)
	near(t, "mean height", w.Resolution.MeanHeight, want.Resolution.Height)
	same(t, "distinct sizes", len(w.Resolution.Distinct), len(want.Resolution.Distinct))

	for i, class := range a.Classes {
		same(t, "name", class.Name, want.Classes[i])
		same(t, "objects of "+class.Name, w.ClassCounts[i], want.ClassCounts[class.Name])
		same(t, "images with "+class.Name, w.ImagesWithClass[i], want.ImagesOfClass[class.Name])
		comparePosition(t, class.Name, w.Positions[i], want.Positions[class.Name])
	}
	same(t, "splits", len(a.Splits), len(want.Splits))
	for _, s := range a.Splits {
		split := want.Splits[s.Split]
		same(t, s.Split+" images", s.Images, split.Images)
		same(t, s.Split+" images with objects", s.ImagesWithObjects, split.WithObjects)
		same(t, s.Split+" objects", s.Objects, split.Objects)
		if !slices.Equal(s.ClassCounts, split.ClassCounts) {
			t.Errorf("%s: class counts %v, want %v", s.Split, s.ClassCounts, split.ClassCounts)
		}
		for i, class := range a.Classes {
			mean := want.SplitMeans[s.Split][class.Name]
			if (mean == nil) != (s.Positions[i].N == 0) {
				t.Errorf("%s: %s has a mean where none is due, or none", s.Split, class.Name)
			} else if mean != nil {
				near(t, s.Split+" mean y of "+class.Name, s.Positions[i].Mean, *mean)
			}
		}
	}
	compareRelations(t, a, want)
	compareFindings(t, d, want)
}

func compareSummary(t *testing.T, what string, got Summary, want goldenSummary) {
	t.Helper()
	same(t, what+": n", got.N, want.N)
	near(t, what+": mean", got.Mean, want.Mean)
	near(t, what+": sd", got.SD, want.SD)
	same(t, what+": min", got.Min, want.Min)
	same(t, what+": max", got.Max, want.Max)
}

func comparePosition(t *testing.T, class string, got Position, want *goldenPosition) {
	t.Helper()
	if want == nil {
		same(t, class+": n", got.N, 0)
		return
	}
	same(t, class+": n", got.N, want.N)
	same(t, class+": band", got.Band, want.Position)
	near(t, class+": mean", got.Mean, want.Mean)
	near(t, class+": sd", got.SD, want.SD)
	near(t, class+": min", got.Min, want.Min)
	near(t, class+": q25", got.Q25, want.Q25)
	near(t, class+": median", got.Q50, want.Median)
	near(t, class+": q75", got.Q75, want.Q75)
	near(t, class+": max", got.Max, want.Max)
	if !slices.Equal(got.Histogram, want.Histogram) {
		t.Errorf("%s: histogram %v, want %v", class, got.Histogram, want.Histogram)
	}
}

func compareRelations(t *testing.T, a *Analysis, want goldenStatistics) {
	t.Helper()
	named := func(x, y string, d Directions) goldenRelation {
		return goldenRelation{x, y, d.Above, d.Below, d.Level, d.Left, d.Right, d.Aligned}
	}
	var got []goldenRelation
	for _, r := range a.Whole.Relations {
		got = append(got, named(a.Classes[r.A].Name, a.Classes[r.B].Name, r.Directions))
	}
	if !slices.Equal(got, want.Relations) {
		t.Errorf("relations %v, want %v", got, want.Relations)
	}
	same(t, "relation totals", named("", "", a.Whole.RelationTotals), want.Totals)
	same(t, "co-occurrence rows", len(a.Whole.Cooccurrence), len(want.Cooccurrence.Rows))
	for i, row := range want.Cooccurrence.Rows {
		c := a.Whole.Cooccurrence[i]
		same(t, "co-occurrence a", a.Classes[c.A].Name, row[0].(string))
		same(t, "co-occurrence b", a.Classes[c.B].Name, row[1].(string))
		same(t, "co-occurrence pairs", float64(c.Pairs), row[2].(float64))
		same(t, "co-occurrence images", float64(c.Images), row[3].(float64))
		if lift, defined := row[4].(float64); defined != c.Lifted {
			t.Errorf("lift of %v: %v", row, c)
		} else {
			near(t, "lift", c.Lift, lift)
		}
	}
}

// compareFindings leaves out what is said of mixed rows and of one picture under two labels: the reference counts were
// made before. Its synthetic pictures are all alike.
func compareFindings(t *testing.T, d *dataset.Dataset, want goldenStatistics) {
	t.Helper()
	counts := map[string]int{}
	for _, f := range d.Findings {
		if f.Code != dataset.MixedRows && f.Code != dataset.SameImageOtherLabels {
			counts[f.Code]++
		}
	}
	same(t, "kinds of findings", len(counts), len(want.FindingsCount))
	for kind, n := range want.FindingsCount {
		same(t, "findings "+kind, counts[kind], n)
	}
	for _, f := range want.Findings {
		if !slices.ContainsFunc(d.Findings, func(g dataset.Finding) bool {
			return g.Code == f.Kind &&
				g.File == f.File
		}) {
			t.Errorf("no finding %s of %s", f.Kind, f.File)
		}
	}
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
