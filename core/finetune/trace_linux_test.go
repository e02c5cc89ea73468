package finetune

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"finetui/ml/wholefile/killtest"
)

// traced are the system calls by which files come to be what a reader finds, and the step of wholefile.Before that
// stands for each; "" for those that a run must not make, since no step stands for them.
var traced = map[string]string{"rename": "rename", "renameat": "rename", "renameat2": "rename", "symlink": "symlink",
	"symlinkat": "symlink", "unlink": "remove", "unlinkat": "remove", "rmdir": "remove", "fsync": "sync",
	"fdatasync": "sync", "link": "", "linkat": "", "truncate": "", "ftruncate": "", "sync": "", "syncfs": "",
	"sync_file_range": "", "msync": ""}

// callLine is a call: its name, what it was called with, and 0 where it succeeded.
var (
	callLine = regexp.MustCompile(`^(\w+)\((.*)\) += (0|-1).*$`)
	quoted   = regexp.MustCompile(`"([^"]*)"`)
	openFile = regexp.MustCompile(`^\d+<([^>]*)>`)
)

// TestTheKillsKnowEverySystemCallThatMakesFiles compares what the kernel was asked for in one run with the steps that
// TestKilledBeforeEveryStepARunComesToTheSame kills before: a call that no step stands for is never killed before.
func TestTheKillsKnowEverySystemCallThatMakesFiles(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not here: ", err)
	}
	if out, err := exec.Command(strace, "-o", os.DevNull, "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %s", out)
	}
	f, dir := killProject(t), t.TempDir()
	t.Setenv(stepsTo, filepath.Join(dir, "steps"))
	t.Setenv(asWorker, "1")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range traced {
		names = append(names, "?"+name) // no machine has all of them
	}
	// -D: the run keeps the process that its parent started
	script := fmt.Sprintf("#!/bin/sh\nexec '%s' -D -ff -q -y -s 4096 -e signal=none -e trace=%s -o '%s/calls' '%s' \"$@\"\n",
		strace, strings.Join(names, ","), dir, exe)
	r, _, err := Start(context.Background(), f.Snapshot,
		Options{Name: "traced", Exe: killtest.Script(t, script), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, r)
	waitForTracer(t, dir)
	text, err := os.ReadFile(filepath.Join(dir, "steps"))
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]int{}
	for line := range strings.Lines(string(text)) {
		steps[strings.TrimSpace(line)]++
	}
	n := 0
	done, failed := callsBelow(t, dir, r.Dir)
	for _, call := range done {
		if n++; steps[call] == 0 {
			t.Errorf("the run called %s, which no step stands for", call)
		}
		steps[call]--
	}
	for _, call := range failed { // what is not there is not removed or moved
		steps[call] = max(steps[call]-1, 0)
	}
	for step, left := range steps {
		if left > 0 {
			t.Errorf("%d of the steps %s were no call", left, step)
		}
	}
	if n < 150 {
		t.Errorf("only %d calls were traced", n)
	}
	t.Logf("%d calls", n)
}

// waitForTracer waits until every thread's calls are written down to its end: the tracer ends after the run. It gives up
// when nothing has been written for a while.
func waitForTracer(t *testing.T, dir string) {
	t.Helper()
	for size, still := 0, 0; still < 200; still++ {
		files, _ := filepath.Glob(filepath.Join(dir, "calls.*"))
		ended, now := len(files) > 0, 0
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			now += len(text)
			ended = ended && strings.Contains(string(text), "+++ exited with")
		}
		if ended {
			return
		}
		if now > size {
			size, still = now, 0
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("the tracer has not written to the end of the run")
}

// callsBelow are the traced calls of all threads that name what lies in a folder, in the words of the steps.
func callsBelow(t *testing.T, dir, folder string) (done, failed []string) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, "calls.*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			call := callLine.FindStringSubmatch(strings.TrimSpace(line))
			if call == nil {
				continue
			}
			path := ""
			if open := openFile.FindStringSubmatch(call[2]); open != nil && !strings.Contains(call[2], `"`) {
				path = open[1]
			} else if all := quoted.FindAllStringSubmatch(call[2], -1); len(all) > 0 {
				path = all[len(all)-1][1]
			}
			below, err := filepath.Rel(folder, path)
			if err != nil || !filepath.IsLocal(below) {
				continue
			}
			step := traced[call[1]]
			if step == "" {
				step = call[1]
			}
			if call[3] == "0" {
				done = append(done, step+" "+below)
			} else {
				failed = append(failed, step+" "+below)
			}
		}
	}
	return done, failed
}
