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
	"time"

	"finetui/ml/wholefile"
)

// Start runs exe with args as a process of its own session that goes on without this one: stdin is /dev/null, stdout
// and stderr go to the run's log.txt. It returns the pid once that process has taken up the run (Attach), which is
// when Status sees it as running. If the process ends before, the error has the end of its log and the run counts as
// failed. When ctx ends first, the process goes on. env, NAME=value, is added to its environment.
func Start(ctx context.Context, exe string, args []string, dir string, env ...string) (pid int, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return 0, fmt.Errorf("start run: %w", err)
	}
	before, err := readInfo(dir)
	if err != nil {
		return 0, err
	}
	pid, ended, err := Spawn(exe, args, filepath.Join(dir, logFile), env...)
	if err != nil {
		return 0, fmt.Errorf("start run: %w", err)
	}
	return pid, awaitAttach(ctx, dir, pid, before, ended)
}

// Spawn runs exe with args as a process of a session of its own, which outlives this one and the terminal: stdin is
// /dev/null, what it says is added to log. ended tells its end, should it come while we live. env is added to its
// environment.
func Spawn(exe string, args []string, log string, env ...string) (pid int, ended <-chan error, err error) {
	out, err := openAppend(log)
	if err != nil {
		return 0, nil, err
	}
	defer out.Close() // the child has its own copy
	cmd := exec.Command(exe, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }() // also buries it
	return cmd.Process.Pid, end, nil
}

// awaitAttach returns when run.json names the process, or with the reason why it never will.
func awaitAttach(ctx context.Context, dir string, pid int, before Info, ended <-chan error) error {
	attached := func() bool {
		info, err := readInfo(dir)
		return err == nil && info.Process != nil && info.Process.PID == pid &&
			(before.Process == nil || *info.Process != *before.Process)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the run's process %d has started and not reported yet: %w", pid, ctx.Err())
		case err := <-ended:
			if attached() {
				return nil // quick, and it has said itself how it ended
			}
			return failedStart(dir, err)
		case <-tick.C:
			if attached() {
				return nil
			}
		}
	}
}

// failedStart records why a process never took up its run, unless another writer has it.
func failedStart(dir string, cause error) error {
	reason := "its process ended at once"
	if cause != nil {
		reason += ": " + cause.Error()
	}
	r := &Run{Dir: dir}
	if lines, err := r.LogTail(5); err == nil && len(lines) > 0 {
		reason += ": " + strings.Join(lines, " | ")
	}
	failure := fmt.Errorf("start %s: %s; see %s", filepath.Base(dir), reason, filepath.Join(dir, logFile))
	lock, err := takeLock(dir)
	if err != nil {
		return errors.Join(failure, err)
	}
	defer lock.Close()
	exit := Exit{State: Failed, Reason: reason, Time: unix(time.Now())}
	if old, err := readExit(dir); err == nil {
		exit.Seconds = old.Seconds
	}
	return errors.Join(failure, writeJSON(filepath.Join(dir, exitFile), exit))
}

// Resume starts a process that goes on with a run which was stopped or killed, has failed, or was never taken up. An
// old stop request is withdrawn.
func Resume(ctx context.Context, exe string, args []string, dir string) (pid int, err error) {
	r, err := Open(dir)
	if err != nil {
		return 0, err
	}
	if s := r.Status(); !s.Live() && !s.Resumable() {
		return 0, fmt.Errorf("%s is %s: there is nothing to resume", r.Label(), s.State)
	}
	return GoOn(ctx, exe, args, dir)
}

// GoOn is Resume for a run that may be done.
func GoOn(ctx context.Context, exe string, args []string, dir string, env ...string) (pid int, err error) {
	r, err := Open(dir)
	if err != nil {
		return 0, err
	}
	if s := r.Status(); s.Live() {
		return 0, fmt.Errorf("%s is %s already, as process %d on %s", r.Label(), s.State, s.Process.PID, r.Info.Machine)
	}
	if err := wholefile.RemoveAll(filepath.Join(r.Dir, stopFile)); err != nil {
		return 0, fmt.Errorf("%s cannot be resumed: %w", r.Label(), err)
	}
	return Start(ctx, exe, args, r.Dir, env...)
}
