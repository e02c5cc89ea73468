package project

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/filehash"
	"finetui/core/stats"
)

// manyPictures is a set that is large enough for its analysis to be kept, with findings.
func manyPictures(t *testing.T) (c config.Dataset, root string) {
	t.Helper()
	root = t.TempDir()
	put := func(name string, text []byte) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
		t.Fatal(err)
	}
	for i := range 600 {
		split := []string{"train", "valid"}[i%5/4]
		put(fmt.Sprintf("data/%s/images/%d.png", split, i), drawn.Bytes())
		if i%3 < 2 {
			put(fmt.Sprintf("data/%s/labels/%d.txt", split, i),
				fmt.Appendf(nil, "%d .5 .5 .2 .%d\n%d .3 .3 .1 .1\n", i%2, 1000+i, i%4))
		}
	}
	put("data/data.yaml", []byte("names: [a drain, blocked drain, c]\n"))
	file, err := config.Preset("drains")
	if err != nil {
		t.Fatal(err)
	}
	c = file.Config.Dataset
	c.Path, c.Sets = "data", []string{config.NoSets}
	settled(t, root)
	return c, root
}

// settled waits until a change of the files under root would show in their times.
func settled(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		stat, err := filehash.Look(path)
		for err == nil && filehash.Fresh(stat, time.Now()) {
			time.Sleep(5 * time.Millisecond)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// analyzed is the analysis as it is written and printed, and whether the set was read for it.
func analyzed(t *testing.T, c config.Dataset, root string) (text string, read bool) {
	t.Helper()
	a, err := Analyze(context.Background(), c, root, func(int, int, string) { read = true })
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + a.Text() + fmt.Sprintf("%+v", a.Findings), read
}

func TestTheAnalysisOfAnUnchangedSetIsKept(t *testing.T) {
	c, root := manyPictures(t)
	first, read := analyzed(t, c, root)
	if !read {
		t.Fatal("a new set is not read")
	}
	if again, read := analyzed(t, c, root); read || again != first {
		t.Errorf("an unchanged set is read: %t, with another analysis: %t", read, again != first)
	}
	kept := filepath.Join(root, ".finetui", "analysis")
	whole, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(whole); at += 1 + len(whole)/30 {
		broken := bytes.Clone(whole)
		broken[at] ^= 1
		if err := os.WriteFile(kept, broken, 0o644); err != nil {
			t.Fatal(err)
		}
		if dataset.MemoOf(root, "analysis").Read(func() (dataset.State, bool) {
			return dataset.StateOf(context.Background(), c, root)
		}, &stats.Analysis{}) {
			t.Errorf("an analysis with another byte at %d is taken", at)
		}
	}
	if again, _ := analyzed(t, c, root); again != first {
		t.Error("a broken one in its place changes the analysis")
	}
	other := c
	other.LevelWithin = 1
	if text, _ := analyzed(t, other, root); text == first {
		t.Error("another constant leaves the analysis as it was")
	}
	if err := os.Remove(filepath.Join(root, "data/train/labels/1.txt")); err != nil {
		t.Fatal(err)
	}
	if text, _ := analyzed(t, c, root); text == first {
		t.Error("a label file less leaves the analysis as it was")
	}
}

func TestAnAnalysisWhoseLabelsWereLookedForElsewhereIsNotKept(t *testing.T) {
	c, root := manyPictures(t)
	for _, split := range []string{"train", "valid"} {
		from, to := filepath.Join(root, "data", split, "labels"), filepath.Join(root, "data", split, "boxes")
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := analyzed(t, c, root)
	if err := os.Rename(filepath.Join(root, "data/train/boxes"), filepath.Join(root, "data/train/marks")); err != nil {
		t.Fatal(err)
	}
	if again, _ := analyzed(t, c, root); again == first {
		t.Error("labels that lie elsewhere by now are said to lie where they lay")
	}
}
