package convert

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/recipe"
)

// Tokens counts the tokens of an answer in the base's tokenizer.
type Tokens func(text string) int

// dialect is one trainer's way of writing records. Another one is a value of this type and an entry in dialects.
type dialect struct {
	name    config.Dialect
	trainer string
	lines   bool // one JSON object a line; else one array of them
	// all splits go into one file, and each record tells its own
	together bool
	// clips are named as the labels name them; else from the folder of the file, as pictures are
	asWritten bool
	holds     traits
	start     string // how the trainer is started so that it finds the files and learns what is written
	// write returns the rows of a record, which check and fits have passed: one, or in TRL one for each answer.
	write func(Record, Tokens) []any
	// read returns the record of one row.
	read func(row []byte, tokens Tokens) (Record, error)
	// joins adds a row's record to the one before it where both are of one conversation; nil where a row is a record.
	joins func(before *Record, next Record) bool
	// settings are what the trainer is told beside the records (trainers.go); nil where it takes no file of them.
	settings func(s *setup)
}

// traits are what a dialect can carry beside questions, pictures and answers.
type traits struct {
	system      bool // a system turn
	weights     bool // a weight in the loss, and with it a channel
	supervision bool // answers that are context only
	clips       bool
	mixed       bool // pictures and clips in one record
}

var dialects = []*dialect{&llava, &llamaFactory, &msSwift, &trl, &axolotl, &videoGPT, &videoGPTRoles}

func find(name config.Dialect) (*dialect, error) {
	for _, d := range dialects {
		if d.name == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("CONVERT.DIALECT = %q: there is no such dialect; choose one of %s", name,
		strings.Join(name.Choices(), ", "))
}

// fits says why the dialect cannot hold a record at all.
func (d *dialect) fits(r Record) error {
	if err := r.check(); err != nil {
		return err
	}
	images, videos := len(r.media(Image)), len(r.media(Video))
	switch {
	case d.asWritten && videos != 1:
		return fmt.Errorf("shows %d clips, and %s takes one", videos, d.trainer)
	case videos > 0 && !d.holds.clips:
		return fmt.Errorf("shows a clip, which %s does not take", d.trainer)
	case images > 0 && videos > 0 && !d.holds.mixed:
		return fmt.Errorf("shows pictures and clips, of which %s takes one kind in a record", d.trainer)
	}
	token := recipe.ControlToken(r.System)
	for i := 0; i < len(r.Turns) && token == ""; i++ {
		token = recipe.ControlToken(r.Turns[i].Words())
	}
	if token != "" {
		return fmt.Errorf("says %q in its text, which is no word to %s: it ends a turn, or stands for a file", token,
			d.trainer)
	}
	return nil
}

// What a dialect may lose of a record.
const (
	lostSystem      = "system_not_carried"
	lostWeight      = "weights_not_carried"
	lostSupervision = "supervision_not_carried"
)

// keeps returns what is left of a record in the dialect, and what is lost.
func (d *dialect) keeps(r Record) (kept Record, lost []string) {
	kept = r
	if r.System != "" && !d.holds.system {
		kept.System = ""
		lost = append(lost, lostSystem)
	}
	if d.together {
		kept.ID = "" // a clip is named once
	} else {
		kept.Split = "" // the file tells
	}
	if !d.holds.weights {
		kept.Weight = 1
		kept.Channel = "" // made for trainers that report by it; the class is the answer anyway
		if weighs(r.Weight) {
			lost = append(lost, lostWeight)
		}
	}
	if d.holds.supervision {
		return kept, lost
	}
	context := func(t Turn) bool { return t.Role == Assistant && !t.Supervised }
	if !slices.ContainsFunc(r.Turns, context) {
		return kept, lost
	}
	kept.Turns = slices.Clone(r.Turns)
	for i := range kept.Turns {
		if t := &kept.Turns[i]; context(*t) {
			t.Supervised = true
		}
	}
	return kept, append(lost, lostSupervision)
}

// weighs tells a weight from 1, which rounding in a mean may miss by a little.
func weighs(w float64) bool { return math.Abs(w-1) > 1e-9 }

var errNoRole = errors.New("a turn has neither the role of a user nor of an assistant")

// roled is a message with a role in the manner of OpenAI; its content depends on the dialect.
type roled[C any] struct {
	Role      string   `json:"role"`
	Content   C        `json:"content"`
	Loss      *bool    `json:"loss,omitempty"`       // ms-swift: false for an answer that is context only
	LossScale *float64 `json:"loss_scale,omitempty"` // ms-swift: of the tokens of an answer
}

const systemRole = "system"
