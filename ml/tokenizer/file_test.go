package tokenizer

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestTrainingGivesTheMostFrequentPairs(t *testing.T) {
	tok, err := Train([]string{"hug hug hug pug pug pun pun bun hugs"}, 256+5+1, []string{"<end>"})
	if err != nil {
		t.Fatal(err)
	}
	// ug 6 times; then h-ug and _-p 4 times each, and u-n and _-hug 3 times: the smaller ids first, and _ is 220
	var got []string
	for id := 256; id < tok.Size(); id++ {
		got = append(got, tok.Token(int32(id)))
	}
	if want := []string{"ug", "hug", " p", "un", " hug", "<end>"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTrainingIsTheSameEveryTime(t *testing.T) {
	texts := []string{strings.Repeat("the toe drain is blocked by soil and the rock toe is damaged ", 20),
		"Die Böschung ist naß, naß, naß", "日本語 日本語"}
	var want []byte
	for i := range 4 {
		tok, err := Train(texts, 330, []string{"<|endoftext|>"})
		if err != nil {
			t.Fatal(err)
		}
		got := tok.Marshal()
		if i > 0 && !bytes.Equal(got, want) {
			t.Fatalf("training %d differs", i)
		}
		want = got
	}
}

func TestTrainingStopsWhereNothingOccursTwice(t *testing.T) {
	tok, err := Train([]string{"abc"}, 1000, []string{"<end>"})
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := tok.ID("<end>"); !ok || id != 256 || tok.Size() != 257 {
		t.Errorf("<end> is %d of %d", id, tok.Size())
	}
}

func TestTrainingRefusesImpossibleSizes(t *testing.T) {
	for _, c := range []struct {
		vocab   int
		special []string
	}{{256, []string{"<end>"}}, {1 << 30, nil}, {300, []string{"a", "a"}}, {300, []string{""}}} {
		if _, err := Train(nil, c.vocab, c.special); err == nil {
			t.Errorf("%d with %q: no error", c.vocab, c.special)
		}
	}
}

func TestWhatIsMarshalledIsParsedToTheSameIDs(t *testing.T) {
	tok := tiny(t)
	text := tok.Marshal()
	again, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Marshal(), text) {
		t.Error("marshalling again gives other bytes")
	}
	for _, s := range []string{"the toe drain", "Böschung<|im_end|>\n", "B\u006f\u0308schung <b>&",
		"\x00\x7f\u00ad 日本"} {
		if a, b := tok.Encode(s), again.Encode(s); !slices.Equal(a, b) {
			t.Errorf("%q: %v and %v", s, a, b)
		}
	}
}

func TestGoldenTokenizerIsMarshalledToTheSameRules(t *testing.T) {
	tok := loadQwen(t)
	again, err := Parse(tok.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(again.tokens, tok.tokens) || !slices.Equal(again.order, tok.order) ||
		!slices.Equal(again.added, tok.added) {
		t.Error("vocabulary, merges or added tokens differ")
	}
}

// edited is the file of the tiny tokenizer with one thing changed.
func edited(t *testing.T, change func(file map[string]any)) []byte {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(tiny(t).Marshal(), &file); err != nil {
		t.Fatal(err)
	}
	change(file)
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMergesAreReadInBothSpellings(t *testing.T) {
	text := edited(t, func(file map[string]any) {
		model := file["model"].(map[string]any)
		for i, m := range model["merges"].([]any) {
			left, right, _ := strings.Cut(m.(string), " ")
			model["merges"].([]any)[i] = []string{left, right}
		}
	})
	tok, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(tok.Marshal(), tiny(t).Marshal()) {
		t.Error("the tokenizers differ")
	}
}

func TestFilesWithOtherRulesAreRefusedByField(t *testing.T) {
	for want, change := range map[string]func(file, model map[string]any){
		"model.type":    func(file, model map[string]any) { model["type"] = "WordPiece" },
		"model.dropout": func(file, model map[string]any) { model["dropout"] = 0.1 },
		"byte_fallback": func(file, model map[string]any) { model["byte_fallback"] = true },
		"end_of_word":   func(file, model map[string]any) { model["end_of_word_suffix"] = "</w>" },
		"normalizer.type": func(file,
			model map[string]any) {
			file["normalizer"] = map[string]any{"type": "Lowercase"}
		},
		"post_processor": func(file, model map[string]any) {
			file["post_processor"] = map[string]any{"type": "TemplateProcessing"}
		},
		"decoder":         func(file, model map[string]any) { file["decoder"] = map[string]any{"type": "Metaspace"} },
		"pre_tokenizer":   func(file, model map[string]any) { file["pre_tokenizer"] = nil },
		"outside 0 to":    func(file, model map[string]any) { model["vocab"].(map[string]any)["zz"] = 1 << 40 },
		"stands for both": func(file, model map[string]any) { model["vocab"].(map[string]any)["zz"] = 0 },
		"model.merges[0]": func(file, model map[string]any) { model["merges"] = []string{"q zz"} },
		"with a space":    func(file, model map[string]any) { model["merges"] = []string{"qzz"} },
		"model.vocab is":  func(file, model map[string]any) { model["vocab"], file["added_tokens"] = nil, nil },
		"lstrip": func(file,
			model map[string]any) {
			file["added_tokens"].([]any)[0].(map[string]any)["lstrip"] = true
		},
		"has no text": func(file,
			model map[string]any) {
			file["added_tokens"].([]any)[0].(map[string]any)["content"] = ""
		},
		"expression of Qwen2": func(file, model map[string]any) {
			file["pre_tokenizer"].(map[string]any)["pretokenizers"].([]any)[0].(map[string]any)["pattern"] = map[string]any{"Regex": `\s+`}
		},
	} {
		text := edited(t, func(file map[string]any) { change(file, file["model"].(map[string]any)) })
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that holds %q", err, want)
		}
	}
}

func TestNormalizedAddedTokensAreFoundAfterNormalizing(t *testing.T) {
	text := edited(t, func(file map[string]any) {
		added := file["added_tokens"].([]any)[0].(map[string]any)
		added["content"], added["normalized"] = "é", true
	})
	tok, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := tok.ID("é")
	if got := tok.Encode("e\u0301"); !slices.Equal(got, []int32{id}) {
		t.Errorf("got %v, want [%d]", got, id)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(tiny(f).Marshal())
	f.Add([]byte(`{"model":{"type":"BPE","vocab":{"a":0},"merges":["a a"]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tok, err := Parse(text)
		if err != nil {
			return
		}
		tok.Decode(tok.Encode("the drain <|im_end|> é \x00"), true)
		if _, err := Parse(tok.Marshal()); err != nil {
			t.Errorf("what was accepted is refused when written again: %v", err)
		}
	})
}

// A vocabulary may hold a token that is no byte-level spelling (" ") beside the spelling of the same bytes ("Ġ").
// Encoding uses the spelling, whatever order the file's tokens are read in.
func TestTokenWithoutByteSpellingGivesWayToTheSpelling(t *testing.T) {
	spelt, _ := tiny(t).ID(" ")
	text := edited(t, func(file map[string]any) {
		model := file["model"].(map[string]any)
		model["vocab"].(map[string]any)[" "] = tiny(t).Size()
	})
	for range 20 {
		tok, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if id, _ := tok.ID(" "); id != spelt || !slices.Equal(tok.Encode(" "), []int32{spelt}) {
			t.Fatalf("a blank is token %d, encoded %v; want %d", id, tok.Encode(" "), spelt)
		}
		if got := tok.Decode([]int32{int32(tiny(t).Size())}, false); got != " " {
			t.Fatalf("the other token reads %q", got)
		}
	}
}
