package mobilevideogpt

import (
	"fmt"
	"strings"

	"finetui/ml/tokenizer"
)

// System is the text that stands in front of a conversation which brings none.
const System = "You are a helpful assistant."

// Ignore is the label of a token that is not supervised.
const Ignore = -100

// End is the token that ends an answer.
const End = "<|im_end|>"

const start = "<|im_start|>"

// Turn is one turn of a conversation.
type Turn struct {
	Answer bool
	Text   string
	Shown  []int // tokens of each clip or picture that stands before the words of a question
}

// Encoded is a conversation in tokens.
type Encoded struct {
	IDs    []int32
	Labels []int32 // the token itself in answers and their end tokens, else Ignore
	Places []int32 // tokens in whose place what is shown stands
}

// Encode writes a conversation as the original does: turns between <|im_start|> and <|im_end|>, what is shown before
// the words of its turn and a newline behind it. One that ends with a question ends with the header of its answer. The
// first token of an answer is cut as when the model generates it. system may be empty, for System.
func Encode(t *tokenizer.Tokenizer, system string, turns []Turn) (Encoded, error) {
	var out Encoded
	var ids [2]int32
	for i, special := range []string{start, End} {
		id, ok := t.ID(special)
		if !ok || !t.Special(id) {
			return out, fmt.Errorf("the tokenizer has no special token %s: it is not this template's", special)
		}
		ids[i] = id
	}
	pad := ids[1]
	if id, ok := t.ID("<|image_pad|>"); ok {
		pad = id
	}
	var open strings.Builder // text that is not supervised
	flush := func() {
		for _, id := range t.Encode(open.String()) {
			out.IDs, out.Labels = append(out.IDs, id), append(out.Labels, Ignore)
		}
		open.Reset()
	}
	if system == "" {
		system = System
	}
	open.WriteString(start + "system\n" + system + End + "\n")
	for i, turn := range turns {
		if turn.Answer {
			open.WriteString(start + "assistant\n")
			flush()
			answer := t.Encode(turn.Text + End)
			out.IDs, out.Labels = append(out.IDs, answer...), append(out.Labels, answer...)
			open.WriteString("\n")
			continue
		}
		open.WriteString(start + "user\n")
		if len(turn.Shown) > 0 {
			flush()
			for _, n := range turn.Shown {
				for range n {
					out.Places = append(out.Places, int32(len(out.IDs)))
					out.IDs, out.Labels = append(out.IDs, pad), append(out.Labels, Ignore)
				}
			}
			open.WriteString("\n")
		}
		open.WriteString(turn.Text + End + "\n")
		if i == len(turns)-1 {
			open.WriteString(start + "assistant\n")
		}
	}
	flush()
	return out, nil
}

// Tags are how conversations in files say where a clip or a picture stands.
var Tags = []string{"<video>", "<image>"}

// Untag takes the tags out of a question and returns its words and how many clips or pictures stand before them. A tag
// at the end of the words moves to the front, as the original moves it.
func Untag(text string) (words string, shown int) {
	for _, tag := range Tags {
		shown += strings.Count(text, tag)
		text = strings.ReplaceAll(text, tag, "")
	}
	if shown > 0 {
		text = strings.TrimSpace(text)
	}
	return text, shown
}
