package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// Draft is a folder in the making, beside the place where it will be: ".NAME.tmp-NNN". As long as its process lives it
// is locked, so that another one can tell it from what a killed process left.
type Draft struct {
	Dir  string
	lock *os.File
}

// NewDraft makes an empty draft of the folder place, whose parent is made, too, and clears away older drafts of it that
// nobody works on any more.
func NewDraft(place string) (*Draft, error) {
	place = filepath.Clean(place)
	parent := filepath.Dir(place)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	Clear(place)
	dir, err := os.MkdirTemp(parent, draftName(place)+"*")
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", place, err)
	}
	d := &Draft{Dir: dir}
	if d.lock, err = hold(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", place, err), os.RemoveAll(dir))
	}
	return d, nil
}

// Place gives a finished draft its name, where nothing or an empty folder may be.
func (d *Draft) Place(place string) error {
	if err := os.Chmod(d.Dir, 0o755); err != nil {
		return err
	}
	if err := os.Rename(d.Dir, place); err != nil { // replaces an empty folder
		return err
	}
	return d.lock.Close()
}

// Drop removes a draft, unless it has been placed.
func (d *Draft) Drop() {
	os.RemoveAll(d.Dir)
	d.lock.Close()
}

// Clear removes the drafts of a folder that killed processes left.
func Clear(place string) {
	place = filepath.Clean(place)
	parent, begin := filepath.Dir(place), draftName(place)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), begin); !ok || !digits.MatchString(number) || !e.IsDir() {
			continue
		}
		dir := filepath.Join(parent, e.Name())
		if lock, err := hold(dir); err == nil {
			os.RemoveAll(dir)
			lock.Close()
		}
	}
}

var digits = regexp.MustCompile(`^\d+$`)

func draftName(place string) string {
	return "." + strings.TrimPrefix(filepath.Base(place), ".") + ".tmp-"
}

// hold locks a folder until its file is closed or the process ends; it is an error where another process holds it.
func hold(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is held by another process", dir)
		}
		return nil, err
	}
	return f, nil
}
