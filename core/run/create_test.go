package run

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func newRun(t testing.TB) *Writer {
	t.Helper()
	w, err := Create(filepath.Join(t.TempDir(), "runs"), "enhanced", Meta{Recipe: "enhanced", Base: "tiny",
		Root: t.TempDir()}, []byte("[TRAIN]\nEPOCHS = 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func open(t testing.TB, dir string) *Run {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunsAreNumberedAndNamed(t *testing.T) {
	runs := t.TempDir()
	// no run.json: its number is taken all the same
	if err := os.MkdirAll(filepath.Join(runs, "0007-old"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, label string }{
		{"enhanced", "0008-enhanced"}, {"a b/../c", "0009-a-b-..-c"}, {"", "0010-run"}, {" ünï ", "0011-ünï"},
	} {
		w, err := Create(runs, c.name, Meta{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		if got := filepath.Base(w.Dir()); got != c.label {
			t.Errorf("%q: %s, want %s", c.name, got, c.label)
		}
	}
	list, err := List(runs)
	if err != nil || len(list) != 5 || list[0].Fault == nil || list[0].Info.Name != "old" || list[4].Info.Number != 11 {
		t.Errorf("%v %v", list, err)
	}
}

func TestCreatorsAtOnceGetDifferentNumbers(t *testing.T) {
	runs := t.TempDir()
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			w, err := Create(runs, string(rune('a'+i)), Meta{}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			w.Close()
		})
	}
	wg.Wait()
	list, err := List(runs)
	if err != nil || len(list) != 24 {
		t.Fatalf("%d runs, %v", len(list), err)
	}
	for i, r := range list {
		if r.Info.Number != i+1 || r.Fault != nil {
			t.Errorf("run %d has number %d, %v", i, r.Info.Number, r.Fault)
		}
	}
	if hidden, _ := filepath.Glob(filepath.Join(runs, ".*")); len(hidden) > 0 {
		t.Errorf("left %v", hidden)
	}
}

func TestRunIsFoundByNumberNameAndPath(t *testing.T) {
	runs := t.TempDir()
	dirs := map[string]string{}
	for _, name := range []string{"basic", "enhanced", "basic"} {
		w, err := Create(runs, name, Meta{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		dirs[filepath.Base(w.Dir())] = w.Dir()
	}
	for ref, want := range map[string]string{
		"2": "0002-enhanced", "0002": "0002-enhanced", "0001-basic": "0001-basic", "basic": "0003-basic",
		dirs["0001-basic"]: "0001-basic", dirs["0001-basic"] + "/": "0001-basic",
	} {
		r, err := Find(runs, ref)
		if err != nil || r.Label() != want {
			t.Errorf("%s: %v, %v, want %s", ref, r, err, want)
		}
	}
	for ref, want := range map[string]string{"9": "the newest: 0001-basic, 0002-enhanced, 0003-basic",
		"": "no run was named", "/nowhere": "no run directory"} {
		if _, err := Find(runs, ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", ref, err)
		}
	}
	if _, err := Find(filepath.Join(runs, "none"), "1"); err == nil ||
		!strings.Contains(err.Error(), "holds no runs yet") {
		t.Error(err)
	}
}

func TestSnapshotKnowsItsProject(t *testing.T) {
	w := newRun(t)
	r := open(t, w.Dir())
	f, err := r.Config()
	if err != nil || f.Config.Train.Epochs != 2 || f.Abs("data") != filepath.Join(w.Info().Root, "data") {
		t.Errorf("%v %v", f, err)
	}
}

func TestBrokenRunFileIsAnErrorWithItsPath(t *testing.T) {
	w := newRun(t)
	path := filepath.Join(w.Dir(), infoFile)
	for text, want := range map[string]string{"{": path, `{"schema": 99}`: "newer than this program knows"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(w.Dir()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
