// Package run keeps run directories: one writer puts a run's state, metrics and checkpoints there, and anybody reads
// them from the files alone. It never trains and never draws.
//
//	runs/0003-enhanced/
//		run.json        what it was started from, and its process (Info)
//		config.toml     its constants, a config.Snapshot of its own (Config)
//		metrics.jsonl   a row a line, only ever added to (Row)
//		log.txt         what its process says
//		exit.json       how it ended (Exit); Status finds out what has become of a run without one
//		checkpoints/    step-000050 …, latest, best (Saved)
//		eval/           evaluations by split
//		control/        the lock, and a request to stop
//
// A folder of another trainer's run is read as one, too (Adopted).
//
// Writer is the one process that writes; it holds control/lock. Run is what everybody else has: it takes no lock and
// writes nothing. Reader makes a History of the metrics as they grow, and History is where a step that was done twice
// counts once: who waits for a run, follows it, lists it, draws it or compares it reads it so.
//
// To add a kind of row: a type with a Head, its kind below the others in rows.go, a case in decodeRow, and what a
// History keeps of it in add; the index has to code it (index.go, where indexVersion then grows by one). A program that
// does not know a kind skips its rows. A field that is added to a row is read as zero from older files; one whose
// meaning changes takes another name.
package run

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/printable"
	"finetui/core/trainerlog"
	"finetui/ml/wholefile"
)

// Schema is the number in run.json; it grows when a field changes its meaning.
const Schema = 1

// States of a run. Running, Stopping and Killed are found out by Status, never written as an end.
const (
	Created  = "created"  // made, and no process has taken it up
	Running  = "running"  // a live process writes it
	Stopping = "stopping" // running, and asked to stop
	Stopped  = "stopped"  // ended on request; can be resumed
	Done     = "done"     // ended by itself
	Failed   = "failed"   // ended by an error; can be resumed
	Killed   = "killed"   // neither an end nor a live process; can be resumed
	Stalled  = "stalled"  // of another trainer, and silent for longer than its pace explains
)

// Files of a run directory.
const (
	infoFile    = "run.json"
	configFile  = "config.toml"
	metricsFile = "metrics.jsonl"
	logFile     = "log.txt"
	exitFile    = "exit.json"
	checkpoints = "checkpoints"
	evalFolder  = "eval"
	control     = "control"
	stopFile    = "control/stop"
	lockFile    = "control/lock"
	reserveFile = "control/reserve"
)

// Meta is what a run was started from, known when it is created.
type Meta struct {
	Recipe          string `json:"recipe"`
	Base            string `json:"base"`
	BaseFingerprint string `json:"base_fingerprint"`
	DataFingerprint string `json:"data_fingerprint"`
	Version         string `json:"version"` // of the program
	// the project's folder, absolute, as it was then; Config knows where it is now
	Root string `json:"root"`
	// the folder of the sets that joined the data set's own, from Root where it lies there; "" for none
	SetsFrom string `json:"sets_from,omitempty"`
}

// Info is run.json.
type Info struct {
	Schema int    `json:"schema"`
	Number int    `json:"number"`
	Name   string `json:"name"`
	State  string `json:"state"` // as the writer last put it; Status knows better
	Meta
	Machine   string   `json:"machine"` // host name of the last process
	Created   float64  `json:"created"` // Unix seconds
	Process   *Process `json:"process,omitempty"`
	Began     float64  `json:"began,omitempty"`     // Unix seconds, start of the last process
	Before    float64  `json:"before,omitempty"`    // seconds that earlier processes took
	Resumed   int      `json:"resumed,omitempty"`   // how often
	Steps     int      `json:"steps,omitempty"`     // optimizer steps planned in all
	Samples   int      `json:"samples,omitempty"`   // training samples of one epoch
	Trainable int      `json:"trainable,omitempty"` // trained parameters
	RootFrom  string   `json:"root_from,omitempty"` // the project's folder as seen from the run's
	// what a sample weighs in the loss on the mean (train.StepDenominator); 0: all alike, or a run of before 2026-11-29
	SampleWeight float64       `json:"sample_weight,omitempty"`
	BestBy       config.BestBy `json:"best_by,omitempty"` // TRAIN.BEST_BY
	// of checkpoints with the same score the latest is the best; in runs of older programs the earliest
	LatestOfEquals bool `json:"latest_of_equals,omitempty"`
	// inode of the lock that the process holds: a copy of the folder has another
	Lock uint64 `json:"lock,omitempty"`
	// Unix seconds when the last process stood where it goes on from; 0: it does not yet
	Ready float64 `json:"ready,omitempty"`
	// SHA-256 of the run's frozen files (Freeze) by their names; two of one that is just being replaced
	Frozen map[string][]string `json:"frozen,omitempty"`
}

// Exit is exit.json, the end of a run.
type Exit struct {
	State   string  `json:"state"`
	Reason  string  `json:"reason"`
	Seconds float64 `json:"seconds"` // of all the run's processes together
	Time    float64 `json:"time"`    // Unix seconds
}

// Run is a run directory as a reader sees it. The reader takes no lock and writes nothing.
type Run struct {
	Dir   string
	Info  Info
	Fault error // run.json cannot be read; Info then holds only what the folder's name tells

	log   *trainerlog.Log // of an adopted run: what another trainer left there; nil: it is this program's own
	label string          // of an adopted run whose folder's name others have, too

	project string // folder of the runs of the project that looks at an adopted run; "": none does
}

// Open reads a run directory's run.json, or what another trainer left there (Adopted). Refresh reads it again.
func Open(dir string) (*Run, error) { return openFor("", dir) }

// openFor is Open for the project with those runs.
func openFor(project, dir string) (*Run, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open run: %w", err)
	}
	r := &Run{Dir: abs}
	err = r.Refresh()
	if errors.Is(err, os.ErrNotExist) {
		if log, ok := trainerlog.Find(abs); ok {
			return adopt(project, log), nil
		}
	}
	return r, err
}

// Refresh reads run.json again. On an error the old Info stays.
func (r *Run) Refresh() error {
	if r.log != nil {
		log := *r.log // others may look at it as it was
		if !log.Refresh() {
			return printable.Missing("%s holds no run of %s any more", r.Dir, r.log.Tool)
		}
		r.log = &log
		r.describe()
		return nil
	}
	info, err := readInfo(r.Dir)
	if err != nil {
		return err
	}
	r.Info, r.Fault = info, nil
	return nil
}

// Label is the run's name on a screen: "0003-enhanced".
func (r *Run) Label() string { return cmp.Or(r.label, filepath.Base(r.Dir)) }

// EvalPath is where the evaluation of a split belongs: ext is "json" or "csv".
func (r *Run) EvalPath(split, ext string) string {
	return filepath.Join(r.Dir, evalFolder, split+"."+ext)
}

func readInfo(dir string) (info Info, err error) {
	path := filepath.Join(dir, infoFile)
	data, err := wholefile.Read(path, smallFile)
	if errors.Is(err, os.ErrNotExist) {
		return info, printable.Missing("%s is no run directory: it has no run.json", dir)
	}
	if err != nil {
		return info, fmt.Errorf("the run cannot be read: %w", err)
	}
	object, _, broken := disk.Unseal(data)
	if err := json.Unmarshal(object, &info); err != nil {
		return info, fmt.Errorf("%s is %s: put it back from a copy, or remove the run's folder", path, harm(data))
	}
	if broken != nil { // it would be taken for another run
		return Info{}, fmt.Errorf("%s is damaged: %w: undo what was changed in it, or put it back from a copy", path, broken)
	}
	if info.Schema > Schema {
		return info, fmt.Errorf("%s: schema %d is newer than this program knows (%d); use a newer finetui", path,
			info.Schema, Schema)
	}
	return info, nil
}

// harm says in a word or two what has become of a file that should hold one JSON object.
func harm(data []byte) string {
	text := strings.TrimSpace(string(data))
	switch {
	case strings.Trim(text, "\x00") == "":
		return "empty"
	case text[0] == '{' && text[len(text)-1] != '}':
		return "cut off"
	}
	return "damaged"
}

// smallFile is more than any of the small files of a run ever has, in bytes.
const smallFile = 1 << 20

// writeJSON writes an object, sealed, beside and renames it. Only the holder of the run's lock calls it, so the name is
// fixed.
func writeJSON(path string, v any) error {
	data, err := disk.Seal(v, "  ")
	if err != nil {
		return err
	}
	tmp := path + ".tmp"
	if err := writeSynced(tmp, data); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return wholefile.Rename(tmp, path)
}

// writeSynced writes a new file. What a killed writer left there, of whatever kind, is removed first.
func writeSynced(path string, data []byte) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, wholefile.Sync(f), f.Close())
}

// CleanName makes a name fit for a folder: letters, digits, dots, dashes and underscores, at most 48 of them.
func CleanName(name string) string {
	keep := func(r rune) rune {
		switch {
		case r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' &&
			r <= 'z' || r > 0x7f:
			return r
		}
		return '-'
	}
	runes := []rune(strings.Map(keep, strings.TrimSpace(name)))
	clean := strings.Trim(string(runes[:min(len(runes), 48)]), "-.")
	if clean == "" {
		return "run"
	}
	return clean
}

// Folders are the run's directory and those in it whose files tell how it stands, as far as they exist.
func (r *Run) Folders() []string {
	if r.log != nil {
		return r.log.Folders()
	}
	folders := []string{r.Dir}
	for _, name := range []string{checkpoints, evalFolder, control} {
		if dir := filepath.Join(r.Dir, name); isFolder(dir) {
			folders = append(folders, dir)
		}
	}
	return folders
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
