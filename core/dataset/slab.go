package dataset

import (
	"hash/maphash"
	"strings"
)

// slab keeps many short texts in few pieces of memory.
type slab struct{ room *strings.Builder }

const slabBytes = 64 << 10

// join keeps the parts as one text.
func (s *slab) join(parts ...string) string {
	n := 0
	for _, part := range parts {
		n += len(part)
	}
	if s.room == nil || s.room.Cap()-s.room.Len() < n {
		s.room = &strings.Builder{}
		s.room.Grow(max(slabBytes, n))
	}
	start := s.room.Len()
	for _, part := range parts {
		s.room.WriteString(part)
	}
	return s.room.String()[start:]
}

// isPlain says that a path is a clean one of printable ASCII, with forward slashes, from no folder in particular.
func isPlain[T string | []byte](name T) bool {
	begin, dots := 0, true // of the folder or file that is being read; it is of dots alone
	for i := range len(name) {
		switch c := name[i]; {
		case c <= ' ' || c >= 0x7f || c == '\\':
			return false
		case c == '/':
			if dots && i-begin <= 2 { // none, "." or ".."
				return false
			}
			begin, dots = i+1, true
		case c != '.':
			dots = false
		}
	}
	return !dots || len(name)-begin > 2
}

// hashTable finds what is numbered by its hash: an open table.
type hashTable struct {
	slots []hashSlot
	n     int
}

// hashSlot is half of a hash, and the number of what it is of, from 1; 0 is free.
type hashSlot struct{ hash, number uint32 }

var hashSeed = maphash.MakeSeed()

func hashOf(text []byte) uint32 { return uint32(maphash.Bytes(hashSeed, text) >> 32) }

func hashOfText(text string) uint32 { return uint32(maphash.String(hashSeed, text) >> 32) }

// find is the number of what has a hash and of which is says that it is meant; -1 where there is none.
func (t *hashTable) find(hash uint32, is func(number int32) bool) int32 {
	if len(t.slots) == 0 {
		return -1
	}
	last := len(t.slots) - 1
	for at := int(hash) & last; t.slots[at].number != 0; at = (at + 1) & last {
		if s := t.slots[at]; s.hash == hash && is(int32(s.number)-1) {
			return int32(s.number) - 1
		}
	}
	return -1
}

// put takes in what is not in the table.
func (t *hashTable) put(hash uint32, number int) {
	t.reserve(t.n + 1)
	t.slots[t.free(hash)] = hashSlot{hash, uint32(number) + 1}
	t.n++
}

// putID takes in the ID of the next of some items, all of which are in; false where one has it.
func (t *hashTable) putID(items []Item, id string) bool {
	hash := hashOfText(id)
	if t.find(hash, func(i int32) bool { return items[i].ID == id }) >= 0 {
		return false
	}
	t.put(hash, len(items))
	return true
}

// reserve makes room for so many in all.
func (t *hashTable) reserve(n int) {
	size := max(1<<10, len(t.slots))
	for 4*n > 3*size {
		size *= 2
	}
	if size == len(t.slots) {
		return
	}
	old := t.slots
	t.slots = make([]hashSlot, size)
	for _, s := range old {
		if s.number != 0 {
			t.slots[t.free(s.hash)] = s
		}
	}
}

func (t *hashTable) free(hash uint32) int {
	last := len(t.slots) - 1
	at := int(hash) & last
	for t.slots[at].number != 0 {
		at = (at + 1) & last
	}
	return at
}
