package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"

	"finetui/ml/wholefile"
)

// maxBytes is the largest file that is read; a config of ours has a few thousand bytes.
const maxBytes = 1 << 20

// Error is one thing wrong in a file. Line and Col (in characters) count from 1; 0 where the file as a whole is meant.
type Error struct {
	Path      string
	Line, Col int
	Key       string // full name of the constant, if one is concerned
	Text      string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, e.Col)
	}
	b.WriteString(": ")
	if e.Key != "" {
		b.WriteString(e.Key + " ")
	}
	b.WriteString(e.Text)
	return b.String()
}

// Errors is everything wrong in a file, in the file's order. errors.As finds it in what Load and Parse return.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// File is a config.toml that is edited: a Snapshot of what it holds now, and the way back. It is for one goroutine; its
// Snapshot is for any. An edit puts a new Snapshot there, so that an old one stays as it was.
type File struct {
	*Snapshot

	disk    *Snapshot // what Load read or Save wrote; nil: the file must not exist yet
	settled *Snapshot // the constants then, with those of the session: what undoing everything comes back to
	undo    []state

	session Session
	store   store
}

// missing is the error of a file that is not there; it is os.ErrNotExist.
type missing string

func (path missing) Error() string {
	return fmt.Sprintf("%s does not exist; `finetui new demo` makes a project to start from", string(path))
}

func (missing) Is(err error) bool { return err == os.ErrNotExist }

// Load reads a file. What is wrong in it comes back together as Errors; what it leaves out has its default.
func Load(path string) (*File, error) {
	in, err := wholefile.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, missing(path)
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read config %s: %w", path, err)
	}
	if len(raw) > maxBytes {
		return nil, &Error{Path: path, Text: "is larger than 1 MiB; is this a config.toml?"}
	}
	f, err := Parse(path, raw)
	if err != nil {
		return nil, err
	}
	f.disk = f.Snapshot
	return f, nil
}

// Parse is Load for bytes that are at hand. path is used in errors and by Save, which then expects no file there.
func Parse(path string, raw []byte) (*File, error) {
	root, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("folder of %s: %w", path, err)
	}
	s, err := newSnapshot(path, root, append([]byte{}, raw...))
	if err != nil {
		return nil, err
	}
	return &File{Snapshot: s, settled: s}, nil
}

// Move says where the file is to be saved, and where its relative paths start from.
func (f *File) Move(path, root string) {
	before := f.Snapshot
	if f.Snapshot = before.At(path, root); f.settled == before {
		f.settled = f.Snapshot
	}
}

// Settled are the constants as the file was loaded or saved last, with those of the session.
func (f *File) Settled() *Snapshot { return f.settled }

// Exports is the folder where panes of the project in root write what is asked of them:
// in the project's own folder, which no repository takes in.
func Exports(root string) string { return filepath.Join(root, ".finetui", "exports") }

// decode checks a whole file: syntax, then every name, type, choice and bound.
func decode(path string, raw []byte) (*Config, layout, error) {
	if err := tooDeep(path, raw); err != nil {
		return nil, layout{}, err
	}
	var values map[string]any
	if _, err := toml.Decode(string(raw), &values); err != nil {
		return nil, layout{}, Errors{syntaxError(path, raw, err)}
	}
	l, err := scan(raw)
	if err != nil {
		return nil, layout{}, &Error{Path: path, Text: err.Error()}
	}
	c := Default()
	var faults Errors
	fault := func(pos int, key, text string) {
		line, col := position(raw, pos)
		faults = append(faults, &Error{path, line, col, key, text})
	}
	for _, t := range l.tables {
		if text := checkTable(t); text != "" {
			fault(t.start, "", text)
		}
	}
	for _, e := range l.entries {
		value, ok := lookupPath(values, e.path)
		if !ok {
			return nil, layout{}, &Error{Path: path, Text: fmt.Sprintf("%s could not be located",
				strings.Join(e.path, "."))}
		}
		field, text := checkEntry(e, value)
		if text != "" {
			fault(e.key, "", text)
			continue
		}
		if field.Key == "" {
			continue // its table was the fault
		}
		v, err := checkValue(field, value)
		if err != nil {
			fault(e.value, field.Name(), err.Error())
			continue
		}
		assign(c, field, v)
	}
	if len(faults) > 0 {
		sortFaults(faults)
		return nil, layout{}, faults
	}
	constants := 0
	for _, section := range values {
		if m, ok := section.(map[string]any); ok {
			constants += len(m)
		}
	}
	if constants != len(l.entries) { // an edit could go to the wrong place
		return nil, layout{}, &Error{Path: path,
			Text: "could not be taken apart for editing; write one [SECTION] for each section and one constant a line"}
	}
	return c, l, nil
}

// mostNested is how many dots or brackets one line may have, and mostConstants how many lines may set something: a file
// of ours has a hundred constants of one level. What is far beyond would keep the parser busy for hours.
const mostNested, mostConstants = 400, 5000

// tooDeep is the error for a file that is no config.toml by its shape.
func tooDeep(path string, raw []byte) error {
	sets := 0
	for number, line := 1, []byte(nil); len(raw) > 0; number++ {
		line, raw, _ = bytes.Cut(raw, []byte("\n"))
		name, _, given := bytes.Cut(bytes.TrimSpace(line), []byte("="))
		dots, most := bytes.Count(name, []byte(".")), mostNested
		// no line of prose
		if (given || bytes.HasPrefix(name, []byte("["))) && !bytes.ContainsAny(bytes.TrimSpace(name), " \t") {
			most = 16
		}
		if dots > most {
			return Errors{{path, number, 1, "", "names a constant with many dots; a constant is SECTION.KEY"}}
		}
		if bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{")) > mostNested {
			return Errors{{path, number, 1, "", "opens more brackets than any constant has; is this a config.toml?"}}
		}
		if bytes.ContainsAny(line, "=[") {
			sets++
		}
	}
	if sets > mostConstants {
		return Errors{{path, 0, 0, "",
			fmt.Sprintf("sets %d constants, and there are not that many; is this a config.toml?", sets)}}
	}
	return nil
}

func syntaxError(path string, raw []byte, err error) *Error {
	var pe toml.ParseError
	if !errors.As(err, &pe) {
		return &Error{Path: path, Text: err.Error()}
	}
	start := max(0, pe.Position.Start) // the parser gives -1 for a control character at the very start
	if strings.HasPrefix(string(raw), "\xef\xbb\xbf") {
		start += 3
	}
	line, col := position(raw, start)
	if line != pe.Position.Line {
		line, col = pe.Position.Line, max(pe.Position.Col, 1)
	}
	return &Error{path, line, col, "", pe.Message}
}

// checkTable says what is wrong with a header, or "".
func checkTable(t table) string {
	name := strings.Join(t.path, ".")
	known := false
	for _, s := range schema().sections {
		known = known || s.Name == t.path[0]
	}
	switch {
	case !known:
		return unknownName(t.path[0], "").Error()
	case t.array:
		return fmt.Sprintf("[[%s]] is a list of tables; write [%s] once", name, name)
	case len(t.path) > 1:
		return fmt.Sprintf("[%s] is a table in a section; a section holds constants only", name)
	}
	return ""
}

// checkEntry returns the field an entry sets, or what is wrong with its name. Neither: the header above it is at fault.
func checkEntry(e entry, value any) (Field, string) {
	section := e.path[0]
	if _, isTable := value.(map[string]any); isTable && len(e.path) == 1 {
		return Field{}, fmt.Sprintf("%s is written as an inline table; write [%s] and its constants below it",
			section, section)
	}
	underHeader := len(e.path) > e.dots
	if underHeader && checkTable(table{path: e.path[:len(e.path)-e.dots]}) != "" {
		return Field{}, ""
	}
	switch len(e.path) {
	case 1:
		if homes := sectionsWith(section); homes != nil {
			return Field{}, fmt.Sprintf("%s stands above every section; write it below [%s]", section, homes[0])
		}
		return Field{}, unknownName(section, "").Error()
	case 2:
		field, err := Lookup(section + "." + e.path[1])
		if err != nil {
			return Field{}, err.Error()
		}
		return field, ""
	}
	if section == keysSection {
		return Field{}, fmt.Sprintf("an action with dots goes in quotes: %s", quote(strings.Join(e.path[1:], ".")))
	}
	return Field{}, fmt.Sprintf("%s has too many dots; a constant is SECTION.KEY", strings.Join(e.path, "."))
}

func lookupPath(values map[string]any, path []string) (any, bool) {
	var v any = values
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			// A table inside [[…]]: checkTable has refused it, any value will do.
			_, isArray := v.([]map[string]any)
			return nil, isArray
		}
		if v, ok = m[p]; !ok {
			return nil, false
		}
	}
	return v, true
}

func sortFaults(faults Errors) {
	sort.SliceStable(faults, func(i, j int) bool {
		a, b := faults[i], faults[j]
		return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
	})
}
