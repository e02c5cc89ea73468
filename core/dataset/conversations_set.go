package dataset

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// talkSet is the records of files of conversations. Those about one file are one item, with an object for each answer.
type talkSet struct {
	*clipSet // names of classes, splits and groups, and where clips lie; each item has a record
	items    []talkItem
	byFile   hashTable        // items, by split and path
	pairs    map[string]*Text // question, a zero byte, answer
	key      []byte           // of one of either; used again
	record   talk
	desk     desk     // where objects are kept, and those of the record
	files    []string // the last is the one that is read
	split    string   // of its records that name none
	starts   []int64  // where the records of its findings begin
	line     int      // of the record, where each has a line of its own
	bad      int      // records of it that do not count as a whole
	order    []string // codes of what was noted, in the order in which it came up
}

// talkItem is what is said about one file, beside its record in clipSet.
type talkItem struct {
	objects []Object // of class unnamed until settle
	file    int32    // in talkSet.files, that it was first named in
	lost    int32
	clip    bool
}

// unnamed is the class of an object whose record names none.
const unnamed = -1

func newTalkSet(folder string, ask request) *talkSet {
	t := &talkSet{clipSet: newClipSet(folder, ask), pairs: map[string]*Text{}}
	t.root, t.labels = folder, ""
	t.bases = []string{folder}
	if ask.media != "" {
		t.bases = []string{ask.media, folder}
	}
	t.bases = append(t.bases, ask.more...)
	return t
}

// read reads a file. An error means that it cannot be opened, or is that of ctx; what is wrong in it is a finding.
func (t *talkSet) read(ctx context.Context, f splitFile) error {
	in, err := openJSON(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	t.files = append(t.files, f.path)
	t.split, t.starts, t.bad, t.line = f.split, t.starts[:0], 0, 0
	t.take.read, t.take.size = 0, info.Size()
	first := len(t.findings)
	buffered := bufio.NewReaderSize(in, jsonBuffer)
	if firstSign(buffered) == '[' {
		err = t.readList(ctx, buffered)
	} else {
		err = t.readLines(ctx, buffered)
	}
	if more := t.bad - mostFaults; more > 0 {
		found := newFinding(MoreFaults, t.short(t.file()), 0, "%d more records that do not count", more)
		found.Count = more
		t.findings = append(t.findings, found)
	}
	if len(t.starts) > 0 {
		lines := linesOf(f.path, t.starts)
		for i := first; i < len(t.findings); i++ {
			if found := &t.findings[i]; found.Code == BadRecord && found.Line < 0 {
				found.Line = lines[-found.Line-1]
			}
		}
	}
	return err
}

// file is the file that is read.
func (t *talkSet) file() string { return t.files[len(t.files)-1] }

// firstSign is the first sign of a text; 0 where there is none within reach.
func firstSign(in *bufio.Reader) byte {
	head, _ := in.Peek(4 << 10)
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 {
		return 0
	}
	return head[0]
}

// readList reads a list of records. Where it is broken, what stands before that place counts.
func (t *talkSet) readList(ctx context.Context, in io.Reader) error {
	r, n := newJSONReader(in), 0
	err := r.array(func() error {
		n++
		r.peek()
		start := r.passed + int64(r.pos)
		err := t.record.read(r)
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			t.take.read = r.passed + int64(r.pos)
			t.add(n, start)
		}
		return err
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && r.peek() != 0 {
		err = r.fault("something stands behind the list")
	}
	if err != nil {
		t.findings = append(t.findings, brokenJSON(t.file(), t.short(t.file()), err))
	}
	return nil
}

// readLines reads a record a line. A bad line costs itself.
func (t *talkSet) readLines(ctx context.Context, in *bufio.Reader) error {
	var line []byte
	n := 0
	for t.line = 1; ; t.line++ {
		var err error
		tooLong := false
		for line = line[:0]; ; {
			var piece []byte
			piece, err = in.ReadSlice('\n')
			if tooLong = tooLong || len(line)+len(piece) > longestToken; !tooLong {
				line = append(line, piece...)
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t.take.read += int64(len(line))
		if t.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		text := bytes.TrimSpace(line)
		switch {
		case tooLong:
			n++
			t.lose(n, 0, "has a line of more than %d MiB", longestToken>>20)
		case len(text) > 0:
			n++
			t.readLine(n, text)
		}
		switch {
		case errors.Is(err, io.EOF):
			if n == 0 {
				t.findings = append(t.findings, newFinding(BrokenJSON, t.short(t.file()), 0, "holds no record"))
			}
			return nil
		case err != nil:
			t.findings = append(t.findings, brokenJSON(t.file(), t.short(t.file()), err))
			return nil
		}
	}
}

func (t *talkSet) readLine(n int, text []byte) {
	r := &jsonReader{buffer: text, end: len(text), from: -1, cause: io.EOF}
	err := t.record.read(r)
	if err == nil && r.peek() != 0 {
		err = r.fault("something stands behind the record")
	}
	var fault *jsonFault
	switch {
	case errors.As(err, &fault):
		t.lose(n, 0, "is no JSON from byte %d of its line on: %s", fault.at, fault.why)
	case err != nil:
		t.lose(n, 0, "cannot be read: %v", bare(err))
	default:
		t.add(n, 0)
	}
}

// lose notes a record that does not count, or not as a whole.
func (t *talkSet) lose(n int, start int64, text string, args ...any) {
	if t.bad++; t.bad > mostFaults {
		return
	}
	line := t.line
	if line == 0 { // found out when the file has been read
		t.starts = append(t.starts, start)
		line = -len(t.starts)
	}
	t.findings = append(t.findings, newFinding(BadRecord, t.short(t.file()), line, "record %d %s", n,
		readable(fmt.Sprintf(text, args...))))
}

// say notes what is to be said of records once for all.
func (t *talkSet) say(code string, n int) {
	if t.said[code] == nil {
		t.order = append(t.order, code)
	}
	t.note(code, fmt.Sprintf("%s, record %d", t.short(t.file()), n))
}

// add takes the record that was read. start is where it begins in its file, where it has no line of its own.
func (t *talkSet) add(n int, start int64) {
	k := &t.record
	if !k.isRecord {
		t.lose(n, start, "is no object with a conversation")
		return
	}
	if len(k.turns) == 0 {
		t.lose(n, start, "holds no question and answer")
		return
	}
	marked := 0
	for i := range k.turns {
		if k.turns[i].side == sideUser {
			marked += marks(k.turns[i].text)
		}
	}
	files := len(k.images) + len(k.videos)
	switch {
	case marked > files:
		t.lose(n, start, "has %s for files and %s", Counted(marked, "mark", "marks"), Counted(files, "file", "files"))
		return
	case files > 1:
		t.say(SeveralFiles, n)
		return
	case files == 0:
		t.say(NoFile, n)
		return
	case remote(append(k.images, k.videos...)[0]):
		t.say(NotHere, n)
		return
	case marked == 0:
		t.say(NoMark, n)
	}
	var item *talkItem
	pairs, scaled := 0, false
	t.desk.objects = t.desk.objects[:0]
	err := k.pairs(func(question, answer []byte) {
		if item == nil {
			item = &t.items[t.item(k)]
		}
		pairs++
		t.object(item, n, question, answer)
	})
	switch {
	case item == nil:
	case item.objects == nil:
		item.objects = t.desk.keep(t.desk.objects)
	default:
		item.objects = append(item.objects, t.desk.objects...)
	}
	for i := range k.turns {
		scaled = scaled || k.turns[i].scaled
	}
	switch {
	case err != nil:
		if item != nil {
			item.lost++
		}
		t.lose(n, start, "%v", err)
	case pairs == 0:
		t.say(NothingLearned, n)
	}
	if pairs > 1 {
		t.say(SeveralTurns, n)
	}
	if pairs > 0 && k.system {
		t.say(SystemTurn, n)
	}
	if pairs > 0 && scaled {
		t.say(ScaledAnswer, n)
	}
}

// remote tells what is no file of this machine: an address on the net, or the bytes of a picture in the record.
func remote(written string) bool {
	scheme, _, is := strings.Cut(written, ":")
	return is && slices.Contains([]string{"http", "https", "data", "s3", "gs", "oss"}, strings.ToLower(scheme))
}

// item is the number of the item of the record's file.
func (t *talkSet) item(k *talk) int {
	written, clip := "", len(k.videos) > 0
	for _, path := range append(k.images, k.videos...) {
		written = path
	}
	if isClip(written) || isPicture(written) {
		clip = isClip(written)
	}
	split := t.clipSet.split([]byte(t.split))
	if len(k.split) > 0 {
		split = t.clipSet.split(k.split)
	}
	t.key = append(append(append(t.key[:0], t.splits[split]...), 0), written...)
	hash := hashOf(t.key)
	i := t.byFile.find(hash, func(i int32) bool {
		return t.records[i].split == split && t.isWritten(int(i), written)
	})
	if i < 0 {
		i = int32(len(t.items))
		t.byFile.put(hash, len(t.items))
		if n := len(t.items); n == cap(t.items) {
			more := t.take.ahead(n)
			done := holdCollection()
			t.items = slices.Grow(t.items, more)
			t.records, t.here = slices.Grow(t.records, more), slices.Grow(t.here, more)
			done()
		}
		t.items = append(t.items, talkItem{clip: clip, file: int32(len(t.files) - 1)})
		t.addRecord([]byte(written), clipFacts{split: split})
	}
	if r := &t.records[i]; r.group == 0 && len(k.worker) > 0 {
		r.group = t.group(k.worker)
	}
	return int(i)
}

// object takes a question and its answer, of an item.
func (t *talkSet) object(item *talkItem, n int, question, answer []byte) {
	t.key = append(append(append(t.key[:0], question...), 0), answer...)
	text, known := t.pairs[string(t.key)]
	if !known {
		key := string(t.key)
		q, a, _ := strings.Cut(readable(key), "\x00")
		text = &Text{Question: q, Answer: a}
		t.pairs[key] = text
	}
	isIt := func(o Object) bool { return o.Text == text }
	if slices.ContainsFunc(item.objects, isIt) || slices.ContainsFunc(t.desk.objects, isIt) {
		t.say(RepeatedPair, n)
		return
	}
	class := unnamed
	if len(t.record.class) > 0 {
		class = int(t.class(t.record.class))
	}
	t.desk.objects = append(t.desk.objects, Object{Class: class, Box: Whole, Line: n, Confidence: 1, Text: text})
}
