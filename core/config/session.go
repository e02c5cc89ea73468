package config

import (
	"maps"
	"slices"
)

// Session is the constants that were set for one session of the program (KeepApart): by name, what they are in the file
// and what they are now. It is never changed in place.
type Session map[string]Change

// KeepApart makes what was set since the file was loaded a matter of this session: the constants keep their values, and
// Save writes the file without them. One that is set again afterwards belongs to the file like any other.
func (f *File) KeepApart() error {
	before, err := f.onDisk()
	if err != nil {
		return err
	}
	f.session = Session{}
	for _, change := range Diff(before.Config, f.Config) {
		f.session[change.Key] = change
	}
	f.undo, f.settled, f.store = nil, f.Snapshot, store{}
	return nil
}

// onDisk is the text that was loaded or saved last; an empty one where there is none yet.
func (f *File) onDisk() (*Snapshot, error) {
	if f.disk != nil {
		return f.disk, nil
	}
	return newSnapshot(f.Path, f.Root, nil)
}

// Overridden returns the value in the file of a constant that has another one for this session.
func (f *File) Overridden(name string) (inFile string, ok bool) {
	change, ok := f.session[name]
	return change.Old, ok
}

// Session are the constants that are set for this session; Reload takes them.
func (f *File) Session() Session { return f.session }

// Reload is Load for a file that is open: what is set for this session stays so.
func Reload(path string, session Session) (*File, error) {
	again, err := Load(path)
	if err != nil || len(session) == 0 {
		return again, err
	}
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(session)) {
		changes = append(changes, session[key])
	}
	if err := again.Apply(changes); err != nil {
		return nil, err
	}
	return again, again.KeepApart()
}

// forget makes constants that were set for this session the file's own.
func (f *File) forget(changes []Change) {
	left := maps.Clone(f.session)
	for _, change := range changes {
		delete(left, change.Key)
	}
	f.session = left
}

// store is what stored has worked out last.
type store struct {
	of, disk *Snapshot
	session  int
	stored   *Snapshot
}

// stored is what Save writes: all of it, without what is set for this session.
func (f *File) stored() *Snapshot {
	if len(f.session) == 0 {
		return f.Snapshot
	}
	if f.store.of == f.Snapshot && f.store.disk == f.disk && f.store.session == len(f.session) {
		return f.store.stored
	}
	disk, err := f.onDisk()
	if err != nil {
		return f.Snapshot // cannot be: an empty text can be read
	}
	changes := slices.DeleteFunc(Diff(disk.Config, f.Config), func(c Change) bool {
		_, apart := f.session[c.Key]
		return apart
	})
	stored, err := disk.With(changes...)
	if err != nil {
		return f.Snapshot // cannot be: these values were accepted before
	}
	f.store = store{f.Snapshot, f.disk, len(f.session), stored}
	return stored
}
