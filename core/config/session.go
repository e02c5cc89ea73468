package config

import (
	"maps"
	"slices"
)

// KeepApart makes what was set since the file was loaded a matter of this session: the constants keep their values, and
// Save writes the file without them. One that is set again afterwards belongs to the file like any other.
func (f *File) KeepApart() error {
	before, err := Parse(f.Path, f.onDisk)
	if err != nil {
		return err
	}
	f.session = map[string]Change{}
	for _, change := range Diff(before.Config, f.Config) {
		f.session[change.Key] = change
	}
	f.undo = nil
	f.lent = lent{}
	return nil
}

// Overridden returns the value in the file of a constant that has another one for this session.
func (f *File) Overridden(name string) (inFile string, ok bool) {
	change, ok := f.session[name]
	return change.Old, ok
}

// Reload is Load for a file that is open: what is set for this session stays so.
func (f *File) Reload() (*File, error) {
	again, err := Load(f.Path)
	if err != nil || len(f.session) == 0 {
		return again, err
	}
	var changes []Change
	for _, key := range slices.Sorted(maps.Keys(f.session)) {
		changes = append(changes, f.session[key])
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

// lent is what stored has worked out last.
type lent struct {
	of      *Config
	session int
	bytes   []byte
}

// stored are the bytes that Save writes: all of them, without what is set for this session.
func (f *File) stored() []byte {
	if len(f.session) == 0 {
		return f.raw
	}
	if f.lent.of == f.Config && f.lent.session == len(f.session) {
		return f.lent.bytes
	}
	file, err := Parse(f.Path, f.onDisk)
	if err != nil {
		return f.raw // cannot be: these bytes were accepted before
	}
	changes := slices.DeleteFunc(Diff(file.Config, f.Config), func(c Change) bool {
		_, apart := f.session[c.Key]
		return apart
	})
	if err := file.Apply(changes); err != nil {
		return f.raw
	}
	f.lent = lent{f.Config, len(f.session), file.raw}
	return file.raw
}
