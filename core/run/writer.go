package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"finetui/core/level"
	"finetui/ml/wholefile"
)

const defaultKeep = 3

// Writer is the one writer of a run directory. It is safe for concurrent use.
type Writer struct {
	Keep int // newest checkpoints kept, beside the best; set it before the first Checkpoint

	mu      sync.Mutex
	dir     string
	info    Info
	lock    *os.File
	metrics *os.File
	log     *os.File
	began   time.Time

	waiting  []byte // lines for metrics that could not be written yet, oldest first
	hindered error  // why; nil: nothing waits
	unlogged int    // lines that log.txt could not take
	step     int    // of the newest row
}

// Attach takes up a run that exists: the one its creator left to this process, or one that ended and goes on. It
// locks the run, mends a torn last line, clears what a killed writer left half made, and Begins.
func Attach(dir string) (*Writer, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("attach to run: %w", err)
	}
	info, err := readInfo(dir)
	if err != nil {
		return nil, err
	}
	lock, err := takeLock(dir)
	for wait := 0; errors.Is(err, ErrLocked) && left(dir) && wait < 100; wait++ {
		time.Sleep(20 * time.Millisecond)
		lock, err = takeLock(dir)
	}
	if err != nil {
		return nil, err
	}
	w := &Writer{dir: dir, lock: lock, info: info, Keep: defaultKeep}
	if err := w.takeUp(); err != nil {
		w.Close()
		return nil, fmt.Errorf("attach to %s: %w", dir, err)
	}
	return w, nil
}

// left tells whether a lock that is still held is that of a writer on its way out: it has written its end, or it was
// killed, when a process looks dead a little before its last thread has let go of its files.
func left(dir string) bool {
	if _, err := readExit(dir); err == nil {
		return true
	}
	info, err := readInfo(dir)
	return err == nil && info.Process != nil && !elsewhere(info) && !info.Process.Alive()
}

func (w *Writer) takeUp() error {
	var err error
	if w.info, err = readInfo(w.dir); err != nil { // now under the lock
		return err
	}
	if err := errors.Join(clearHalfMade(w.dir), clearTemporaries(w.dir)); err != nil {
		return err
	}
	if err := w.openLogs(); err != nil {
		return err
	}
	again := w.info.Process != nil
	if again {
		w.info.Resumed++
		w.info.Before = w.secondsSoFar()
	}
	if err := wholefile.Remove(filepath.Join(w.dir, exitFile)); err != nil {
		return err
	}
	if err := w.Begin(); err != nil || !again {
		return err
	}
	if err := w.setBrokenAside(); err != nil {
		return err
	}
	step, text := 0, "resumed from the start: there is no checkpoint"
	if c, ok := latest(w.dir); ok {
		step, text = c.Step, fmt.Sprintf("resumed from the checkpoint of step %d", c.Step)
	}
	return w.Append(&Event{Head: Head{Step: step}, Level: level.Info, Text: text})
}

// secondsSoFar is how long the run's processes took. A killed one ended when it last wrote.
func (w *Writer) secondsSoFar() float64 {
	if exit, err := readExit(w.dir); err == nil {
		return exit.Seconds
	}
	info, err := w.metrics.Stat()
	if err != nil {
		return w.info.Before
	}
	return w.info.Before + max(0, unix(info.ModTime())-w.info.Began)
}

// Begin names this process as the one that writes the run: from now on Status sees it as running.
func (w *Writer) Begin() error {
	self, err := Self()
	if err != nil {
		return fmt.Errorf("begin run: %w", err)
	}
	w.began = time.Now()
	if err := w.reserve(); err != nil {
		return fmt.Errorf("begin run: %w", err)
	}
	return w.Update(func(info *Info) {
		info.State, info.Process, info.Machine, info.Began, info.Ready = Running, &self, hostname(), unix(w.began), 0
		info.Lock = inode(filepath.Join(w.dir, lockFile))
	})
}

// Ready says that the process stands where the run goes on from: whoever started it need not wait any longer.
func (w *Writer) Ready() error {
	return w.Update(func(info *Info) { info.Ready = unix(time.Now()) })
}

// reserveBytes is what a run holds ready to write its end with when the disk is full.
const reserveBytes = 64 << 10

// reserve takes the room for the end.
func (w *Writer) reserve() error {
	return writeSynced(filepath.Join(w.dir, reserveFile), bytes.Repeat([]byte("reserved\n"), reserveBytes/9))
}

// withRoom tries again with the reserved room when there is no other.
func (w *Writer) withRoom(write func() error) error {
	err := write()
	if !IsDiskFull(err) {
		return err
	}
	if err := wholefile.Remove(filepath.Join(w.dir, reserveFile)); err != nil {
		return err
	}
	return write()
}

// openLogs opens metrics and log for appending, and ends a torn last line.
func (w *Writer) openLogs() (err error) {
	if w.log, err = openAppend(filepath.Join(w.dir, logFile)); err != nil {
		return err
	}
	if w.metrics, err = openAppend(filepath.Join(w.dir, metricsFile)); err != nil {
		return err
	}
	size, err := w.metrics.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := w.metrics.ReadAt(last, size-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		w.waiting = append(w.waiting, '\n') // before the first row
	}
	return nil
}

// openAppend opens a file of the run to write at its end. What is no file is refused: a pipe would wait for a reader.
func openAppend(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is %s, no file: remove it", path, wholefile.Kind(info))
	}
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
}

// Dir is the run directory, absolute.
func (w *Writer) Dir() string { return w.dir }

// Info returns a copy of run.json.
func (w *Writer) Info() Info {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.info
}

// Update changes run.json.
func (w *Writer) Update(change func(*Info)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	info := w.info
	change(&info)
	if err := writeJSON(filepath.Join(w.dir, infoFile), info); err != nil {
		return fmt.Errorf("update run: %w", err)
	}
	w.info = info
	return nil
}

// StopRequested tells whether somebody asked the run to stop: at the next checkpoint, or (now) after this step. It
// costs one look at a file; ask it every step.
func (w *Writer) StopRequested() (stop, now bool) { return stopRequested(w.dir) }

// Finish writes the run's end (Done, Stopped or Failed) with its reason, and closes the writer. A stop request is
// thereby answered and removed. exit.json comes last: who sees it may take the run up again. On a full disk the room is
// used for it that Begin reserved; a run whose last rows find none is not done, but failed.
func (w *Writer) Finish(state, reason string) error {
	if state != Done && state != Stopped && state != Failed {
		return fmt.Errorf("finish run: %q is no end of a run", state)
	}
	var errs []error
	if state == Done {
		errs = append(errs, w.Mend())
	}
	if err := w.flush(); err != nil {
		errs = append(errs, err)
		if state == Done {
			state = Failed
			reason = fmt.Sprintf("the last rows of %s could not be written (%v): make room and resume, which "+
				"measures them anew", metricsFile, err)
		}
	}
	info := w.Info()
	now := time.Now()
	exit := Exit{State: state, Reason: reason, Seconds: info.Before, Time: unix(now)}
	if !w.began.IsZero() {
		exit.Seconds += now.Sub(w.began).Seconds()
	}
	write := func(err error) { errs = append(errs, err) }
	write(w.withRoom(func() error { return w.Update(func(info *Info) { info.State = state }) }))
	write(wholefile.RemoveAll(filepath.Join(w.dir, stopFile)))
	write(wholefile.Remove(filepath.Join(w.dir, reserveFile))) // its room is for this
	write(writeJSON(filepath.Join(w.dir, exitFile), exit))
	write(w.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("finish run: %w", err)
	}
	return nil
}

// Close gives the run's lock back without ending the run.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, f := range []**os.File{&w.metrics, &w.log, &w.lock} {
		if *f != nil {
			errs = append(errs, (*f).Close())
			*f = nil
		}
	}
	return errors.Join(errs...)
}
