package dataset

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"finetui/core/config"
)

// alone are the constants of a set that no other joins.
func alone(change func(*config.Dataset)) config.Dataset {
	c := testConfig(".")
	c.Sets = []string{config.NoSets}
	if change != nil {
		change(&c)
	}
	return c
}

func state(root string, change func(*config.Dataset)) (State, bool) {
	return StateOf(context.Background(), alone(change), root)
}

func TestAStateTellsEveryChangeThatReadingWouldSee(t *testing.T) {
	root := largeSet(t)
	at := func(name string) string { return filepath.Join(root, name) }
	if err := os.MkdirAll(at("elsewhere"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"elsewhere/a.txt", "elsewhere/b.txt"} {
		if err := os.WriteFile(at(name), []byte(box), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../elsewhere/a.txt", at("train/labels/0000.txt")); err != nil {
		t.Fatal(err)
	}
	settle(t, root)
	before, ok := state(root, nil)
	if again, still := state(root, nil); !ok || !still || again != before {
		t.Fatal("an unchanged set has no state, or another one at the second look")
	}
	seen := map[State]string{before: "nothing"}
	tell := func(what string, change func(*config.Dataset)) {
		t.Helper()
		settle(t, root)
		now, ok := state(root, change)
		if !ok {
			t.Errorf("%s: no state", what)
		}
		if other, twice := seen[now]; twice {
			t.Errorf("%s gives the state of %s", what, other)
		}
		seen[now] = what
		set, err := Read(context.Background(), alone(change), root, nil)
		if err != nil {
			t.Fatal(err)
		}
		if read, ok := set.State(); !ok || read != now {
			t.Errorf("%s: the set that was read has another state", what)
		}
	}
	tell("another constant", func(c *config.Dataset) { c.LevelWithin = .06 })
	tell("another condition", func(c *config.Dataset) { c.Conditions = []string{"damaged", "blocked"} })
	tell("one split", func(c *config.Dataset) { c.Splits = []string{"train"} })

	label := at("train/labels/0002.txt")
	info, err := os.Stat(label)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(label)
	if err != nil {
		t.Fatal(err)
	}
	text[0] ^= 1 // another class
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"other bytes of the same number and time", func() error {
			if err := os.WriteFile(label, text, 0o644); err != nil {
				return err
			}
			return os.Chtimes(label, info.ModTime(), info.ModTime())
		}},
		{"another picture in place of one", func() error {
			return os.Rename(at("train/images/0001.jpg"), at("train/images/0002.jpg"))
		}},
		{"a new label file", func() error { return os.WriteFile(at("train/labels/0005.txt"), []byte(box), 0o644) }},
		{"a label file less", func() error { return os.Remove(at("train/labels/0003.txt")) }},
		{"another name of a class", func() error {
			return os.WriteFile(at("data.yaml"), []byte("names: [a, c]\n"), 0o644)
		}},
		{"a link that leads elsewhere", func() error {
			if err := os.Remove(at("train/labels/0000.txt")); err != nil {
				return err
			}
			return os.Symlink("../../elsewhere/b.txt", at("train/labels/0000.txt"))
		}},
		{"what a link leads to", func() error { return os.WriteFile(at("elsewhere/b.txt"), text, 0o644) }},
		{"rights that keep a file from being read", func() error { return os.Chmod(label, 0) }},
		{"a folder within", func() error { return os.MkdirAll(at("train/images/more"), 0o755) }},
		{"a picture in it", func() error {
			return os.Rename(at("train/images/0004.jpg"), at("train/images/more/0004.jpg"))
		}},
		{"its labels", func() error {
			if err := os.MkdirAll(at("train/labels/more"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(at("train/labels/more/0004.txt"), []byte(box), 0o644)
		}},
		{"a split more", func() error { return os.Rename(at("valid"), at("test")) }},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		tell(step.what, nil)
	}
}

func TestWhatAStateCannotTellHasNone(t *testing.T) {
	for _, test := range []struct {
		what string
		do   func(root string) error
	}{
		{"a file that was written a moment ago", func(root string) error {
			return os.WriteFile(filepath.Join(root, "train/labels/0003.txt"), []byte(box), 0o644)
		}},
		{"a folder that a link leads to", func(root string) error {
			return os.Symlink("../../valid/images", filepath.Join(root, "train/images/more"))
		}},
		{"a list of pictures", func(root string) error {
			err := os.WriteFile(filepath.Join(root, "list.txt"), []byte("train/images/0003.jpg\n"), 0o644)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(root, "data.yaml"), []byte("names: [a]\ntrain: list.txt\n"), 0o644)
		}},
		{"names that stand in another file", func(root string) error {
			if err := os.WriteFile(filepath.Join(root, "classes.txt"), []byte("a\nb\n"), 0o644); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(root, "data.yaml"), []byte("nc: 2\n"), 0o644)
		}},
	} {
		root := largeSet(t)
		if err := test.do(root); err != nil {
			t.Fatal(err)
		}
		if test.what != "a file that was written a moment ago" {
			settle(t, root)
		}
		if _, ok := state(root, nil); ok {
			t.Errorf("%s: a state", test.what)
		}
	}
	few := write(t, map[string]string{"data.yaml": "names: [a]\n", "train/images/1.jpg": "", "train/labels/1.txt": box})
	settle(t, few)
	if _, ok := state(few, nil); ok {
		t.Error("a small set has a state")
	}
}

func TestAStateTellsWhatACheckOfThePicturesFound(t *testing.T) {
	root := largeSet(t)
	dark := image.NewGray16(image.Rect(0, 0, 4, 3))
	dark.SetGray16(1, 1, color.Gray16{Y: 8})
	var file bytes.Buffer
	if err := png.Encode(&file, dark); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "train/images/dark.png"), file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	settle(t, root)
	set, _ := look(t, root)
	before, _ := state(root, nil)
	check, err := set.CheckPictures(context.Background(), root, []string{"train", "valid"}, nil)
	if err != nil || len(check.Findings) == 0 {
		t.Fatalf("the check finds %v, %v", check.Findings, err)
	}
	if after, ok := state(root, nil); !ok || after == before {
		t.Error("what a check found is not told")
	}
}
