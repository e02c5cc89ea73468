package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// step runs one instruction, named by its byte.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // PROTO
		b, err := m.take(1)
		if err == nil && b[0] > 5 {
			return fmt.Errorf("the pickle is of protocol %d; up to 5 can be read", b[0])
		}
		return err
	case 0x95: // FRAME
		_, err := m.take(8)
		return err
	case '(': // MARK
		return m.push(mark{})
	case '0': // POP
		if len(m.stack) == 0 {
			return errStack
		}
		m.stack = m.stack[:len(m.stack)-1]
		return nil
	case '1': // POP_MARK
		_, err := m.popMark()
		return err
	case '2': // DUP
		v, err := top[any](m)
		if err != nil {
			return err
		}
		return m.push(v)
	}
	for _, part := range []func(op byte) (known bool, err error){m.constant, m.text, m.container, m.object, m.memory} {
		if known, err := part(op); known {
			return err
		}
	}
	return fmt.Errorf("the pickle has the instruction %#02x, which no file of torch.save has", op)
}

// result pushes what an instruction has read, unless that failed.
func (m *machine) result(v any, err error) (bool, error) {
	if err != nil {
		return true, err
	}
	return true, m.push(v)
}

// constant are the instructions that push numbers and the like.
func (m *machine) constant(op byte) (bool, error) {
	bytes := func(n int, read func(b []byte) (any, error)) (bool, error) {
		b, err := m.take(n)
		if err != nil {
			return true, err
		}
		return m.result(read(b))
	}
	unsigned := func(b []byte) (any, error) { return integer(append(append([]byte(nil), b...), 0)) }
	switch op {
	case 'N':
		return m.result(nil, nil)
	case 0x88, 0x89:
		return m.result(op == 0x88, nil)
	case 'K':
		return bytes(1, unsigned)
	case 'M':
		return bytes(2, unsigned)
	case 'J':
		return bytes(4, integer)
	case 0x8a, 0x8b: // LONG1, LONG4
		b, err := m.counted(map[byte]int{0x8a: 1, 0x8b: 4}[op])
		if err != nil {
			return true, err
		}
		return m.result(integer(b))
	case 'G':
		return bytes(8, func(b []byte) (any, error) {
			return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
		})
	case 'I', 'L', 'F':
		s, err := m.line()
		if err != nil {
			return true, err
		}
		if op == 'F' {
			return m.result(strconv.ParseFloat(s, 64))
		}
		return m.result(decimal(s))
	}
	return false, nil
}

// lengths are the bytes of the length before a text or a string of bytes.
var lengths = map[byte]int{'X': 4, 0x8c: 1, 0x8d: 8, 'T': 4, 'U': 1, 'B': 4, 'C': 1, 0x8e: 8, 0x96: 8}

// text are the instructions that push texts and bytes.
func (m *machine) text(op byte) (bool, error) {
	switch op {
	case 'X', 0x8c, 0x8d, 'T', 'U':
		b, err := m.counted(lengths[op])
		return m.result(string(b), err)
	case 'B', 'C', 0x8e, 0x96:
		b, err := m.counted(lengths[op])
		return m.result(b, err)
	case 'V':
		s, err := m.line()
		return m.result(s, err)
	case 'S': // quoted as Python does
		s, err := m.line()
		if err == nil && (len(s) < 2 || s[0] != s[len(s)-1]) {
			err = errStack
		}
		if err != nil {
			return true, err
		}
		return m.result(s[1:len(s)-1], nil)
	}
	return false, nil
}

// container are the instructions that make and fill lists, tuples, sets and dictionaries.
func (m *machine) container(op byte) (bool, error) {
	switch op {
	case ']', ')', 0x8f:
		return m.result(&list{}, nil)
	case '}':
		return m.result(&dict{}, nil)
	case 'l', 't', 0x91:
		items, err := m.popMark()
		return m.result(&list{items}, err)
	case 0x85, 0x86, 0x87:
		items, err := m.popN(int(op) - 0x84)
		return m.result(&list{items}, err)
	case 'd':
		items, err := m.popMark()
		d := &dict{}
		if err == nil {
			err = d.add(items)
		}
		return m.result(d, err)
	case 'a', 'e', 0x90:
		var items []any
		var err error
		if op == 'a' {
			items, err = m.popN(1)
		} else {
			items, err = m.popMark()
		}
		if err != nil {
			return true, err
		}
		to, err := top[*list](m)
		if err == nil {
			to.items = append(to.items, items...)
		}
		return true, err
	case 's', 'u':
		var items []any
		var err error
		if op == 's' {
			items, err = m.popN(2)
		} else {
			items, err = m.popMark()
		}
		if err != nil {
			return true, err
		}
		to, err := top[*dict](m)
		if err != nil {
			return true, err
		}
		return true, to.add(items)
	}
	return false, nil
}

// object are the instructions by which Python would make objects of any kind.
func (m *machine) object(op byte) (bool, error) {
	switch op {
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return true, err
		}
		name, err := m.line()
		if err != nil {
			return true, err
		}
		return m.result(find(module + "." + name))
	case 0x93: // STACK_GLOBAL
		names, err := m.popN(2)
		if err != nil {
			return true, err
		}
		module, ok1 := names[0].(string)
		name, ok2 := names[1].(string)
		if !ok1 || !ok2 {
			return true, errStack
		}
		return m.result(find(module + "." + name))
	case 'R', 0x81: // REDUCE, NEWOBJ
		both, err := m.popN(2)
		if err != nil {
			return true, err
		}
		called, ok1 := both[0].(global)
		given, ok2 := both[1].(*list)
		if !ok1 || !ok2 {
			return true, errStack
		}
		return m.result(called.call(given.items))
	case 'b': // BUILD: the attributes of an object, of which a state_dict has its _metadata
		both, err := m.popN(2)
		if err != nil {
			return true, err
		}
		switch both[0].(type) {
		case *dict, tensor, opaque:
			return m.result(both[0], nil)
		}
		return true, errStack
	case 'P', 'Q':
		var id any
		var err error
		if op == 'P' {
			id, err = m.line()
		} else {
			id, err = m.pop()
		}
		if err == nil && m.persist == nil {
			err = errStack
		}
		if err != nil {
			return true, err
		}
		return m.result(m.persist(id))
	}
	return false, nil
}

// memory are the instructions that note values and call for them again.
func (m *machine) memory(op byte) (bool, error) {
	switch op {
	case 'q', 'h':
		n, err := m.number(1)
		if op == 'q' || err != nil {
			return true, m.put(n, err)
		}
		return true, m.get(n)
	case 'r', 'j':
		n, err := m.number(4)
		if op == 'r' || err != nil {
			return true, m.put(n, err)
		}
		return true, m.get(n)
	case 0x94: // MEMOIZE
		return true, m.put(len(m.memo), nil)
	case 'p', 'g':
		s, err := m.line()
		if err != nil {
			return true, err
		}
		n, err := strconv.Atoi(s)
		if op == 'p' || err != nil {
			return true, m.put(n, err)
		}
		return true, m.get(n)
	}
	return false, nil
}
