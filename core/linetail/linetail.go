// Package linetail reads the lines of a file as it grows: each byte once, and never a line before it is whole. It knows
// nothing of what the lines say, takes no lock and writes nothing.
package linetail

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"finetui/ml/wholefile"
)

const (
	chunkBytes = 256 << 10 // read at once
	LineBytes  = 4 << 20   // longer lines are skipped
	MarkBytes  = 128       // the most of a mark
)

// Castagnoli is the polynomial of Tail.Sum.
var Castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Tail is how far a file has been read. It moves on only past a line's end, so a half-written line is read again when
// it is whole. It is for one goroutine.
type Tail struct {
	Path     string
	Offset   int64
	File     os.FileInfo // the file that Offset belongs to, as it was at the last Read
	Skipping bool        // inside a line that is too long
	Mark     []byte      // what stands right before Offset: it tells whether the file was written anew
	Sum      uint32      // checksum of everything before Offset, if it was read from the first byte on
	Taken    int64       // bytes read from the file so far
	buf      []byte
}

// Read is what one Read of a Tail came to.
type Read struct {
	Long  int  // lines that were too long and are skipped
	Reset bool // the file was cut or replaced: forget what was read before, these lines start again
	More  bool // there is more to read right now
}

// Read hands on the complete lines that have come since the last Read, without blanks around them and without empty
// ones, a bounded number of them: Read again while More. begin, which may be nil, is called before the first line of a
// file that was cut or replaced. A line is good until the next Read. A file that does not exist yet has no lines.
func (t *Tail) Read(begin func(), each func(line []byte)) (r Read, err error) {
	if info, err := os.Stat(t.Path); err == nil && t.unchanged(info) {
		return r, nil
	}
	f, err := wholefile.Open(t.Path)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return r, err
	}
	if t.File != nil && (info.Size() < t.Offset || !os.SameFile(info, t.File) || !t.marked(f)) {
		t.Offset, t.Skipping, t.Mark, t.Sum, r.Reset = 0, false, nil, 0, true
		if begin != nil {
			begin()
		}
	}
	t.File = info
	from := t.Offset
	lines, err := t.lines(f, info.Size())
	if err != nil {
		return r, err
	}
	if n := len(lines); n > 0 {
		t.Mark = append(t.Mark[:0], lines[max(0, n-MarkBytes):]...)
	}
	if t.Skipping {
		r.Long += t.skip(&lines)
	}
	for line := range bytes.Lines(lines) {
		if line = bytes.TrimSpace(line); len(line) > 0 { // else a torn line's end that a restarted writer put
			each(line)
		}
	}
	r.More = from < t.Offset && t.Offset < info.Size()
	return r, nil
}

// unchanged tells whether a file is the one of the last Read, read to its end and not written since.
func (t *Tail) unchanged(info os.FileInfo) bool {
	return t.File != nil && info.Size() == t.File.Size() && info.Size() == t.Offset &&
		info.ModTime().Equal(t.File.ModTime()) &&
		os.SameFile(info, t.File)
}

// marked tells whether what was read last still stands where it was read.
func (t *Tail) marked(f *os.File) bool {
	now := make([]byte, len(t.Mark))
	n, err := f.ReadAt(now, t.Offset-int64(len(t.Mark)))
	t.Taken += int64(n)
	return err == nil && bytes.Equal(now, t.Mark)
}

// lines reads from Offset up to the last line end in the next chunk, and moves Offset past it. A chunk without a line
// end grows until it has one, is at the file's end, or is too long for a line; then skipping begins.
func (t *Tail) lines(f *os.File, size int64) ([]byte, error) {
	for n := int64(chunkBytes); ; n *= 4 {
		if want := min(n, size-t.Offset); int64(cap(t.buf)) < want {
			t.buf = make([]byte, want)
		}
		buf := t.buf[:min(n, size-t.Offset)]
		got, err := f.ReadAt(buf, t.Offset)
		t.Taken += int64(got)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		buf = buf[:got]
		if end := bytes.LastIndexByte(buf, '\n'); end >= 0 {
			return t.pass(buf[:end+1]), nil
		}
		if t.Skipping || n >= LineBytes && int64(got) >= LineBytes {
			t.Skipping = true
			return t.pass(buf), nil
		}
		if int64(got) < n {
			return nil, nil // a line that is still being written
		}
	}
}

// pass moves Offset behind what was read.
func (t *Tail) pass(read []byte) []byte {
	t.Offset += int64(len(read))
	t.Sum = crc32.Update(t.Sum, Castagnoli, read)
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
	t.Skipping = false
	return 1
}
