package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program calls the program as a person does, in the present folder.
func program(t *testing.T, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	cmd := self("program", words...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return code, out.String(), errs.String()
}

// settle waits until the only run is not live any more: a run of this size takes no longer, however busy the machine.
func settle(t *testing.T) string {
	t.Helper()
	r := onlyRun(t)
	for range 60_000 {
		if s := r.Status(); !s.Live() {
			return s.State
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("it is %+v", r.Status())
	return ""
}

func TestResumeAndStopSayWhatIsSo(t *testing.T) {
	inSmallProject(t)
	small := []string{"TRAIN.EPOCHS=30", "TRAIN.SAVE_EVERY=2", "TRAIN.BATCH_SIZE=2", "TRAIN.EVAL_EVERY=0",
		"TRAIN.SCHEDULE=linear"}
	if code, out, errs := program(t, append([]string{"train", "first"}, small...)...); code != 0 ||
		!strings.Contains(out, "0001-first") {
		t.Fatalf("train: %d, %q, %q", code, out, errs)
	}
	for _, c := range []struct {
		words []string
		want  string
	}{{[]string{"stop", "1", "now"}, "stops after this step"}, {[]string{"stop", "1"}, "stops after this step"}} {
		code, out, errs := program(t, c.words...)
		if code == 0 && !strings.Contains(out, c.want) && !strings.Contains(out, "stopped") {
			t.Errorf("%v: %d, %q, %q", c.words, code, out, errs)
		}
	}
	if state := settle(t); state != "stopped" {
		t.Fatalf("it is %s", state)
	}
	for _, c := range []struct {
		words []string
		code  int
		want  string // on stderr
	}{
		{[]string{"stop", "1"}, exitFailed, "is stopped already"},
		{[]string{"resume", "1", "LORA.R=3"}, exitCall, "LORA.R = "},
		{[]string{"resume", "1", "TRAIN.EPOCH=3"}, exitCall, "EPOCHS"},
		{[]string{"resume", "1", "twice"}, exitCall, "resume RUN"},
	} {
		if code, out, errs := program(t, c.words...); code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: %d, %q, %q", c.words, code, out, errs)
		}
	}
	r := onlyRun(t)
	own, err := r.Config()
	if err != nil {
		t.Fatal(err)
	}
	data := own.Abs(own.Config.Dataset.Path)
	if err := os.Rename(data, data+"-away"); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := program(t, "resume", "1"); code != exitFailed || out != "" ||
		!strings.Contains(errs, "0001-first is failed") {
		t.Errorf("resume without the data set: %d, %q, %q", code, out, errs)
	}
	if err := os.Rename(data+"-away", data); err != nil {
		t.Fatal(err)
	}
	newest, ok := r.Latest()
	if !ok {
		t.Fatal("no checkpoint")
	}
	if err := os.Truncate(filepath.Join(newest.Path, "state.json"), 0); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := program(t, "resume", "1", "TRAIN.EPOCHS=1"); code != exitDone &&
		!strings.Contains(errs, "cannot be less") || !strings.Contains(errs, "is damaged") {
		t.Errorf("resume of a damaged checkpoint: %d, %q, %q", code, out, errs)
	}
	if state := settle(t); state == "failed" {
		if code, out, errs := program(t, "resume", "1", "TRAIN.EPOCHS=30"); code != exitDone {
			t.Fatalf("%d, %q, %q", code, out, errs)
		}
		settle(t)
	}
	for _, c := range []struct {
		words []string
		want  string
	}{{[]string{"resume", "1"}, "nothing to resume"}, {[]string{"stop", "1"}, "nothing to stop"},
		{[]string{"resume", "1", "TRAIN.EPOCHS=60"}, "come down to 0"}} {
		if code, out, errs := program(t, c.words...); code != exitFailed || out != "" ||
			!strings.Contains(errs, c.want) {
			t.Errorf("%v of a run that is done: %d, %q, %q", c.words, code, out, errs)
		}
	}
}

// TestEvalPrintsWhatItCannotKeep scores on a disk that is full.
func TestEvalPrintsWhatItCannotKeep(t *testing.T) {
	inSmallProject(t)
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("mounting a small tmpfs needs root: ", err)
	}
	defer syscall.Unmount(small, syscall.MNT_DETACH)
	os.WriteFile(filepath.Join(small, "rest"), make([]byte, 1<<20), 0o644)
	code, out, errs := program(t, "eval", "base", "PROJECT.RUNS="+small, "EVAL.SPLIT=train")
	if code != exitFailed || !strings.Contains(out, "accuracy") ||
		!strings.Contains(errs, "could not be kept") || !strings.Contains(errs, "make room") {
		t.Errorf("%d, %q, %q", code, out, errs)
	}
}
