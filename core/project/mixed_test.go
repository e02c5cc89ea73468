package project

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/demo"
)

// An epoch holds as much of a set that joins as its share says, and all of the set's own.
func TestAnEpochHoldsTheShareOfASetThatJoins(t *testing.T) {
	root := t.TempDir()
	ctx := context.Background()
	if err := demo.MakeExtra(ctx, filepath.Join(root, "data"), 12, demo.Options{Canvas: 168}, nil); err != nil {
		t.Fatal(err)
	}
	pictures, err := filepath.Glob(filepath.Join(root, "data", "test", "images", "*"))
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	const own, joins = 11, 60
	record := func(i int, answer string) string {
		return fmt.Sprintf(`{"image":%q,"messages":[{"role":"user","content":"<image>What of %d?"},`+
			`{"role":"assistant","content":%q}]}`, pictures[i%len(pictures)], i, answer)
	}
	var lines [2][]string
	for i := range own {
		lines[0] = append(lines[0], record(i, "own"+fmt.Sprint(i%2)))
	}
	for i := range joins { // copies, as each picture is drawn or not
		path := filepath.Join(root, fmt.Sprintf("%02d.png", i))
		data, err := os.ReadFile(pictures[i%len(pictures)])
		if err == nil {
			err = os.WriteFile(path, data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		lines[1] = append(lines[1], strings.Replace(record(i, "more"+fmt.Sprint(i%2)),
			fmt.Sprintf("%q", pictures[i%len(pictures)]), fmt.Sprintf("%q", path), 1))
	}
	sets := filepath.Join(root, "playground", "data")
	if err := os.MkdirAll(sets, 0o755); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]string{filepath.Join(root, "train.jsonl"): lines[0],
		filepath.Join(sets, "more.jsonl"): lines[1]} {
		if err := os.WriteFile(path, []byte(strings.Join(text, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, share := range []float64{1, 0.5, 0.31, 0.1} {
		f, err := config.Preset("demo")
		if err != nil {
			t.Fatal(err)
		}
		f.Move(filepath.Join(root, "config.toml"), root)
		if err := f.Override([]string{"DATASET.PATH=train.jsonl", "EVAL.DATA=", "RECIPE.SAMPLING=instance",
			"RECIPE.CONTEXT=full", fmt.Sprintf("DATASET.SETS=more:%g", share)}); err != nil {
			t.Fatal(err)
		}
		p, err := Open(ctx, f.Snapshot, nil)
		if err != nil {
			t.Fatal(err)
		}
		samples, n := p.Recipe.Samples("train"), map[uint16]int{}
		for _, i := range p.Batches().Epoch(0) {
			n[samples[i].Item.Set]++
		}
		if want := int(math.Round(share * joins)); n[0] != own || n[1] != want {
			t.Errorf("share %g: an epoch holds %v, want %d of %d", share, n, want, joins)
		}
		p.Close()
	}
}
