package sweep

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/run"
)

// drawn is a sweep of three variants under so many seeds, with what is said of it.
func drawn(t *testing.T, seeds int) (*Sweep, Status, *eval.RecipeComparison) {
	t.Helper()
	f, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	f.Move(filepath.Join(root, "config.toml"), root)
	p := Plan{Name: fmt.Sprint("drawn-", seeds), Axes: []Axis{{"RECIPE.SAMPLING", []string{"instance", "square_root",
		"class_balanced"}}}}
	for seed := range seeds {
		p.Seeds = append(p.Seeds, seed+1)
	}
	s, err := Create(f.Snapshot, p)
	if err != nil {
		t.Fatal(err)
	}
	var st Status
	sd := .006
	c := &eval.RecipeComparison{SeedDF: 6, Method: "2000 bootstrap resamples of the items, shared by all runs, and " +
		"Student's t for the pooled spread of the seeds", Sentences: []string{"Macro-F1 against instance (93.1 ± 0.6 " +
		"over 3 seeds), on 1800 items.", "Gains: square_root 2.4 points (+1.3 … +3.4, p 0.0004).", "Loses: class_balanced " +
		"4.8 points (-6.1 … -3.2, p < 0.0001)."}}
	for k, v := range s.Plan.Variants() {
		c.Variants = append(c.Variants, eval.VariantSummary{Name: v.Name, Mean: .93 + float64(k)/100, SD: &sd})
		for _, seed := range s.Plan.Seeds {
			st.Cells = append(st.Cells, Cell{Variant: v.Name, Seed: seed, State: Scored, Run: &run.Run{},
				Result: &eval.Result{MacroF1: .93 + float64(k)/100 + float64(seed)/1000}})
		}
	}
	c.Differences = []eval.RecipeDifference{
		{Name: "square_root", PHolm: .0004, MacroF1: eval.SeedDifference{Difference: .024,
			Interval: &eval.Interval{.013, .034}}},
		{Name: "class_balanced", PHolm: .3, MacroF1: eval.SeedDifference{Difference: -.048,
			Interval: &eval.Interval{-.061, .002}}}}
	return s, st, c
}

func TestAPictureHasTheIntervalsOverOneAxis(t *testing.T) {
	for _, seeds := range []int{3, 40} {
		s, st, c := drawn(t, seeds)
		data, err := s.Export(".png", st, c)
		if err != nil {
			t.Fatal(err)
		}
		if path := os.Getenv("FINETUI_PICTURE"); path != "" { // to look at it
			if err := os.WriteFile(fmt.Sprintf("%s-%d.png", path, seeds), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if size := img.Bounds().Size(); size.X != pictureWidth || size.Y < 300 || size.Y > 1000 {
			t.Errorf("%d seeds: the picture is %v", seeds, size)
		}
		if color.RGBAModel.Convert(img.At(2, 2)) != ground {
			t.Errorf("its ground is %v", img.At(2, 2))
		}
		// A gain is drawn in its own colour, as long as its interval; what is within chance is in none.
		from, to := span(img, gaining)
		if from < 0 || to-from < 100 {
			t.Errorf("%d seeds: the gain's interval spans %d to %d", seeds, from, to)
		}
		if from, to := span(img, losing); from >= 0 {
			t.Errorf("%d seeds: a loss is drawn that was not told, %d to %d", seeds, from, to)
		}
	}
	s, st, _ := drawn(t, 2)
	if _, err := s.PNG(st, nil); err != nil {
		t.Error(err)
	}
	if _, err := s.Export(".pdf", st, nil); err == nil || !strings.Contains(err.Error(), ".png") {
		t.Errorf("another ending: %v", err)
	}
}

// span is from where to where a colour is found; -1 where it is not.
func span(img image.Image, c color.RGBA) (from, to int) {
	from = -1
	b := img.Bounds()
	for x := b.Min.X; x < b.Max.X; x++ {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			if color.RGBAModel.Convert(img.At(x, y)) == c {
				if to = x; from < 0 {
					from = x
				}
			}
		}
	}
	return from, to
}
