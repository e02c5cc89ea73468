package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// entry is where one `key = value` stands in the file. All offsets are bytes from the file's start.
type entry struct {
	path       []string // table and dotted key together: ["TRAIN", "EPOCHS"]
	dots       int      // parts of path written on the entry's own line
	key        int      // start of the key
	value, end int      // the value's first byte, and the one after its last
}

// table is where one [header] stands.
type table struct {
	path  []string
	start int
	end   int // after the closing bracket
	array bool
}

// layout is what scan finds: enough to say where a name stands and to replace one value.
type layout struct {
	entries []entry
	tables  []table
}

// scan finds the headers, keys and values of a file that the TOML parser has already accepted.
func scan(raw []byte) (layout, error) {
	var l layout
	var current []string
	pos := 0
	if bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) {
		pos = 3
	}
	for {
		pos = skipSpace(raw, pos, true)
		if pos >= len(raw) {
			return l, nil
		}
		start := pos
		if raw[pos] == '[' {
			t := table{start: start}
			pos++
			if pos < len(raw) && raw[pos] == '[' {
				t.array = true
				pos++
			}
			t.path, pos = scanKey(raw, pos)
			for pos < len(raw) && raw[pos] == ']' {
				pos++
			}
			if len(t.path) == 0 {
				return l, fmt.Errorf("byte %d: a header without a name", start)
			}
			t.end = pos
			current = t.path
			l.tables = append(l.tables, t)
		} else {
			e := entry{key: start}
			var own []string
			own, pos = scanKey(raw, pos)
			if len(own) == 0 || pos >= len(raw) || raw[pos] != '=' {
				return l, fmt.Errorf("byte %d: a key and = were expected", pos)
			}
			e.path = append(append([]string{}, current...), own...)
			e.dots = len(own)
			e.value = skipSpace(raw, pos+1, false)
			e.end = scanValue(raw, e.value)
			pos = e.end
			l.entries = append(l.entries, e)
		}
		if pos <= start {
			return l, fmt.Errorf("byte %d: not understood", pos)
		}
	}
}

// skipSpace moves over blanks; with lines, over line ends and comments too.
func skipSpace(b []byte, pos int, lines bool) int {
	for pos < len(b) {
		switch c := b[pos]; {
		case c == ' ' || c == '\t':
			pos++
		case lines && (c == '\n' || c == '\r'):
			pos++
		case lines && c == '#':
			pos = lineEnd(b, pos)
		default:
			return pos
		}
	}
	return pos
}

// lineEnd returns the offset of the next line feed, or the end of the file.
func lineEnd(b []byte, pos int) int {
	if i := bytes.IndexByte(b[pos:], '\n'); i >= 0 {
		return pos + i
	}
	return len(b)
}

// scanKey reads a bare, quoted or dotted key with the blanks around it.
func scanKey(b []byte, pos int) (parts []string, next int) {
	for {
		pos = skipSpace(b, pos, false)
		start := pos
		if pos < len(b) && (b[pos] == '"' || b[pos] == '\'') {
			pos = scanString(b, pos)
			parts = append(parts, unquote(string(b[start:pos])))
		} else {
			for pos < len(b) && !bytes.ContainsRune([]byte(" \t\r\n.=]#"), rune(b[pos])) {
				pos++
			}
			if pos > start {
				parts = append(parts, string(b[start:pos]))
			}
		}
		pos = skipSpace(b, pos, false)
		if pos >= len(b) || b[pos] != '.' {
			return parts, pos
		}
		pos++
	}
}

func unquote(text string) string {
	var m map[string]any
	if _, err := toml.Decode("x = "+text, &m); err == nil {
		if s, ok := m["x"].(string); ok {
			return s
		}
	}
	return text
}

// scanValue returns the offset after the value that starts at pos.
func scanValue(b []byte, pos int) int {
	if pos >= len(b) {
		return pos
	}
	switch b[pos] {
	case '"', '\'':
		return scanString(b, pos)
	case '[', '{':
		return scanNested(b, pos)
	}
	end := pos
	for end < len(b) && b[end] != '#' && b[end] != '\n' && b[end] != '\r' {
		end++
	}
	return pos + len(bytes.TrimRight(b[pos:end], " \t"))
}

// scanNested returns the offset after the array or inline table that starts at pos.
func scanNested(b []byte, pos int) int {
	depth := 0
	for pos < len(b) {
		switch b[pos] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
			if depth == 0 {
				return pos + 1
			}
		case '#':
			pos = lineEnd(b, pos)
			continue
		case '"', '\'':
			pos = scanString(b, pos)
			continue
		}
		pos++
	}
	return pos
}

// scanString returns the offset after the string of any of TOML's four forms that starts at pos.
func scanString(b []byte, pos int) int {
	q := b[pos]
	if bytes.HasPrefix(b[pos:], []byte{q, q, q}) {
		for i := pos + 3; i < len(b); i++ {
			if b[i] == '\\' && q == '"' {
				i++
				continue
			}
			if bytes.HasPrefix(b[i:], []byte{q, q, q}) {
				end := i + 3
				for end < len(b) && end < i+5 && b[end] == q { // up to two quotes may end the text itself
					end++
				}
				return end
			}
		}
		return len(b)
	}
	for i := pos + 1; i < len(b) && b[i] != '\n'; i++ {
		switch b[i] {
		case '\\':
			if q == '"' {
				i++
			}
		case q:
			return i + 1
		}
	}
	return len(b)
}

// position returns line and column, in characters, both from 1.
func position(b []byte, pos int) (line, col int) {
	pos = min(pos, len(b))
	line = 1 + bytes.Count(b[:pos], []byte("\n"))
	start := bytes.LastIndexByte(b[:pos], '\n') + 1
	if start == 0 && bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) {
		start = min(3, pos)
	}
	return line, 1 + utf8.RuneCount(b[start:pos])
}

// find returns the entry of a section's key.
func (l *layout) find(section, key string) (entry, bool) {
	for _, e := range l.entries {
		if len(e.path) == 2 && e.path[0] == section && e.path[1] == key {
			return e, true
		}
	}
	return entry{}, false
}

// bareKey writes a key, in quotes where it needs them.
func bareKey(key string) string {
	bare := key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !(r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}) < 0
	if bare {
		return key
	}
	return quote(key)
}

func lineStart(b []byte, pos int) int { return bytes.LastIndexByte(b[:pos], '\n') + 1 }
