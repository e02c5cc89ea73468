package config

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
)

// Set changes one constant in the file's bytes and touches no other byte: comments, order and spacing stay. text is
// as a person types it (Plain) or as TOML writes it (Get). A constant that the file lacks is added, with its
// comment, at the end of its section; a missing section is appended. A value that is not allowed is an error, and
// nothing has changed. Rules between constants are Validate's.
func (f *File) Set(name, text string) error {
	return f.Apply([]Change{{Key: name, New: text}})
}

// Apply sets several constants to their New text in one step of Undo,
// all or none. Diff(f.Config, preset) makes such a list.
func (f *File) Apply(changes []Change) error {
	before, l, c := state{f.raw, f.session}, f.layout, f.Config
	for _, change := range changes {
		if err := f.set(change.Key, change.New); err != nil {
			f.raw, f.layout, f.Config = before.raw, l, c
			return err
		}
	}
	f.forget(changes)
	if !bytes.Equal(before.raw, f.raw) || len(before.session) != len(f.session) {
		f.undo = append(f.undo, before)
	}
	return nil
}

// state is what a step of Undo brings back.
type state struct {
	raw     []byte
	session map[string]Change
}

// Override applies words of a command line, SECTION.KEY=value, as Set does. Raw is then a run's snapshot.
func (f *File) Override(args []string) error {
	changes := make([]Change, len(args))
	for i, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is no SECTION.KEY=value", arg)
		}
		changes[i] = Change{Key: strings.TrimSpace(name), New: text}
	}
	return f.Apply(changes)
}

// Undo takes back the last Set, Apply or Override and tells whether there was one.
func (f *File) Undo() bool {
	if len(f.undo) == 0 {
		return false
	}
	last := f.undo[len(f.undo)-1]
	if err := f.replace(last.raw); err != nil {
		return false // cannot be: these bytes were accepted before
	}
	f.undo, f.session = f.undo[:len(f.undo)-1], last.session
	return true
}

// Changed tells whether what Save would write differs from what was loaded or last saved.
func (f *File) Changed() bool { return !bytes.Equal(f.stored(), f.onDisk) }

func (f *File) set(name, text string) error {
	field, err := Lookup(name)
	if err != nil {
		return err
	}
	value, source, err := parseValue(field, text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	e, present := f.layout.find(field.Section, field.Key)
	if present && equalValues(value, valueOf(f.Config, field)) {
		return nil // the file's own spelling stays
	}
	edited := splice(f.raw, e.value, e.end, source)
	if !present {
		edited = f.insert(field, source)
	}
	if err := f.replace(edited); err != nil {
		return fmt.Errorf("%s = %s would break the file, nothing was changed: %w", name, source, err)
	}
	return nil
}

// replace takes new bytes in place of the old if they are a valid file.
func (f *File) replace(raw []byte) error {
	c, l, err := decode(f.Path, raw)
	if err != nil {
		return err
	}
	f.raw, f.layout, f.Config = raw, l, c
	return nil
}

func splice(b []byte, from, to int, text string) []byte {
	out := make([]byte, 0, len(b)+len(text))
	out = append(out, b[:from]...)
	out = append(out, text...)
	return append(out, b[to:]...)
}

// insert returns the bytes with a new constant after the last one of its section.
func (f *File) insert(field Field, source string) []byte {
	eol := "\n"
	if i := bytes.IndexByte(f.raw, '\n'); i > 0 && f.raw[i-1] == '\r' {
		eol = "\r\n"
	}
	line := bareKey(field.Key) + " = " + source + eol
	if field.Section != keysSection {
		line = "# " + comment(field) + eol + line
	}
	at, dotted := -1, false
	for _, t := range f.layout.tables {
		if t.path[0] == field.Section {
			at = t.end
		}
	}
	for _, e := range f.layout.entries {
		if e.path[0] == field.Section {
			at, dotted = e.end, e.dots == 2
		}
	}
	if at < 0 { // append the section
		text := "[" + field.Section + "]" + eol + line
		if len(f.raw) > 0 {
			text = eol + text
			if f.raw[len(f.raw)-1] != '\n' {
				text = eol + text
			}
		}
		return splice(f.raw, len(f.raw), len(f.raw), text)
	}
	if dotted { // TRAIN.EPOCHS = 3 above every header: TOML allows no [TRAIN] any more
		line = strings.Replace(line, bareKey(field.Key)+" = ", field.Section+"."+bareKey(field.Key)+" = ", 1)
	}
	end := lineEnd(f.raw, at)
	if end == len(f.raw) {
		return splice(f.raw, end, end, eol+line)
	}
	return splice(f.raw, end+1, end+1, line)
}

func lineStart(b []byte, pos int) int { return bytes.LastIndexByte(b[:pos], '\n') + 1 }

func sortFaults(faults Errors) {
	sort.SliceStable(faults, func(i, j int) bool {
		a, b := faults[i], faults[j]
		return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
	})
}
