package dataset

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unsafe"

	"golang.org/x/text/cases"

	"finetui/core/config"
	"finetui/core/level"
)

// qved reads the label files of QVED, an exercise set: one JSON file of records about clips, with companions.
type qved struct{}

func (qved) name() string { return "qved" }

func (qved) holds() string {
	return "a QVED set has fine_grained_labels.json, another JSON file of records with video_path and labels, or clips alone"
}

const qvedSniffed = "QVED JSON" // as formatOf calls it

// Names of the files of a set. Those of companions vary in their beginnings.
const (
	qvedLabels   = "fine_grained_labels.json"
	qvedWorkers  = "worker_id"
	qvedFeedback = "feedback"
	qvedManifest = "manifest"
)

// companion says what a file is beside the label file; "" for a label file.
func companion(name string) string {
	name = strings.ToLower(name)
	for _, kind := range []string{qvedWorkers, qvedFeedback, qvedManifest} {
		if strings.Contains(name, kind) {
			return kind
		}
	}
	return ""
}

// detect finds the label file in the folder; a manifest alone serves as one, and so do clips without any.
func (qved) detect(path string) (string, error) {
	if isFile(path) {
		if strings.EqualFold(filepath.Ext(path), ".json") && formatOf(path) == qvedSniffed {
			return path, nil
		}
		return "", nil
	}
	if file := filepath.Join(path, qvedLabels); isFile(file) {
		return file, nil
	}
	var labels, manifests []string
	for _, file := range jsonFiles(path) {
		switch {
		case formatOf(file) != qvedSniffed:
		case companion(filepath.Base(file)) == "":
			labels = append(labels, file)
		case companion(filepath.Base(file)) == qvedManifest:
			manifests = append(manifests, file)
		}
	}
	if len(labels) == 0 {
		labels = manifests
	}
	if len(labels) == 0 && holdsClips(path) {
		return path, nil
	}
	return oneOf(path, labels)
}

// jsonFiles are the first JSON files in a folder.
func jsonFiles(folder string) (files []string) {
	const most = 50
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		if strings.EqualFold(filepath.Ext(entry.Name()), ".json") && len(files) < most {
			files = append(files, filepath.Join(folder, entry.Name()))
		}
	}
	return files
}

func (qved) list(ctx context.Context, at string, ask request) (*listing, error) {
	s := newClipSet(at, ask)
	if isFolder(at) {
		s.root, s.bases[len(s.bases)-1], s.labels = at, at, ""
		s.readFolder()
	} else if err := s.readRecords(ctx, at); err != nil {
		return nil, fmt.Errorf("DATASET.PATH: %s cannot be read: %w: make it readable, or name another file",
			readable(at), bare(err))
	}
	for _, file := range jsonFiles(s.root) {
		if kind := companion(filepath.Base(file)); kind != "" && file != at && formatOf(file) == qvedSniffed {
			if err := s.readCompanion(file, kind); err != nil {
				s.findings = append(s.findings, newFinding(UnreadableLabel, s.short(file), 0, "%v", bare(err)).
					as(level.Warn, "make it readable; what it says of the clips is not known"))
			}
		}
	}
	if ask.byGroup {
		s.splitByGroup()
	}
	wanted, err := ask.splits(s.present())
	if err != nil {
		return nil, err
	}
	return s.listing(ctx, wanted, ask.report)
}

// clipRecord is what a record says of a clip. It holds no pointer: there are hundreds of thousands, and the garbage
// collector would go through them again and again.
type clipRecord struct {
	path   int   // where it begins in clipSet.paths, behind its split and "/"
	length int32 // of the path, without "./" before it
	clipFacts
}

// clipFacts are what many clips have in common, by number.
type clipFacts struct {
	saying int32 // in clipSet.sayings
	group  int32 // in clipSet.groups; 0: not known
	split  int32 // in clipSet.splits
}

// saying is the class of a clip with what is said of it.
type saying struct {
	class int32
	text  int32 // in clipSet.texts
}

// clipSet is the records of a set of clips, and what is wrong with them.
type clipSet struct {
	root     string
	bases    []string // folders that clips may lie in
	labels   string   // the file
	records  []clipRecord
	paths    []byte // of the records, one behind the other, each with its split before it, as IDs have it
	here     []bool // of the records: "./" stands before the path
	odd      []int  // records whose path is not that in the id of their clip
	at       hashTable
	names    []string         // of the classes, as they are spelt first
	classes  map[string]int32 // any spelling → class
	texts    []*Text          // of the answers; the first is that of records without one
	textAt   hashTable        // by their answers
	sayings  []saying
	sayingOf map[saying]int32
	groups   []Group
	groupOf  map[string]int32
	splits   []string
	findings []Finding
	said     map[string]*tally // by code
	take     clipFields
	again    tails
}

func newClipSet(at string, ask request) *clipSet {
	s := &clipSet{root: filepath.Dir(at), bases: []string{filepath.Dir(at)}, labels: at,
		classes: map[string]int32{}, sayingOf: map[saying]int32{}, groups: []Group{{}},
		groupOf: map[string]int32{"\x00": 0}, said: map[string]*tally{}}
	if ask.media != "" {
		s.bases = []string{ask.media, s.root}
	}
	s.text([]byte(noFeedback))
	return s
}

func (s *clipSet) short(path string) string { return shortPath(s.root, path) }

// note counts one more place of a fault.
func (s *clipSet) note(code, example string) { s.count(code, func() string { return example }) }

// count is note for an example that is only made of the first place.
func (s *clipSet) count(code string, example func() string) {
	if s.said[code] == nil {
		s.said[code] = &tally{example: example()}
	}
	s.said[code].n++
}

// class is the class of an exercise. Letter case, underscores and double spaces do not make a second one.
func (s *clipSet) class(exercise []byte) int32 {
	if class, known := s.classes[string(exercise)]; known {
		return class
	}
	spelt := readable(strings.TrimSpace(string(exercise)))
	key := ExerciseKey(spelt)
	class, known := s.classes["\x00"+key]
	if !known {
		class = int32(len(s.names))
		s.names = append(s.names, spelt)
		s.classes["\x00"+key] = class
	}
	s.classes[string(exercise)] = class
	return class
}

// ExerciseKey is the same for all spellings of an exercise: letter case, underscores and doubled spaces make no second
// one.
func ExerciseKey(name string) string { return string(appendExerciseKey(nil, name)) }

// SameExercise says whether two names are spellings of one exercise.
func SameExercise(a, b string) bool {
	if a == b {
		return true
	}
	var x, y [128]byte // room on the stack
	return bytes.Equal(appendExerciseKey(x[:0], a), appendExerciseKey(y[:0], b))
}

func appendExerciseKey(key []byte, name string) []byte {
	if strings.IndexFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) >= 0 {
		folded := strings.ReplaceAll(cases.Fold().String(name), "_", " ")
		return append(key, strings.Join(strings.Fields(folded), " ")...)
	}
	start, parted := len(key), false
	for i := range len(name) {
		c := name[i]
		if c == '_' || c == ' ' || c >= '\t' && c <= '\r' {
			parted = true
			continue
		}
		if parted && len(key) > start {
			key = append(key, ' ')
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		key, parted = append(key, c), false
	}
	return key
}

// unanswered is the number of the text of records that have no answer.
const unanswered = 0

// text is the number of the text of an answer, one for all that are equal.
func (s *clipSet) text(answer []byte) int32 {
	hash := hashOf(answer)
	at := s.textAt.find(hash, func(i int32) bool { return s.texts[i].Answer == string(answer) })
	if at >= 0 {
		return at
	}
	text := readable(string(answer))
	if text != string(answer) {
		return s.text([]byte(text))
	}
	s.textAt.put(hash, len(s.texts))
	s.texts = append(s.texts, &Text{Answer: text})
	return int32(len(s.texts) - 1)
}

// saying is the number of a class with an answer.
func (s *clipSet) saying(class, text int32) int32 {
	key := saying{class, text}
	at, known := s.sayingOf[key]
	if !known {
		at = int32(len(s.sayings))
		s.sayings = append(s.sayings, key)
		s.sayingOf[key] = at
	}
	return at
}

// path is that of a record, without "./" before it.
func (s *clipSet) path(i int) []byte {
	r := &s.records[i]
	return s.paths[r.path : r.path+int(r.length)]
}

// written is the path of a record as it is written.
func (s *clipSet) written(i int) string {
	if s.here[i] {
		return "./" + string(s.path(i))
	}
	return string(s.path(i))
}

// id is the ID of a record whose path is its name. lead is its split and "/". It stands in paths, which nobody changes
// any more, but for one that was read for another split, which others keeps.
func (s *clipSet) id(i int, lead string, others *slab) string {
	r, text := &s.records[i], unsafe.String(unsafe.SliceData(s.paths), len(s.paths))
	begin, end := r.path-len(lead), r.path+int(r.length)
	if begin >= 0 && text[begin:r.path] == lead {
		return text[begin:end]
	}
	return others.join(lead, text[r.path:end])
}

// spelling is that of the path of a record whose item has a name.
func (s *clipSet) spelling(i int, name string) *Spelling {
	switch {
	case string(s.path(i)) != name:
		return &Spelling{Whole: s.written(i)}
	case s.here[i]:
		return fromHere
	}
	return asNamed
}

// isWritten says whether the path of a record is written so.
func (s *clipSet) isWritten(i int, path string) bool {
	rest, isHere := strings.CutPrefix(path, "./")
	return isHere == s.here[i] && string(s.path(i)) == rest
}

// addRecord adds the record of a path.
func (s *clipSet) addRecord(path []byte, facts clipFacts) {
	plain, isHere := bytes.CutPrefix(path, here)
	s.paths = append(append(s.paths, s.splits[facts.split]...), '/')
	s.records = append(s.records, clipRecord{len(s.paths), int32(len(plain)), facts})
	s.here = append(s.here, isHere)
	s.paths = append(s.paths, plain...)
}

func (s *clipSet) split(name []byte) int32 {
	split := trainSplit
	if len(name) > 0 {
		split = config.SplitName(readable(string(name)))
	}
	at := slices.Index(s.splits, split)
	if at < 0 {
		at = len(s.splits)
		s.splits = append(s.splits, split)
	}
	return int32(at)
}

// present are the splits that have a clip.
func (s *clipSet) present() (names []string) {
	used := make([]bool, len(s.splits))
	for i := range s.records {
		used[s.records[i].split] = true
	}
	for i, name := range s.splits {
		if used[i] {
			names = append(names, name)
		}
	}
	return names
}

// find is the record of a clip; -1 where there is none.
func (s *clipSet) find(written []byte) int32 {
	s.tabulate()
	plain := bytes.TrimPrefix(written, here)
	return s.at.find(hashOf(plain), func(i int32) bool { return bytes.Equal(s.path(int(i)), plain) })
}

// tabulate makes the table of the records by their paths. While each comes after the one before it none can be there
// twice, and there is no need for it.
func (s *clipSet) tabulate() {
	if s.at.n > 0 {
		return
	}
	s.at.reserve(cap(s.records))
	for i := range s.records {
		s.at.put(hashOf(s.path(i)), i)
	}
}

// isNew says whether a path without "./" before it is that of no record.
func (s *clipSet) isNew(plain []byte) bool {
	n := len(s.records)
	if s.at.n == 0 && (n == 0 || bytes.Compare(s.path(n-1), plain) < 0) {
		return true
	}
	return s.find(plain) < 0
}

// here stands before paths from where the labels lie, or does not.
var here = []byte("./")

// sayParted notes those who are in several splits.
func (s *clipSet) sayParted() {
	const nowhere, parted = -1, -2
	in := slices.Repeat([]int32{nowhere}, len(s.groups))
	for i := range s.records {
		r := &s.records[i]
		switch at := &in[r.group]; {
		case r.group == 0 || *at == parted || *at == r.split:
		case *at == nowhere:
			*at = r.split
		default:
			*at = parted
			s.note(GroupParted, s.groups[r.group].String())
		}
	}
}

// listing makes items of the records of the splits that are wanted.
func (s *clipSet) listing(ctx context.Context, wanted func(string) bool, report Progress) (*listing, error) {
	s.sayParted()
	l := &listing{root: s.root, findings: s.findings, clips: true}
	for _, split := range s.present() {
		if wanted(split) {
			l.splits = append(l.splits, split)
		}
	}
	l.items = s.items(l.splits)
	s.records, s.paths, s.here, s.classes, s.sayings = nil, nil, nil, nil, nil
	err := share(ctx, len(l.items), "looking for clips", report, func() func(i int) {
		finder := s.finder()
		return func(i int) { l.items[i].Media = finder.locate(l.items[i].path()) }
	})
	if err != nil {
		return nil, err
	}
	for i := range l.items {
		if l.items[i].Media == "" {
			s.count(MissingClip, l.items[i].Written)
		}
	}
	l.findings = append(l.findings, s.summed()...)
	names := s.names
	l.classes = func([]Item) []string { return names }
	return l, nil
}

// manyClips take more memory than the program itself.
const manyClips = 100_000

// collecting is held while nothing is collected.
var collecting sync.Mutex

// collectLater is for the short time, until done is called, in which so many items are made, the largest piece of all:
// what reading left behind goes before, and nothing is collected meanwhile. The garbage collector would read pages that
// are not written to yet, and they would be mapped twice.
func collectLater(items int) (done func()) {
	if items < manyClips {
		return func() {}
	}
	debug.FreeOSMemory()
	return holdCollection()
}

// holdCollection lets nothing be collected until done is called. A collection that begins while a large piece is
// cleared waits for that on all other cores, at work.
func holdCollection() (done func()) {
	collecting.Lock()
	before := debug.SetGCPercent(-1)
	return func() {
		debug.SetGCPercent(before)
		collecting.Unlock()
	}
}

// items makes items of the records of splits, in the order in which a set has them where the records are in that of
// their paths. Clips of one class and answer share the object that says so: hundreds of thousands have some hundreds.
func (s *clipSet) items(splits []string) []Item {
	splits = slices.SortedFunc(slices.Values(splits), compareSplits)
	counts := make([]int, len(s.splits))
	for i := range s.records {
		counts[s.records[i].split]++
	}
	n := 0
	for _, split := range splits {
		n += counts[slices.Index(s.splits, split)]
	}
	objects := make([]Object, len(s.sayings))
	for i, said := range s.sayings {
		objects[i] = Object{Class: int(said.class), Box: Whole, Confidence: 1, Text: s.texts[said.text]}
	}
	named, unknown := s.oddNames(splits), &Clip{}
	s.again, s.texts, s.textAt, s.sayingOf, s.at = tails{}, nil, hashTable{}, nil, hashTable{}
	defer collectLater(n)()
	items, at := make([]Item, n), 0
	var others slab // of IDs that do not stand in paths
	for _, split := range splits {
		number, lead := int32(slices.Index(s.splits, split)), split+"/"
		for i := range s.records {
			r := &s.records[i]
			if r.split != number {
				continue
			}
			it := &items[at] // field by field: the others are zero as they are
			at++
			if odd, isOdd := named[i]; isOdd {
				it.ID = others.join(lead, odd)
			} else {
				it.ID = s.id(i, lead, &others)
			}
			it.Spelling = s.spelling(i, it.ID[len(lead):])
			it.Split, it.Labels = split, s.labels
			it.Group, it.Clip = s.groups[r.group], unknown
			it.Objects = objects[r.saying : r.saying+1 : r.saying+1]
			it.Rows.Filled, it.Rows.TopID = 1, -1
		}
	}
	return items
}

// oddNames are what the ids of clips say after their split, where that is not their path as it is written: it is the
// path from no folder in particular. Those that begin elsewhere than where the labels lie may come to the same one, and
// get a number then.
func (s *clipSet) oddNames(splits []string) map[int]string {
	names, taken := map[int]string{}, map[string]bool{}
	for _, i := range s.odd {
		r := &s.records[i]
		if !slices.Contains(splits, s.splits[r.split]) {
			continue
		}
		written := strings.ReplaceAll(s.written(i), `\`, "/")
		name := strings.TrimPrefix(path.Clean("/"+written), "/")
		if name == strings.TrimPrefix(written, "./") {
			names[i] = readable(name)
			continue
		}
		id := name
		for n := 2; taken[id] || s.find([]byte(id)) >= 0; n++ {
			id = fmt.Sprintf("%s#%d", name, n)
		}
		taken[id] = true
		names[i] = readable(id)
	}
	return names
}

// clipFinder finds where the clips of a set lie, one after another, in memory that is used again. Their paths stay.
type clipFinder struct {
	bases []string
	in    []folder // the one looked into last, of each base
	path  []byte
	found slab
}

func (s *clipSet) finder() *clipFinder {
	return &clipFinder{bases: s.bases, in: make([]folder, len(s.bases))}
}

// locate is where a clip lies; "" where it is missing. A path that begins elsewhere is looked for by its end.
func (f *clipFinder) locate(written string) string {
	w := strings.TrimPrefix(written, "./")
	if !isPlain(w) {
		w = path.Clean(strings.ReplaceAll(written, `\`, "/"))
	}
	elsewhere := path.IsAbs(w)
	if elsewhere && f.there(nil, w) {
		return w
	}
	for rest := strings.TrimPrefix(w, "/"); rest != ""; {
		if local := rest != ".." && !strings.HasPrefix(rest, "../"); local {
			for i, base := range f.bases {
				if f.there(&f.in[i], base, "/", rest) {
					return f.found.join(base, "/", rest)
				}
			}
		}
		if !elsewhere {
			return ""
		}
		_, rest, _ = strings.Cut(rest, "/")
	}
	return ""
}

// there says whether a regular file has the path that these parts are, whose folder in may keep open.
func (f *clipFinder) there(in *folder, parts ...string) bool {
	f.path = f.path[:0]
	for _, part := range parts {
		f.path = append(f.path, part...)
	}
	st, err := in.status(unsafe.String(unsafe.SliceData(f.path), len(f.path)))
	return err == nil && isRegular(&st)
}

// summed are the faults of the records, each once.
func (s *clipSet) summed() (found []Finding) {
	file := s.short(s.labels)
	for _, f := range []struct{ code, text, one, more string }{
		{NoPath, "%s no video_path, as %s", "record has", "records have"},
		{LabelNoPrefix, "%s not name the exercise before \" - \", as %s", "label does", "labels do"},
		{BadTimes, "%s times that do not fit the feedbacks, as %s", "record has", "records have"},
		{NoLabel, "%s no label, as %s", "record has", "records have"},
		{RepeatedClip, "%s a clip that was named before, as %s", "record names", "records name"},
		{MissingClip, "%s not there, as %s", "clip is", "clips are"},
		{GroupParted, "%s in several splits, as %s", "participant is", "participants are"},
	} {
		if t := s.said[f.code]; t != nil {
			found = append(found, t.finding(f.code, file, f.text, f.one, f.more))
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return a.Level.Severity() - b.Level.Severity() })
	return found
}
