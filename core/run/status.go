package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"finetui/core/disk"
	"finetui/ml/wholefile"
)

// leastRoom is what a row of metrics and its place on the disk take, in bytes.
const leastRoom = 4096

// Status is what has become of a run, found out from its files and its process.
type Status struct {
	State   string
	Reason  string        // why it ended, or what can be done
	Elapsed time.Duration // of all its processes together
	Process *Process      // the live one, if any
	adopted bool          // it is another trainer's, and not resumed from here
}

// Resumable tells whether the run ended before its work was done.
func (s Status) Resumable() bool {
	return !s.adopted && (s.State == Stopped || s.State == Failed || s.State == Killed || s.State == Created)
}

// Live tells whether a process is at work on the run.
func (s Status) Live() bool { return s.State == Running || s.State == Stopping }

// elsewhereSilence is how long a process on another machine may write nothing before it counts as gone.
const elsewhereSilence = 2 * time.Minute

// Status finds out the run's state. An exit.json says it; else the process of that pid, start time and boot is alive
// or the run was killed. It reads a few small files: call it a few times a second, not every draw.
func (r *Run) Status() Status { return r.status(Process.Alive) }

func (r *Run) status(alive func(Process) bool) Status {
	if r.log != nil {
		return r.adoptedStatus(r.log.Glance(), time.Now())
	}
	info := r.Info
	if s, ended := end(r.Dir); ended {
		return s
	}
	if fresh, err := readInfo(r.Dir); err == nil {
		info = fresh
	}
	if info.Process == nil {
		return Status{State: Created, Reason: "no process has taken it up; resume starts one"}
	}
	since := func(end time.Time) time.Duration {
		return seconds(info.Before + max(0, unix(end)-info.Began))
	}
	wrote := lastWrite(r.Dir)
	if !(alive(*info.Process) && ours(info, r.Dir)) && !(elsewhere(info) && time.Since(wrote) < elsewhereSilence) {
		if s, ended := end(r.Dir); ended {
			return s // it came to its end since we looked
		}
		reason := "its process is gone without an end"
		if _, err := readExit(r.Dir); !errors.Is(err, fs.ErrNotExist) {
			reason = "its exit.json is damaged, so how it ended is not known"
		}
		return Status{State: Killed, Reason: reason + "; resume goes on from the last checkpoint",
			Elapsed: since(wrote)}
	}
	s := Status{State: Running, Elapsed: since(time.Now()), Process: info.Process}
	if free, ok := disk.Free(r.Dir); ok && free < leastRoom {
		s.Reason = "its disk is full: rows wait in memory and checkpoints are left out until there is room"
	}
	if stop, now := stopRequested(r.Dir); now {
		s.State, s.Reason = Stopping, "stops after this step"
	} else if stop {
		s.State, s.Reason = Stopping, "stops at the next checkpoint"
	}
	return s
}

// end is what exit.json says, false where there is none.
func end(dir string) (Status, bool) {
	exit, err := readExit(dir)
	return Status{State: exit.State, Reason: exit.Reason, Elapsed: seconds(exit.Seconds)}, err == nil
}

// ours tells whether the lock that a run's process holds is this folder's: the process of a folder that was copied is
// that of the original.
func ours(info Info, dir string) bool {
	return info.Lock == 0 || info.Lock == inode(filepath.Join(dir, lockFile))
}

// elsewhere tells whether the run's process is on a machine that shares this folder with ours.
func elsewhere(info Info) bool {
	boot, err := bootID()
	return err == nil && boot != info.Process.Boot && hostname() != info.Machine
}

func lastWrite(dir string) (t time.Time) {
	for _, name := range []string{metricsFile, logFile, infoFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.ModTime().After(t) {
			t = info.ModTime()
		}
	}
	return t
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func readExit(dir string) (exit Exit, err error) {
	data, err := wholefile.Read(filepath.Join(dir, exitFile), smallFile)
	if err != nil {
		return exit, err
	}
	data, _, broken := disk.Unseal(data)
	if err = errors.Join(broken, json.Unmarshal(data, &exit)); err == nil && exit.State != Done && exit.State != Stopped &&
		exit.State != Failed {
		err = fmt.Errorf("%q is no end of a run", exit.State)
	}
	return exit, err
}

// RequestStop asks a live run to stop at its next checkpoint or, with now, after the step it is in. Who has asked for
// now is not put off again by a later request. A run that is not live is an error that says what it is.
func RequestStop(dir string, now bool) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	if err := r.Refuse("stopped"); err != nil {
		return err
	}
	if s := r.Status(); !s.Live() {
		return fmt.Errorf("%s is %s already: there is nothing to stop", r.Label(), s.State)
	}
	word := ""
	if _, already := stopRequested(dir); now || already {
		word = "now\n"
	}
	path := filepath.Join(dir, stopFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("%s cannot be asked to stop: %w", r.Label(), err)
	}
	if err := wholefile.Write(path, []byte(word)); err != nil {
		return fmt.Errorf("%s cannot be asked to stop: %w", r.Label(), err)
	}
	return nil
}

func stopRequested(dir string) (stop, now bool) {
	path := filepath.Join(dir, stopFile)
	if _, err := os.Lstat(path); err != nil {
		return false, false
	}
	word, err := wholefile.Read(path, 1024) // whatever it is that stands there: it asks to stop
	return true, err == nil && strings.Contains(string(word), "now")
}
