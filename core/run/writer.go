package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
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
	torn    bool // the last write of metrics broke off inside a line
	began   time.Time
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
	return err == nil && info.Process != nil && !elsewhere(info) && !info.Process.alive()
}

func (w *Writer) takeUp() error {
	var err error
	if w.info, err = readInfo(w.dir); err != nil { // now under the lock
		return err
	}
	if err := clearHalfMade(w.dir); err != nil {
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
	if err := os.Remove(filepath.Join(w.dir, exitFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := w.Begin(); err != nil || !again {
		return err
	}
	step, text := 0, "resumed from the start: there is no checkpoint"
	if c, ok := latest(w.dir); ok {
		step, text = c.Step, fmt.Sprintf("resumed from the checkpoint of step %d", c.Step)
	}
	return w.Append(&Event{Head: Head{Step: step}, Level: LevelInfo, Text: text})
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
	return w.Update(func(info *Info) {
		info.State, info.Process, info.Machine, info.Began = Running, &self, hostname(), unix(w.began)
	})
}

// openLogs opens metrics and log for appending, and ends a torn last line.
func (w *Writer) openLogs() (err error) {
	open := func(name string) (*os.File, error) {
		return os.OpenFile(filepath.Join(w.dir, name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	}
	if w.log, err = open(logFile); err != nil {
		return err
	}
	if w.metrics, err = open(metricsFile); err != nil {
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
		_, err = w.metrics.Write([]byte("\n"))
	}
	return err
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

// Append adds rows to metrics.jsonl in one write. If it fails, the next one starts on a line of its own.
func (w *Writer) Append(rows ...Row) error {
	now := unix(time.Now())
	var lines bytes.Buffer
	for _, row := range rows {
		h := row.head()
		h.Kind = row.kind()
		if h.Time == 0 {
			h.Time = now
		}
		line, err := json.Marshal(row)
		if err != nil {
			return fmt.Errorf("metrics row %s of step %d: %w", h.Kind, h.Step, err)
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.metrics == nil {
		return fmt.Errorf("append metrics: %w", os.ErrClosed)
	}
	data := lines.Bytes()
	if w.torn {
		data = append([]byte("\n"), data...)
	}
	n, err := w.metrics.Write(data)
	if n > 0 {
		w.torn = data[n-1] != '\n'
	}
	if err != nil {
		return fmt.Errorf("append metrics: %w", err)
	}
	return nil
}

// Logf adds a line to log.txt with the time before it.
func (w *Writer) Logf(format string, args ...any) error {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.log == nil {
		return fmt.Errorf("log: %w", os.ErrClosed)
	}
	if _, err := fmt.Fprintf(w.log, "%s %s\n", time.Now().Format("2006-01-02 15:04:05"), text); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

// StopRequested tells whether somebody asked the run to stop: at the next checkpoint, or (now) after this step. It
// costs one look at a file; ask it every step.
func (w *Writer) StopRequested() (stop, now bool) { return stopRequested(w.dir) }

// Finish writes the run's end (Done, Stopped or Failed) with its reason, and closes the writer. A stop request is
// thereby answered and removed. exit.json comes last: who sees it may take the run up again.
func (w *Writer) Finish(state, reason string) error {
	if state != Done && state != Stopped && state != Failed {
		return fmt.Errorf("finish run: %q is no end of a run", state)
	}
	info := w.Info()
	now := time.Now()
	exit := Exit{State: state, Reason: reason, Seconds: info.Before, Time: unix(now)}
	if !w.began.IsZero() {
		exit.Seconds += now.Sub(w.began).Seconds()
	}
	err := w.Update(func(info *Info) { info.State = state })
	if rmErr := os.Remove(filepath.Join(w.dir, stopFile)); err == nil && !errors.Is(rmErr, os.ErrNotExist) {
		err = rmErr
	}
	if exitErr := writeJSON(filepath.Join(w.dir, exitFile), exit); err == nil {
		err = exitErr
	}
	if closeErr := w.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
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
