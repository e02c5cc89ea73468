package convert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"finetui/core/config"
	"finetui/ml/wholefile"
)

// llamaFactory is the sharegpt formatting with OpenAI's names, which dataset_info.json explains. Marks must be as many
// as files, else the run stops. It has no weights: the loss_weight of its v1 cancels in micro-batches of one.
var llamaFactory = dialect{
	name:    config.DialectLlamaFactory,
	trainer: "LLaMA-Factory",
	holds:   traits{system: true, clips: true, mixed: true},
	start:   "pass that folder as dataset_dir, and entries of its dataset_info.json as dataset and eval_dataset",
	write: func(r Record, _ Tokens) []any {
		return []any{messagesRow{ID: r.ID, Messages: taggedMessages(r), Images: r.media(Image), Videos: r.media(Video)}}
	},
	read:     readMessages,
	settings: llamaFactorySettings,
}

// messagesRow is a row of LLaMA-Factory and of ms-swift.
type messagesRow struct {
	ID       string          `json:"id,omitempty"`
	Messages []roled[string] `json:"messages"`
	Images   oneOrMoreAsList `json:"images,omitempty"`
	Videos   oneOrMoreAsList `json:"videos,omitempty"`
	Channel  string          `json:"channel,omitempty"`
}

// oneOrMoreAsList is written as a list, and read also from a single text.
type oneOrMoreAsList []string

func (o *oneOrMoreAsList) UnmarshalJSON(raw []byte) error { return (*oneOrMore)(o).UnmarshalJSON(raw) }

func taggedMessages(r Record) []roled[string] {
	var messages []roled[string]
	if r.System != "" {
		messages = append(messages, roled[string]{Role: systemRole, Content: r.System})
	}
	for _, t := range r.Turns {
		messages = append(messages, roled[string]{Role: t.Role, Content: tagged(t, "")})
	}
	return messages
}

func readMessages(raw []byte, tokens Tokens) (Record, error) {
	var row messagesRow
	if err := json.Unmarshal(raw, &row); err != nil {
		return Record{}, err
	}
	r := Record{ID: row.ID, Weight: 1, Channel: row.Channel}
	f := files{row.Images, row.Videos}
	for i, m := range row.Messages {
		if m.Role == systemRole && i == 0 {
			r.System = m.Content
			continue
		}
		if m.Role != User && m.Role != Assistant {
			return Record{}, errNoRole
		}
		parts, err := f.parts(m.Content, "")
		if err != nil {
			return Record{}, err
		}
		answer := m.Role == Assistant
		r.Turns = append(r.Turns, Turn{m.Role, parts, answer && (m.Loss == nil || *m.Loss)})
		if answer && m.LossScale != nil {
			if tokens == nil {
				return Record{}, errors.New("has a loss_scale, which means a weight only with the tokens of its " +
					"answer: give the base's tokenizer")
			}
			r.Weight = rowWeight(*m.LossScale, tokens(m.Content))
		}
	}
	return r, f.left()
}

const datasetInfo = "dataset_info.json"

var notInName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// entryName is a split's name in dataset_info.json; LLaMA-Factory divides lists of names at commas.
func entryName(project, split string) string {
	return strings.Trim(notInName.ReplaceAllString(project+"_"+split, "_"), "_")
}

// entry is what dataset_info.json says of a file. A column that no row has would stop the run.
type entry struct {
	File      string            `json:"file_name"`
	Formatted string            `json:"formatting"`
	Columns   map[string]string `json:"columns"`
	Tags      map[string]string `json:"tags"`
}

func newEntry(file string, images, videos bool) entry {
	e := entry{File: file, Formatted: "sharegpt", Columns: map[string]string{"messages": "messages"},
		Tags: map[string]string{"role_tag": "role", "content_tag": "content", "user_tag": User,
			"assistant_tag": Assistant, "system_tag": systemRole}}
	if images {
		e.Columns["images"] = "images"
	}
	if videos {
		e.Columns["videos"] = "videos"
	}
	return e
}

// describe puts entries into the dataset_info.json of a folder, and keeps what others have written there.
func describe(dir string, entries map[string]entry) error {
	path := filepath.Join(dir, datasetInfo)
	all := map[string]json.RawMessage{}
	old, err := wholefile.Read(path, wholefile.Text)
	if err == nil {
		err = json.Unmarshal(old, &all)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w: repair it or move it away", path, err)
	}
	for name, e := range entries {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		all[name] = text
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return create(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
