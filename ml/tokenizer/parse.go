package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"finetui/ml/wholefile"
)

// maxID bounds the ids of a file, so that a broken one cannot ask for any amount of memory.
const maxID = 1 << 22

// fileJSON is the part of a tokenizer.json that decides about ids, as Hugging Face's tokenizers library writes it.
type fileJSON struct {
	Added []struct {
		ID         int64  `json:"id"`
		Content    string `json:"content"`
		SingleWord bool   `json:"single_word"`
		LStrip     bool   `json:"lstrip"`
		RStrip     bool   `json:"rstrip"`
		Normalized bool   `json:"normalized"`
		Special    bool   `json:"special"`
	} `json:"added_tokens"`
	Normalizer    *typed `json:"normalizer"`
	PreTokenizer  *typed `json:"pre_tokenizer"`
	PostProcessor *typed `json:"post_processor"`
	Decoder       *typed `json:"decoder"`
	Model         struct {
		Type         string            `json:"type"`
		Dropout      float64           `json:"dropout"`
		Prefix       string            `json:"continuing_subword_prefix"`
		Suffix       string            `json:"end_of_word_suffix"`
		ByteFallback bool              `json:"byte_fallback"`
		IgnoreMerges bool              `json:"ignore_merges"`
		Vocab        map[string]int64  `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
	} `json:"model"`
}

// typed is a normaliser, pre-tokenizer, post-processor or decoder.
type typed struct {
	Type           string `json:"type"`
	Pretokenizers  []typed
	Pattern        struct{ Regex string }
	Behavior       string
	Invert         bool
	AddPrefixSpace bool  `json:"add_prefix_space"`
	UseRegex       *bool `json:"use_regex"`
}

// Load reads a tokenizer.json.
func Load(path string) (*Tokenizer, error) {
	text, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, err
	}
	t, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads the text of a tokenizer.json: byte-level BPE with the splitting expression of Qwen2. Every rule of the
// file that would give other ids than this package's is an error that names the field.
func Parse(text []byte) (*Tokenizer, error) {
	var f fileJSON
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, fmt.Errorf("not a tokenizer.json: %w", err)
	}
	if err := f.checkRules(); err != nil {
		return nil, err
	}
	t := &Tokenizer{nfc: f.Normalizer != nil, ignoreMerges: f.Model.IgnoreMerges}
	if err := t.readVocab(&f); err != nil {
		return nil, err
	}
	if err := t.readMerges(f.Model.Merges); err != nil {
		return nil, err
	}
	if err := t.readAdded(&f); err != nil {
		return nil, err
	}
	t.finish()
	return t, nil
}

// finish builds what follows from the vocabulary and the added tokens.
func (t *Tokenizer) finish() {
	for b := range t.byteID {
		t.byteID[b] = -1
		if id, ok := t.ids[string([]byte{byte(b)})]; ok {
			t.byteID[b] = id
		}
	}
	t.skip = map[int32]bool{}
	for _, a := range t.added {
		if a.special {
			t.skip[a.id] = true
		}
		t.ids[a.text] = a.id
	}
	t.raw, t.normal = newFinder(t.added, false), newFinder(t.added, true)
	t.cache = &cache{seed: maphash.MakeSeed()}
}

// checkRules refuses what this package does not do.
func (f *fileJSON) checkRules() error {
	if f.Model.Type != "BPE" {
		return fmt.Errorf("model.type is %q, only BPE is read", f.Model.Type)
	}
	if f.Normalizer != nil && f.Normalizer.Type != "NFC" {
		return fmt.Errorf("normalizer.type is %q, only NFC or none is read", f.Normalizer.Type)
	}
	if err := f.PreTokenizer.checkSplit(); err != nil {
		return err
	}
	if f.PostProcessor != nil && f.PostProcessor.Type != "ByteLevel" {
		return fmt.Errorf("post_processor.type is %q, only ByteLevel or none is read", f.PostProcessor.Type)
	}
	if f.Decoder != nil && f.Decoder.Type != "ByteLevel" {
		return fmt.Errorf("decoder.type is %q, only ByteLevel is read", f.Decoder.Type)
	}
	m := f.Model
	switch {
	case m.Dropout != 0:
		return errors.New("model.dropout is set: encoding would depend on chance")
	case m.Prefix != "" || m.Suffix != "":
		return errors.New("model.continuing_subword_prefix or end_of_word_suffix is set: not a byte-level vocabulary")
	case m.ByteFallback:
		return errors.New("model.byte_fallback is set: not a byte-level vocabulary")
	}
	return nil
}

// checkSplit demands Split by qwen2Pattern, then ByteLevel without an expression of its own.
func (pre *typed) checkSplit() error {
	if pre == nil || pre.Type != "Sequence" || len(pre.Pretokenizers) != 2 ||
		pre.Pretokenizers[0].Type != "Split" || pre.Pretokenizers[1].Type != "ByteLevel" {
		return errors.New("pre_tokenizer is not the Sequence of Split and ByteLevel that the Qwen2 family has")
	}
	cut, level := pre.Pretokenizers[0], pre.Pretokenizers[1]
	if cut.Pattern.Regex != qwen2Pattern || cut.Behavior != "Isolated" || cut.Invert {
		return fmt.Errorf("pre_tokenizer splits by %q (%s), not by the expression of Qwen2", cut.Pattern.Regex,
			cut.Behavior)
	}
	if level.AddPrefixSpace || level.UseRegex == nil || *level.UseRegex {
		return errors.New("pre_tokenizer.ByteLevel has add_prefix_space or use_regex set, which the Qwen2 family " +
			"does not")
	}
	return nil
}

// readVocab fills tokens and ids.
func (t *Tokenizer) readVocab(f *fileJSON) error {
	largest := int64(-1)
	see := func(token string, id int64) error {
		if id < 0 || id >= maxID {
			return fmt.Errorf("token %q has the id %d, outside 0 to %d", token, id, maxID-1)
		}
		largest = max(largest, id)
		return nil
	}
	for token, id := range f.Model.Vocab {
		if err := see(token, id); err != nil {
			return fmt.Errorf("model.vocab: %w", err)
		}
	}
	for _, a := range f.Added {
		if err := see(a.Content, a.ID); err != nil {
			return fmt.Errorf("added_tokens: %w", err)
		}
	}
	if largest < 0 {
		return errors.New("model.vocab is empty")
	}
	t.tokens = make([]string, largest+1)
	t.ids = make(map[string]int32, len(f.Model.Vocab)+len(f.Added))
	unspelt := map[string]int64{}
	for mapped, id := range f.Model.Vocab {
		token, err := unmapBytes(mapped)
		if err != nil { // a token of no byte-level spelling stands for itself, as in the reference's decoder
			token = mapped
			unspelt[token] = id
		} else {
			t.ids[token] = int32(id)
		}
		if t.tokens[id] != "" {
			return fmt.Errorf("model.vocab: id %d stands for both %q and %q", id, min(t.tokens[id], token),
				max(t.tokens[id], token))
		}
		t.tokens[id] = token
	}
	for token, id := range unspelt { // encoding meets the spelling, where both are there
		if _, ok := t.ids[token]; !ok {
			t.ids[token] = int32(id)
		}
	}
	return nil
}

// readMerges fills ranks and order. A merge is written "a b" or, by newer versions, ["a","b"].
func (t *Tokenizer) readMerges(list []json.RawMessage) error {
	t.ranks = make(map[uint64]merge, len(list))
	t.order = make([]uint64, 0, len(list))
	for rank, text := range list {
		left, right, err := mergeSides(text)
		if err != nil {
			return fmt.Errorf("model.merges[%d]: %w", rank, err)
		}
		l, okL := t.ids[left]
		r, okR := t.ids[right]
		both, okB := t.ids[left+right]
		if !okL || !okR || !okB {
			return fmt.Errorf("model.merges[%d]: %q and %q make %q, and not all three are in model.vocab", rank, left,
				right, left+right)
		}
		key := pair(l, r)
		if _, twice := t.ranks[key]; !twice { // of a pair that occurs twice the first holds
			t.ranks[key] = merge{int32(rank), both}
			t.order = append(t.order, key)
		}
	}
	return nil
}

// mergeSides reads one merge and gives its two sides as bytes.
func mergeSides(text json.RawMessage) (left, right string, err error) {
	if bytes.HasPrefix(text, []byte("[")) {
		var sides []string
		if err := json.Unmarshal(text, &sides); err != nil {
			return "", "", err
		}
		if len(sides) != 2 {
			return "", "", fmt.Errorf("%d sides, not 2", len(sides))
		}
		left, right = sides[0], sides[1]
	} else {
		var line string
		if err := json.Unmarshal(text, &line); err != nil {
			return "", "", err
		}
		ok := false
		if left, right, ok = strings.Cut(line, " "); !ok {
			return "", "", fmt.Errorf("%q is not two tokens with a space between", line)
		}
	}
	if left, err = unmapBytes(left); err != nil {
		return "", "", err
	}
	right, err = unmapBytes(right)
	return left, right, err
}

// readAdded fills added, and the places of those tokens.
func (t *Tokenizer) readAdded(f *fileJSON) error {
	for _, a := range f.Added {
		if a.LStrip || a.RStrip || a.SingleWord {
			return fmt.Errorf("added token %q has lstrip, rstrip or single_word set, which the Qwen2 family does not",
				a.Content)
		}
		if a.Content == "" {
			return fmt.Errorf("added token %d has no text", a.ID)
		}
		t.tokens[a.ID] = a.Content
		t.added = append(t.added, addedToken{a.Content, int32(a.ID), a.Special, a.Normalized})
	}
	return nil
}

// byteRunes maps each byte to the printable rune that stands for it in a byte-level vocabulary (GPT-2's table): itself
// where it is printable in Latin-1, else the runes from U+0100 on. runeBytes is the way back.
var byteRunes, runeBytes = func() (there [256]rune, back map[rune]byte) {
	back = make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range there {
		r := rune(b)
		if !(r >= '!' && r <= '~' || r >= 0xa1 && r <= 0xac || r >= 0xae) {
			r = next
			next++
		}
		there[b] = r
		back[r] = byte(b)
	}
	return there, back
}()

// unmapBytes turns a token as the file writes it into its bytes.
func unmapBytes(mapped string) (string, error) {
	out := make([]byte, 0, len(mapped))
	for _, r := range mapped {
		if r < utf8.RuneSelf && r > ' ' && r < 0x7f {
			out = append(out, byte(r))
			continue
		}
		b, ok := runeBytes[r]
		if !ok {
			return "", fmt.Errorf("%q stands for no byte", r)
		}
		out = append(out, b)
	}
	if len(out) == 0 {
		return "", errors.New("it is empty")
	}
	return string(out), nil
}

// mapBytes is the reverse of unmapBytes.
func mapBytes(token string) string {
	var out strings.Builder
	for i := range len(token) {
		out.WriteRune(byteRunes[token[i]])
	}
	return out.String()
}

// IDs reads a token id, a list of them, or null, as JSON files of models hold them.
func IDs(raw json.RawMessage) ([]int32, error) {
	var one int32
	var many []int32
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case json.Unmarshal(raw, &one) == nil:
		return []int32{one}, nil
	case json.Unmarshal(raw, &many) == nil:
		return many, nil
	}
	return nil, fmt.Errorf("%s, neither a token nor a list of tokens", raw)
}
