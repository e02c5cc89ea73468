package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ended is a run with checkpoints, rows and an evaluation, beside another one in its folder.
func ended(t *testing.T) (r, other *Run) {
	t.Helper()
	w := newRun(t)
	for step := 100; step <= 300; step += 100 {
		if err := w.Append(&Train{Head: Head{Step: step}, Loss: 1}); err != nil {
			t.Fatal(err)
		}
		if err := w.Checkpoint(step, weights(fmt.Sprint(step))); err != nil {
			t.Fatal(err)
		}
		if err := w.Rate(step, Score{Loss: Float(step)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(Done, "all steps are done"); err != nil {
		t.Fatal(err)
	}
	r = open(t, w.Dir())
	text := fmt.Sprintf("{\n  \"kind\": \"eval\",\n  \"subject\": \"%s best (step 100)\",\n  \"n\": 3\n}\n", r.Label())
	if err := os.WriteFile(r.EvalPath("test", "json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(filepath.Dir(r.Dir), indexFolder)
	if err := os.MkdirAll(index, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{".curves", ".brief"} {
		if err := os.WriteFile(filepath.Join(index, r.Label()+kind), []byte("kept"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	second, err := Create(filepath.Dir(r.Dir), "second", Meta{}, []byte("[TRAIN]\nEPOCHS = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	return r, open(t, second.Dir())
}

// holds are the files and links below a folder, with what is in them.
func holds(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.Type()&os.ModeSymlink != 0 {
			found[name], err = os.Readlink(path)
			return err
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestARenamedRunLosesNothing(t *testing.T) {
	r, other := ended(t)
	before, beside, marks := holds(t, r.Dir), holds(t, other.Dir), steps(t, r.Dir)
	now, err := Rename(r, "mild weights")
	if err != nil {
		t.Fatal(err)
	}
	if now.Label() != "0001-mild-weights" || now.Info.Name != "mild-weights" || now.Status().State != Done {
		t.Errorf("%s, %+v", now.Label(), now.Info)
	}
	if _, err := os.Stat(r.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old folder: %v", err)
	}
	after := holds(t, now.Dir)
	for name, text := range before {
		switch name {
		case "run.json":
		case filepath.Join(evalFolder, "test.json"):
			if want := strings.Replace(text, r.Label(), now.Label(), 1); after[name] != want || want == text {
				t.Errorf("the evaluation is of %s", after[name])
			}
		default:
			if now, there := after[name]; !there || now != text {
				t.Errorf("%s: %q has become %q", name, text, now)
			}
		}
	}
	if got := steps(t, now.Dir); got != marks || !strings.Contains(got, "best") {
		t.Errorf("checkpoints %q, before %q", got, marks)
	}
	if fmt.Sprint(holds(t, other.Dir)) != fmt.Sprint(beside) {
		t.Error("the run beside it is another one")
	}
	index := holds(t, filepath.Join(filepath.Dir(now.Dir), indexFolder))
	if index["0001-mild-weights.curves"] != "kept" || len(index) != 2 {
		t.Errorf("kept of its curves: %v", index)
	}
	if found, err := Find(filepath.Dir(now.Dir), "mild-weights"); err != nil || found.Dir != now.Dir {
		t.Errorf("%v %v", found, err)
	}
}

func TestADeletedRunTakesNothingElseAlong(t *testing.T) {
	r, other := ended(t)
	beside, runs := holds(t, other.Dir), filepath.Dir(r.Dir)
	if err := os.Mkdir(filepath.Join(runs, deleted+"0009-cut-short"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Delete(r); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(runs)
	if err != nil || len(entries) != 2 || entries[0].Name() != indexFolder || entries[1].Name() != other.Label() {
		t.Errorf("left: %v %v", entries, err)
	}
	if fmt.Sprint(holds(t, other.Dir)) != fmt.Sprint(beside) {
		t.Error("the run beside it is another one")
	}
	if left := holds(t, filepath.Join(runs, indexFolder)); len(left) != 0 {
		t.Errorf("kept of its curves: %v", left)
	}
}

func TestOnlyWhatNobodyWorksOnIsRenamedOrDeleted(t *testing.T) {
	r, other := ended(t)
	w, err := Attach(other.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for name, c := range map[string]struct {
		do   func() error
		says string
	}{
		"a name that is none": {func() error { _, err := Rename(r, "a=b"); return err },
			"reads like a constant"},
		"a name that is blank": {func() error { _, err := Rename(r, " "); return err },
			"leave out the blanks"},
		"deleted while it is worked on": {func() error { return Delete(other) }, "is running and cannot be deleted"},
		"renamed while it is worked on": {func() error { _, err := Rename(other, "x"); return err },
			"is running and cannot be renamed"},
		"a folder stands there": {func() error {
			if err := os.Mkdir(filepath.Join(filepath.Dir(r.Dir), "0001-taken"), 0o755); err != nil {
				return err
			}
			_, err := Rename(r, "taken")
			return err
		}, "there is a folder of that name already"},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, dir := range []string{r.Dir, other.Dir} {
		if _, err := os.Stat(filepath.Join(dir, infoFile)); err != nil {
			t.Error(err)
		}
	}
}
