package dataset

import "bytes"

// tails tell what records say beside the path of their clip, by the bytes that stand behind it: of hundreds of thousands
// of records most say what one before them did, to the byte, and are not taken apart again.
type tails struct {
	lead  []byte // what a record begins with, up to the quotes of its path
	known map[string]clipFacts
	bytes int // of known's keys
}

// Bounds of what is remembered; a file with more says little twice.
const (
	mostTails     = 1 << 16
	mostTailBytes = 8 << 20
)

// learn remembers what a record says. raw are its bytes, nil where they are not at hand; it tells its path once.
func (t *tails) learn(raw, path []byte, facts clipFacts) {
	if len(t.known) >= mostTails || t.bytes >= mostTailBytes {
		return
	}
	key, after := firstMember(raw)
	lead := len(raw) - len(after)
	if after == nil || !namesPath(key) || !bytes.HasPrefix(raw[lead:], path) || bytes.IndexByte(path, '\\') >= 0 {
		return // something stands before the path, or it is not written as it reads
	}
	tail := raw[lead+len(path):]
	if tail[0] != '"' {
		return
	}
	t.lead = append(t.lead[:0], raw[:lead]...)
	t.known[string(tail)] = facts
	t.bytes += len(tail)
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
	tail := text[quote:]
	end := bytes.IndexByte(tail, '}') + 1 // of the record, if this tail is known: one that a '}' stands in is not found
	facts, known = t.known[string(tail[:end])]
	if known {
		r.pos += len(t.lead) + quote + end
	}
	return text[:quote], facts, known
}
