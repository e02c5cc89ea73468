package convert

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"finetui/core/config"
	"finetui/core/project"
	"finetui/core/recipe"
)

// uneven opens a project of 24, 6 and 2 objects in train, in pictures of four, and one in valid.
func uneven(t *testing.T, overrides ...string) *project.Project {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"config.toml": "",
		"data/data.yaml": "train: train/images\nval: valid/images\nnames: [rock toe, rock toe damaged, " +
			"slope drain]\n",
		"data/valid/labels/v.txt": "1 0.5 0.5 0.2 0.2\n", "data/valid/images/v.png": pictureFile(t)}
	for i := range 8 {
		rows := "0 0.5 0.5 0.2 0.2\n0 0.6 0.7 0.2 0.2\n0 0.7 0.2 0.2 0.2\n" + fmt.Sprintf("%d 0.3 0.3 0.2 0.2\n", 1+i/6)
		files[fmt.Sprintf("data/train/labels/p%d.txt", i)] = rows
		files[fmt.Sprintf("data/train/images/p%d.png", i)] = pictureFile(t)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := config.Load(filepath.Join(dir, "config.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Override(append([]string{"RECIPE.CONTEXT=full", "EVAL.DATA=", "TRAIN.EPOCHS=4"},
		overrides...)); err != nil {
		t.Fatal(err)
	}
	p, err := project.Open(t.Context(), file.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// The file of train shows the classes in the proportions of the mass table,
// and every sample at least once; valid stays as it is.
func TestSamplingIsWrittenAsCopies(t *testing.T) {
	for _, dialect := range ofPictures() {
		for _, sampling := range []string{"instance", "square_root", "class_balanced", "progressive", "repeat_factor",
			"int_weight"} {
			p := uneven(t, "CONVERT.DIALECT="+dialect, "RECIPE.SAMPLING="+sampling, "RECIPE.REPEAT_THRESHOLD=0.9",
				"RECIPE.CLASS_WEIGHTS=max_ratio")
			result := convertAll(t, p)
			count, ids := map[string]float64{}, map[string]bool{}
			for _, f := range result.Files {
				if f.Split == "valid" && f.Records != 1 {
					t.Errorf("%s %s: %d records of valid", dialect, sampling, f.Records)
				}
				if f.Split != "train" {
					continue
				}
				tokens := func(string) int { return 5 }
				if err := Read(f.Path, config.Dialect(dialect), tokens, func(r Record) error {
					count[r.Turns[1].Words()]++
					ids[r.ID] = true
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			if len(ids) != 32 {
				t.Errorf("%s %s: %d samples of 32", dialect, sampling, len(ids))
			}
			var rows float64
			for _, n := range count {
				rows += n
			}
			for _, row := range recipe.Mass(p.Recipe, nil).Classes {
				if want := row.ShareSamples * rows; math.Abs(count[row.Class]-want) > 0.5+1e-6+rows/1000 {
					t.Errorf("%s %s: %v rows of %s, the mass table's share is %.2f of %v", dialect, sampling,
						count[row.Class], row.Class, want, rows)
				}
			}
		}
	}
}

func TestCopiesComeInTheOrderOfTheSeed(t *testing.T) {
	read := func(seed int) string {
		result := convertAll(t, uneven(t, "RECIPE.SAMPLING=square_root", fmt.Sprintf("PROJECT.SEED=%d", seed)))
		text, err := os.ReadFile(result.Files[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if once, again := read(1), read(1); once != again || once == read(2) {
		t.Error("the order does not follow the seed")
	}
}
