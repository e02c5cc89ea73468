package tokenizer

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// merge is what two neighbouring tokens become, and how early: lower ranks are merged first.
type merge struct{ rank, id int32 }

// pair packs two token ids into one key.
func pair(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// symbol is one token of a word while it is being merged; the symbols form a doubly linked list of indices.
type symbol struct{ id, prev, next int32 }

// candidate is a merge that may be done: order puts lower ranks first and, among equals, those further left.
type candidate struct {
	order       uint64 // rank<<32 | index of the left symbol
	left, right int32  // the ids for which it was found; a candidate whose symbols have changed is void
	id          int32
}

// scratch is the memory of one merging, reused from word to word.
type scratch struct {
	symbols []symbol
	heap    []candidate
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// merges appends the tokens of one word: its bytes, merged pair by pair in the order of the ranks. It takes
// O(n log n) steps for n bytes, so that a text without spaces does no harm.
func (t *Tokenizer) merges(word string, out []int32) []int32 {
	sc := scratches.Get().(*scratch)
	defer scratches.Put(sc)
	sc.symbols, sc.heap = sc.symbols[:0], sc.heap[:0]
	for i := range len(word) {
		if id := t.byteID[word[i]]; id >= 0 { // a vocabulary without that byte loses it, as the reference does
			n := int32(len(sc.symbols))
			sc.symbols = append(sc.symbols, symbol{id, n - 1, n + 1})
		}
	}
	if len(sc.symbols) == 0 {
		return out
	}
	sc.symbols[len(sc.symbols)-1].next = -1
	for i := range sc.symbols {
		t.consider(sc, int32(i))
	}
	for len(sc.heap) > 0 {
		c := sc.pop()
		at := int32(uint32(c.order))
		left := &sc.symbols[at]
		if left.id != c.left || left.next < 0 || sc.symbols[left.next].id != c.right {
			continue
		}
		gone := &sc.symbols[left.next]
		left.id, left.next = c.id, gone.next
		gone.id = -1
		if left.next >= 0 {
			sc.symbols[left.next].prev = at
		}
		if left.prev >= 0 {
			t.consider(sc, left.prev)
		}
		t.consider(sc, at)
	}
	for i := int32(0); i >= 0; i = sc.symbols[i].next {
		out = append(out, sc.symbols[i].id)
	}
	return out
}

// consider puts the merge of symbol i and the one after it on the heap, if there is such a merge.
func (t *Tokenizer) consider(sc *scratch, i int32) {
	s := sc.symbols[i]
	if s.next < 0 {
		return
	}
	right := sc.symbols[s.next].id
	if m, ok := t.ranks[pair(s.id, right)]; ok {
		sc.push(candidate{uint64(m.rank)<<32 | uint64(i), s.id, right, m.id})
	}
}

// push adds a candidate to the binary heap.
func (sc *scratch) push(c candidate) {
	sc.heap = append(sc.heap, c)
	i := len(sc.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if sc.heap[parent].order <= c.order {
			break
		}
		sc.heap[i] = sc.heap[parent]
		i = parent
	}
	sc.heap[i] = c
}

// pop takes the first candidate from the heap.
func (sc *scratch) pop() candidate {
	top := sc.heap[0]
	last := len(sc.heap) - 1
	c := sc.heap[last]
	sc.heap = sc.heap[:last]
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && sc.heap[child+1].order < sc.heap[child].order {
			child++
		}
		if sc.heap[child].order >= c.order {
			break
		}
		sc.heap[i] = sc.heap[child]
		i = child
	}
	if last > 0 {
		sc.heap[i] = c
	}
	return top
}

// Bounds of the word cache: its number of places, and the longest word that is kept.
const (
	cachePlaces = 1 << 15
	cacheWord   = 64
)

// cache remembers the tokens of words. Each word has one place, given by its hash, and the newest word of a place
// stays: bounded, and free of locks.
type cache struct {
	seed   maphash.Seed
	places [cachePlaces]atomic.Pointer[cached]
}

type cached struct {
	word string
	ids  []int32
}

// word appends the tokens of one word of the text.
func (t *Tokenizer) word(word string, out []int32) []int32 {
	if len(word) == 1 {
		if id := t.byteID[word[0]]; id >= 0 {
			out = append(out, id)
		}
		return out
	}
	if t.ignoreMerges {
		if id, ok := t.ids[word]; ok {
			return append(out, id)
		}
	}
	if len(word) > cacheWord {
		return t.merges(word, out)
	}
	place := &t.cache.places[maphash.String(t.cache.seed, word)%cachePlaces]
	if hit := place.Load(); hit != nil && hit.word == word {
		return append(out, hit.ids...)
	}
	from := len(out)
	out = t.merges(word, out)
	place.Store(&cached{strings.Clone(word), append([]int32(nil), out[from:]...)})
	return out
}
