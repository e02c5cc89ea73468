// Package pickle reads the tensors of files that torch.save has written (.bin, .pt, .pth), the zip archives of today
// and the plain streams of before 2020, without running what a pickle can ask Python to run: the few objects that hold
// weights are known by name, and any other is an error that names it. What a file says never costs more memory than the
// file is long. It writes nothing.
package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The most that a pickle without its tensors' values may be: a model's is some hundred kilobytes.
const (
	maxPickle  = 32 << 20 // bytes
	maxObjects = 4 << 20  // values that it makes
)

// The values of a pickle are nil, bool, int64, float64, string, []byte, *list, *dict, global, storage, tensor and
// opaque.
type (
	list struct{ items []any } // of a list, a tuple or a set
	dict struct{ keys, values []any }
	mark struct{}
	// opaque is an object that holds no tensor and is never looked at.
	opaque struct{}
)

var (
	errShort   = errors.New("the pickle ends in the middle of a value: the file is cut off, fetch it again")
	errStack   = errors.New("the pickle takes a value that is not there: the file is damaged, fetch it again")
	errObjects = fmt.Errorf("the pickle makes more than %d values, more than any model's", maxObjects)
)

// machine runs the instructions of one pickle (Python's pickletools describes them).
type machine struct {
	data    []byte
	at      int
	stack   []any
	memo    map[int]any
	objects int
	persist func(id any) (any, error) // the object that a persistent id stands for; nil: none does
}

// load runs the pickle at the beginning of data. It returns what the pickle makes and the number of its bytes.
func load(data []byte, persist func(id any) (any, error)) (value any, n int, err error) {
	m := &machine{data: data, memo: map[int]any{}, persist: persist}
	for {
		op, err := m.take(1)
		if err != nil {
			return nil, m.at, err
		}
		if op[0] == '.' {
			v, err := m.pop()
			return v, m.at, err
		}
		if m.objects++; m.objects > maxObjects {
			return nil, m.at, errObjects
		}
		if err := m.step(op[0]); err != nil {
			return nil, m.at, err
		}
	}
}

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.data)-m.at {
		return nil, errShort
	}
	m.at += n
	return m.data[m.at-n : m.at], nil
}

// number reads an unsigned number of so many bytes.
func (m *machine) number(bytes int) (int, error) {
	b, err := m.take(bytes)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	if v := binary.LittleEndian.Uint64(wide[:]); v <= math.MaxInt64 {
		return int(v), nil
	}
	return 0, errShort // no file is as long
}

// counted reads a length of so many bytes, and the bytes that it counts.
func (m *machine) counted(bytes int) ([]byte, error) {
	n, err := m.number(bytes)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line reads up to the end of the line.
func (m *machine) line() (string, error) {
	for i := m.at; i < len(m.data); i++ {
		if m.data[i] == '\n' {
			s := string(m.data[m.at:i])
			m.at = i + 1
			return s, nil
		}
	}
	return "", errShort
}

func (m *machine) push(v any) error {
	m.stack = append(m.stack, v)
	return nil
}

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errStack
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errStack
	}
	return v, nil
}

// popMark takes all above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items, nil
		}
	}
	return nil, errStack
}

// popN takes n values, in the order in which they came.
func (m *machine) popN(n int) ([]any, error) {
	items := make([]any, n)
	var err error
	for i := n - 1; i >= 0 && err == nil; i-- {
		items[i], err = m.pop()
	}
	return items, err
}

// top is the value that instructions add to.
func top[T any](m *machine) (v T, err error) {
	if len(m.stack) > 0 {
		if v, ok := m.stack[len(m.stack)-1].(T); ok {
			return v, nil
		}
	}
	return v, errStack
}

func (m *machine) get(key int) error {
	v, ok := m.memo[key]
	if !ok {
		return errStack
	}
	return m.push(v)
}

func (m *machine) put(key int, err error) error {
	if err != nil {
		return err
	}
	if len(m.stack) == 0 {
		return errStack
	}
	m.memo[key] = m.stack[len(m.stack)-1]
	return nil
}

// add puts pairs of keys and values in a dictionary.
func (d *dict) add(items []any) error {
	if len(items)%2 != 0 {
		return errStack
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
	return nil
}

// get is the value of a name, the last one where it was set twice.
func (d *dict) get(name string) (any, bool) {
	for i := len(d.keys) - 1; i >= 0; i-- {
		if d.keys[i] == any(name) {
			return d.values[i], true
		}
	}
	return nil, false
}

// integer reads a number of two's complement and any length that an int64 holds.
func integer(b []byte) (any, error) {
	if len(b) > 8 {
		return opaque{}, nil // no size or offset
	}
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if n := len(b); n > 0 && n < 8 && b[n-1]&0x80 != 0 {
		v |= math.MaxUint64 << (8 * n)
	}
	return int64(v), nil
}

// decimal reads a number as text, as protocol 0 writes it.
func decimal(s string) (any, error) {
	switch s {
	case "00":
		return false, nil
	case "01":
		return true, nil
	}
	v, err := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return opaque{}, nil
	}
	return v, err
}
