package dataset

import (
	"hash/maphash"
	"path"
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

// keep keeps a text.
func (s *slab) keep(text []byte) string {
	if s.room == nil || s.room.Cap()-s.room.Len() < len(text) {
		s.room = &strings.Builder{}
		s.room.Grow(max(slabBytes, len(text)))
	}
	start := s.room.Len()
	s.room.Write(text)
	return s.room.String()[start:]
}

// isPlain says that a path is a clean one of printable ASCII, with forward slashes, from no folder in particular.
func isPlain(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return name != "" && name[0] != '/' && name != ".." && !strings.HasPrefix(name, "../") && path.Clean(name) == name
}

// pathTable finds records by their paths without "./" before them: an open hash table.
type pathTable struct {
	slots []pathSlot
	n     int
}

// pathSlot is half of a path's hash, and the number of its record from 1; 0 is free.
type pathSlot struct{ hash, record uint32 }

var pathSeed = maphash.MakeSeed()

func pathHash(written []byte) uint32 { return uint32(maphash.Bytes(pathSeed, written) >> 32) }

// find is the number of the record with a path; -1 where there is none.
func (t *pathTable) find(records []clipRecord, written string) int32 {
	return t.of(records, pathHash([]byte(written)), []byte(written))
}

// of is find with the path's hash.
func (t *pathTable) of(records []clipRecord, hash uint32, written []byte) int32 {
	if len(t.slots) == 0 {
		return -1
	}
	last := len(t.slots) - 1
	for at := int(hash) & last; t.slots[at].record != 0; at = (at + 1) & last {
		if s := t.slots[at]; s.hash == hash && strings.TrimPrefix(records[s.record-1].path, "./") == string(written) {
			return int32(s.record) - 1
		}
	}
	return -1
}

// put takes a record in, which no path in the table is that of.
func (t *pathTable) put(hash uint32, record int) {
	if 4*(t.n+1) > 3*len(t.slots) {
		old := t.slots
		t.slots = make([]pathSlot, max(1<<10, 2*len(old)))
		for _, s := range old {
			if s.record != 0 {
				t.slots[t.free(s.hash)] = s
			}
		}
	}
	t.slots[t.free(hash)] = pathSlot{hash, uint32(record) + 1}
	t.n++
}

func (t *pathTable) free(hash uint32) int {
	last := len(t.slots) - 1
	at := int(hash) & last
	for t.slots[at].record != 0 {
		at = (at + 1) & last
	}
	return at
}
