package chain

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/eval"
	"finetui/core/page"
	"finetui/core/run"
)

// smallProject is the demo on small sets, which lie where its own would be drawn.
func smallProject(t *testing.T, root string) *config.File {
	t.Helper()
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	file.Move(filepath.Join(root, "config.toml"), root)
	if err := file.Override([]string{"TRAIN.EPOCHS=5", "TRAIN.BATCH_SIZE=8", "TRAIN.LOG_EVERY=1", "TRAIN.EVAL_EVERY=8",
		"TRAIN.WARMUP_STEPS=1", "EVAL.MAX_NEW_TOKENS=10", "LORA.R=4"}); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"data", "long-tail"} {
		if err := demo.MakeParts(context.Background(), filepath.Join(root, "demo", name), demo.Options{Canvas: 168},
			demo.Part{Split: "train", Objects: 24 + i, Seed: 1}, demo.Part{Split: "valid", Objects: 9, Seed: 2},
			demo.Part{Split: "test", Objects: 9, Seed: 3}); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

// The chain goes on where it was stopped, makes no run twice, and says in both forms of its report what its evaluations
// and comparisons hold.
func TestTheChainGoesOnWhereItWasStopped(t *testing.T) {
	root := t.TempDir()
	file := smallProject(t, root)
	o := asProgram(t)
	o.Each, o.Seeds = 2, 2
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	o.Report = func(done, total int, what string) {
		if strings.Contains(what, "of 8 runs") && !strings.Contains(what, " 0 of 8") { // two may be scored between two looks
			stop()
		}
	}
	if _, err := Run(ctx, file.Snapshot, o); err == nil {
		t.Fatal("it was not stopped")
	}
	first, err := run.List(file.Abs("demo/runs"))
	if err != nil || len(first) == 0 || len(first) == 8 {
		t.Fatalf("stopped with %d runs, %v", len(first), err)
	}
	o.Report = nil
	paths, err := Run(context.Background(), file.Snapshot, o)
	if err != nil {
		t.Fatal(err)
	}
	list, err := run.List(file.Abs("demo/runs"))
	if err != nil || len(list) != 16 {
		t.Fatalf("%d runs, want 2 × 4 × 2; %v", len(list), err)
	}
	texts, says := reports(t, paths, "The demo chain")
	for _, r := range list {
		result, err := eval.Read(r.EvalPath(balancedSplit, "json"))
		if err != nil {
			t.Fatal(err)
		}
		if result.N != 18 {
			t.Errorf("%s answered %d of 18 objects", r.Label(), result.N)
		}
		says(fraction(result.MacroF1, result.MacroF1Interval))
		says(r.Label())
	}
	for _, name := range []string{"published", "long-tail"} {
		c, err := readComparison(filepath.Join(root, "demo", "runs", "sweeps", name, "compare-balanced.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range c.Differences {
			says(gain(d.MacroF1))
		}
	}
	for _, words := range []string{"The planned test", "What follows is not that test", "TRAIN.EPOCHS = 5", "first stage",
		"It adds nothing beyond the type", "Zero-shot has never seen the names", "The test split, 9 objects"} {
		says(words)
	}
	if strings.Contains(texts[1], "<script") || strings.Count(texts[1], "<svg") != 2*6 {
		t.Errorf("the page has %d drawings, want 2 × 6", strings.Count(texts[1], "<svg"))
	}
	for _, wrong := range []string{"NaN", "Inf", "%!"} {
		for i, text := range texts {
			if strings.Contains(text, wrong) {
				t.Errorf("%s has %s", filepath.Base(paths[i]), wrong)
			}
		}
	}
	if t.Failed() {
		fmt.Println(texts[0])
	}
}

// Another test set, or another constant, is not scored as if nothing had changed.
func TestTheChainUsesNothingOfOtherConstants(t *testing.T) {
	file := smallProject(t, t.TempDir())
	m := modes(file.Snapshot)[0]
	constants, err := file.Snapshot.With(m.constants...)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Version: "test", Seeds: 1, Log: t.Logf}
	ctx := context.Background()
	s, err := m.sweep(ctx, constants, o)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.sweep(ctx, constants, o); err != nil || again.Dir != s.Dir {
		t.Errorf("the same is planned again: %v, %v", again, err)
	}
	other, err := constants.With(config.Change{Key: "TRAIN.EPOCHS", New: "2"})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := m.sweep(ctx, other, o); err != nil || again.Plan.Name != "published-2" {
		t.Errorf("other constants: %+v, %v", again, err)
	}
}

func readComparison(path string) (*eval.RecipeComparison, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var c eval.RecipeComparison
	return &c, json.Unmarshal(text, &c)
}

// reports reads report.md and report.html of that title; says fails where one of them does not say something.
func reports(t *testing.T, paths []string, title string) (texts []string, says func(what string)) {
	t.Helper()
	for i, begins := range []string{"# " + title + "\n", page.Doctype} {
		text, err := os.ReadFile(paths[i])
		if err != nil || !strings.HasPrefix(string(text), begins) {
			t.Fatalf("%s: %v", paths[i], err)
		}
		texts = append(texts, strings.ReplaceAll(string(text), "&#39;", "'"))
	}
	return texts, func(what string) {
		t.Helper()
		for i, text := range texts {
			if !strings.Contains(text, what) {
				t.Errorf("%s does not say %q", filepath.Base(paths[i]), what)
			}
		}
	}
}
