// Package trainerlog reads what other trainers leave in a folder: HF Trainer and what is built on it (TRL, axolotl,
// LLaMA-Factory, ms-swift), NeMo AutoModel, Ultralytics, and whatever writes event files of TensorBoard. What a folder
// is, is found out by what its files hold, not by what they are called. It takes no lock, writes nothing and runs
// nothing; it follows no link; a pipe, a device or a file of any size does it no harm.
//
//	Find       whether a folder holds a run, and which trainer's
//	Search     the runs in some folders, to a bounded depth
//	Log        such a run: its files, checkpoints, settings, and how it stands (Glance)
//	Reader     its rows as they are written, from all of its files together
//
// A trainer says the same in several files: its log as it goes, its state at every save, event files beside. A figure
// is taken from the one that goes on from what is known: see Reader.
//
// To add a trainer: what its log looks like in its first bytes (kindOf), a parser for a line of it or a source of its
// own, and its name in tool.
package trainerlog

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/ml/wholefile"
)

// Log is the run of another trainer in a folder.
type Log struct {
	Dir  string // absolute
	Tool string // "LLaMA-Factory"

	files       []logFile // in the order in which they go on from each other
	state       string    // path of the trainer_state.json that goes furthest; "": there is none
	console     string    // what the trainer printed; "": it is not kept here
	checkpoints []Checkpoint
	named       []string // files that tell settings
	plan        int      // steps that the settings name; 0: none
	settings    []Setting
	class       string // of the trainer's pickled arguments
	told        string // how the files of settings were when they were read
	kinds       map[string]sniffed
	before      *Log // what was known when the folder is looked at anew
	folders     []string
}

// logFile is a file with rows.
type logFile struct {
	path string
	kind fileKind
}

// sniffed is what a file was found to be when it was so long.
type sniffed struct {
	size int64
	kind fileKind
}

// fileKind is what a file is, by its content.
type fileKind byte

const (
	unknownFile fileKind = iota
	llamaFactoryLog
	swiftLog
	autoModelLog
	jsonLog // rows with a step and a loss
	ultralyticsTable
	eventFile
	stateFile
	consoleLog
	savedLosses // of AutoModel's checkpoint
)

const (
	mostEntries = 4096 // of a folder that are looked at
	mostSniffed = 256  // of its files that are opened
)

// heavy are the kinds of files that hold no log: they are not opened.
var heavy = []string{".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4", ".mkv", ".avi", ".mov", ".safetensors", ".bin",
	".pt", ".pth", ".onnx", ".npy", ".npz", ".parquet", ".arrow", ".gz", ".zip", ".tar", ".so", ".py", ".go", ".md",
	".yaml", ".yml", ".toml", ".xml", ".html", ".pkl"}

// place is a folder and what is in it: no links.
type place struct {
	dir            string
	files, folders []string // names
}

func look(dir string) (p place, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return p, err
	}
	defer f.Close()
	p.dir = dir
	entries, err := f.ReadDir(mostEntries)
	if err != nil && err != io.EOF {
		return p, err
	}
	slices.SortFunc(entries, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range entries {
		switch {
		case e.Type().IsRegular():
			p.files = append(p.files, e.Name())
		case e.IsDir():
			p.folders = append(p.folders, e.Name())
		}
	}
	return p, nil
}

func (p place) path(name string) string { return filepath.Join(p.dir, name) }

func (p place) has(name string) bool { return slices.Contains(p.files, name) }

// ours says whether a folder is a run of this program's own.
func (p place) ours() bool { return p.has("run.json") && p.has("config.toml") }

// logs are the files of a folder that hold rows, and what kind each is. What is known of a file holds while it grows.
func (l *Log) logs(p place) (found []logFile) {
	opened := 0
	for _, name := range p.files {
		if slices.Contains(heavy, strings.ToLower(filepath.Ext(name))) {
			continue
		}
		if opened++; opened > mostSniffed {
			break
		}
		path := p.path(name)
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		before, known := l.before.kinds[path]
		if !known || info.Size() < before.size || before.kind == unknownFile && info.Size() != before.size {
			before.kind = kindOf(path)
		}
		l.kinds[path] = sniffed{info.Size(), before.kind}
		if before.kind != unknownFile {
			found = append(found, logFile{path, before.kind})
		}
	}
	return found
}

// kindOf finds out what a file is from its first bytes.
func kindOf(path string) fileKind {
	head, _ := partOf(path, false)
	if n, ok := recordAt(head); ok && n > 8 && len(head) > 12 && head[12] == wallTime {
		return eventFile // else records of a data set
	}
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	if len(text) > 0 && text[0] == '{' {
		if kind := kindOfObjects(text); kind != unknownFile {
			return kind
		}
	}
	switch {
	case isUltralytics(text):
		return ultralyticsTable
	case !bytes.Contains(head, []byte{0}):
		return kindOfConsole(path, text)
	}
	return unknownFile
}

// kindOfObjects looks at the keys of the first few objects; one of them may be damaged.
func kindOfObjects(text []byte) fileKind {
	for range 4 {
		keys := map[string]bool{}
		s := scanner{b: text}
		s.members(func(key []byte) bool {
			if len(key) < 64 && len(keys) < 64 {
				keys[string(key)] = true
			}
			_, _, ok := s.value()
			return ok
		})
		switch {
		case keys["current_steps"] && keys["total_steps"]:
			return llamaFactoryLog
		case keys["global_step/max_steps"]:
			return swiftLog
		case keys["log_history"] || keys["global_step"] && keys["max_steps"] && keys["is_world_process_zero"]:
			return stateFile
		case keys["kind"]: // a row of this program's own
			return unknownFile
		case keys["step"] && keys["timestamp"] && keys["epoch"]:
			return autoModelLog
		case keys["step"] && keys["loss"]:
			return jsonLog
		}
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			break
		}
		if text = bytes.TrimLeft(text[end:], " \t\r\n"); len(text) == 0 || text[0] != '{' {
			break
		}
	}
	return unknownFile
}

// isUltralytics knows a results.csv by the names in its first line.
func isUltralytics(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	first, rest, _ := bytes.Cut(line, []byte{','})
	return string(bytes.TrimSpace(first)) == "epoch" && bytes.Contains(rest, []byte("train/"))
}

// kindOfConsole knows what HF Trainer printed by a row in its beginning or its end.
func kindOfConsole(path string, head []byte) fileKind {
	tail, _ := partOf(path, true)
	for _, part := range [][]byte{head, tail} {
		c := console{}
		for line := range bytes.Lines(part) {
			if r, _, ok := c.line(line, nil); ok && r.stepped && (r.loss || r.final) {
				return consoleLog
			}
		}
	}
	return unknownFile
}

// partOf is the beginning of a file, or its end from a line's beginning on, and what it looks like; nil where it cannot
// be read.
func partOf(path string, end bool) ([]byte, os.FileInfo) {
	f, err := wholefile.Open(path)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil
	}
	from, n := int64(0), int64(headBytes)
	if end {
		from, n = max(0, info.Size()-tailBytes), tailBytes
	}
	part := make([]byte, min(n, info.Size()-from))
	k, err := f.ReadAt(part, from)
	if err != nil && err != io.EOF {
		return nil, nil
	}
	return part[:k], info
}

// Find tells whether a folder holds the run of another trainer, and reads no more of it than it takes to know.
func Find(dir string) (*Log, bool) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, false
	}
	l := &Log{Dir: abs}
	return l, l.Refresh()
}

// Refresh looks at the folder anew; false means that there is no run in it.
func (l *Log) Refresh() bool {
	p, err := look(l.Dir)
	if err != nil || p.ours() {
		return false
	}
	now := &Log{Dir: l.Dir, folders: []string{l.Dir}, kinds: map[string]sniffed{}, before: l}
	var states []string
	for _, f := range now.logs(p) {
		switch f.kind {
		case stateFile:
			states = append(states, f.path)
		case consoleLog:
			now.console = f.path
		default:
			now.files = append(now.files, f)
		}
	}
	now.checkpoints = p.checkpoints()
	if n := len(now.checkpoints); len(states) == 0 && n > 0 { // axolotl has none beside them
		for _, c := range slices.Backward(now.checkpoints) {
			if path := filepath.Join(c.Path, "trainer_state.json"); kindOf(path) == stateFile {
				states = append(states, path)
				break
			}
		}
	}
	if len(states) > 0 {
		now.state = newest(states)
	}
	now.addEvents(p)
	if len(now.files) == 0 && now.console != "" {
		now.files = []logFile{{now.console, consoleLog}}
	}
	if len(now.files) == 0 && now.state == "" {
		if now.files = p.losses(now.checkpoints); len(now.files) == 0 {
			return false
		}
	}
	if now.console == "" {
		now.console = p.text()
	}
	now.named = p.settingFiles(now.checkpoints)
	now.readSettings()
	now.Tool = now.tool(p)
	now.plan = now.planned()
	now.settleCheckpoints()
	now.before = nil
	*l = *now
	return true
}

// addEvents adds the event files of folders in a run's own: only where something else tells that it is one, for a
// folder of folders with event files is many runs.
func (l *Log) addEvents(p place) {
	written := slices.ContainsFunc(l.files, func(f logFile) bool { return f.kind != eventFile })
	var events []logFile
	for i, f := range l.files {
		if f.kind == eventFile {
			events = append(events, l.files[i])
		}
	}
	if len(events) == 0 && (written || l.state != "" || len(l.checkpoints) > 0 || l.console != "") {
		events = l.eventsBelow(p, 2)
	} else if len(events) == 0 && slices.Contains(p.folders, "runs") { // HF Trainer before its first save
		if below, err := look(p.path("runs")); err == nil {
			if events = l.eventsBelow(below, 1); len(events) > 0 && !ofTrainer(events[0].path) {
				events = nil
			}
		}
	}
	for _, f := range events {
		if dir := filepath.Dir(f.path); !slices.Contains(l.folders, dir) {
			l.folders = append(l.folders, dir)
		}
	}
	if written { // its own log says the same, and more
		l.files = slices.DeleteFunc(l.files, func(f logFile) bool { return f.kind == eventFile })
		return
	}
	l.files = events
	slices.SortStableFunc(l.files, func(a, b logFile) int {
		return strings.Compare(filepath.Base(a.path), filepath.Base(b.path)) // the time is the first in their names
	})
}

// eventsBelow are the event files in the folders of a folder, so deep.
func (l *Log) eventsBelow(p place, depth int) (found []logFile) {
	for _, name := range p.folders[:min(len(p.folders), 256)] {
		if _, ok := checkpointStep(name); ok {
			continue
		}
		below, err := look(p.path(name))
		if err != nil || below.ours() {
			continue
		}
		for _, f := range l.logs(below) {
			if f.kind == eventFile {
				found = append(found, f)
			}
		}
		if depth > 1 {
			found = append(found, l.eventsBelow(below, depth-1)...)
		}
	}
	return found
}

// ofTrainer knows an event file of HF Trainer by the tags in its first records.
func ofTrainer(path string) bool {
	f, err := wholefile.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, tailBytes))
	return err == nil && (bytes.Contains(head, []byte("train/epoch")) ||
		bytes.Contains(head, []byte("train/global_step")) || bytes.Contains(head, []byte("args/text_summary")))
}

// printedOnly says whether nothing but what a trainer printed is here.
func (l *Log) printedOnly() bool {
	return l.state == "" && len(l.checkpoints) == 0 && len(l.files) > 0 && l.files[0].kind == consoleLog
}

// newest is the file that was written last.
func newest(paths []string) string {
	best, at := "", int64(0)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && (best == "" || info.ModTime().UnixNano() > at) {
			best, at = path, info.ModTime().UnixNano()
		}
	}
	return best
}

// text is the newest file of a folder that looks like what a trainer prints.
func (p place) text() string {
	var found []string
	for _, name := range p.files {
		if ext := filepath.Ext(name); ext == ".log" || ext == ".out" || name == "nohup.out" {
			found = append(found, p.path(name))
		}
	}
	return newest(found)
}

// Folders are those whose files tell how the run stands.
func (l *Log) Folders() []string { return l.folders }

// Console is the path of what the trainer printed; "" where that is not kept in its folder.
func (l *Log) Console() string { return l.console }

// Search depth and width: a folder that is watched by mistake, a home say, costs a bounded time.
const (
	searchDepth   = 4
	mostSearched  = 2000 // folders
	mostFoundRuns = 500
)

// Search finds the runs of other trainers in some folders and below them, each one once. A folder that cannot be read
// is passed over; so is what is below a run.
func Search(folders ...string) (found []*Log) {
	seen := map[string]bool{}
	left := mostSearched
	var search func(dir string, depth int)
	search = func(dir string, depth int) {
		if left--; left < 0 || len(found) >= mostFoundRuns || seen[dir] {
			return
		}
		seen[dir] = true
		l, ok := Find(dir)
		printed := ok && l.printedOnly() // perhaps by a run that lies below
		if ok && !printed {
			found = append(found, l)
			if l.Tool != TensorBoard { // its runs may lie within each other
				return
			}
		}
		before := len(found)
		defer func() {
			if printed && len(found) == before {
				found = append(found, l)
			}
		}()
		p, err := look(dir)
		if err != nil || p.ours() || depth == 0 {
			return
		}
		for _, name := range p.folders {
			if !strings.HasPrefix(name, ".") && name != "node_modules" && name != "__pycache__" {
				search(p.path(name), depth-1)
			}
		}
	}
	for _, dir := range folders {
		if abs, err := filepath.Abs(dir); err == nil {
			search(abs, searchDepth)
		}
	}
	return found
}
