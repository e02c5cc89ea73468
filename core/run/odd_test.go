package run

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"finetui/core/config"
)

// odd are what may stand where a file of a run should.
var odd = map[string]func(path string) error{
	"a pipe":   func(path string) error { return syscall.Mkfifo(path, 0o644) },
	"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
	"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
	"a file of 4 GB": func(path string) error {
		return errors.Join(os.WriteFile(path, nil, 0o644), os.Truncate(path, 4<<30))
	},
	"a link to itself": func(path string) error { return os.Symlink(filepath.Base(path), path) },
}

// TestNoFileOfARunHangsOrFillsTheMemory puts odd things in place
// of each file and asks all that a reader and a writer ask.
func TestNoFileOfARunHangsOrFillsTheMemory(t *testing.T) {
	for what, put := range odd {
		for _, name := range []string{infoFile, exitFile, stopFile, metricsFile, logFile, "checkpoints/best",
			"checkpoints/latest", "checkpoints/step-000001/checkpoint.json", configFile} {
			if name == metricsFile && what != "a pipe" && what != "a device" { // read in bounded pieces, as always
				continue
			}
			t.Run(name+" is "+what, func(t *testing.T) {
				w := newRun(t)
				if err := w.Checkpoint(1, weights("1")); err != nil {
					t.Fatal(err)
				}
				if err := w.Rate(1, Score{}); err != nil {
					t.Fatal(err)
				}
				w.Close()
				path := filepath.Join(w.Dir(), name)
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
				if err := put(path); err != nil {
					t.Fatal(err)
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					askAll(w.Dir())
				}()
				select {
				case <-done:
				case <-time.After(time.Minute): // no question waits for anything
					t.Error("a question hangs")
				}
			})
		}
	}
}

// askAll asks a run's folder everything; errors are answers, too.
func askAll(dir string) {
	if r, err := Open(dir); err == nil {
		r.Status()
		r.Config()
		r.Best()
		r.Latest()
		r.Answering()
		r.LogTail(3)
		r.Tail().Read()
	}
	List(filepath.Dir(dir))
	RequestStop(dir, true)
	if w, err := Attach(dir); err == nil {
		w.StopRequested()
		w.Append(&Event{Text: "x"})
		w.Checkpoint(2, weights("2"))
		w.Finish(Done, "")
	}
}

func TestStopAsksWhateverItIs(t *testing.T) {
	for what, put := range odd {
		w := newRun(t)
		if err := w.Begin(); err != nil {
			t.Fatal(err)
		}
		if err := put(filepath.Join(w.Dir(), stopFile)); err != nil {
			t.Fatal(err)
		}
		if stop, now := w.StopRequested(); !stop || now {
			t.Errorf("%s asks for stop %v, now %v", what, stop, now)
		}
		if err := w.Finish(Stopped, "on request"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestLinksAreMendedWhateverStandsThere(t *testing.T) {
	make := func(t *testing.T) *Writer {
		w := newRun(t)
		for step, loss := range map[int]Float{1: 0.5, 2: 0.7} {
			if err := w.Checkpoint(step, weights("of its own")); err != nil {
				t.Fatal(err)
			}
			if err := w.Rate(step, Score{Loss: loss}); err != nil {
				t.Fatal(err)
			}
		}
		return w
	}
	garbage := map[string]func(path string) error{
		"a wrong link":    func(path string) error { return os.Symlink("step-000009", path) },
		"a garbage file":  func(path string) error { return os.WriteFile(path, []byte("\x00\xff\nwhat\n"), 0o644) },
		"an empty folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a folder with notes": func(path string) error {
			return errors.Join(os.Mkdir(path, 0o755), os.WriteFile(filepath.Join(path, "notes.txt"),
				[]byte("mine"), 0o644))
		},
		"a copy": func(path string) error {
			return os.CopyFS(path, os.DirFS(filepath.Join(filepath.Dir(path), "step-000002")))
		},
		"nothing": func(string) error { return nil },
	}
	for name, put := range odd {
		garbage[name] = put
	}
	for what, put := range garbage {
		w := make(t)
		w.Close()
		folder := filepath.Join(w.Dir(), checkpoints)
		for _, name := range []string{bestLink, latestLink} {
			path := filepath.Join(folder, name)
			if err := errors.Join(os.RemoveAll(path), put(path)); err != nil {
				t.Fatal(err)
			}
		}
		if got := steps(t, w.Dir()); got != "1 best, 2 latest" {
			t.Errorf("%s: readers see %s", what, got)
		}
		w, err := Attach(w.Dir())
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if err := w.Finish(Done, ""); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for name, want := range map[string]string{bestLink: "step-000001", latestLink: "step-000002"} {
			if got, err := os.Readlink(filepath.Join(folder, name)); got != want {
				t.Errorf("%s: %s leads to %q, %v", what, name, got, err)
			}
		}
		if what == "a folder with notes" {
			if text, err := os.ReadFile(filepath.Join(folder, "best-kept", "notes.txt")); string(text) != "mine" {
				t.Errorf("what somebody kept there is gone: %v", err)
			}
			said := ""
			for _, row := range readAll(t, w.Dir()).Rows {
				if e, ok := row.(*Event); ok {
					said += e.Text
				}
			}
			if !strings.Contains(said, "best-kept") {
				t.Errorf("nobody says where it is now: %s", said)
			}
		}
	}
}

func TestBestIsTheBestThatLiesThere(t *testing.T) {
	score := func(loss, accuracy float64) Score { return Score{Loss: Float(loss), Accuracy: Float(accuracy)} }
	w := newRun(t)
	w.Keep = 9
	for step, s := range []Score{1: score(0.5, 0.3), 2: score(0.4, 0.2), 3: score(0.4, 0.9)} {
		if step == 0 {
			continue
		}
		if err := w.Checkpoint(step, weights("x")); err != nil {
			t.Fatal(err)
		}
		if err := w.Rate(step, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Checkpoint(4, weights("x")); err != nil { // not measured
		t.Fatal(err)
	}
	for _, c := range []struct {
		by   string
		old  bool // a run of a program that took the earliest of equals
		want string
	}{
		{"last", false, "1, 2, 3, 4 best latest"}, {"loss", false, "1, 2, 3 best, 4 latest"},
		{"accuracy", false, "1, 2, 3 best, 4 latest"}, {"", false, "1, 2, 3 best, 4 latest"},
		{"loss", true, "1, 2 best, 3, 4 latest"}, {"accuracy", true, "1, 2, 3 best, 4 latest"},
	} {
		if err := w.Update(func(i *Info) { i.BestBy, i.LatestOfEquals = config.BestBy(c.by), !c.old }); err != nil {
			t.Fatal(err)
		}
		if got := steps(t, w.Dir()); got != c.want {
			t.Errorf("by %q, old %v: %s", c.by, c.old, got)
		}
	}
}

func TestNoNumberIsNeverTheBest(t *testing.T) {
	w := newRun(t)
	w.Keep = 9
	for _, loss := range []string{`"NaN"`, `0.5`, `"NaN"`} {
		step := len(mustList(t, w)) + 1
		var s Score
		if err := s.Loss.UnmarshalJSON([]byte(loss)); err != nil {
			t.Fatal(err)
		}
		if err := w.Checkpoint(step, weights("x")); err != nil {
			t.Fatal(err)
		}
		if err := w.Rate(step, s); err != nil {
			t.Fatal(err)
		}
	}
	if got := steps(t, w.Dir()); got != "1, 2 best, 3 latest" {
		t.Error(got)
	}
}

func mustList(t *testing.T, w *Writer) []Saved {
	t.Helper()
	list, err := open(t, w.Dir()).Checkpoints()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestStopNowIsNotPutOffAgain(t *testing.T) {
	w := newRun(t)
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	for _, now := range []bool{true, false} {
		if err := RequestStop(w.Dir(), now); err != nil {
			t.Fatal(err)
		}
		if s := open(t, w.Dir()).Status(); s.Reason != "stops after this step" {
			t.Errorf("asked for now %v after now: %+v", now, s)
		}
	}
}

func TestRunJSONIsNamedByItsHarm(t *testing.T) {
	for text, want := range map[string]string{"": "is empty", "\x00\x00": "is empty", `{"schema":`: "is cut off",
		"hello": "is damaged", `{"schema":"x"}`: "is damaged"} {
		w := newRun(t)
		w.Close()
		if err := os.WriteFile(filepath.Join(w.Dir(), infoFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(w.Dir()); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "JSON input") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
