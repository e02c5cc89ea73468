package recipe

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"finetui/core/config"
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

// drainCounts is the table of spec/drains.md: objects of each class in train, valid, test.
var drainCounts = map[string][]int{
	"train": {44, 57, 58, 119, 282, 202, 75, 118, 174},
	"valid": {4, 13, 11, 23, 49, 41, 10, 17, 40},
	"test":  {4, 8, 7, 11, 35, 14, 12, 13, 24},
}

// drainY is each class's usual height, so that toe drains lie at the bottom.
var drainY = []float64{.66, .79, .77, .53, .69, .44, .51, .52, .57}

// drains builds a data set with these counts, five objects a picture, classes mixed, heights within ±0.1.
func drains(counts map[string][]int) *dataset.Dataset {
	d := &dataset.Dataset{Root: "data", Format: "yolo", Classes: drainClasses, Splits: []string{"train",
		"valid", "test"}}
	for _, split := range d.Splits {
		left := append([]int(nil), counts[split]...)
		var objects []dataset.Object
		for round := 0; ; round++ {
			any := false
			for c := range left {
				if left[c] == 0 {
					continue
				}
				any = true
				left[c]--
				y := drainY[c] + 0.1*(float64(round*7%11)/5-1)
				objects = append(objects, dataset.Object{Class: c, Confidence: 1, Box: dataset.Box{X0: .4, X1: .5,
					Y0: y - .05, Y1: y + .05}})
			}
			if !any {
				break
			}
		}
		for i := 0; i < len(objects); i += 5 {
			it := dataset.Item{ID: fmt.Sprintf("%s/%03d", split, i/5), Split: split,
				Labels: fmt.Sprintf("data/%s/labels/%03d.txt", split, i/5)}
			it.Objects = append(it.Objects, objects[i:min(i+5, len(objects))]...)
			for o := range it.Objects {
				it.Objects[o].Line = o + 1
			}
			d.Items = append(d.Items, it)
		}
	}
	return d
}

// constants is a configuration with a preset applied.
func constants(t testing.TB, preset string) *config.Config {
	t.Helper()
	cfg := &config.Config{}
	cfg.Project.Seed = 1337
	cfg.Dataset.TopBelow, cfg.Dataset.BottomAbove, cfg.Dataset.ModerateAbove = 0.4, 0.6, 2
	cfg.Recipe.Context, cfg.Recipe.EffectiveBeta, cfg.Recipe.RepeatThreshold = "crop", 0.999, 0.3
	cfg.Model.MaxLength = 256
	cfg.Train.Epochs = 6
	if err := apply(cfg, config.RecipePreset(preset)); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func build(t *testing.T, d *dataset.Dataset, cfg *config.Config) *Recipe {
	t.Helper()
	r, err := Build(d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// golden reads a file of golden/metrics, or skips the test where there is none.
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
