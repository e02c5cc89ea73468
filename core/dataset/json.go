package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// jsonReader reads a JSON text of any length in bounded memory: one member after another, in the order in which they
// stand. Label files of hundreds of megabytes are one value.
type jsonReader struct {
	in       io.Reader
	buffer   []byte
	pos, end int    // what is left in buffer
	from     int    // where the token that is being read begins; -1: nothing is held
	passed   int64  // bytes before buffer
	cause    error  // that reading ended with; io.EOF at the end of the text
	plain    []byte // a text without its escapes
	key      []byte
	depth    int
}

const (
	jsonBuffer   = 256 << 10
	longestToken = 64 << 20 // bytes
	deepestJSON  = 200
)

func newJSONReader(in io.Reader) *jsonReader {
	r := &jsonReader{in: in, buffer: make([]byte, jsonBuffer), from: -1}
	r.fill()
	if bytes.HasPrefix(r.buffer[:r.end], []byte("\xef\xbb\xbf")) {
		r.pos = 3
	}
	return r
}

// jsonFault is where a text is no JSON, and why.
type jsonFault struct {
	at  int64 // bytes from the beginning
	why string
}

func (f *jsonFault) Error() string { return fmt.Sprintf("byte %d: %s", f.at, f.why) }

// fault is the error of what stands at pos, or of reading where that failed.
func (r *jsonReader) fault(why string) error {
	if r.cause != nil && !errors.Is(r.cause, io.EOF) {
		return r.cause
	}
	if r.pos == r.end {
		why = "the file ends in the middle: it was cut off"
	}
	return &jsonFault{r.passed + int64(r.pos), why}
}

// fill reads on, and keeps what stands from r.from on, or from r.pos. It says whether there is more now.
func (r *jsonReader) fill() bool {
	if r.cause != nil {
		return false
	}
	keep := r.pos
	if r.from >= 0 {
		keep = r.from
	}
	if keep == 0 && r.end == len(r.buffer) {
		if len(r.buffer) >= longestToken {
			r.cause = fmt.Errorf("a value of more than %d MiB", longestToken>>20)
			return false
		}
		r.buffer = append(r.buffer, make([]byte, len(r.buffer))...)
	}
	copy(r.buffer, r.buffer[keep:r.end])
	r.passed += int64(keep)
	r.pos, r.end = r.pos-keep, r.end-keep
	if r.from >= 0 {
		r.from = 0
	}
	for range 100 {
		n, err := r.in.Read(r.buffer[r.end:])
		r.end += n
		if err != nil {
			r.cause = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
	r.cause = io.ErrNoProgress
	return false
}

// peek is the byte that the next value begins with, or that ends this one; 0 at the end of the text.
func (r *jsonReader) peek() byte {
	for {
		for r.pos < r.end {
			if c := r.buffer[r.pos]; c > ' ' {
				return c
			}
			r.pos++
		}
		if !r.fill() {
			return 0
		}
	}
}

// expect takes one sign.
func (r *jsonReader) expect(sign byte) error {
	if c := r.peek(); c != sign {
		return r.fault(fmt.Sprintf("%q is missing here", sign))
	}
	r.pos++
	return nil
}

// inner counts how deep values lie in one another.
func (r *jsonReader) inner(read func() error) error {
	if r.depth++; r.depth > deepestJSON {
		return r.fault("values lie too deep in one another")
	}
	err := read()
	r.depth--
	return err
}

// object calls member for each member of an object, which must read its value. key is valid
// until it does.
func (r *jsonReader) object(member func(key []byte) error) error {
	return r.inner(func() error {
		if err := r.expect('{'); err != nil {
			return err
		}
		if r.peek() == '}' {
			r.pos++
			return nil
		}
		for {
			key, err := r.text()
			if err == nil {
				r.key = append(r.key[:0], key...)
				err = r.expect(':')
			}
			if err == nil {
				err = member(r.key)
			}
			if err != nil {
				return err
			}
			if more, err := r.more('}'); !more {
				return err
			}
		}
	})
}

// array calls entry for each entry of an array, which must read it.
func (r *jsonReader) array(entry func() error) error {
	return r.inner(func() error {
		if err := r.expect('['); err != nil {
			return err
		}
		if r.peek() == ']' {
			r.pos++
			return nil
		}
		for {
			if err := entry(); err != nil {
				return err
			}
			if more, err := r.more(']'); !more {
				return err
			}
		}
	})
}

func (r *jsonReader) more(last byte) (bool, error) {
	switch r.peek() {
	case ',':
		r.pos++
		return true, nil
	case last:
		r.pos++
		return false, nil
	}
	return false, r.fault(fmt.Sprintf(`"," or %q is missing here`, last))
}

// text reads a string. The bytes are valid until the next call; an unpaired half of a surrogate reads U+FFFD.
func (r *jsonReader) text() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.fault("a text in quotes is missing here")
	}
	r.pos++
	r.from = r.pos
	defer func() { r.from = -1 }()
	escaped := false
	n, quote := 0, -1 // bytes that have been looked at, and where the next quote is, both from r.from
	for {
		rest := r.buffer[r.from+n : r.end]
		if quote < n {
			if quote = bytes.IndexByte(rest, '"'); quote >= 0 {
				quote += n
			}
		}
		if quote >= n {
			rest = rest[:quote-n]
		}
		switch slash := bytes.IndexByte(rest, '\\'); {
		case slash >= 0 && r.from+n+slash+1 < r.end:
			escaped = true
			n += slash + 2
			continue
		case slash >= 0: // the sign that is escaped is still to come
			n += slash
		case quote >= n:
			text := r.buffer[r.from : r.from+quote]
			r.pos = r.from + quote + 1
			if escaped {
				r.plain = unescape(r.plain[:0], text)
				text = r.plain
			}
			return text, nil
		default:
			n += len(rest)
		}
		r.pos = r.end
		if !r.fill() {
			return nil, r.fault("")
		}
	}
}

// unescape appends a string without its escapes.
func unescape(to, text []byte) []byte {
	for len(text) > 0 {
		at := bytes.IndexByte(text, '\\')
		if at < 0 || at+1 == len(text) {
			return append(to, text...)
		}
		to = append(to, text[:at]...)
		sign := text[at+1]
		text = text[at+2:]
		switch sign {
		case 'n':
			to = append(to, '\n')
		case 't':
			to = append(to, '\t')
		case 'r':
			to = append(to, '\r')
		case 'b':
			to = append(to, '\b')
		case 'f':
			to = append(to, '\f')
		case 'u':
			c := hex4(text)
			text = text[min(4, len(text)):]
			if utf16.IsSurrogate(c) {
				if pair := utf16.DecodeRune(c, second(text)); pair != utf8.RuneError {
					c, text = pair, text[6:]
				} else {
					c = utf8.RuneError
				}
			}
			to = utf8.AppendRune(to, c)
		default:
			to = append(to, sign)
		}
	}
	return to
}

func second(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return utf8.RuneError
	}
	return hex4(text[2:])
}

func hex4(text []byte) rune {
	if len(text) < 4 {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(text[:4]), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// word takes a number or a literal: all signs up to the next one that ends a value.
func (r *jsonReader) word() []byte {
	r.peek()
	r.from = r.pos
	for {
		for ; r.pos < r.end; r.pos++ {
			switch c := r.buffer[r.pos]; {
			case c <= ' ', c == ',', c == ']', c == '}', c == ':', c == '"', c == '[', c == '{':
				word := r.buffer[r.from:r.pos]
				r.from = -1
				return word
			}
		}
		if !r.fill() {
			word := r.buffer[r.from:r.pos]
			r.from = -1
			return word
		}
	}
}

// number reads a number. NaN and Infinity, which Python writes, are read, and a number in quotes is one; what is no
// number, as null, is NaN.
func (r *jsonReader) number() (float64, error) {
	var word []byte
	switch r.peek() {
	case '"':
		text, err := r.text()
		if err != nil {
			return 0, err
		}
		word = text
	case '{', '[':
		return math.NaN(), r.skip()
	default:
		word = r.word()
	}
	if len(word) == 0 {
		return 0, r.fault("a number is missing here")
	}
	if v, ok := plainNumber(word); ok {
		return v, nil
	}
	if v, err := strconv.ParseFloat(string(word), 64); err == nil {
		return v, nil
	}
	return math.NaN(), nil
}

// plainNumber is the number of few digits and a point at most, exactly as strconv has it.
func plainNumber(word []byte) (v float64, ok bool) {
	const digits = 15 // that a float64 holds exactly
	negative := word[0] == '-'
	if negative {
		word = word[1:]
	}
	if len(word) == 0 || len(word) > digits+1 {
		return 0, false
	}
	mantissa, after, point := int64(0), 0, false
	for _, c := range word {
		switch {
		case c >= '0' && c <= '9':
			mantissa = 10*mantissa + int64(c-'0')
			if point {
				after++
			}
		case c == '.' && !point:
			point = true
		default:
			return 0, false
		}
	}
	if point && len(word) == 1 || mantissa >= 1e15 {
		return 0, false
	}
	v = float64(mantissa) / powersOfTen[after]
	if negative {
		v = -v
	}
	return v, true
}

var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// skip passes over a value.
func (r *jsonReader) skip() error {
	switch r.peek() {
	case '{':
		return r.object(func([]byte) error { return r.skip() })
	case '[':
		return r.array(r.skip)
	case '"':
		_, err := r.text()
		return err
	}
	if len(r.word()) == 0 {
		return r.fault("a value is missing here")
	}
	return nil
}

// openJSON opens a file for reading from the beginning; what is no regular file is refused.
func openJSON(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, errors.New("no file")
	}
	return file, nil
}

// lineOf is the line of a byte of a file, from 1; 0 where it cannot be read.
func lineOf(path string, at int64) int {
	file, err := openJSON(path)
	if err != nil {
		return 0
	}
	defer file.Close()
	line, rest, buffer := 1, at, make([]byte, 64<<10)
	for rest > 0 {
		n, err := file.Read(buffer[:min(rest, int64(len(buffer)))])
		line += bytes.Count(buffer[:n], []byte{'\n'})
		if rest -= int64(n); err != nil {
			break
		}
	}
	return line
}
