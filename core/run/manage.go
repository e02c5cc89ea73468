package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"finetui/core/disk"
	"finetui/ml/wholefile"
)

// deleted is what the folder of a run is called while it is being deleted.
const deleted = ".deleted-"

// Rename gives a run that nobody works on another name; its number stays. Everything in its folder goes along: the
// checkpoints and their links, evaluations, which then speak of it by the new name, and what was kept of its curves.
func Rename(r *Run, name string) (*Run, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	release, err := r.claim("renamed")
	if err != nil {
		return nil, err
	}
	defer release()
	info, err := readInfo(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be renamed: %w", r.Label(), err)
	}
	info.Name = CleanName(name)
	label := fmt.Sprintf("%04d-%s", info.Number, info.Name)
	if label == r.Label() {
		return r, nil
	}
	dir := filepath.Join(filepath.Dir(r.Dir), label)
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s cannot be called %s: there is a folder of that name already", r.Label(), label)
	}
	if err := wholefile.Rename(r.Dir, dir); err != nil {
		return nil, fmt.Errorf("%s cannot be renamed: %w", r.Label(), err)
	}
	moveIndexes(r.Dir, label)
	fault := writeJSON(filepath.Join(dir, infoFile), info)
	if err := nameSubjects(dir, r.Label(), label); fault == nil {
		fault = err
	}
	if fault != nil {
		return nil, fmt.Errorf("%s is called %s now, but not everything in it could be written: %w", r.Label(), label,
			fault)
	}
	return Open(dir)
}

// Delete removes the folder of a run that nobody works on, and what was kept of its curves. A deletion that is cut
// short leaves a hidden folder, which the next one removes.
func Delete(r *Run) error {
	release, err := r.claim("deleted")
	if err != nil {
		return err
	}
	defer release()
	runs := filepath.Dir(r.Dir)
	hidden := filepath.Join(runs, deleted+r.Label())
	if err := wholefile.RemoveAll(hidden); err != nil {
		return fmt.Errorf("%s cannot be deleted: %w", r.Label(), err)
	}
	if err := wholefile.Rename(r.Dir, hidden); err != nil {
		return fmt.Errorf("%s cannot be deleted: %w", r.Label(), err)
	}
	moveIndexes(r.Dir, "")
	left := wholefile.Glob(runs, deleted+"*")
	for _, dir := range left {
		if err := wholefile.RemoveAll(dir); err != nil {
			return fmt.Errorf("%s is deleted, but not everything could be removed: %w", r.Label(), err)
		}
	}
	return nil
}

// claim holds a run's lock while something is done to its folder: never to one that is being worked on.
func (r *Run) claim(what string) (release func(), err error) {
	if err := r.Refuse(what); err != nil {
		return nil, err
	}
	if s := r.Status(); s.Live() {
		return nil, fmt.Errorf("%s is %s and cannot be %s: stop it first", r.Label(), s.State, what)
	}
	lock, err := takeLock(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be %s: %w", r.Label(), what, err)
	}
	return func() { lock.Close() }, nil
}

// moveIndexes gives what was kept of a run's curves its new name, or removes it where there is none. Nobody needs it.
func moveIndexes(dir, label string) {
	folder := filepath.Join(filepath.Dir(dir), indexFolder)
	for _, kind := range []string{".curves", ".brief"} {
		path := filepath.Join(folder, filepath.Base(dir)+kind)
		if label == "" {
			os.Remove(path)
		} else {
			os.Rename(path, filepath.Join(folder, label+kind))
		}
	}
}

// nameSubjects lets the evaluations in a run's folder speak of it by its new name.
func nameSubjects(dir, before, label string) error {
	quoted := func(name string) []byte {
		text, _ := json.Marshal(name)
		return append([]byte(`"subject": `), text[:len(text)-1]...)
	}
	for _, path := range wholefile.Glob(filepath.Join(dir, evalFolder), "*.json") {
		text, err := wholefile.Read(path, wholefile.Text)
		if err != nil {
			return err
		}
		now := bytes.Replace(text, quoted(before), quoted(label), 1)
		if bytes.Equal(now, text) {
			continue
		}
		if _, sealed, broken := disk.Unseal(text); broken != nil {
			continue // a new checksum would hide it
		} else if sealed {
			object, _, _ := disk.Unseal(now)
			if now, err = disk.Seal(json.RawMessage(object), " "); err != nil {
				return err
			}
		}
		if err := wholefile.Write(path, now); err != nil {
			return err
		}
	}
	return nil
}
