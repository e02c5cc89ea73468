package convert

import (
	"encoding/json"

	"finetui/core/config"
)

// llava is the shape of LLaVA's own data, which Qwen2-VL-Finetune and Mobile-VideoGPT read. A system turn would shift
// the pairs there, so that the question becomes what is learned.
var llava = dialect{
	name:    config.DialectLLaVA,
	trainer: "LLaVA's dialect",
	holds:   traits{clips: true},
	start:   "pass that folder as the folder of pictures (Qwen2-VL-Finetune: --image_folder)",
	write:   writeLLaVA,
	read:    readLLaVA,
}

type llavaRow struct {
	ID            string      `json:"id"`
	Image         oneOrMore   `json:"image,omitempty"`
	Video         oneOrMore   `json:"video,omitempty"`
	Conversations []llavaTurn `json:"conversations"`
}

type llavaTurn struct {
	From  string `json:"from"`
	Value string `json:"value"`
}

// oneOrMore is a text, or a list of texts where there are several.
type oneOrMore []string

func (o oneOrMore) MarshalJSON() ([]byte, error) {
	if len(o) == 1 {
		return json.Marshal(o[0])
	}
	return json.Marshal([]string(o))
}

func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*o = nil
		if one != "" { // also what null gives
			*o = oneOrMore{one}
		}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(o))
}

// llavaNames are the words of the dialect for the two sides.
var llavaNames = map[string]string{User: "human", Assistant: "gpt"}

func writeLLaVA(r Record, _ Tokens) []any {
	row := llavaRow{ID: r.ID, Image: r.media(Image), Video: r.media(Video)}
	for _, t := range r.Turns {
		row.Conversations = append(row.Conversations, llavaTurn{llavaNames[t.Role], tagged(t, "\n")})
	}
	return []any{row}
}

func readLLaVA(raw []byte, _ Tokens) (Record, error) {
	var row llavaRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return Record{}, err
	}
	r := Record{ID: row.ID, Weight: 1}
	f := files{row.Image, row.Video}
	for _, t := range row.Conversations {
		role := User
		switch t.From {
		case llavaNames[User], User:
		case llavaNames[Assistant], Assistant:
			role = Assistant
		default:
			return Record{}, errNoRole
		}
		parts, err := f.parts(t.Value, "\n")
		if err != nil {
			return Record{}, err
		}
		r.Turns = append(r.Turns, Turn{role, parts, role == Assistant})
	}
	return r, f.left()
}
