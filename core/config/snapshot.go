package config

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// Snapshot is the constants at one moment: what a text and the defaults give. Nothing of it ever changes, its exported
// fields neither, so that any number of goroutines may hold one. An edit makes another Snapshot (With, File).
type Snapshot struct {
	Path   string  // of the file, for Save and for errors
	Root   string  // absolute folder that relative paths in the file start from
	Config *Config // to try values on: Changed

	raw    []byte
	layout layout
}

// parsed counts the texts that were parsed.
var parsed atomic.Int64

// Parsed is how many texts this process has parsed so far: tests hold that an edit costs one, and standing still none.
func Parsed() int64 { return parsed.Load() }

// newSnapshot parses a text.
func newSnapshot(path, root string, raw []byte) (*Snapshot, error) {
	parsed.Add(1)
	c, l, err := decode(path, raw)
	if err != nil {
		return nil, err
	}
	return &Snapshot{Path: path, Root: root, Config: c, raw: raw, layout: l}, nil
}

// Raw returns a copy of the text with all edits and overrides.
func (s *Snapshot) Raw() []byte { return append([]byte{}, s.raw...) }

// Abs returns a path from the file as an absolute one; "" stays "".
func (s *Snapshot) Abs(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.Root, path)
}

// Program is Abs for a program: a bare name, which is looked for on the PATH, stays as it is.
func (s *Snapshot) Program(path string) string {
	if !strings.ContainsRune(path, filepath.Separator) {
		return path
	}
	return s.Abs(path)
}

// At is the same text in another place.
func (s *Snapshot) At(path, root string) *Snapshot {
	moved := *s
	moved.Path, moved.Root = path, root
	return &moved
}

// Has tells whether the text itself names the constant; otherwise its value is the default.
func (s *Snapshot) Has(name string) bool {
	section, key, _ := strings.Cut(name, ".")
	_, ok := s.layout.find(section, key)
	return ok
}

// Comment returns the text's own comment lines right above the constant, joined, or the schema's sentence where it has
// none.
func (s *Snapshot) Comment(name string) string {
	section, key, _ := strings.Cut(name, ".")
	var lines []string
	if e, ok := s.layout.find(section, key); ok {
		above := strings.Split(string(s.raw[:lineStart(s.raw, e.key)]), "\n")
		for i := len(above) - 2; i >= 0; i-- {
			text, isComment := strings.CutPrefix(strings.TrimSpace(above[i]), "#")
			if !isComment {
				break
			}
			lines = append([]string{strings.TrimSpace(text)}, lines...)
		}
	}
	if text := strings.TrimSpace(strings.Join(lines, " ")); text != "" {
		return text
	}
	field, err := Lookup(name)
	if err != nil {
		return ""
	}
	return comment(field)
}

// Changed are constants with some of them set to their New text, as Set takes it; c stays as it was. No text is parsed:
// it is for values that are only tried.
func Changed(c *Config, changes ...Change) (*Config, error) {
	after := *c
	after.Keys = maps.Clone(c.Keys)
	if after.Keys == nil {
		after.Keys = Keys{}
	}
	for _, change := range changes {
		field, value, _, err := change.value()
		if err != nil {
			return nil, err
		}
		assign(&after, field, value)
	}
	return &after, nil
}

// value is what a change sets its constant to, and its TOML text.
func (c Change) value() (field Field, value any, source string, err error) {
	if field, err = Lookup(c.Key); err != nil {
		return field, nil, "", err
	}
	if value, source, err = parseValue(field, c.New); err != nil {
		return field, nil, "", fmt.Errorf("%s: %w", c.Key, err)
	}
	return field, value, source, nil
}

// With is the snapshot with constants set to their New text in the bytes, and no other byte touched: comments, order
// and spacing stay, and a value that is the same keeps its spelling. A constant that the text lacks is added, with its
// comment, at the end of its section; a missing section is appended. Of a constant that is set twice the last one
// counts. The result is parsed once, and is s itself where nothing differs. A value that is not allowed is an error.
func (s *Snapshot) With(changes ...Change) (*Snapshot, error) {
	edits, err := s.edits(changes)
	if err != nil || len(edits) == 0 {
		return s, err
	}
	next, err := newSnapshot(s.Path, s.Root, splice(s.raw, edits))
	if err != nil {
		var names []string
		for _, c := range changes {
			names = append(names, c.Key+" = "+c.New)
		}
		return nil, fmt.Errorf("%s would break the file, nothing was changed: %w", strings.Join(names, ", "), err)
	}
	return next, nil
}

// edit puts text in the place of the bytes from … to.
type edit struct {
	from, to int
	text     string
}

// splice makes edits that do not overlap; those at one place come in their order.
func splice(b []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(x, y edit) int { return x.from - y.from })
	out, at := make([]byte, 0, len(b)+64*len(edits)), 0
	for _, e := range edits {
		out = append(append(out, b[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, b[at:]...)
}

// added are constants that a text lacks, of one section.
type added struct {
	section string
	fields  []Field
	sources []string
}

// edits are what changes come to in the bytes.
func (s *Snapshot) edits(changes []Change) (edits []edit, err error) {
	last := map[string]int{}
	for i, c := range changes {
		last[c.Key] = i
	}
	var missing []added
	for i, c := range changes {
		field, value, source, err := c.value()
		if err != nil {
			return nil, err
		}
		e, present := s.layout.find(field.Section, field.Key)
		switch {
		case last[c.Key] != i, present && equalValues(value, valueOf(s.Config, field)):
		case present:
			edits = append(edits, edit{e.value, e.end, source})
		default:
			at := slices.IndexFunc(missing, func(a added) bool { return a.section == field.Section })
			if at < 0 {
				at = len(missing)
				missing = append(missing, added{section: field.Section})
			}
			missing[at].fields = append(missing[at].fields, field)
			missing[at].sources = append(missing[at].sources, source)
		}
	}
	var appended []added // whose section the text lacks
	for _, a := range missing {
		if e, ok := s.insert(a); ok {
			edits = append(edits, e)
		} else {
			appended = append(appended, a)
		}
	}
	return append(edits, s.newSections(appended, edits)...), nil
}

// eol is how the text ends its lines.
func (s *Snapshot) eol() string {
	if i := bytes.IndexByte(s.raw, '\n'); i > 0 && s.raw[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lines are the lines of constants with the comments above them; prefix stands before each key.
func (a added) lines(prefix, eol string) string {
	var b strings.Builder
	for i, field := range a.fields {
		if field.Section != keysSection {
			b.WriteString("# " + comment(field) + eol)
		}
		b.WriteString(prefix + bareKey(field.Key) + " = " + a.sources[i] + eol)
	}
	return b.String()
}

// insert puts constants after the last one of their section; false where the text has no such section.
func (s *Snapshot) insert(a added) (edit, bool) {
	at, prefix := -1, ""
	for _, t := range s.layout.tables {
		if t.path[0] == a.section {
			at = t.end
		}
	}
	for _, e := range s.layout.entries {
		if e.path[0] != a.section {
			continue
		}
		if at, prefix = e.end, ""; e.dots == 2 { // TRAIN.EPOCHS = 3 above every header: TOML allows no [TRAIN] any more
			prefix = a.section + "."
		}
	}
	if at < 0 {
		return edit{}, false
	}
	lines, end := a.lines(prefix, s.eol()), lineEnd(s.raw, at)
	if end == len(s.raw) {
		return edit{end, end, s.eol() + lines}, true
	}
	return edit{end + 1, end + 1, lines}, true
}

// newSections appends sections behind the text and what other edits put at its end.
func (s *Snapshot) newSections(sections []added, others []edit) (edits []edit) {
	n := len(s.raw)
	ended := n == 0 || s.raw[n-1] == '\n' || slices.ContainsFunc(others, func(e edit) bool { return e.from == n })
	for i, a := range sections {
		text := "[" + a.section + "]" + s.eol() + a.lines("", s.eol())
		if n > 0 || i > 0 {
			text = s.eol() + text
		}
		if !ended && i == 0 {
			text = s.eol() + text
		}
		edits = append(edits, edit{n, n, text})
	}
	return edits
}
