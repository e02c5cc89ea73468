package trainerlog

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strings"

	"finetui/ml/wholefile"
)

// mostState is more than any trainer_state.json has, in bytes.
const mostState = 1 << 30

// state is a trainer_state.json: the whole history, written anew at every save. It is read again when it has changed.
// While a trainer writes it, it is cut off: the rows that are whole count.
type state struct {
	path   string
	file   os.FileInfo // as it was when it was read; nil: it was not
	fields fields
	values []Value

	rest  scanner // inside the history; its text is nil when all of it was handed on
	facts stateFacts
}

// stateFacts are what a trainer_state.json says beside its history.
type stateFacts struct {
	step, total int
	epochs      float64
	best        string // name of the best checkpoint's folder
}

const stateRows = 4096 // handed on at once

func (t *state) read(each func(said)) (got progress, err error) {
	info, err := os.Stat(t.path)
	if err != nil {
		return got, ignoreMissing(err)
	}
	if t.rest.b == nil {
		if t.file != nil && os.SameFile(info, t.file) && info.Size() == t.file.Size() &&
			info.ModTime().Equal(t.file.ModTime()) {
			return got, nil
		}
		data, err := wholefile.Read(t.path, mostState)
		if err != nil {
			return got, ignoreMissing(err)
		}
		t.file = info
		facts, history := stateHead(data)
		got.reset = facts.step < t.facts.step // an earlier checkpoint, or another run
		t.facts, t.rest = facts, scanner{b: history}
		if !t.rest.take('[') {
			t.rest.b = nil
			return got, nil
		}
	}
	for range stateRows {
		if t.rest.peek() != '{' {
			t.rest.b = nil
			return got, nil
		}
		r, list, ok := t.fields.object(&t.rest, t.values[:0])
		t.values = list
		if !ok { // cut off
			t.rest.b = nil
			got.bad++
			return got, nil
		}
		if r.stepped {
			each(r)
		}
		t.rest.take(',')
	}
	got.more = true
	return got, nil
}

// stateHead is what a state says beside its history, and the history's text: from its bracket on, to the end of the
// file where it is cut off.
func stateHead(data []byte) (f stateFacts, history []byte) {
	s := scanner{b: data}
	s.members(func(key []byte) bool {
		s.blanks()
		from := s.i
		k, v, ok := s.value()
		if string(key) == "log_history" {
			history = data[from:]
			if ok {
				history = v
			}
		}
		if !ok {
			return false
		}
		switch {
		case k == number && string(key) == "global_step":
			f.step, _ = whole(v)
		case k == number && string(key) == "max_steps":
			f.total, _ = whole(v)
		case k == number && string(key) == "num_train_epochs":
			f.epochs, _ = figure(v)
		case k == text && string(key) == "best_model_checkpoint":
			f.best = path.Base(strings.ReplaceAll(string(v), `\\`, "/"))
		}
		return true
	})
	return f, history
}

// stateGlance finds numbers of a state in its first and last bytes alone.
func stateGlance(head, tail []byte) (f stateFacts) {
	for _, part := range [][]byte{head, tail} {
		for _, want := range []struct {
			key string
			to  *int
		}{{`"global_step":`, &f.step}, {`"max_steps":`, &f.total}} {
			if _, rest, ok := bytes.Cut(part, []byte(want.key)); ok && *want.to == 0 {
				s := scanner{b: rest}
				if k, v, ok := s.value(); ok && k == number {
					*want.to, _ = whole(v)
				}
			}
		}
	}
	return f
}

func ignoreMissing(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return fmt.Errorf("the trainer's log cannot be read: %w", err)
}
