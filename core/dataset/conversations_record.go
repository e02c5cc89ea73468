package dataset

import (
	"bytes"
	"fmt"
)

// Marks that stand for a file in a question.
const (
	imageMark = "<image>"
	videoMark = "<video>"
)

// Sides of a conversation.
const (
	sideUser   = 'u'
	sideModel  = 'm'
	sideSystem = 's'
)

// talkTurn is what one side says; the memory is used for the next record.
type talkTurn struct {
	side   byte   // 0 where it is none that is known
	text   []byte // with a mark for each file
	idle   bool   // an answer that is context only
	scaled bool   // an answer with a weight of its own
}

// talk is one record.
type talk struct {
	isRecord             bool
	system               bool // something is said before the first question
	images, videos       []string
	split, class, worker []byte
	turns, late          []talkTurn // late: those that stand behind all others wherever they are written
	history              []talkTurn // before plain
	plain                plainPair
	part                 []byte
}

func (k *talk) reset() {
	*k = talk{images: k.images[:0], videos: k.videos[:0], split: k.split[:0], class: k.class[:0], worker: k.worker[:0],
		turns: k.turns[:0], late: k.late[:0], history: k.history[:0], plain: k.plain, part: k.part[:0]}
	k.plain.reset()
}

// read reads a record. Its members stand in any order; those of no interest are passed over.
func (k *talk) read(r *jsonReader) error {
	k.reset()
	if r.peek() != '{' {
		return r.skip()
	}
	k.isRecord = true
	err := r.object(func(key []byte) error {
		switch string(key) {
		case "image", "images":
			return k.files(r, &k.images)
		case "video", "videos":
			return k.files(r, &k.videos)
		case "conversations", "conversation", "messages":
			return k.turnsOf(r, &k.turns, 0)
		case "prompt":
			return k.turnsOf(r, &k.turns, sideUser)
		case "completion":
			return k.turnsOf(r, &k.late, sideModel)
		case "instruction", "query":
			return plain(r, &k.plain.question)
		case "input":
			return plain(r, &k.plain.input)
		case "output", "response":
			return plain(r, &k.plain.answer)
		case "history":
			return k.pairsOf(r)
		case "system":
			err := plain(r, &k.part)
			k.system = k.system || len(k.part) > 0
			return err
		case "split":
			return plain(r, &k.split)
		case "class", "exercise", "channel":
			return plain(r, &k.class)
		case "worker_id", "participant":
			return plain(r, &k.worker)
		}
		return r.skip()
	})
	k.turns = append(k.turns, k.late...)
	if len(k.turns) == 0 && len(k.plain.answer) > 0 {
		k.plainTurns()
	}
	for i := range k.turns {
		k.inline(&k.turns[i])
	}
	return err
}

// plain reads a text or a number; anything else is none.
func plain(r *jsonReader, into *[]byte) error {
	*into = (*into)[:0]
	switch r.peek() {
	case '"':
		text, err := r.text()
		*into = append(*into, text...)
		return err
	case '{', '[':
		return r.skip()
	}
	word := r.word()
	if len(word) == 0 {
		return r.fault("a value is missing here")
	}
	if string(word) != "null" {
		*into = append(*into, word...)
	}
	return nil
}

// files reads the path of a file or a list of them; one may be an object that holds the path.
func (k *talk) files(r *jsonReader, into *[]string) error {
	switch r.peek() {
	case '"':
		text, err := r.text()
		if text = bytes.TrimPrefix(text, []byte("file://")); len(text) > 0 {
			*into = append(*into, string(text))
		}
		return err
	case '[':
		return r.array(func() error { return k.files(r, into) })
	case '{':
		return r.object(func(key []byte) error {
			switch string(key) {
			case "path", "image", "video", "url":
				return k.files(r, into)
			}
			return r.skip()
		})
	}
	return r.skip()
}

// turnsOf reads turns, or the text of one.
func (k *talk) turnsOf(r *jsonReader, into *[]talkTurn, side byte) error {
	if r.peek() != '[' {
		if r.peek() != '"' || side == 0 {
			return r.skip() // no turn
		}
		t := next(into)
		t.side = side
		return k.content(r, t)
	}
	return r.array(func() error {
		next(into)
		if r.peek() != '{' {
			return r.skip()
		}
		at := len(*into) - 1
		return r.object(func(key []byte) error {
			t := &(*into)[at]
			switch string(key) {
			case "from", "role":
				err := plain(r, &k.part)
				t.side = sideOf(k.part)
				return err
			case "value", "content":
				return k.content(r, t)
			case "loss", "train", "training":
				word := r.peek()
				t.idle = word == 'f' || word == '0'
				return r.skip()
			case "loss_scale", "weight":
				err := plain(r, &k.part)
				t.idle = t.idle || string(k.part) == "0" || string(k.part) == "0.0"
				t.scaled = !t.idle && string(k.part) != "1" && string(k.part) != "1.0" && len(k.part) > 0
				return err
			case "human", "user": // a question and its answer in one
				t.side = sideUser
				return k.content(r, t)
			case "assistant", "gpt":
				t = next(into)
				t.side = sideModel
				return k.content(r, t)
			}
			return r.skip()
		})
	})
}

// next is the place of one more turn.
func next(turns *[]talkTurn) *talkTurn {
	if n := len(*turns); n < cap(*turns) {
		*turns = (*turns)[:n+1]
		t := &(*turns)[n]
		*t = talkTurn{text: t.text[:0]}
		return t
	}
	*turns = append(*turns, talkTurn{})
	return &(*turns)[len(*turns)-1]
}

func sideOf(role []byte) byte {
	switch string(bytes.ToLower(role)) {
	case "human", "user":
		return sideUser
	case "gpt", "assistant", "model", "chatgpt", "bot":
		return sideModel
	case "system":
		return sideSystem
	}
	return 0
}

// content reads what is said: a text, or a list of typed parts, each with its text or with the path of its file.
func (k *talk) content(r *jsonReader, t *talkTurn) error {
	switch r.peek() {
	case '"':
		text, err := r.text()
		t.text = append(t.text, text...)
		return err
	case '[':
		return r.array(func() error { return k.content(r, t) })
	case '{':
		var kind []byte
		images, videos := len(k.images), len(k.videos)
		err := r.object(func(key []byte) error {
			switch string(key) {
			case "type":
				return plain(r, &kind)
			case "text":
				return k.content(r, t)
			case "image", "image_url":
				return k.files(r, &k.images)
			case "video", "video_url":
				return k.files(r, &k.videos)
			case "path", "url":
				if bytes.Contains(kind, []byte("video")) {
					return k.files(r, &k.videos)
				}
				return k.files(r, &k.images)
			}
			return r.skip()
		})
		switch {
		case bytes.Contains(kind, []byte("video")) || len(kind) == 0 && len(k.videos) > videos:
			t.text = append(t.text, videoMark...)
		case bytes.Contains(kind, []byte("image")) || len(kind) == 0 && len(k.images) > images:
			t.text = append(t.text, imageMark...)
		}
		return err
	}
	return r.skip()
}

// marks is how many marks for files stand in a text.
func marks(text []byte) int {
	return bytes.Count(text, []byte(imageMark)) + bytes.Count(text, []byte(videoMark))
}

// unmarked is a question without its marks, in its place. The newline that parts a mark from the words belongs to it.
func unmarked(text []byte) []byte {
	for _, mark := range []string{imageMark, videoMark} {
		for {
			at := bytes.Index(text, []byte(mark))
			if at < 0 {
				break
			}
			before, after := text[:at], text[at+len(mark):]
			if rest, cut := bytes.CutPrefix(after, []byte("\n")); cut {
				after = rest
			} else if len(after) == 0 {
				before = bytes.TrimSuffix(before, []byte("\n"))
			}
			text = append(before, after...)
		}
	}
	return text
}

// pairs calls each for a question and its answer that is learned. The error says from where on the turns are none.
func (k *talk) pairs(each func(question, answer []byte)) error {
	turns := k.turns
	first := 1
	for len(turns) > 0 && turns[0].side == sideSystem {
		k.system, turns, first = true, turns[1:], first+1
	}
	if len(turns) == 0 {
		return fmt.Errorf("holds no question and answer")
	}
	for i := 0; i < len(turns); i += 2 {
		switch {
		case turns[i].side != sideUser:
			return fmt.Errorf("has no question as its turn %d: questions and answers alternate", first+i)
		case i+1 == len(turns):
			return fmt.Errorf("has no answer to its last question")
		case turns[i+1].side != sideModel:
			return fmt.Errorf("has no answer as its turn %d: questions and answers alternate", first+i+1)
		case len(bytes.TrimSpace(turns[i+1].text)) == 0:
			return fmt.Errorf("has an answer without words as its turn %d", first+i+1)
		case marks(turns[i+1].text) > 0:
			return fmt.Errorf("has a mark for a file in the answer that is its turn %d", first+i+1)
		}
		if !turns[i+1].idle {
			each(unmarked(turns[i].text), turns[i+1].text)
		}
	}
	return nil
}
