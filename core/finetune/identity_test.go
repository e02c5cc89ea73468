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
	"finetui/core/disk"
	"finetui/core/model"
	"finetui/core/run"
)

// ownBase gives a project the built-in base as a folder of its own, and returns the folder.
func ownBase(t *testing.T, f *config.File) string {
	t.Helper()
	b, err := model.OpenLocal(model.Tiny, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	dir := filepath.Join(f.Root, "base")
	if err := os.CopyFS(dir, os.DirFS(b.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := f.Override([]string{"MODEL.BASE=base"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stopped is a run that has been stopped early.
func stopped(t *testing.T, f *config.File) *run.Run {
	t.Helper()
	r := start(t, f, "first")
	run.RequestStop(r.Dir, true)
	for r.Status().Live() {
		time.Sleep(10 * time.Millisecond)
	}
	if err := r.Refresh(); err != nil {
		t.Fatal(err)
	}
	return r
}

func events(t *testing.T, r *run.Run) string {
	t.Helper()
	var h run.History
	batch, err := r.Tail().Read()
	if err != nil {
		t.Fatal(err)
	}
	h.Add(batch)
	var all []string
	for _, e := range h.Events {
		all = append(all, e.Text)
	}
	return strings.Join(all, "\n")
}

func TestReplacedWeightsStopAResume(t *testing.T) {
	f := smallProject(t)
	dir := ownBase(t, f)
	r := stopped(t, f)
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1 // neither the first nor the last MiB
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Work(context.Background(), r.Dir); err == nil ||
		!strings.Contains(err.Error(), "is not the one that this run was started with") {
		t.Errorf("resumed on another base: %v", err)
	}
}

func TestARunOfAnOlderBuildGoesOnWithAWord(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	r := stopped(t, f)
	now := r.Info.BaseFingerprint
	const old = "5b0ea2b97a6a2f5e"
	path := filepath.Join(r.Dir, "run.json")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data, _, _ = disk.Unseal(data) // as older builds wrote it
	set := func(fingerprint string) {
		if err := os.WriteFile(path, []byte(strings.Replace(string(data), now, fingerprint, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	set(old)
	if err := Work(context.Background(), r.Dir); err == nil || !strings.Contains(err.Error(), "is not the one") {
		t.Errorf("another base by the old fingerprint, too: %v", err)
	}
	b, err := model.OpenLocal(model.Tiny, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	set(b.OldFingerprint())
	if err := Work(context.Background(), r.Dir); err != nil {
		t.Fatal(err)
	}
	if err := r.Refresh(); err != nil || r.Info.BaseFingerprint != now {
		t.Errorf("the run is known by %s, error %v", r.Info.BaseFingerprint, err)
	}
	if all := events(t, r); !strings.Contains(all, "older build") {
		t.Errorf("nothing is said: %s", all)
	}
}

// A cache of features that cannot be used is said once, and the run learns what it would have learned with one.
func TestACacheOfNoUseStopsNoRun(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	kept := start(t, f, "kept")
	wait(t, kept)
	folder := filepath.Join(f.Root, ".finetui", "features")
	if entries, err := os.ReadDir(folder); err != nil ||
		!slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "segment-") }) {
		t.Fatalf("no features are kept: %v, %v", entries, err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(folder, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "not_kept")
	wait(t, r)
	if n := strings.Count(events(t, r), "is not kept in"); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	sameFiles(t, last(t, kept), last(t, r))
}

// The process of a run whose base is cut short under it writes down why it ended, where SIGBUS would have killed it.
func TestARunWhoseWeightsAreCutShortEndsInASentence(t *testing.T) {
	f := smallProject(t)
	dir := ownBase(t, f)
	if err := f.Override([]string{"TRAIN.EPOCHS=200", "TRAIN.EVAL_EVERY=0"}); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "cut")
	for r.Status().Live() && r.Refresh() == nil && !strings.Contains(logOf(t, r), "trained parameters") {
		time.Sleep(10 * time.Millisecond)
	}
	if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 4096); err != nil {
		t.Fatal(err)
	}
	for r.Status().Live() {
		time.Sleep(10 * time.Millisecond)
	}
	data, err := os.ReadFile(filepath.Join(r.Dir, "exit.json"))
	if err != nil || !strings.Contains(string(data), "was cut short while it was in use") {
		t.Errorf("%s, error %v", data, err)
	}
}

func logOf(t *testing.T, r *run.Run) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.Dir, "log.txt"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}
