package run

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"finetui/ml/wholefile"
)

const (
	chunkBytes = 256 << 10 // read at once
	lineBytes  = 4 << 20   // longer lines are skipped
)

// Batch is what one Read of a Tail found.
type Batch struct {
	Rows  []Row
	Bad   int  // lines that are no row; they were skipped
	Reset bool // the file was cut or replaced: forget what was read before, these rows start again
	More  bool // there is more to read right now
}

// Tail reads the rows of metrics.jsonl as it grows, as they stand there; Reader makes a History of them. It moves on
// only past a line's end, so a half-written line is read again when it is whole. It is for one goroutine.
type Tail struct {
	path     string
	offset   int64
	file     os.FileInfo // the file that offset belongs to, as it was at the last Read
	skipping bool        // inside a line that is too long
	brief    bool        // leave out rows of classes, the machine and events, unread
	mark     []byte      // what stands right before offset: it tells whether the file was written anew
	sum      uint32      // checksum of everything before offset, if it was read from the first byte on
	taken    int64       // bytes read from the file so far
	buf      []byte
}

// markBytes is the most of a mark.
const markBytes = 128

// Tail returns a reader that starts at the first row.
func (r *Run) Tail() *Tail { return &Tail{path: filepath.Join(r.Dir, metricsFile)} }

// Read returns the complete lines that have come since the last Read, a bounded number of them: Read again while More.
// A file that does not exist yet has no rows.
func (t *Tail) Read() (Batch, error) {
	var b Batch
	if info, err := os.Stat(t.path); err == nil && t.unchanged(info) {
		return b, nil
	}
	f, err := wholefile.Open(t.path)
	if errors.Is(err, os.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("the metrics cannot be read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return b, fmt.Errorf("the metrics cannot be read: %w", err)
	}
	if t.file != nil && (info.Size() < t.offset || !os.SameFile(info, t.file) || !t.marked(f)) {
		t.offset, t.skipping, t.mark, t.sum, b.Reset = 0, false, nil, 0, true
	}
	t.file = info
	from := t.offset
	lines, err := t.lines(f, info.Size())
	if err != nil {
		return b, fmt.Errorf("the metrics cannot be read: %w", err)
	}
	if n := len(lines); n > 0 {
		t.mark = append(t.mark[:0], lines[max(0, n-markBytes):]...)
	}
	if t.skipping {
		b.Bad += t.skip(&lines)
	}
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue // a torn line's end that a restarted writer put
		}
		if t.brief && leftOut(line) {
			continue
		}
		row, err := parseRow(line)
		if err != nil {
			b.Bad++
		} else if row != nil {
			b.Rows = append(b.Rows, row)
		}
	}
	b.More = from < t.offset && t.offset < info.Size()
	return b, nil
}

// unchanged tells whether a file is the one of the last Read, read to its end and not written since.
func (t *Tail) unchanged(info os.FileInfo) bool {
	return t.file != nil && info.Size() == t.file.Size() && info.Size() == t.offset &&
		info.ModTime().Equal(t.file.ModTime()) &&
		os.SameFile(info, t.file)
}

// marked tells whether what was read last still stands where it was read.
func (t *Tail) marked(f *os.File) bool {
	now := make([]byte, len(t.mark))
	n, err := f.ReadAt(now, t.offset-int64(len(t.mark)))
	t.taken += int64(n)
	return err == nil && bytes.Equal(now, t.mark)
}

// leftOut tells whether a line is a row that a brief Tail leaves out.
func leftOut(line []byte) bool {
	return bytes.HasPrefix(line, []byte(`{"kind":"class",`)) || bytes.HasPrefix(line, []byte(`{"kind":"system",`)) ||
		bytes.HasPrefix(line, []byte(`{"kind":"event",`))
}

// lines reads from offset up to the last line end in the next chunk, and moves offset past it. A chunk without a line
// end grows until it has one, is at the file's end, or is too long for a line; then skipping begins.
func (t *Tail) lines(f *os.File, size int64) ([]byte, error) {
	for n := int64(chunkBytes); ; n *= 4 {
		if want := min(n, size-t.offset); int64(cap(t.buf)) < want {
			t.buf = make([]byte, want)
		}
		buf := t.buf[:min(n, size-t.offset)]
		got, err := f.ReadAt(buf, t.offset)
		t.taken += int64(got)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		buf = buf[:got]
		if end := bytes.LastIndexByte(buf, '\n'); end >= 0 {
			return t.pass(buf[:end+1]), nil
		}
		if t.skipping || n >= lineBytes && int64(got) >= lineBytes {
			t.skipping = true
			return t.pass(buf), nil
		}
		if int64(got) < n {
			return nil, nil // a line that is still being written
		}
	}
}

// pass moves offset behind what was read.
func (t *Tail) pass(read []byte) []byte {
	t.offset += int64(len(read))
	t.sum = crc32.Update(t.sum, crcTable, read)
	return read
}

// skip drops the rest of a line that is too long, and returns 1 when it has ended.
func (t *Tail) skip(lines *[]byte) int {
	end := bytes.IndexByte(*lines, '\n')
	if end < 0 {
		*lines = nil
		return 0
	}
	*lines = (*lines)[end+1:]
	t.skipping = false
	return 1
}

// LogTail returns the last lines of log.txt, at most n and from its last 64 KiB. Of a line that a progress bar has
// rewritten with carriage returns, what stands last counts.
func (r *Run) LogTail(n int) ([]string, error) {
	f, err := wholefile.Open(filepath.Join(r.Dir, logFile))
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
