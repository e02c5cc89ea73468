package project

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// judged is a verdict but for what the machine has free, and whether data were looked at for it.
func judged(t *testing.T, root string, overrides ...string) (text string, read bool) {
	t.Helper()
	file, err := config.Preset("drains")
	if err != nil {
		t.Fatal(err)
	}
	file.Move(filepath.Join(root, "config.toml"), root)
	if err := file.Override(append([]string{"DATASET.PATH=data", "DATASET.SETS=none", "MODEL.BASE=tiny", "EVAL.DATA=",
		"TRAIN.EPOCHS=1"}, overrides...)); err != nil {
		t.Fatal(err)
	}
	v, err := Lint(context.Background(), file.Snapshot, func(_, _ int, what string) {
		read = read || strings.Contains(what, "tokens")
	})
	if err != nil {
		t.Fatal(err)
	}
	var findings []dataset.Finding
	for _, f := range v.Findings {
		if f.Code != "memory_short" && f.Code != "takes_long" {
			findings = append(findings, f)
		}
	}
	out, err := json.Marshal([]any{findings, v.Mass, v.Steps, v.Cost.Memory})
	if err != nil {
		t.Fatal(err)
	}
	return string(out), read
}

func TestAVerdictCountsUntilSomethingItDependsOnChanges(t *testing.T) {
	_, root := manyPictures(t)
	first, read := judged(t, root)
	if !read || !strings.Contains(first, "class_out_of_range") {
		t.Fatalf("read %t, %.300s", read, first)
	}
	if again, read := judged(t, root); read || again != first {
		t.Errorf("with nothing changed data are looked at: %t, with another verdict: %t", read, again != first)
	}
	if again, read := judged(t, root, "VIEW.THEME=light"); read || again != first {
		t.Error("the colours of the screen count")
	}
	kept := filepath.Join(root, ".finetui", "lint")
	whole, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []string{"RECIPE.PROMPT=list", "MODEL.MAX_LENGTH=40", "TRAIN.EPOCHS=2", "LORA.R=2",
		"RECIPE.CLASS_WEIGHTS=balanced", "DATASET.CONDITIONS=c"} {
		if other, read := judged(t, root, change); !read || other == first {
			t.Errorf("%s: data are looked at: %t, and the verdict is another: %t", change, read, other != first)
		}
		if err := os.WriteFile(kept, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	base := filepath.Join(root, "base")
	_, own := judged(t, root, "MODEL.BASE=tiny")
	if own {
		t.Error("what was kept is not found again")
	}
	if err := os.CopyFS(base, os.DirFS(tinyFolder(t))); err != nil {
		t.Fatal(err)
	}
	settled(t, base)
	if _, read := judged(t, root, "MODEL.BASE=base"); !read {
		t.Error("another base leaves the verdict as it was")
	}
	if _, read := judged(t, root, "MODEL.BASE=base"); read {
		t.Error("an unchanged folder is another base")
	}
	for _, name := range []string{"tokenizer.json", "config.json", "preprocessor_config.json"} {
		text, err := os.ReadFile(filepath.Join(base, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, name), append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		settled(t, base)
		if _, read := judged(t, root, "MODEL.BASE=base"); !read {
			t.Errorf("another %s leaves the verdict as it was", name)
		}
	}
	for _, name := range []string{"data/train/labels/1.txt", "data/train/images/2.png", "data/data.yaml"} {
		before, _ := judged(t, root)
		if err := os.WriteFile(filepath.Join(root, name), []byte("names: [a drain, d, e]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		settled(t, root)
		if after, read := judged(t, root); !read || after == before {
			t.Errorf("another %s: data are looked at: %t, and the verdict is another: %t", name, read, after != before)
		}
	}
}

// tinyFolder is where the base that the program carries lies.
func tinyFolder(t *testing.T) string {
	t.Helper()
	p := drawn(t)
	return p.Base.Dir
}
