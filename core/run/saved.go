package run

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/ml/wholefile"
)

const (
	latestLink = "latest"
	bestLink   = "best"
)

// Saved is a checkpoint on disk.
type Saved struct {
	Step         int
	Path         string // absolute
	Valid        *Score // how it did on valid; nil: not measured, or by an older program
	Best, Latest bool
}

func stepName(step int) string { return fmt.Sprintf("step-%06d", step) }

// saved lists complete checkpoints by step. Latest is the highest step, and best the one with the best score, the
// latest among equals, or by TRAIN.BEST_BY = last the latest: the links of those names are made from this and say
// nothing by themselves. Only where no checkpoint has a score, as an older program left them, the link says which is
// best.
func saved(dir string, of Info) ([]Saved, error) {
	folder := filepath.Join(dir, checkpoints)
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the checkpoints cannot be listed: %w", err)
	}
	var list []Saved
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "step-")
		step, err := strconv.Atoi(digits)
		if !ok || err != nil || !e.IsDir() {
			continue
		}
		s := Saved{Step: step, Path: filepath.Join(folder, e.Name())}
		if seal, err := readSeal(s.Path); err == nil {
			s.Valid = seal.Valid
		}
		list = append(list, s)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Step < list[j].Step })
	if len(list) > 0 {
		list[len(list)-1].Latest = true
	}
	if best := bestOf(list, folder, of); best >= 0 {
		list[best].Best = true
	}
	return list, nil
}

// bestOf is the place of the best checkpoint, -1 where none is.
func bestOf(list []Saved, folder string, of Info) int {
	best := -1
	for i, s := range list {
		switch {
		case of.BestBy == config.BestByLast:
			best = i
		case s.Valid != nil && (best < 0 || of.Better(s.Valid, list[best].Valid)):
			best = i
		}
	}
	if best >= 0 {
		return best
	}
	name := linked(folder, bestLink, list)
	for i, s := range list {
		if filepath.Base(s.Path) == name {
			return i
		}
	}
	return -1
}

// Better says whether a later checkpoint with score a takes the place of an earlier one with score b as the best.
func (i Info) Better(a, b *Score) bool {
	x, y := a.By(i.BestBy), b.By(i.BestBy)
	return x > y || x == y && i.LatestOfEquals
}

// linked is the checkpoint that a link names: a symbolic link, a file with one line where the file system has none, or
// a folder with the same files, as a copy that follows links makes it. "" where there is nothing of these.
func linked(folder, name string, list []Saved) string {
	path := filepath.Join(folder, name)
	if target, err := os.Readlink(path); err == nil {
		return filepath.Base(target)
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		for _, s := range list {
			if sameFolder(path, s.Path) {
				return filepath.Base(s.Path)
			}
		}
		return ""
	}
	line, err := wholefile.Read(path, 4096)
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(line)))
}

// sameFolder says whether two folders hold the same files.
func sameFolder(a, b string) bool {
	names := func(dir string) (list []string) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list
	}
	files := names(a)
	if len(files) == 0 || strings.Join(files, "\x00") != strings.Join(names(b), "\x00") {
		return false
	}
	for _, name := range files {
		x, errX := sumOf(filepath.Join(a, name))
		y, errY := sumOf(filepath.Join(b, name))
		if errX != nil || errY != nil || x != y {
			return false
		}
	}
	return true
}

// link makes folder/name lead to target, whatever stood there: a symbolic link, or a file with one
// line where the file system has none. A folder that is only a copy of a checkpoint is removed;
// another one is kept beside under a name that link returns.
func link(folder, name, target string, list []Saved) (kept string, err error) {
	path := filepath.Join(folder, name)
	if now, err := os.Readlink(path); err == nil && now == target {
		return "", nil
	}
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if linked(folder, name, list) != "" {
			err = wholefile.RemoveAll(path)
		} else {
			kept = free(path + "-kept")
			err = wholefile.Rename(path, kept)
		}
		if err != nil {
			return "", err
		}
	}
	tmp := filepath.Join(folder, "."+name+".tmp")
	if err := wholefile.RemoveAll(tmp); err != nil {
		return kept, err
	}
	if err := wholefile.Symlink(target, tmp); err != nil {
		line := []byte(target + "\n")
		if now, err := wholefile.Read(path, 4096); err == nil && bytes.Equal(now, line) {
			return kept, nil
		}
		if err := writeSynced(tmp, line); err != nil {
			return kept, err
		}
	}
	return kept, wholefile.Rename(tmp, path)
}

// free is a path like the given one at which there is nothing.
func free(path string) string {
	for n, try := 2, path; ; n++ {
		if _, err := os.Lstat(try); errors.Is(err, os.ErrNotExist) {
			return try
		}
		try = fmt.Sprintf("%s-%d", path, n)
	}
}

func latest(dir string) (Saved, bool) {
	list, err := saved(dir, Info{})
	if err != nil || len(list) == 0 {
		return Saved{}, false
	}
	return list[len(list)-1], true
}

// Checkpoints lists the run's complete checkpoints by step.
func (r *Run) Checkpoints() ([]Saved, error) {
	if r.log != nil {
		return r.adoptedCheckpoints(), nil
	}
	return saved(r.Dir, r.Info)
}

// Latest returns the newest checkpoint, false where there is none.
func (r *Run) Latest() (Saved, bool) {
	list, err := r.Checkpoints()
	for _, s := range list {
		if s.Latest {
			return s, err == nil
		}
	}
	return Saved{}, false
}

// Best returns the checkpoint that did best on valid, or the latest where none was measured; false where there is none
// at all. Nothing is read but its name and score: see Answering.
func (r *Run) Best() (Saved, bool) {
	list, err := r.Checkpoints()
	if err != nil || len(list) == 0 {
		return Saved{}, false
	}
	return byMerit(list, r.Info.BestBy)[0], true
}

// Answering returns the checkpoint to ask, score or hand on: the best, or, where files of it are damaged, the one that
// comes next, with a sentence that says so. An error says why there is none.
func (r *Run) Answering() (s Saved, note string, err error) {
	list, err := r.Checkpoints()
	if err != nil {
		return s, "", err
	}
	if len(list) == 0 {
		return s, "", printable.Missing("run %s has written no checkpoint yet: there is no adapter", r.Label())
	}
	for _, s := range byMerit(list, r.Info.BestBy) {
		fault := s.verify(answers)
		if fault == nil {
			if note != "" {
				note += fmt.Sprintf(". The checkpoint of step %d is used instead.", s.Step)
			}
			return s, note, nil
		}
		if note == "" {
			note = fmt.Sprintf("The checkpoint of step %d of %s is damaged: %v", s.Step, r.Label(), fault)
		}
	}
	return s, "", fmt.Errorf("%s, and no other of its checkpoints is whole: resume the run (finetui resume %d), "+
		"which trains what is lost anew", note, r.Info.Number)
}

// byMerit orders checkpoints: the best, then by score, then the newest first.
func byMerit(list []Saved, by config.BestBy) []Saved {
	out := append([]Saved(nil), list...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if a.Best != b.Best {
			return a.Best
		}
		if x, y := a.Valid.By(by), b.Valid.By(by); x != y {
			return x > y
		}
		return a.Step > b.Step
	})
	return out
}
