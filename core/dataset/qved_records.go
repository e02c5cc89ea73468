package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"path"
	"slices"
	"strings"
)

const noFeedback = "No feedback available." // the answer where a record has none

// clipFields is what one record says; the memory is used for the next one.
type clipFields struct {
	path, exercise, label, short, answer, split []byte
	worker                                      []byte
	said                                        []string  // the feedbacks that answer is made of
	times                                       []float64 // theirs, in seconds; none where they have none
	isRecord                                    bool
	paths                                       int   // how often it tells its path
	read, size                                  int64 // bytes of the file until here, and in all
}

// ahead is about how many records are still to come where there were n.
func (f *clipFields) ahead(n int) int {
	const few = 1000
	if n < few || f.read == 0 {
		return few
	}
	return int(1.05*float64(n)*float64(f.size-f.read)/float64(f.read)) + few
}

func (f *clipFields) reset() {
	*f = clipFields{path: f.path[:0], exercise: f.exercise[:0], label: f.label[:0], short: f.short[:0],
		answer: f.answer[:0], split: f.split[:0], worker: f.worker[:0],
		said: f.said[:0], times: f.times[:0]}
}

// take reads a record: an object, or of a manifest the exercise alone.
func (f *clipFields) take(r *jsonReader) error {
	if r.peek() == '"' {
		text, err := r.text()
		f.exercise, f.isRecord = append(f.exercise, text...), true
		return err
	}
	if r.peek() != '{' {
		return r.skip()
	}
	f.isRecord = true
	return r.object(func(key []byte) (err error) {
		if namesPath(key) {
			f.paths++
			return f.first(r, &f.path)
		}
		switch string(key) {
		case "labels":
			return f.first(r, &f.label)
		case "label":
			return f.first(r, &f.short)
		case "labels_descriptive":
			return f.joined(r, &f.answer)
		case "feedback", "feedbacks":
			return f.feedback(r)
		case "feedback_timestamps", "timestamps":
			return f.timesOf(r)
		case "exercise":
			return f.first(r, &f.exercise)
		case "split":
			return f.first(r, &f.split)
		case "worker_id", "participant":
			if r.peek() == '"' || r.peek() == '[' {
				return f.first(r, &f.worker)
			}
			if word := r.word(); len(word) > 0 && string(word) != "null" {
				f.worker = append(f.worker[:0], word...)
				return nil
			}
			return r.skip()
		}
		return r.skip()
	})
}

// namesPath says whether a key of a record is that of its path.
func namesPath(key []byte) bool {
	switch string(key) {
	case "video_path", "video", "path", "long_range_video_file":
		return true
	}
	return false
}

// first reads a text, or the first of a list of them.
func (f *clipFields) first(r *jsonReader, into *[]byte) error {
	*into = (*into)[:0]
	switch r.peek() {
	case '"':
		text, err := r.text()
		*into = append(*into, text...)
		return err
	case '[':
		n := 0
		return r.array(func() error {
			if n++; n > 1 || r.peek() != '"' {
				return r.skip()
			}
			text, err := r.text()
			*into = append(*into, text...)
			return err
		})
	}
	return r.skip()
}

// joined reads a text, or a list of them as lines.
func (f *clipFields) joined(r *jsonReader, into *[]byte) error {
	if r.peek() != '[' {
		return f.first(r, into)
	}
	*into = (*into)[:0]
	n := 0
	return r.array(func() error {
		if r.peek() != '"' {
			return r.skip()
		}
		text, err := r.text()
		if n++; n > 1 {
			*into = append(*into, '\n')
		}
		*into = append(*into, text...)
		return err
	})
}

// eachRecord streams a file of records: a list, or an object with the paths as its keys. An error means that it cannot
// be opened; where it is broken, what stands before that place counts. raw are the bytes of a record of a list, valid
// during the call, where they are at hand as a whole; skips is asked before each of a list whether it has read the
// record already, and may be nil.
func (s *clipSet) eachRecord(file string, skips func(r *jsonReader) bool, take func(f *clipFields, raw []byte)) error {
	in, err := openJSON(file)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	r, f := newJSONReader(in), &s.take
	one := func() error {
		r.peek()
		start, passed := r.pos, r.passed
		err := f.take(r)
		if err == nil && f.isRecord {
			f.read, f.size = r.passed+int64(r.pos), info.Size()
			var raw []byte
			if r.passed == passed {
				raw = r.buffer[start:r.pos]
			}
			if len(f.times) > 0 && f.timed() != nil {
				s.note(BadTimes, string(f.path))
				raw = nil
			}
			take(f, raw)
		}
		return err
	}
	if r.peek() == '{' {
		err = r.object(func(key []byte) error {
			f.reset()
			f.path = append(f.path, key...)
			return one()
		})
	} else {
		err = r.array(func() error {
			if skips != nil && skips(r) {
				return nil
			}
			f.reset()
			return one()
		})
	}
	if err != nil {
		s.findings = append(s.findings, brokenJSON(file, s.short(file), err))
	}
	return nil
}

// readRecords reads the label file.
func (s *clipSet) readRecords(ctx context.Context, file string) error {
	skips := func(r *jsonReader) bool {
		path, facts, known := s.again.read(r)
		if known && ctx.Err() == nil {
			s.take.read = r.passed + int64(r.pos)
			s.put(path, facts)
		}
		return known
	}
	err := s.eachRecord(file, skips, func(f *clipFields, raw []byte) {
		if ctx.Err() != nil {
			return
		}
		if facts, alike := s.add(f); alike && f.paths == 1 {
			s.again.learn(raw, f.path, facts, f.size)
		}
	})
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// add takes a record by the rules of the specification. alike says that a record of another clip which says the same has
// the same facts.
func (s *clipSet) add(f *clipFields) (facts clipFacts, alike bool) {
	if len(f.label) == 0 {
		f.label, f.short = f.short, f.label
	}
	if len(f.path) == 0 {
		s.note(NoPath, string(append(f.exercise, f.label...)))
		return facts, false
	}
	if !s.isNew(bytes.TrimPrefix(f.path, here)) {
		s.note(RepeatedClip, string(f.path))
		return facts, false
	}
	class, prefix := int32(0), prefixOf(f.label)
	alike = true
	switch {
	case len(f.exercise) > 0:
		class = s.class(f.exercise)
	case len(prefix) > 0:
		class = s.class(prefix)
	default:
		if len(f.label) > 0 {
			s.note(LabelNoPrefix, string(f.label))
		} else {
			s.note(NoLabel, string(f.path))
		}
		class, alike = s.class([]byte(folderOf(string(f.path)))), false
	}
	text := int32(unanswered)
	switch {
	case len(f.answer) > 0:
		text = s.text(f.answer)
	case len(f.label) > 0:
		text = s.text(f.label)
	}
	facts = clipFacts{saying: s.saying(class, text), split: s.split(f.split)}
	if len(f.worker) > 0 {
		facts.group = s.group(f.worker)
	}
	s.put(f.path, facts)
	return facts, alike
}

// put takes the record of a path in, unless there is one of it already.
func (s *clipSet) put(path []byte, facts clipFacts) {
	plain := bytes.TrimPrefix(path, here)
	if !s.isNew(plain) {
		s.note(RepeatedClip, string(path))
		return
	}
	if !isPlain(plain) {
		s.odd = append(s.odd, len(s.records))
	}
	if n := len(s.records); n == cap(s.records) { // once or twice, not again and again: these are the largest pieces
		more := s.take.ahead(n)
		done := holdCollection()
		s.records, s.here = slices.Grow(s.records, more), slices.Grow(s.here, more)
		s.paths = slices.Grow(s.paths, more*(1+(len(s.paths)+len(path))/(n+1)))
		done()
	}
	if s.at.n > 0 {
		s.at.reserve(cap(s.records))
		s.at.put(hashOf(plain), len(s.records))
	}
	s.addRecord(path, facts)
}

// prefixOf is what stands before the first " - " of a label; nil where there is none.
func prefixOf(label []byte) []byte {
	for i := 0; i+2 < len(label); i++ {
		if label[i] == ' ' && label[i+1] == '-' && label[i+2] == ' ' {
			return label[:i]
		}
	}
	return nil
}

// unknownClass is the exercise of clips of which nothing tells it.
const unknownClass = "unknown"

// folderOf is the folder that a path leads to last.
func folderOf(written string) string {
	clean := path.Clean(strings.ReplaceAll(written, `\`, "/"))
	folder := path.Base(path.Dir(clean))
	if folder == "." || folder == "/" || folder == ".." {
		return unknownClass
	}
	return folder
}

// group is the number of a participant.
func (s *clipSet) group(worker []byte) int32 {
	if at, known := s.groupOf[string(worker)]; known {
		return at
	}
	name := readable(string(worker))
	at, known := s.groupOf["\x00"+name]
	if !known {
		at = int32(len(s.groups))
		s.groups = append(s.groups, GroupOf(name))
		s.groupOf["\x00"+name] = at
	}
	s.groupOf[string(worker)] = at
	return at
}

// splitByGroup deals participants to train, valid and test, 8 : 1 : 1, by a hash of their names, so that it comes out
// alike everywhere and whoever joins later moves nobody. A clip of an unknown participant is one of its own.
func (s *clipSet) splitByGroup() {
	s.splits = []string{trainSplit, "valid", "test"}
	alone := 0
	for i := range s.records {
		r := &s.records[i]
		name := "participant " + s.groups[r.group].String()
		if r.group == 0 {
			alone++
			name = "clip " + string(s.path(i))
		}
		switch sum := sha256.Sum256([]byte(name)); binary.LittleEndian.Uint64(sum[:]) % 10 {
		case 8:
			r.split = 1
		case 9:
			r.split = 2
		default:
			r.split = 0
		}
	}
	if alone > 0 {
		s.findings = append(s.findings, newFinding(NoGroup, s.short(s.labels), 0,
			"of %d of %s no participant is known", alone, Counted(len(s.records), "clip", "clips")))
	}
}

// readCompanion adds what a file beside the labels says of their clips: who is seen, feedback where the labels have no
// answer, and the exercise where they name none.
func (s *clipSet) readCompanion(file, kind string) error {
	return s.eachRecord(file, nil, func(f *clipFields, _ []byte) {
		i := s.find(f.path)
		if i < 0 {
			return // of another selection
		}
		r := &s.records[i]
		said := s.sayings[r.saying]
		switch kind {
		case qvedWorkers:
			if len(f.worker) > 0 {
				r.group = s.group(f.worker)
			}
		case qvedFeedback:
			if said.text == unanswered && len(f.answer) > 0 {
				r.saying = s.saying(said.class, s.text(f.answer))
			}
		case qvedManifest:
			if len(f.exercise) > 0 && s.names[said.class] == unknownClass {
				r.saying = s.saying(s.class(f.exercise), said.text)
			}
		}
	})
}
