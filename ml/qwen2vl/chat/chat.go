// Package chat writes conversations in the ChatML dialect of Qwen2-VL and Qwen2.5, and says which tokens of them a
// model is to learn. It opens no pictures: a message says how many tokens each of its pictures takes.
package chat

import (
	"fmt"
	"strings"

	"finetui/ml/tokenizer"
)

// The system texts that stand in front of a conversation which brings none.
const (
	SystemQwen2VL = "You are a helpful assistant."
	SystemQwen25  = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."
)

// Roles of the template.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant"
)

// The special tokens of the template.
const (
	messageStart = "<|im_start|>"
	messageEnd   = "<|im_end|>"
	visionStart  = "<|vision_start|>"
	visionEnd    = "<|vision_end|>"
	imagePad     = "<|image_pad|>"
	videoPad     = "<|video_pad|>"
)

// Ignore is the label of a token that is not supervised.
const Ignore = -100

// Kind tells what a part of a message is.
type Kind uint8

// The kinds of parts.
const (
	Text Kind = iota
	Image
	Video
)

// Part is a piece of a message: text, or a picture or clip that takes a number of tokens.
type Part struct {
	Kind   Kind
	Text   string // of a Text part
	Tokens int    // of an Image or Video: t·h·w/merge² of its patch grid; 0 counts as 1, the pad of the bare template
}

// Message is one turn.
type Message struct {
	Role  string
	Parts []Part
}

// Say is a message of text alone.
func Say(role, text string) Message { return Message{role, []Part{{Text: text}}} }

// Options are the choices of the template. The zero value is Qwen2-VL's for a finished conversation.
type Options struct {
	DefaultSystem    string // written where the first message is no system message; "" means SystemQwen2VL
	GenerationPrompt bool   // end with the header of the answer that is to be generated
	VisionIDs        bool   // number the media: "Picture 1: ", "Video 1: "
	TrailingNewline  bool   // supervise the newline behind <|im_end|> too, as LLaMA-Factory does
}

// piece is a stretch of the conversation that is supervised as a whole, or not at all.
type piece struct {
	text       string
	supervised bool
}

// Render is the conversation as the template writes it. Special tokens inside a message's text are not escaped: the
// tokenizer takes them as special tokens, as the reference does.
func Render(messages []Message, opts Options) string {
	var text strings.Builder
	for _, p := range pieces(messages, opts) {
		text.WriteString(p.text)
	}
	return text.String()
}

// Encode is the conversation as token ids, and for each its label before the shift: the id itself in the assistant's
// answers and their <|im_end|>, Ignore elsewhere. The first token of an answer is cut as if the header in front of it
// were not there, just as it will be when the model generates it.
func Encode(t *tokenizer.Tokenizer, messages []Message, opts Options) (ids, labels []int32, err error) {
	for _, special := range specials(messages) {
		if id, ok := t.ID(special); !ok || !t.Special(id) {
			return nil, nil, fmt.Errorf("the tokenizer has no special token %s: it is not this template's", special)
		}
	}
	for _, p := range pieces(messages, opts) {
		tokens := t.Encode(p.text)
		ids = append(ids, tokens...)
		if p.supervised {
			labels = append(labels, tokens...)
			continue
		}
		for range tokens {
			labels = append(labels, Ignore)
		}
	}
	return ids, labels, nil
}

// specials lists the special tokens that the conversation needs.
func specials(messages []Message) []string {
	list := []string{messageStart, messageEnd}
	images, videos := false, false
	for _, m := range messages {
		for _, p := range m.Parts {
			images = images || p.Kind == Image
			videos = videos || p.Kind == Video
		}
	}
	if images || videos {
		list = append(list, visionStart, visionEnd)
	}
	if images {
		list = append(list, imagePad)
	}
	if videos {
		list = append(list, videoPad)
	}
	return list
}

// pieces renders the conversation, cut where supervision begins and ends.
func pieces(messages []Message, opts Options) []piece {
	var list []piece
	var open strings.Builder // text that is not supervised
	closeOpen := func() {
		if open.Len() > 0 {
			list = append(list, piece{open.String(), false})
			open.Reset()
		}
	}
	if len(messages) == 0 || messages[0].Role != System {
		system := opts.DefaultSystem
		if system == "" {
			system = SystemQwen2VL
		}
		open.WriteString(messageStart + System + "\n" + system + messageEnd + "\n")
	}
	media := counter{number: opts.VisionIDs}
	for _, m := range messages {
		open.WriteString(messageStart + m.Role + "\n")
		body := media.body(m)
		if m.Role != Assistant {
			open.WriteString(body + messageEnd + "\n")
			continue
		}
		closeOpen()
		answer := body + messageEnd
		if opts.TrailingNewline {
			answer += "\n"
		} else {
			open.WriteByte('\n')
		}
		list = append(list, piece{answer, true})
	}
	if opts.GenerationPrompt {
		open.WriteString(messageStart + Assistant + "\n")
	}
	closeOpen()
	return list
}

// counter numbers pictures and clips through the whole conversation.
type counter struct {
	number         bool
	images, videos int
}

// body is the message without its header and end.
func (c *counter) body(m Message) string {
	var text strings.Builder
	for _, p := range m.Parts {
		switch p.Kind {
		case Image:
			c.images++
			c.vision(&text, "Picture", c.images, imagePad, p.Tokens)
		case Video:
			c.videos++
			c.vision(&text, "Video", c.videos, videoPad, p.Tokens)
		default:
			text.WriteString(p.Text)
		}
	}
	return text.String()
}

// vision writes one picture or clip: as many pads as it has tokens, between start and end.
func (c *counter) vision(text *strings.Builder, word string, n int, pad string, tokens int) {
	if c.number {
		fmt.Fprintf(text, "%s %d: ", word, n)
	}
	text.WriteString(visionStart)
	text.WriteString(strings.Repeat(pad, max(tokens, 1)))
	text.WriteString(visionEnd)
}
