package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"finetui/core/config"
)

// trl is prompt and completion in typed parts: typed messages would train on the prompt and the picture's pads. An
// image part is bare and its path in images; each answer to be learned has a row of its own.
var trl = dialect{
	name:     config.DialectTRL,
	trainer:  "TRL",
	lines:    true,
	holds:    traits{system: true, supervision: true},
	start:    "start TRL in that folder, with SFTConfig(max_length=None), else pictures are cut off",
	write:    writeTRL,
	read:     readTRL,
	joins:    joinTRL,
	settings: trlSettings,
}

// axolotl is messages whose every content is a list of typed parts, with the path in the part. It cannot share a file
// with TRL.
var axolotl = dialect{
	name:    config.DialectAxolotl,
	trainer: "axolotl",
	lines:   true,
	holds:   traits{system: true, clips: true, mixed: true},
	start: "start axolotl in that folder, with type: chat_template, field_messages: messages, " +
		"skip_prepare_dataset: true, remove_unused_columns: false and sample_packing: false",
	write:    writeAxolotl,
	read:     readAxolotl,
	settings: axolotlSettings,
}

type typedPart struct {
	Type string `json:"type"`
	Text string `json:"text,omitempty"`
	Path string `json:"path,omitempty"`
}

type typedMessage = roled[typedParts]

// typedParts is also read from a mere text.
type typedParts []typedPart

func (p *typedParts) UnmarshalJSON(raw []byte) error {
	var text string
	if bytes.HasPrefix(raw, []byte{'"'}) {
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		*p = typedParts{{Type: "text", Text: text}}
		return nil
	}
	return json.Unmarshal(raw, (*[]typedPart)(p))
}

// typed writes a turn; with bare set the paths are left out.
func typed(t Turn, bare bool) typedMessage {
	m := typedMessage{Role: t.Role, Content: typedParts{}}
	for _, p := range t.Parts {
		part := typedPart{Type: "text", Text: p.Text}
		switch p.Kind {
		case Image:
			part = typedPart{Type: "image", Path: p.Path}
		case Video:
			part = typedPart{Type: "video", Path: p.Path}
		}
		if bare {
			part.Path = ""
		}
		m.Content = append(m.Content, part)
	}
	return m
}

// typedSystem is the system turn, or none.
func typedSystem(r Record) []typedMessage {
	if r.System == "" {
		return nil
	}
	return []typedMessage{typed(Say(systemRole, r.System), false)}
}

// untyped adds messages to a record. images are the paths of bare parts, of which it returns the rest.
func untyped(r *Record, messages []typedMessage, images []string) ([]string, error) {
	for _, m := range messages {
		t := Turn{Role: m.Role, Supervised: m.Role == Assistant}
		for _, p := range m.Content {
			switch p.Type {
			case "text":
				t.Parts = append(t.Parts, Part{Text: p.Text})
			case "image":
				if p.Path == "" {
					if len(images) == 0 {
						return nil, errors.New("has more image parts than images")
					}
					p.Path, images = images[0], images[1:]
				}
				t.Parts = append(t.Parts, Part{Kind: Image, Path: p.Path})
			case "video":
				t.Parts = append(t.Parts, Part{Kind: Video, Path: p.Path})
			default:
				return nil, fmt.Errorf("has a part of type %q; text, image and video are known", p.Type)
			}
		}
		switch {
		case m.Role == systemRole && len(r.Turns) == 0 && r.System == "":
			r.System = t.Words()
		case m.Role != User && m.Role != Assistant:
			return nil, errNoRole
		default:
			r.Turns = append(r.Turns, t)
		}
	}
	return images, nil
}

type trlRow struct {
	ID         string          `json:"id,omitempty"`
	Prompt     []typedMessage  `json:"prompt"`
	Completion []typedMessage  `json:"completion"`
	Images     oneOrMoreAsList `json:"images,omitempty"`
}

func writeTRL(r Record, _ Tokens) []any {
	var rows []any
	for i, t := range r.Turns {
		if !t.Supervised {
			continue
		}
		row := trlRow{ID: r.ID, Prompt: typedSystem(r), Completion: []typedMessage{typed(t, true)}}
		for _, before := range r.Turns[:i] {
			row.Prompt = append(row.Prompt, typed(before, true))
		}
		row.Images = Record{Turns: r.Turns[:i]}.media(Image)
		rows = append(rows, row)
	}
	return rows
}

func readTRL(raw []byte, _ Tokens) (Record, error) {
	var row trlRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return Record{}, err
	}
	r := Record{ID: row.ID, Weight: 1}
	images, err := untyped(&r, row.Prompt, row.Images)
	if err != nil {
		return Record{}, err
	}
	for i := range r.Turns {
		r.Turns[i].Supervised = false
	}
	if images, err = untyped(&r, row.Completion, images); err != nil {
		return Record{}, err
	}
	if len(images) > 0 {
		return Record{}, fmt.Errorf("has %d more images than image parts", len(images))
	}
	return r, nil
}

// joinTRL joins the rows of one conversation: the later one's prompt goes on from where the former one ended.
func joinTRL(before *Record, next Record) bool {
	n := len(before.Turns)
	if next.ID == "" || before.ID != next.ID || before.System != next.System || len(next.Turns) <= n {
		return false
	}
	same := func(a, b Turn) bool { return a.Role == b.Role && slices.Equal(a.Parts, b.Parts) }
	if !slices.EqualFunc(before.Turns, next.Turns[:n], same) {
		return false
	}
	before.Turns = append(before.Turns, next.Turns[n:]...)
	return true
}

type axolotlRow struct {
	ID       string         `json:"id,omitempty"`
	Messages []typedMessage `json:"messages"`
}

func writeAxolotl(r Record, _ Tokens) []any {
	row := axolotlRow{ID: r.ID, Messages: typedSystem(r)}
	for _, t := range r.Turns {
		row.Messages = append(row.Messages, typed(t, false))
	}
	return []any{row}
}

func readAxolotl(raw []byte, _ Tokens) (Record, error) {
	var row axolotlRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return Record{}, err
	}
	r := Record{ID: row.ID, Weight: 1}
	_, err := untyped(&r, row.Messages, nil)
	return r, err
}
