package tokenizer

import (
	"bytes"
	"encoding/json"
)

// Marshal is the tokenizer as a tokenizer.json that Hugging Face's tokenizers library reads to the same ids. The same
// tokenizer gives the same bytes.
func (t *Tokenizer) Marshal() []byte {
	byteLevel := orderedObject{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false},
		{"use_regex", false}}
	var normalizer any
	if t.nfc {
		normalizer = orderedObject{{"type", "NFC"}}
	}
	split := orderedObject{{"type", "Split"}, {"pattern", orderedObject{{"Regex", qwen2Pattern}}},
		{"behavior", "Isolated"}, {"invert", false}}
	whole := orderedObject{
		{"version", "1.0"},
		{"truncation", nil},
		{"padding", nil},
		{"added_tokens", t.addedJSON()},
		{"normalizer", normalizer},
		{"pre_tokenizer", orderedObject{{"type", "Sequence"}, {"pretokenizers", []any{split, byteLevel}}}},
		{"post_processor", byteLevel},
		{"decoder", byteLevel},
		{"model", orderedObject{
			{"type", "BPE"},
			{"dropout", nil},
			{"unk_token", nil},
			{"continuing_subword_prefix", ""},
			{"end_of_word_suffix", ""},
			{"fuse_unk", false},
			{"byte_fallback", false},
			{"ignore_merges", t.ignoreMerges},
			{"vocab", t.vocabJSON()},
			{"merges", t.mergesJSON()},
		}},
	}
	var out bytes.Buffer
	// Every value is a text, a truth value, a number or made of those: there is nothing that could fail.
	_ = json.Indent(&out, encode(whole), "", "  ")
	out.WriteByte('\n')
	return out.Bytes()
}

// addedJSON lists the added tokens in their order.
func (t *Tokenizer) addedJSON() []any {
	list := make([]any, 0, len(t.added))
	for _, a := range t.added {
		list = append(list, orderedObject{{"id", a.id}, {"content", a.text}, {"single_word", false}, {"lstrip", false},
			{"rstrip", false}, {"normalized", a.normalized}, {"special", a.special}})
	}
	return list
}

// vocabJSON lists the tokens in the order of their ids. Added tokens behind the last token that is none are left out:
// they stand in added_tokens, as in Qwen2's file.
func (t *Tokenizer) vocabJSON() orderedObject {
	isAdded := map[int32]bool{}
	for _, a := range t.added {
		isAdded[a.id] = true
	}
	end := len(t.tokens)
	for end > 0 && (isAdded[int32(end-1)] || t.tokens[end-1] == "") {
		end--
	}
	var vocab orderedObject
	for id, token := range t.tokens[:end] {
		switch {
		case isAdded[int32(id)]:
			vocab = append(vocab, member{token, id})
		case token != "":
			vocab = append(vocab, member{mapBytes(token), id})
		}
	}
	return vocab
}

// mergesJSON lists the merges as "a b", which every version of the library reads.
func (t *Tokenizer) mergesJSON() []string {
	list := make([]string, len(t.order))
	for rank, key := range t.order {
		list[rank] = mapBytes(t.tokens[key>>32]) + " " + mapBytes(t.tokens[uint32(key)])
	}
	return list
}

// orderedObject is a JSON object whose members keep their order.
type orderedObject []member

type member struct {
	key   string
	value any
}

// MarshalJSON writes the members one after the other.
func (o orderedObject) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(encode(m.key))
		out.WriteByte(':')
		out.Write(encode(m.value))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// encode is the JSON of a value of this file's kinds, with < and > left as they are.
func encode(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // see Marshal
	return bytes.TrimRight(out.Bytes(), "\n")
}
