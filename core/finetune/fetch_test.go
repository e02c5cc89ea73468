package finetune

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model/hub/hubtest"
	"finetui/core/run"
)

// tinyHub is a hub on this machine, with the tiny base as its model, and a project that has it as its base.
func tinyHub(t *testing.T) (*hubtest.Server, *config.File) {
	t.Helper()
	s := hubtest.Of(t, filepath.Join("..", "model", "tiny"))
	f := smallProject(t)
	if err := f.Override([]string{"MODEL.BASE=" + hubtest.Model, "TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	return s, f
}

// leave starts a run that fetches its base itself.
func leave(t *testing.T, f *config.File) (*run.Run, []dataset.Finding, error) {
	t.Helper()
	t.Setenv(asWorker, "1")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Start(context.Background(), f.Snapshot, Options{Exe: exe, Version: "test"})
}

// until waits for something that a run's process does.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s never came", what)
		}
	}
}

// half says whether half of the weights have come.
func half(r *run.Run) func() bool {
	return func() bool {
		p, ok := Preparing(r)
		return ok && p.Done > 0 && p.Done < p.Total && p.What == "MB, model.safetensors"
	}
}

func TestRunFetchesItsBaseBeforeItsFirstStep(t *testing.T) {
	s, f := tinyHub(t)
	s.Hold = make(chan struct{})
	r, findings, err := leave(t, f)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(findings); n == 0 || findings[n-1].Code != "base_away" {
		t.Errorf("the findings do not say that the base is fetched: %+v", findings)
	}
	until(t, "half of the weights", half(r))
	if r.Refresh(); r.Info.BaseFingerprint != "" || !r.Status().Live() {
		t.Errorf("while it fetches: %+v, %+v", r.Info, r.Status())
	}
	close(s.Hold)
	wait(t, r)
	if r.Refresh(); r.Info.BaseFingerprint == "" || r.Info.Base != hubtest.Model {
		t.Errorf("the run does not know its base: %+v", r.Info)
	}
	if _, there := Preparing(r); there {
		t.Error("a run that is done still prepares")
	}
	lines, err := r.LogTail(100)
	if log := strings.Join(lines, "\n"); err != nil || !strings.Contains(log, "asking the hub for "+hubtest.Model) &&
		!strings.Contains(log, "MB, ") {
		t.Errorf("the log (%v):\n%s", err, log)
	}
	findings, err = Lint(context.Background(), f.Snapshot, nil) // now it is here
	if err != nil || slices.ContainsFunc(findings, func(f dataset.Finding) bool { return f.Code == "base_away" }) {
		t.Errorf("a second look: %+v, %v", findings, err)
	}
}

func TestStoppedWhileItFetchesARunGoesOnWhereItStood(t *testing.T) {
	s, f := tinyHub(t)
	s.Hold = make(chan struct{})
	r, _, err := leave(t, f)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "half of the weights", half(r))
	if err := run.RequestStop(r.Dir, false); err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { return !r.Status().Live() })
	if s := r.Status(); s.State != run.Stopped || !strings.Contains(s.Reason, "what has come is kept") {
		t.Errorf("%+v", s)
	}
	close(s.Hold)
	if err := os.WriteFile(filepath.Join(r.Dir, preparingFile),
		[]byte(`{"done":1,"total":2,"what":"left by a process that was killed"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := Resume(context.Background(), r, Options{Exe: exe}); err != nil {
		t.Fatal(err)
	}
	wait(t, r)
	if p, there := Preparing(r); there {
		t.Errorf("done, it prepares %+v", p)
	}
	if s.Asked("GET /model.safetensors bytes=") != 1 || s.Asked("GET /model.safetensors") != 2 {
		t.Errorf("what had come was fetched again: %q", s.Requests())
	}
}

func TestWithoutANetworkTheRunSaysWhatToDo(t *testing.T) {
	s, f := tinyHub(t)
	s.Hub.Close()
	r, _, err := leave(t, f)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { return !r.Status().Live() })
	if s := r.Status(); s.State != run.Failed || !s.Resumable() || !strings.Contains(s.Reason, "cannot be fetched") ||
		!strings.Contains(s.Reason, "hf download "+hubtest.Model) {
		t.Errorf("%+v", s)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	if r, _, err := leave(t, f); r != nil || err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE is set") {
		t.Errorf("offline: %v", err)
	}
	if _, err := Lint(context.Background(), f.Snapshot, nil); err == nil ||
		!strings.Contains(err.Error(), "HF_HUB_OFFLINE is set") {
		t.Errorf("lint, offline: %v", err)
	}
}

func TestALateFindingStopsTheRun(t *testing.T) {
	_, f := tinyHub(t)
	// no sample is so short, which only the base's tokens tell
	if err := f.Override([]string{"MODEL.MAX_LENGTH=16"}); err != nil {
		t.Fatal(err)
	}
	r, _, err := leave(t, f)
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the end", func() bool { return !r.Status().Live() })
	if s := r.Status(); s.State != run.Failed || !strings.Contains(s.Reason, "MAX_LENGTH") {
		t.Errorf("%+v", s)
	}
}

// What a run is at stands in its log: at once where nobody knows how long it takes, and nothing once it is over.
func TestTheLogSaysAtOnceWhatMayTakeLong(t *testing.T) {
	r := start(t, smallProject(t), "once")
	wait(t, r)
	w, err := run.Attach(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	a := &announcer{w: w, logged: time.Now()}
	logged := func(done, total int, what string) string {
		t.Helper()
		before := size(filepath.Join(r.Dir, "log.txt"))
		a.report(done, total, what)
		a.show()
		text, err := os.ReadFile(filepath.Join(r.Dir, "log.txt"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text[before:])
	}
	if text := logged(0, 0, "DeepSpeed compiles"); !strings.Contains(text, "DeepSpeed compiles") {
		t.Errorf("what takes an unknown time is not said: %q", text)
	}
	if text := logged(0, 0, "DeepSpeed compiles"); text != "" {
		t.Errorf("it is said again within a second: %q", text)
	}
	a.logged = a.logged.Add(-logEvery)
	if text := logged(0, 0, "DeepSpeed compiles"); !strings.Contains(text, "DeepSpeed compiles") {
		t.Errorf("that it still lasts is not said: %q", text)
	}
	if text := logged(1, 9, "files read"); text != "" {
		t.Errorf("each part of what has an end is said: %q", text)
	}
	a.logged = a.logged.Add(-logEvery)
	if text := logged(0, 0, ""); text != "" {
		t.Errorf("of nothing it says %q", text)
	}
	a.end()
	if err := w.Finish(run.Done, "all epochs are done"); err != nil {
		t.Error(err)
	}
}
