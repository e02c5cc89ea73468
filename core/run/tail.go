package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/linetail"
	"finetui/ml/wholefile"
)

// Batch is what one Read of a Tail found.
type Batch struct {
	Rows  []Row
	Bad   int  // lines that are no row; they were skipped
	Reset bool // the file was cut or replaced: forget what was read before, these rows start again
	More  bool // there is more to read right now
}

// Tail reads the rows of metrics.jsonl as it grows, as they stand there; Reader makes a History of them. It is for one
// goroutine.
type Tail struct {
	linetail.Tail
	brief bool // leave out rows of classes, the machine and events, unread
}

// Tail returns a reader that starts at the first row.
func (r *Run) Tail() *Tail { return r.tail(false) }

func (r *Run) tail(brief bool) *Tail {
	return &Tail{linetail.Tail{Path: filepath.Join(r.Dir, metricsFile)}, brief}
}

// Read returns the complete lines that have come since the last Read, a bounded number of them: Read again while More.
// A file that does not exist yet has no rows.
func (t *Tail) Read() (b Batch, err error) {
	read, err := t.Tail.Read(nil, func(line []byte) {
		if t.brief && leftOut(line) {
			return
		}
		row, err := parseRow(line)
		if err != nil {
			b.Bad++
		} else if row != nil {
			b.Rows = append(b.Rows, row)
		}
	})
	if err != nil {
		return b, fmt.Errorf("the metrics cannot be read: %w", err)
	}
	b.Bad, b.Reset, b.More = b.Bad+read.Long, read.Reset, read.More
	return b, nil
}

// leftOut tells whether a line is a row that a brief Tail leaves out.
func leftOut(line []byte) bool {
	return bytes.HasPrefix(line, []byte(`{"kind":"class",`)) || bytes.HasPrefix(line, []byte(`{"kind":"system",`)) ||
		bytes.HasPrefix(line, []byte(`{"kind":"event",`))
}

// LogTail returns the last lines of log.txt, at most n and from its last 64 KiB. Of a line that a progress bar has
// rewritten with carriage returns, what stands last counts.
func (r *Run) LogTail(n int) ([]string, error) {
	path := filepath.Join(r.Dir, logFile)
	if r.log != nil {
		if path = r.log.Console(); path == "" {
			return nil, nil
		}
	}
	f, err := wholefile.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	const most = 64 << 10
	from := max(0, info.Size()-most)
	data, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	if from > 0 { // begin at a line
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			data = data[i+1:]
		}
	}
	text := strings.TrimRight(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n")
	if text == "" {
		return nil, nil
	}
	lines := strings.Split(text, "\n")
	lines = lines[max(0, len(lines)-n):]
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = line[strings.LastIndexByte(line, '\r')+1:]
	}
	return lines, nil
}
