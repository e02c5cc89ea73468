package chat

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/tokenizer"
)

// qwen loads the real tokenizer, once.
var qwen = sync.OnceValues(func() (*tokenizer.Tokenizer, error) {
	return tokenizer.Load(qwenPath)
})

var qwenPath string

func loadQwen(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	qwenPath = goldentest.Shared(t, "data", "tokenizer", "qwen2.5", "tokenizer.json")
	tok, err := qwen()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// loadGolden loads the tokenizer that the golden conversations are encoded with: the tree's own, where it has one.
func loadGolden(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	own := filepath.Join(goldentest.Dir(t, "text"), "tokenizer.json")
	if _, err := os.Stat(own); err != nil {
		return loadQwen(t)
	}
	tok, err := tokenizer.Load(own)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// goldenMessage is a message as the golden files write it: the content is a text, or a list of parts.
type goldenMessage struct {
	Role    string
	Content json.RawMessage
}

// messages turns golden messages into ours, giving each picture and clip its number of tokens (1 where the lists are
// nil).
func messages(t *testing.T, golden []goldenMessage, images, videos []int) []Message {
	t.Helper()
	take := func(list *[]int) int {
		if len(*list) == 0 {
			return 0
		}
		n := (*list)[0]
		*list = (*list)[1:]
		return n
	}
	var out []Message
	for _, g := range golden {
		var text string
		if json.Unmarshal(g.Content, &text) == nil {
			out = append(out, Say(g.Role, text))
			continue
		}
		var parts []struct{ Type, Text string }
		if err := json.Unmarshal(g.Content, &parts); err != nil {
			t.Fatal(err)
		}
		m := Message{Role: g.Role}
		for _, p := range parts {
			switch p.Type {
			case "image":
				m.Parts = append(m.Parts, Part{Kind: Image, Tokens: take(&images)})
			case "video":
				m.Parts = append(m.Parts, Part{Kind: Video, Tokens: take(&videos)})
			default:
				m.Parts = append(m.Parts, Part{Text: p.Text})
			}
		}
		out = append(out, m)
	}
	return out
}

func TestGoldenChatsAreRenderedAndEncoded(t *testing.T) {
	tok := loadGolden(t)
	var cases []struct {
		Name         string
		Messages     []goldenMessage
		Generation   bool `json:"add_generation_prompt"`
		VisionIDs    bool `json:"add_vision_id"`
		Text         string
		IDs          []int32
		Images       []int   `json:"image_tokens"`
		Videos       []int   `json:"video_tokens"`
		ExpandedText string  `json:"expanded_text"`
		ExpandedIDs  []int32 `json:"expanded_ids"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "text", "chats.json"), &cases)
	for _, c := range cases {
		opts := Options{GenerationPrompt: c.Generation, VisionIDs: c.VisionIDs}
		for _, form := range []struct {
			messages []Message
			text     string
			ids      []int32
		}{
			{messages(t, c.Messages, nil, nil), c.Text, c.IDs},
			{messages(t, c.Messages, c.Images, c.Videos), c.ExpandedText, c.ExpandedIDs},
		} {
			if got := Render(form.messages, opts); got != form.text {
				t.Errorf("%s: got %q, want %q", c.Name, got, form.text)
			}
			ids, labels, err := Encode(tok, form.messages, opts)
			if err != nil || !slices.Equal(ids, form.ids) || len(labels) != len(ids) {
				t.Errorf("%s: got %v (%v), want %v", c.Name, ids, err, form.ids)
			}
		}
	}
	t.Logf("%d cases", len(cases))
}

func TestGoldenLabelsSuperviseOnlyAnswers(t *testing.T) {
	tok := loadGolden(t)
	var c struct {
		Messages    []goldenMessage
		Images      []int `json:"image_tokens"`
		Text        string
		IDs, Labels []int32
		Trailing    []int32 `json:"labels_with_trailing_newline"`
	}
	goldentest.JSON(t, goldentest.Dir(t, "text", "sft-labels.json"), &c)
	conversation := messages(t, c.Messages, c.Images, nil)
	for trailing, want := range map[bool][]int32{false: c.Labels, true: c.Trailing} {
		ids, labels, err := Encode(tok, conversation, Options{TrailingNewline: trailing})
		if err != nil || !slices.Equal(ids, c.IDs) {
			t.Errorf("ids %v (%v), want %v", ids, err, c.IDs)
		}
		if !slices.Equal(labels, want) {
			t.Errorf("trailing newline %v: labels %v, want %v", trailing, labels, want)
		}
	}
}

func TestTheDefaultSystemTextIsAChoice(t *testing.T) {
	got := Render([]Message{Say(User, "Hi")}, Options{DefaultSystem: SystemQwen25})
	want := "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful " +
		"assistant.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
	if got != want {
		t.Errorf("got %q", got)
	}
}

// small is a vocabulary of bytes and of the template's special tokens.
func small(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	special := []string{messageStart, messageEnd, visionStart, visionEnd, imagePad, videoPad}
	tok, err := tokenizer.Train([]string{"\n\n\n\n", "assistant\n"}, 256+len(special)+2, special)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestAnAnswerBeginsWithItsOwnToken(t *testing.T) {
	tok := small(t)
	if _, ok := tok.ID("\n\n"); !ok {
		t.Fatal("the vocabulary lacks the token that could straddle header and answer")
	}
	turn := []Message{Say(User, "x"), Say(Assistant, "\nyes")}
	prompt, _, err := Encode(tok, turn[:1], Options{GenerationPrompt: true})
	if err != nil {
		t.Fatal(err)
	}
	ids, labels, err := Encode(tok, turn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids[:len(prompt)], prompt) {
		t.Errorf("training sees %v where generation sees %v", ids[:len(prompt)], prompt)
	}
	if got := tok.Decode(labels[len(prompt):len(labels)-1], false); got != "\nyes<|im_end|>" {
		t.Errorf("supervised is %q", got)
	}
}

func TestATokenizerWithoutTheTemplatesTokensIsRefused(t *testing.T) {
	tok, err := tokenizer.Train(nil, 258, []string{messageStart, messageEnd})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Encode(tok, []Message{Say(User, "x")}, Options{}); err != nil {
		t.Errorf("a conversation without pictures: %v", err)
	}
	look := Message{User, []Part{{Kind: Image, Tokens: 4}}}
	if _, _, err := Encode(tok, []Message{look}, Options{}); err == nil || !strings.Contains(err.Error(), visionStart) {
		t.Errorf("a conversation with a picture: %v", err)
	}
}
