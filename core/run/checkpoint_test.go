package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"finetui/core/level"
	"finetui/core/printable"
)

func weights(text string) func(string) error {
	return func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "adapter_model.safetensors"), []byte(text), 0o644)
	}
}

func steps(t *testing.T, dir string) string {
	t.Helper()
	list, err := open(t, dir).Checkpoints()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		s := fmt.Sprint(c.Step)
		if c.Best {
			s += " best"
		}
		if c.Latest {
			s += " latest"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func noHidden(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, checkpoints, ".*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestNewestAndBestCheckpointsAreKept(t *testing.T) {
	w := newRun(t)
	w.Keep = 2
	if _, ok := w.Latest(); ok {
		t.Error("a checkpoint out of nothing")
	}
	for step := 100; step <= 500; step += 100 {
		if err := w.Checkpoint(step, weights(fmt.Sprint(step))); err != nil {
			t.Fatal(err)
		}
		if step == 200 {
			if err := w.Rate(200, Score{Loss: 0.5}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := steps(t, w.Dir()); got != "200 best, 400, 500 latest" {
		t.Error(got)
	}
	for link, want := range map[string]string{latestLink: "500", bestLink: "200"} {
		got, err := os.ReadFile(filepath.Join(w.Dir(), checkpoints, link, "adapter_model.safetensors"))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s %v", link, got, err)
		}
	}
	if err := w.Rate(500, Score{Loss: 0.4}); err != nil {
		t.Fatal(err)
	}
	if got := steps(t, w.Dir()); got != "400, 500 best latest" {
		t.Error(got)
	}
	if err := w.Rate(300, Score{}); err == nil {
		t.Error("a checkpoint that is gone was rated")
	}
	r := open(t, w.Dir())
	if best, ok := r.Best(); !ok || best.Step != 500 {
		t.Error(best)
	}
	rows := readAll(t, w.Dir()).Rows
	c, ok := rows[len(rows)-1].(*Checkpoint)
	if !ok || c.Path != "checkpoints/step-000500" || c.Bytes < 3 || c.Step != 500 {
		t.Errorf("%+v", rows[len(rows)-1])
	}
	noHidden(t, w.Dir())
}

func TestRepeatedStepReplacesItsCheckpoint(t *testing.T) {
	w := newRun(t)
	for _, text := range []string{"old", "new"} {
		if err := w.Checkpoint(100, weights(text)); err != nil {
			t.Fatal(err)
		}
	}
	latest, _ := w.Latest()
	if got, _ := os.ReadFile(filepath.Join(latest.Path, "adapter_model.safetensors")); string(got) != "new" {
		t.Errorf("%s", got)
	}
	noHidden(t, w.Dir())
}

func TestFailedCheckpointLeavesTheOldOnes(t *testing.T) {
	w := newRun(t)
	if err := w.Checkpoint(100, weights("100")); err != nil {
		t.Fatal(err)
	}
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, step := range []int{100, 200} {
		err := w.Checkpoint(step, func(dir string) error {
			if err := weights("half")(dir); err != nil {
				return err
			}
			return full
		})
		if !IsDiskFull(err) || !strings.Contains(printable.Error(err), "the older ones are intact: x cannot be written: the "+
			"disk is full; make room") {
			t.Error(err)
		}
	}
	if got := steps(t, w.Dir()); got != "100 latest" {
		t.Error(got)
	}
	latest, _ := w.Latest()
	if got, _ := os.ReadFile(filepath.Join(latest.Path, "adapter_model.safetensors")); string(got) != "100" {
		t.Errorf("%s", got)
	}
	rows := readAll(t, w.Dir()).Rows
	if e, ok := rows[len(rows)-1].(*Event); !ok || e.Level != level.Error || e.Step != 200 {
		t.Errorf("%+v", rows[len(rows)-1])
	}
	noHidden(t, w.Dir())
	if err := w.Checkpoint(300, weights("300")); err != nil {
		t.Errorf("the run cannot go on: %v", err)
	}
}

// TestFullDiskLeavesTheOldCheckpoints runs on a real file system of 1 MiB.
func TestFullDiskLeavesTheOldCheckpoints(t *testing.T) {
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting a small tmpfs needs root: ", err)
	}
	defer syscall.Unmount(small, 0)
	w, err := Create(small, "full", Meta{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := w.Checkpoint(1, weights(strings.Repeat("a", 400<<10))); err != nil {
		t.Fatal(err)
	}
	if err := w.Checkpoint(2, weights(strings.Repeat("b", 700<<10))); !IsDiskFull(err) {
		t.Fatalf("%v", err)
	}
	if got := steps(t, w.Dir()); got != "1 latest" {
		t.Error(got)
	}
	noHidden(t, w.Dir())
	if err := w.Checkpoint(3, weights(strings.Repeat("c", 400<<10))); err != nil {
		t.Errorf("there is room for this one: %v", err)
	}
	if err := os.WriteFile(filepath.Join(small, "rest"), make([]byte, 1<<20), 0o644); !IsDiskFull(err) {
		t.Fatal(err)
	}
	const rows = 300
	for step := range rows { // they wait in memory
		if err := w.Append(&Train{Head: Head{Step: 4 + step}}, &Event{Text: strings.Repeat("x", 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := trainRows(t, w.Dir()); n == rows {
		t.Fatal("the disk was not full")
	}
	if err := w.Rate(3, Score{}); !IsDiskFull(err) {
		t.Errorf("a check whose row is not written counts as done: %v", err)
	}
	if err := w.Finish(Done, "all steps"); !IsDiskFull(err) {
		t.Errorf("%v", err)
	}
	if s := open(t, w.Dir()).Status(); s.State != Failed || !strings.Contains(s.Reason, "make room and resume") {
		t.Errorf("a run whose rows are lost is %+v", s)
	}
	if err := os.Remove(filepath.Join(small, "rest")); err != nil {
		t.Fatal(err)
	}
	if w, err = Attach(w.Dir()); err != nil {
		t.Fatalf("the run is lost: %v", err)
	}
	if got := readAll(t, w.Dir()); got.Bad > 1 || len(got.Rows) < 4 {
		t.Errorf("%d bad, %d rows", got.Bad, len(got.Rows))
	}
	if err := w.Finish(Done, ""); err != nil {
		t.Error(err)
	}
}

func trainRows(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, row := range readAll(t, dir).Rows {
		if _, ok := row.(*Train); ok {
			n++
		}
	}
	return n
}

func TestRestartedWriterClearsWhatIsHalfMade(t *testing.T) {
	w := newRun(t)
	if err := w.Checkpoint(100, weights("100")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	folder := filepath.Join(w.Dir(), checkpoints)
	for _, name := range []string{".step-000200.tmp", ".step-000050.gone", ".step-000100.old"} {
		if err := os.MkdirAll(filepath.Join(folder, name, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// Killed between the two renames of a repeated step: the old checkpoint is aside, the new one not yet there.
	if err := os.MkdirAll(filepath.Join(folder, ".step-000150.old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := steps(t, w.Dir()); got != "100 latest" {
		t.Error(got)
	}
	w, err := Attach(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if got := steps(t, w.Dir()); got != "100, 150 latest" {
		t.Error(got)
	}
	noHidden(t, w.Dir())
}

func TestLinksMayBeFilesWithOneLine(t *testing.T) {
	w := newRun(t)
	if err := w.Checkpoint(100, weights("100")); err != nil {
		t.Fatal(err)
	}
	best := filepath.Join(w.Dir(), checkpoints, bestLink)
	if err := os.WriteFile(best, []byte("step-000100\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := steps(t, w.Dir()); got != "100 best latest" {
		t.Error(got)
	}
	if err := w.Mend(); err != nil {
		t.Error(err)
	}
}

func TestWriterErrorIsHandedOn(t *testing.T) {
	w := newRun(t)
	mine := errors.New("mine")
	if err := w.Checkpoint(1, func(string) error { return mine }); !errors.Is(err, mine) || IsDiskFull(err) {
		t.Error(err)
	}
}
