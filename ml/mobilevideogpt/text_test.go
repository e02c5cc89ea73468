package mobilevideogpt

import (
	"encoding/json"
	"slices"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/tokenizer"
)

// record is a conversation as a file has it.
type record struct {
	Record []struct{ From, Value string }
	Single struct {
		IDs    []int32
		Labels map[string][]int32
	} `json:"single_placeholder"`
}

// turns are those of a record, of which what is shown takes one token.
func (r record) turns() (out []Turn) {
	for _, x := range r.Record {
		turn := Turn{Answer: x.From == "gpt", Text: x.Value}
		if !turn.Answer {
			var shown int
			turn.Text, shown = Untag(x.Value)
			turn.Shown = slices.Repeat([]int{1}, shown)
		}
		out = append(out, turn)
	}
	return out
}

// TestGoldenConversations compares the tokens, and what of them is learned: the answers and their end tokens. The
// reference has −200 in the place of what is shown.
func TestGoldenConversations(t *testing.T) {
	tok, err := tokenizer.Load(goldentest.Dir(t, "full-vocab", "model", "tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Conversations map[string]record
		NotToBeCopied json.RawMessage `json:"not_to_be_copied"`
		Inference     struct {
			Question string
			IDs      []int32 `json:"ids_single_placeholder"`
		}
	}
	goldentest.JSON(t, goldentest.Dir(t, "mobile-videogpt", "text", "conversations.json"), &golden)
	marked := func(e Encoded) []int32 {
		ids := slices.Clone(e.IDs)
		for _, at := range e.Places {
			ids[at] = -200
		}
		return ids
	}
	for name, r := range golden.Conversations {
		e, err := Encode(tok, "", r.turns())
		if err != nil {
			t.Fatal(err)
		}
		if got := marked(e); !slices.Equal(got, r.Single.IDs) {
			t.Errorf("%s: tokens\n%v, want\n%v", name, got, r.Single.IDs)
		}
		if want := r.Single.Labels["assistant_content"]; !slices.Equal(e.Labels, want) {
			t.Errorf("%s: labels\n%v, want\n%v", name, e.Labels, want)
		}
	}
	e, err := Encode(tok, "", []Turn{{Text: golden.Inference.Question, Shown: []int{1}}})
	if got := marked(e); err != nil || !slices.Equal(got, golden.Inference.IDs) {
		t.Errorf("a question's tokens are\n%v, %v; want\n%v", got, err, golden.Inference.IDs)
	}
}

func TestTagsMoveToTheFront(t *testing.T) {
	for text, want := range map[string]struct {
		words string
		shown int
	}{
		"<video>\nWhat is wrong?":          {"What is wrong?", 1},
		"What is wrong?\n<video>":          {"What is wrong?", 1},
		"What is wrong?":                   {"What is wrong?", 0},
		" spaces stay where nothing shown": {" spaces stay where nothing shown", 0},
		"<image>\n<image>\nWhich?":         {"Which?", 2},
		"<video>":                          {"", 1},
	} {
		if words, shown := Untag(text); words != want.words || shown != want.shown {
			t.Errorf("%q is %q with %d shown, want %q with %d", text, words, shown, want.words, want.shown)
		}
	}
}
