package dataset

import "bytes"

// plainPair is a question and an answer that are members of the record itself.
type plainPair struct{ question, input, answer []byte }

func (p *plainPair) reset() { *p = plainPair{p.question[:0], p.input[:0], p.answer[:0]} }

// plainTurns are those of a record that has instruction, input and output, or query and response, after its history.
func (k *talk) plainTurns() {
	k.turns = append(k.turns, k.history...)
	question := k.plain.question
	if len(k.plain.input) > 0 && len(question) > 0 {
		question = append(question, '\n')
	}
	k.turns = append(k.turns, talkTurn{side: sideUser, text: append(question, k.plain.input...)},
		talkTurn{side: sideModel, text: k.plain.answer})
}

// pairsOf reads a list of lists of a question and its answer.
func (k *talk) pairsOf(r *jsonReader) error {
	if r.peek() != '[' {
		return r.skip()
	}
	return r.array(func() error {
		if r.peek() != '[' {
			return r.skip()
		}
		side := byte(sideUser)
		return r.array(func() error {
			t := next(&k.history)
			t.side = side
			side = sideModel
			return k.content(r, t)
		})
	})
}

// inline takes the paths of files out of a text that holds them between tags, and puts marks in their place.
func (k *talk) inline(t *talkTurn) {
	for _, tag := range []struct {
		open, close, mark string
		into              *[]string
	}{{"<img>", "</img>", imageMark, &k.images}, {"<image>", "</image>", imageMark, &k.images},
		{"<video>", "</video>", videoMark, &k.videos}} {
		for from := 0; ; {
			end := bytes.Index(t.text[from:], []byte(tag.close))
			if end < 0 {
				break
			}
			end += from
			begin := bytes.LastIndex(t.text[from:end], []byte(tag.open))
			if begin < 0 {
				from = end + len(tag.close)
				continue
			}
			begin += from
			if path := bytes.TrimSpace(t.text[begin+len(tag.open) : end]); len(path) > 0 {
				*tag.into = append(*tag.into, string(path))
			}
			rest := append([]byte(tag.mark), t.text[end+len(tag.close):]...)
			t.text, from = append(t.text[:begin], rest...), begin+len(tag.mark)
		}
	}
}
