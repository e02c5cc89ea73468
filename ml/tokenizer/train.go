package tokenizer

import (
	"container/heap"
	"fmt"
	"slices"
)

// minPairs is how often a pair must occur for the trainer to merge it: what occurs once teaches nothing.
const minPairs = 2

// Train builds a byte-level BPE vocabulary of at most vocab tokens from the texts: the 256 bytes, then what merging the
// most frequent neighbours gives (Sennrich et al. 2016, arXiv:1508.07909), then the special tokens. Texts are cut into
// words as Qwen2 does, and special tokens inside them are left out. It ends early where no pair occurs twice. The same
// texts give the same vocabulary: of equally frequent pairs the one with the smaller ids is merged first.
func Train(texts []string, vocab int, special []string) (*Tokenizer, error) {
	if least := 256 + len(special); vocab < least || vocab > maxID {
		return nil, fmt.Errorf("a vocabulary of %d tokens: it takes at least %d (256 bytes and %d special tokens) "+
			"and at most %d", vocab, least, len(special), maxID)
	}
	t := &Tokenizer{nfc: true, ids: map[string]int32{}, ranks: map[uint64]merge{}}
	for i, text := range special {
		if text == "" || slices.Contains(special[:i], text) {
			return nil, fmt.Errorf("special token %d, %q, is empty or was named before", i, text)
		}
		t.added = append(t.added, addedToken{text: text, special: true})
	}
	t.raw = newFinder(t.added, false)
	for _, b := range bytesInOrder() {
		t.add(string([]byte{b}))
	}
	tr := newTrainer(t.countWords(texts))
	for len(t.tokens) < vocab-len(special) {
		key, ok := tr.best()
		if !ok {
			break
		}
		left, right := int32(key>>32), int32(uint32(key))
		id := t.add(t.tokens[left] + t.tokens[right])
		t.ranks[key] = merge{int32(len(t.order)), id}
		t.order = append(t.order, key)
		tr.merge(key, id)
	}
	for i := range t.added {
		t.added[i].id = int32(len(t.tokens))
		t.tokens = append(t.tokens, t.added[i].text)
	}
	t.finish()
	return t, nil
}

// add gives the token an id, or finds the one that it has: two ways of merging can end in the same token.
func (t *Tokenizer) add(token string) int32 {
	if id, ok := t.ids[token]; ok {
		return id
	}
	id := int32(len(t.tokens))
	t.tokens = append(t.tokens, token)
	t.ids[token] = id
	return id
}

// bytesInOrder lists the bytes in the order of the runes that stand for them, which is that of Qwen2's first 256 ids.
func bytesInOrder() []byte {
	bytes := make([]byte, 256)
	for b := range bytes {
		bytes[b] = byte(b)
	}
	slices.SortFunc(bytes, func(a, b byte) int { return int(byteRunes[a]) - int(byteRunes[b]) })
	return bytes
}

// countedWord is a distinct word of the texts: its tokens so far, and how often it occurs.
type countedWord struct {
	ids   []int32
	count int64
}

// countWords cuts the texts into words and counts the distinct ones, in the order in which they first occur.
func (t *Tokenizer) countWords(texts []string) []countedWord {
	var words []countedWord
	place := map[string]int{}
	count := func(text string) {
		text = t.normalize(text)
		for text != "" {
			n := split(text)
			word := text[:n]
			text = text[n:]
			i, ok := place[word]
			if !ok {
				i = len(words)
				place[word] = i
				ids := make([]int32, len(word))
				for j := range ids {
					ids[j] = t.ids[word[j:j+1]]
				}
				words = append(words, countedWord{ids: ids})
			}
			words[i].count++
		}
	}
	for _, text := range texts {
		text = validUTF8(text)
		for {
			at, a := t.raw.next(text)
			if at < 0 {
				break
			}
			count(text[:at])
			text = text[at+len(a.text):]
		}
		count(text)
	}
	return words
}

// trainer keeps the frequency of every pair of neighbours while words are merged.
type trainer struct {
	words  []countedWord
	counts map[uint64]int64
	where  map[uint64][]int32 // words in which the pair occurs or once did, possibly more than once
	queue  pairQueue          // holds each pair with its present count, among outdated entries
}

// newTrainer counts the pairs of the words.
func newTrainer(words []countedWord) *trainer {
	tr := &trainer{words: words, counts: map[uint64]int64{}, where: map[uint64][]int32{}}
	for i, w := range words {
		for j := 1; j < len(w.ids); j++ {
			key := pair(w.ids[j-1], w.ids[j])
			tr.counts[key] += w.count
			tr.where[key] = append(tr.where[key], int32(i))
		}
	}
	for key, n := range tr.counts {
		tr.queue = append(tr.queue, pairCount{key, n})
	}
	heap.Init(&tr.queue)
	return tr
}

// best is the most frequent pair; ok is false where none occurs minPairs times.
func (tr *trainer) best() (key uint64, ok bool) {
	for len(tr.queue) > 0 {
		top := heap.Pop(&tr.queue).(pairCount)
		if top.count == tr.counts[top.key] && top.count >= minPairs {
			return top.key, true
		}
	}
	return 0, false
}

// merge joins every occurrence of the pair into id and brings the counts up to date.
func (tr *trainer) merge(key uint64, id int32) {
	left, right := int32(key>>32), int32(uint32(key))
	changed := map[uint64]bool{}
	for _, i := range tr.where[key] {
		w := &tr.words[i]
		merged := joinPairs(w.ids, left, right, id)
		if len(merged) == len(w.ids) { // named twice, or merged away by another pair
			continue
		}
		for j := 1; j < len(w.ids); j++ {
			old := pair(w.ids[j-1], w.ids[j])
			tr.counts[old] -= w.count
			changed[old] = true
		}
		for j := 1; j < len(merged); j++ {
			now := pair(merged[j-1], merged[j])
			tr.counts[now] += w.count
			changed[now] = true
			if merged[j-1] == id || merged[j] == id {
				tr.where[now] = append(tr.where[now], i)
			}
		}
		w.ids = merged
	}
	delete(tr.where, key)
	for k := range changed {
		if n := tr.counts[k]; n > 0 {
			heap.Push(&tr.queue, pairCount{k, n})
		} else {
			delete(tr.counts, k)
		}
	}
}

// joinPairs is ids with every left–right, from the left, replaced by id, in memory of its own.
func joinPairs(ids []int32, left, right, id int32) []int32 {
	out := make([]int32, 0, len(ids))
	for i := 0; i < len(ids); i++ {
		if i+1 < len(ids) && ids[i] == left && ids[i+1] == right {
			out = append(out, id)
			i++
			continue
		}
		out = append(out, ids[i])
	}
	return out
}

// pairCount is a pair and how often it occurred when it was queued.
type pairCount struct {
	key   uint64
	count int64
}

// pairQueue is a heap: the most frequent pair first, of equals the one with the smaller ids.
type pairQueue []pairCount

func (q pairQueue) Len() int      { return len(q) }
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q pairQueue) Less(i, j int) bool {
	if q[i].count != q[j].count {
		return q[i].count > q[j].count
	}
	return q[i].key < q[j].key
}
func (q *pairQueue) Push(x any) { *q = append(*q, x.(pairCount)) }
func (q *pairQueue) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
