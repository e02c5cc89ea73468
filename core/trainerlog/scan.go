package trainerlog

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unsafe"
)

// A scanner takes JSON apart as Python programs write it: NaN and Infinity stand bare, and so do the dictionaries that
// a trainer prints, with their single quotes, None, True, nan and inf. It allocates nothing, and a text of any depth
// takes no more stack than a flat one. Every method says whether what was expected is there.
type scanner struct {
	b []byte
	i int
}

// kind is what a value is.
type kind byte

const (
	other  kind = iota // null, true, false, a list or an object
	number             // also one that stands in quotes: see figure
	text
)

func (s *scanner) blanks() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}

// take takes one character after blanks.
func (s *scanner) take(c byte) bool {
	s.blanks()
	if s.i >= len(s.b) || s.b[s.i] != c {
		return false
	}
	s.i++
	return true
}

func (s *scanner) peek() byte {
	s.blanks()
	if s.i >= len(s.b) {
		return 0
	}
	return s.b[s.i]
}

// members calls with the key of every member of an object; each has to take the value.
func (s *scanner) members(each func(key []byte) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		key, ok := s.quoted()
		if !ok || !s.take(':') || !each(key) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

// quoted takes a text in quotes of either kind; what is escaped in it stays so.
func (s *scanner) quoted() ([]byte, bool) {
	s.blanks()
	if s.i >= len(s.b) || s.b[s.i] != '"' && s.b[s.i] != '\'' {
		return nil, false
	}
	quote, from := s.b[s.i], s.i+1
	for i := from; i < len(s.b); i++ {
		end := bytes.IndexByte(s.b[i:], quote)
		if end < 0 {
			return nil, false
		}
		i += end
		escapes := 0
		for i-1-escapes >= from && s.b[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			s.i = i + 1
			return s.b[from:i], true
		}
	}
	return nil, false
}

// ends are the characters that end a number or a word.
var ends = [256]bool{',': true, '}': true, ']': true, ' ': true, '\n': true, '\t': true, '\r': true}

// value takes any value; of a list or an object it is the whole text.
func (s *scanner) value() (kind, []byte, bool) {
	switch c := s.peek(); c {
	case 0:
		return other, nil, false
	case '"', '\'':
		v, ok := s.quoted()
		return text, v, ok
	case '{', '[':
		from := s.i
		ok := s.nested()
		return other, s.b[from:s.i], ok
	}
	from := s.i
	for s.i < len(s.b) && !ends[s.b[s.i]] {
		s.i++
	}
	v := s.b[from:s.i]
	if len(v) == 0 {
		return other, nil, false
	}
	switch v[0] {
	case 't', 'f', 'T', 'F': // true, False
		return other, v, true
	case 'n', 'N': // null, None; else NaN, nan
		if len(v) == 4 {
			return other, v, true
		}
	}
	return number, v, true
}

// nested takes a list or an object whatever is in it.
func (s *scanner) nested() bool {
	depth := 0
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				s.i++
				return true
			}
		case '"', '\'':
			if _, ok := s.quoted(); !ok {
				return false
			}
			continue
		}
		s.i++
	}
	return false
}

// figure is the number that a value stands for: 0.5, "0.5", NaN, "2.28%".
func figure(v []byte) (float64, bool) {
	if n := len(v); n > 0 && v[n-1] == '%' {
		v = v[:n-1]
	}
	if len(v) == 0 || len(v) > 64 {
		return 0, false
	}
	switch c := v[0]; {
	case c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.':
	case c == 'n' || c == 'N' || c == 'i' || c == 'I':
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(unsafe.String(&v[0], len(v)), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// whole is a number of steps.
func whole(v []byte) (int, bool) {
	n := 0
	if len(v) == 0 || len(v) > 15 {
		f, ok := figure(v)
		return int(f), ok && f >= 0 && f < 1<<53
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			f, ok := figure(v)
			return int(f), ok && f >= 0 && f < 1<<53
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// duration is a time in seconds as trainers write it: 1:02:03, "9 days, 22:13:15", 2m 16s, 1h 2m 3s.
func duration(v []byte) (float64, bool) {
	t := strings.TrimSpace(string(v))
	seconds := 0.0
	if days, rest, ok := strings.Cut(t, " day"); ok {
		n, err := strconv.Atoi(days)
		_, clock, found := strings.Cut(rest, ", ")
		if err != nil || n < 0 || !found {
			return 0, false
		}
		seconds, t = 86400*float64(n), clock
	}
	if strings.Contains(t, ":") {
		parts, sum := strings.Split(t, ":"), 0.0
		for _, p := range parts {
			n, err := strconv.ParseFloat(p, 64)
			if err != nil || !(n >= 0) || len(parts) > 3 {
				return 0, false
			}
			sum = 60*sum + n
		}
		return seconds + sum, true
	}
	units := map[byte]float64{'d': 86400, 'h': 3600, 'm': 60, 's': 1}
	parts := strings.Fields(t)
	for _, p := range parts {
		unit := units[p[len(p)-1]]
		n, err := strconv.ParseFloat(p[:len(p)-1], 64)
		if unit == 0 || err != nil || !(n >= 0) {
			return 0, false
		}
		seconds += n * unit
	}
	return seconds, len(parts) > 0
}
