package convert

import (
	"encoding/json"
	"errors"
	"slices"

	"finetui/core/config"
)

// videoGPT is the shape that Mobile-VideoGPT's trainer reads: LLaVA's, with the clip as the labels name it and the
// record's own split, all splits in one file.
var videoGPT = dialect{
	name:      config.DialectVideoGPT,
	trainer:   "Mobile-VideoGPT",
	together:  true,
	asWritten: true,
	holds:     traits{clips: true},
	start:     "start its trainer with that file as annotation_path, and the folder of the labels as data_path",
	write:     func(r Record, _ Tokens) []any { return []any{clipRow(r, "", llavaNames)} },
	read:      readVideoGPT,
}

// videoGPTRoles is the same in the words that it was first described in, with the system turn as a turn of its own.
var videoGPTRoles = dialect{
	name:      config.DialectVideoGPTRoles,
	trainer:   "readers of system, user and assistant",
	together:  true,
	asWritten: true,
	holds:     traits{clips: true, system: true},
	start:     "Mobile-VideoGPT's own trainer does not take these roles: write CONVERT.DIALECT = \"mobile-videogpt\" for it",
	write: func(r Record, _ Tokens) []any {
		return []any{clipRow(r, r.System, map[string]string{User: User, Assistant: Assistant})}
	},
	read: readVideoGPT,
}

type videoGPTRow struct {
	Video         oneOrMore   `json:"video"`
	Conversations []llavaTurn `json:"conversations"`
	Split         string      `json:"split,omitempty"`
}

func clipRow(r Record, system string, names map[string]string) videoGPTRow {
	row := videoGPTRow{Video: r.media(Video), Split: r.Split}
	if system != "" {
		row.Conversations = append(row.Conversations, llavaTurn{systemRole, system})
	}
	for _, t := range r.Turns {
		row.Conversations = append(row.Conversations, llavaTurn{names[t.Role], tagged(t, "\n")})
	}
	return row
}

// readVideoGPT reads both forms; a record has no name of its own there.
func readVideoGPT(raw []byte, tokens Tokens) (Record, error) {
	var row videoGPTRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return Record{}, err
	}
	inner := llavaRow{Video: row.Video, Conversations: row.Conversations}
	system := ""
	if len(inner.Conversations) > 0 && inner.Conversations[0].From == systemRole {
		system = inner.Conversations[0].Value
		inner.Conversations = slices.Clone(inner.Conversations[1:])
	}
	text, err := json.Marshal(inner)
	if err != nil {
		return Record{}, err
	}
	r, err := readLLaVA(text, tokens)
	r.System, r.Split = system, row.Split
	if err == nil && len(r.media(Video)) == 0 {
		err = errors.New("shows no clip")
	}
	return r, err
}
