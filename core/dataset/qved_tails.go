package dataset

import "bytes"

// tails tell what records say beside the path of their clip, by the bytes that stand behind it: of hundreds of
// thousands of records most say what one before them did, to the byte, and are not taken apart again.
type tails struct {
	lead  []byte // what a record begins with, up to the quotes of its path
	texts []byte // of the tails, one behind the other; each ends with the only '}' in it
	known []tail
	at    hashTable
}

// tail is where one begins in tails.texts, and what its record says.
type tail struct {
	start int32
	clipFacts
}

// Bounds of what is remembered; a file with more says little twice.
const (
	mostTails     = 1 << 16
	mostTailBytes = 8 << 20
)

// learn remembers what a record says. raw are its bytes, nil where they are not at hand; it tells its path once. size
// is that of the file, in bytes.
func (t *tails) learn(raw, path []byte, facts clipFacts, size int64) {
	if len(t.known) >= mostTails || len(t.texts) >= mostTailBytes {
		return
	}
	key, after := firstMember(raw)
	lead := len(raw) - len(after)
	if after == nil || !namesPath(key) || !bytes.HasPrefix(raw[lead:], path) || bytes.IndexByte(path, '\\') >= 0 {
		return // something stands before the path, or it is not written as it reads
	}
	text := raw[lead+len(path):]
	if text[0] != '"' || bytes.IndexByte(text, '}') != len(text)-1 {
		return
	}
	t.lead = append(t.lead[:0], raw[:lead]...)
	hash := hashOf(text)
	if t.find(hash, text) >= 0 {
		return
	}
	if t.texts == nil {
		t.texts = make([]byte, 0, min(size, mostTailBytes)) // pages that are not written to take no memory
	}
	t.at.put(hash, len(t.known))
	t.known = append(t.known, tail{int32(len(t.texts)), facts})
	t.texts = append(t.texts, text...)
}

// find is the number of a tail that ends with the only '}' in it; -1 where it is not known.
func (t *tails) find(hash uint32, text []byte) int32 {
	return t.at.find(hash, func(i int32) bool { return bytes.HasPrefix(t.texts[t.known[i].start:], text) })
}

// firstMember is the key of an object's first member, and what stands behind the quote that begins its text; nil where
// that is no text.
func firstMember(raw []byte) (key, after []byte) {
	const blank = " \t\r\n"
	rest, is := bytes.CutPrefix(raw, []byte("{"))
	rest, quoted := bytes.CutPrefix(bytes.TrimLeft(rest, blank), []byte(`"`))
	end := bytes.IndexByte(rest, '"')
	if !is || !quoted || end < 0 {
		return nil, nil
	}
	key = rest[:end]
	rest, paired := bytes.CutPrefix(bytes.TrimLeft(rest[end+1:], blank), []byte(":"))
	rest, quoted = bytes.CutPrefix(bytes.TrimLeft(rest, blank), []byte(`"`))
	if !paired || !quoted {
		return nil, nil
	}
	return key, rest
}

// read reads a record which says what another one did; where it cannot tell, it reads nothing and known is false. The
// path is valid until the next call.
func (t *tails) read(r *jsonReader) (path []byte, facts clipFacts, known bool) {
	if len(t.lead) == 0 || r.peek() != '{' {
		return nil, facts, false
	}
	text, begins := bytes.CutPrefix(r.buffer[r.pos:r.end], t.lead)
	if !begins {
		return nil, facts, false
	}
	quote := bytes.IndexByte(text, '"')
	if quote <= 0 || bytes.IndexByte(text[:quote], '\\') >= 0 {
		return nil, facts, false
	}
	rest := text[quote:]
	rest = rest[:bytes.IndexByte(rest, '}')+1] // that is its tail, if it is known
	at := t.find(hashOf(rest), rest)
	if len(rest) == 0 || at < 0 {
		return nil, facts, false
	}
	r.pos += len(t.lead) + quote + len(rest)
	return text[:quote], t.known[at].clipFacts, true
}
