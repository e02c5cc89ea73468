package config

import (
	"fmt"
	"strings"
)

// Set changes one constant in the file's bytes (Snapshot.With). text is as a person types it (Plain) or as TOML writes
// it (Get). A value that is not allowed is an error, and nothing has changed. Rules between constants are Validate's.
func (f *File) Set(name, text string) error {
	return f.Apply([]Change{{Key: name, New: text}})
}

// Apply sets several constants to their New text in one step of Undo, all or none.
// Diff(f.Config, preset) makes such a list.
func (f *File) Apply(changes []Change) error {
	next, err := f.With(changes...)
	if err != nil {
		return err
	}
	before := state{f.Snapshot, f.session, f.store}
	f.Snapshot = next
	f.forget(changes)
	if next != before.Snapshot || len(before.session) != len(f.session) {
		f.undo = append(f.undo, before)
	}
	return nil
}

// state is what a step of Undo brings back.
type state struct {
	*Snapshot
	session Session
	store   store
}

// Override applies words of a command line, SECTION.KEY=value, as Set does. Raw is then a run's snapshot.
func (f *File) Override(args []string) error {
	changes, err := Overrides(args)
	if err != nil {
		return err
	}
	return f.Apply(changes)
}

// Override is With for words of a command line, SECTION.KEY=value.
func (s *Snapshot) Override(args []string) (*Snapshot, error) {
	changes, err := Overrides(args)
	if err != nil {
		return nil, err
	}
	return s.With(changes...)
}

// Overrides are the changes that words of a command line make, SECTION.KEY=value.
func Overrides(args []string) ([]Change, error) {
	changes := make([]Change, len(args))
	for i, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q is no SECTION.KEY=value", arg)
		}
		changes[i] = Change{Key: strings.TrimSpace(name), New: text}
	}
	return changes, nil
}

// Undo takes back the last Set, Apply or Override and tells whether there was one.
func (f *File) Undo() bool {
	if len(f.undo) == 0 {
		return false
	}
	last := f.undo[len(f.undo)-1]
	f.undo = f.undo[:len(f.undo)-1]
	f.Snapshot, f.session, f.store = last.Snapshot, last.session, last.store
	return true
}
