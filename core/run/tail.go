package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"finetui/core/linetail"
	"finetui/ml/cores"
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
	brief   bool     // leave out rows of classes, the machine and events, unread
	lines   [][]byte // of one Read; memory that is used again
	parsers []parser // one for each who reads them
}

// Tail returns a reader that starts at the first row.
func (r *Run) Tail() *Tail { return r.tail(false) }

func (r *Run) tail(brief bool) *Tail {
	return &Tail{Tail: linetail.Tail{Path: filepath.Join(r.Dir, metricsFile)}, brief: brief}
}

// Read returns the complete lines that have come since the last Read, a bounded number of them: Read again while More.
// A file that does not exist yet has no rows.
func (t *Tail) Read() (b Batch, err error) {
	t.lines = t.lines[:0]
	read, err := t.Tail.Read(nil, func(line []byte) {
		if !t.brief || !leftOut(line) {
			t.lines = append(t.lines, line)
		}
	})
	if err != nil {
		return b, fmt.Errorf("the metrics cannot be read: %w", err)
	}
	b.Rows, b.Bad = t.parse()
	b.Bad, b.Reset, b.More = b.Bad+read.Long, read.Reset, read.More
	return b, nil
}

// togetherLines are parsed by one core at a time: fewer are not worth another's waking up.
const togetherLines = 64

// parse reads the lines, on all cores where they are many, and counts those that are no row.
func (t *Tail) parse() (rows []Row, bad int) {
	if len(t.lines) == 0 {
		return nil, 0
	}
	for len(t.parsers) < cores.Count() {
		t.parsers = append(t.parsers, parser{})
	}
	rows = make([]Row, len(t.lines))
	var next, faults atomic.Int64
	read := func(p *parser) {
		for {
			last := int(next.Add(togetherLines))
			for i := last - togetherLines; i < min(last, len(rows)); i++ {
				row, err := p.row(t.lines[i])
				if rows[i] = row; err != nil {
					faults.Add(1)
				}
			}
			if last >= len(rows) {
				return
			}
		}
	}
	var team sync.WaitGroup
	for i := 1; i < min(len(t.parsers), len(rows)/togetherLines); i++ {
		team.Go(func() { read(&t.parsers[i]) })
	}
	read(&t.parsers[0])
	team.Wait()
	return slices.DeleteFunc(rows, func(r Row) bool { return r == nil }), int(faults.Load())
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
