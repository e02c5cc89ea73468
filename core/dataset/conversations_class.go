package dataset

import (
	"bytes"
	"strings"
)

// FreeText is the one class of answers that neither are names of a closed list nor begin with one.
const FreeText = "free text"

// What makes a closed list of answers: few, short, each given often enough.
const (
	mostNames   = 100
	longestName = 80 // bytes
)

// settle gives a class to the objects whose records name none: where the answers are a closed list, the answer; where
// most begin as QVED's do, with an exercise before " - ", that; and FreeText where they are answers in free words, of
// which no table of classes says anything.
func (t *talkSet) settle() {
	if class := t.classOf(); class != nil {
		for i := range t.items {
			for o := range t.items[i].objects {
				if object := &t.items[i].objects[o]; object.Class == unnamed {
					object.Class = class(object.Text.Answer)
				}
			}
		}
	}
}

// classOf is the rule by which an answer has a class; nil where all have one.
func (t *talkSet) classOf() func(answer string) int {
	answers, all, prefixed := map[string]int{}, 0, 0
	for i := range t.items {
		for o := range t.items[i].objects {
			object := &t.items[i].objects[o]
			if object.Class != unnamed {
				continue
			}
			all++
			if len(answers) <= mostNames {
				answers[object.Text.Answer]++
			}
			if exerciseOf(object.Text.Answer) != "" {
				prefixed++
			}
		}
	}
	if all == 0 {
		return nil
	}
	closed := len(answers) <= mostNames && 2*len(answers) <= all
	for answer := range answers {
		closed = closed && len(answer) <= longestName && !strings.Contains(answer, "\n")
	}
	switch {
	case closed:
		known := map[string]int{}
		for class, name := range t.names {
			known[name] = class
		}
		return func(answer string) int {
			class, is := known[answer]
			if !is {
				class = len(t.names)
				known[answer], t.names = class, append(t.names, answer)
			}
			return class
		}
	case 2*prefixed > all:
		return func(answer string) int {
			if exercise := exerciseOf(answer); exercise != "" {
				return int(t.class([]byte(exercise)))
			}
			return int(t.class([]byte(unknownClass)))
		}
	}
	class := int(t.class([]byte(FreeText)))
	return func(string) int { return class }
}

// exerciseOf is the exercise that an answer begins with; "" where it is none.
func exerciseOf(answer string) string {
	line, _, _ := strings.Cut(answer, "\n")
	exercise := string(bytes.TrimSpace(prefixOf([]byte(line))))
	if len(exercise) > longestName {
		return ""
	}
	return exercise
}
