package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"finetui/core/level"
	"finetui/ml/wholefile"
)

// mostWaiting bounds the lines that wait for room on the disk: a variable for tests.
var mostWaiting = 8 << 20 // bytes, some 30,000 rows

// Append adds rows to metrics.jsonl. What cannot be written, on a full disk above all, is kept and written, in order,
// as soon as it can be, and an event says so; that is no error until there is too much of it. Checkpoint, Rate and
// Finish see to it that no row of a step that counts as done is lost.
func (w *Writer) Append(rows ...Row) error {
	lines, err := encode(rows)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.metrics == nil {
		return fmt.Errorf("append metrics: %w", os.ErrClosed)
	}
	w.waiting = append(w.waiting, lines...)
	for _, row := range rows {
		w.step = max(w.step, row.head().Step)
	}
	if err := w.writeOut(); err != nil && len(w.waiting) > mostWaiting {
		return fmt.Errorf("%d bytes of rows wait to be written to %s: %w", len(w.waiting), metricsFile, err)
	}
	return nil
}

func encode(rows []Row) ([]byte, error) {
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
			return nil, fmt.Errorf("metrics row %s of step %d: %w", h.Kind, h.Step, err)
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	return lines.Bytes(), nil
}

// writeOut writes what waits. A write that breaks off inside a line goes on there. w.mu is held.
func (w *Writer) writeOut() error {
	n, err := w.metrics.Write(w.waiting)
	w.waiting = w.waiting[max(0, n):]
	if err != nil {
		if w.hindered == nil {
			w.logf("%s cannot be written, its rows wait in memory: %v", metricsFile, err)
		}
		w.hindered = err
		return err
	}
	w.waiting = nil
	if w.hindered == nil {
		return nil
	}
	text := fmt.Sprintf("%s could not be written for a while (%v); its rows waited in memory and are complete again",
		metricsFile, w.hindered)
	w.hindered = nil
	line, err := encode([]Row{&Event{Head: Head{Step: w.step}, Level: level.Warn, Text: text}})
	if err != nil {
		return err
	}
	w.waiting = line
	return w.writeOut()
}

// flush writes what waits and brings it to the disk.
func (w *Writer) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.metrics == nil {
		return fmt.Errorf("write metrics: %w", os.ErrClosed)
	}
	if len(w.waiting) > 0 && string(w.waiting) != "\n" {
		if err := w.writeOut(); err != nil {
			return fmt.Errorf("the rows of %s cannot be written: %w", metricsFile, err)
		}
	}
	return wholefile.Sync(w.metrics)
}

// Logf adds a line to log.txt with the time before it. Lines that it cannot take are counted, and the number is written
// when it can again.
func (w *Writer) Logf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logf(format, args...)
}

func (w *Writer) logf(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	if w.unlogged > 0 {
		text = fmt.Sprintf("(%d lines before this one could not be written) %s", w.unlogged, text)
	}
	if w.log == nil {
		w.unlogged++
		return
	}
	if _, err := fmt.Fprintf(w.log, "%s %s\n", time.Now().Format("2006-01-02 15:04:05"), text); err != nil {
		w.unlogged++
		return
	}
	w.unlogged = 0
}

// Written is how many bytes of metrics there are.
func (r *Run) Written() int64 {
	info, err := os.Stat(filepath.Join(r.Dir, metricsFile))
	if err != nil {
		return 0
	}
	return info.Size()
}
