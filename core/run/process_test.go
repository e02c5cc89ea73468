package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test program stand for the trainer that Start starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "trainer" {
		if err := trainer(os.Args[2], os.Args[3]); err != nil {
			fmt.Println("trainer:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// trainer counts steps until it is stopped, or to its end with "short".
func trainer(dir, mode string) error {
	if mode == "refuse" {
		return fmt.Errorf("no such model")
	}
	w, err := Attach(dir)
	if err != nil {
		return err
	}
	fmt.Println("hello from the trainer")
	last := 1_000_000
	if mode == "short" {
		last = 20
	}
	begin := 0
	if c, ok := w.Latest(); ok {
		begin = c.Step
	}
	for step := begin + 1; step <= last; step++ {
		if err := w.Append(&Train{Head: Head{Step: step}}); err != nil {
			return err
		}
		if step%5 == 0 {
			if err := w.Checkpoint(step, weights(fmt.Sprint(step))); err != nil {
				return err
			}
		}
		if stop, now := w.StopRequested(); now || stop && step%5 == 0 {
			return w.Finish(Stopped, "on request")
		}
		time.Sleep(time.Millisecond)
	}
	return w.Finish(Done, "")
}

func start(t *testing.T, dir, mode string) int {
	t.Helper()
	pid, err := Start(t.Context(), os.Args[0], []string{"trainer", dir, mode}, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	return pid
}

func await(t *testing.T, r *Run, state string) Status {
	t.Helper()
	var s Status
	for range 1000 {
		if s = r.Status(); s.State == state {
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	lines, _ := r.LogTail(9)
	t.Fatalf("state %+v, want %s; log %q", s, state, lines)
	return s
}

func created(t testing.TB) *Run {
	t.Helper()
	w := newRun(t)
	w.Close()
	return open(t, w.Dir())
}

func TestKilledRunIsSeenAndResumed(t *testing.T) {
	r := created(t)
	pid := start(t, r.Dir, "long")
	s := await(t, r, Running)
	if s.Process.PID != pid {
		t.Errorf("%+v", s)
	}
	if session, _, _ := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0); int(session) != pid {
		t.Errorf("the trainer is in session %d", session)
	}
	if in, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", pid)); err != nil || in != "/dev/null" {
		t.Errorf("stdin is %s, %v", in, err)
	}
	if _, err := Resume(t.Context(), os.Args[0], nil, r.Dir); err == nil ||
		!strings.Contains(err.Error(), "is running already") {
		t.Errorf("%v", err)
	}
	for {
		if _, ok := r.Latest(); ok {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := RequestStop(r.Dir, false); err != nil { // asked, and killed before it could answer
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
	// It may have answered just before: both are ends one can resume from.
	for r.Status().Live() {
		time.Sleep(time.Millisecond)
	}
	if s := r.Status(); s.State != Killed && s.State != Stopped {
		t.Fatalf("%+v", s)
	}
	latest, _ := r.Latest()
	if _, err := Resume(t.Context(), os.Args[0], []string{"trainer", r.Dir, "long"}, r.Dir); err != nil {
		t.Fatal(err)
	}
	await(t, r, Running)
	if err := RequestStop(r.Dir, true); err != nil {
		t.Fatal(err)
	}
	await(t, r, Stopped)
	if err := r.Refresh(); err != nil || r.Info.Resumed != 1 {
		t.Errorf("%+v %v", r.Info, err)
	}
	var h History
	h.Add(readAll(t, r.Dir))
	for i, row := range h.Train {
		if row.Step != i+1 {
			t.Fatalf("row %d has step %d", i, row.Step)
		}
	}
	if h.Step() < latest.Step || h.Bad > 1 {
		t.Errorf("step %d after resuming from %d, %d bad", h.Step(), latest.Step, h.Bad)
	}
	if lines, err := r.LogTail(99); err != nil || strings.Count(strings.Join(lines, "\n"),
		"hello from the trainer") != 2 {
		t.Errorf("%q %v", lines, err)
	}
}

func TestRunEndsByItself(t *testing.T) {
	r := created(t)
	start(t, r.Dir, "short")
	await(t, r, Done)
	if _, err := Resume(t.Context(), os.Args[0], nil, r.Dir); err == nil ||
		!strings.Contains(err.Error(), "nothing to resume") {
		t.Error(err)
	}
}

func TestFailedStartSaysWhy(t *testing.T) {
	r := created(t)
	_, err := Start(t.Context(), os.Args[0], []string{"trainer", r.Dir, "refuse"}, r.Dir)
	if err == nil || !strings.Contains(err.Error(), "trainer: no such model") {
		t.Errorf("%v", err)
	}
	if s := r.Status(); s.State != Failed || !strings.Contains(s.Reason, "no such model") {
		t.Errorf("%+v", s)
	}
	if _, err := Start(t.Context(), filepath.Join(r.Dir, "none"), nil, r.Dir); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestSecondTrainerLeavesTheFirstAlone(t *testing.T) {
	r := created(t)
	pid := start(t, r.Dir, "long")
	_, err := Start(t.Context(), os.Args[0], []string{"trainer", r.Dir, "long"}, r.Dir)
	if err == nil || !strings.Contains(err.Error(), "another process is writing this run") {
		t.Errorf("%v", err)
	}
	if s := r.Status(); s.State != Running || s.Process.PID != pid {
		t.Errorf("%+v", s)
	}
}

func TestImpatientStartLeavesTheProcessRunning(t *testing.T) {
	r := created(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	pid, err := Start(ctx, os.Args[0], []string{"trainer", r.Dir, "short"}, r.Dir)
	if err == nil {
		return // it was quicker
	}
	if pid == 0 {
		t.Fatal(err)
	}
	await(t, r, Done)
}

func TestPidIsKnownByStartAndBoot(t *testing.T) {
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	other := self
	other.Start++
	rebooted := self
	rebooted.Boot = "another"
	if !self.Alive() || other.Alive() || rebooted.Alive() {
		t.Error(self.Alive(), other.Alive(), rebooted.Alive())
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Skip(err)
	}
	_, ticks, err := processStat(child.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := Process{child.Process.Pid, ticks, self.Boot}
	if !p.Alive() {
		t.Error("it sleeps, it is not dead")
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for i := 0; p.Alive() && i < 1000; i++ { // a zombie until Wait
		time.Sleep(time.Millisecond)
	}
	if p.Alive() {
		t.Error("a zombie counts as alive")
	}
	child.Wait()
}

func TestRunOnAnotherMachineIsJudgedByItsSilence(t *testing.T) {
	w := newRun(t)
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := w.Update(func(i *Info) {
		i.Process = &Process{1, 1,
			"their boot"}
		i.Machine = "their box"
	}); err != nil {
		t.Fatal(err)
	}
	r := open(t, w.Dir())
	if s := r.Status(); s.State != Running {
		t.Errorf("%+v", s)
	}
	long := time.Now().Add(-time.Hour)
	for _, f := range []string{metricsFile, logFile, infoFile} {
		if err := os.Chtimes(filepath.Join(w.Dir(), f), long, long); err != nil {
			t.Fatal(err)
		}
	}
	if s := r.Status(); s.State != Killed {
		t.Errorf("%+v", s)
	}
}

func TestRunThatEndsWhileItIsLookedAtWasNotKilled(t *testing.T) {
	w := newRun(t)
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	ends := func(Process) bool {
		if err := w.Finish(Done, "all steps"); err != nil {
			t.Error(err)
		}
		return false
	}
	if s := open(t, w.Dir()).status(ends); s.State != Done || s.Reason != "all steps" {
		t.Errorf("%+v", s)
	}
}
