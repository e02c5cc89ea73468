package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"finetui/core/model"
	"finetui/ml/wholefile"
)

// The files beside the weights that trainers read. A base that came from the hub brings them; what one lacks, as the
// built-in one does, is written as Qwen2-VL's own repositories have it.
const (
	configFile     = "config.json"
	generationFile = "generation_config.json"
	tokenizerFile  = "tokenizer_config.json"
	vocabularyFile = "tokenizer.json"
	processorFile  = "preprocessor_config.json"
	templateFile   = "chat_template.jinja" // transformers 5, and 4 from 4.46 on
	templateJSON   = "chat_template.json"  // the processors of transformers 4
)

// companions copies what a checkpoint's folder holds beside its weights, and writes what trainers miss there. untied
// says that the new checkpoint has an output product of its own.
func companions(from, to string, untied bool) error {
	if err := copyCompanions(from, to); err != nil {
		return err
	}
	config, err := wholefile.Read(filepath.Join(to, configFile), wholefile.Text)
	if err != nil {
		return err
	}
	if untied {
		config = tied.ReplaceAll(config, []byte("${1}false"))
		if err := wholefile.Write(filepath.Join(to, configFile), config); err != nil {
			return err
		}
	}
	kind, err := model.Inspect(to)
	if err != nil {
		return err
	}
	return complete(to, kind)
}

var tied = regexp.MustCompile(`("tie_word_embeddings"\s*:\s*)true`)

// complete writes the files that a folder lacks.
func complete(dir string, kind model.Kind) error {
	lacking := kind.Companions()
	tokens, err := readTokens(filepath.Join(dir, vocabularyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a base without a tokenizer, which no trainer can read
	}
	if err != nil {
		return err
	}
	settings, err := readObject(filepath.Join(dir, tokenizerFile))
	if err != nil {
		return err
	}
	_, has := settings["chat_template"]
	own := settings == nil
	if own {
		settings = tokens.settings(lacking)
	}
	if !has && !there(dir, templateFile) && !there(dir, templateJSON) {
		settings["chat_template"] = lacking.Template
		if err := writeJSON(dir, tokenizerFile, settings); err != nil {
			return err
		}
		if err := wholefile.Write(filepath.Join(dir, templateFile), []byte(lacking.Template)); err != nil {
			return err
		}
		if lacking.Processor != "" {
			if err := writeJSON(dir, templateJSON, map[string]any{"chat_template": lacking.Template}); err != nil {
				return err
			}
		}
	} else if own {
		if err := writeJSON(dir, tokenizerFile, settings); err != nil {
			return err
		}
	}
	if !there(dir, generationFile) {
		if err := writeJSON(dir, generationFile, tokens.generation(kind.Sizes().Ends)); err != nil {
			return err
		}
	}
	if lacking.Preprocessor != nil && !there(dir, processorFile) {
		return writeJSON(dir, processorFile, lacking.Preprocessor)
	}
	return nil
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// readObject is a JSON file's object; nil where there is no such file.
func readObject(path string) (map[string]any, error) {
	data, err := wholefile.Read(path, wholefile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	object := map[string]any{}
	if err := json.Unmarshal(data, &object); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return object, nil
}

func writeJSON(dir, name string, object map[string]any) error {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(object); err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, name), []byte(text.String()))
}

// added is a token that tokenizer.json adds to the vocabulary.
type added struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

type tokens []added

func readTokens(path string) (tokens, error) {
	data, err := wholefile.Read(path, wholefile.Text)
	if err != nil {
		return nil, err
	}
	var f struct {
		Added tokens `json:"added_tokens"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f.Added, nil
}

func (t tokens) find(content string) (added, bool) {
	i := slices.IndexFunc(t, func(a added) bool { return a.Content == content })
	if i < 0 {
		return added{}, false
	}
	return t[i], true
}

// The tokens that end an answer and a text.
const (
	answerEnd = "<|im_end|>"
	textEnd   = "<|endoftext|>"
)

// settings are a tokenizer_config.json for the tokens, as Qwen2's tokenizer saves it.
func (t tokens) settings(c model.Companions) map[string]any {
	decoder := map[string]any{}
	var special []string
	for _, a := range t {
		decoder[fmt.Sprint(a.ID)] = map[string]any{"content": a.Content, "single_word": a.SingleWord,
			"lstrip": a.LStrip,
			"rstrip": a.RStrip, "normalized": a.Normalized, "special": a.Special}
		if a.Special && a.Content != textEnd {
			special = append(special, a.Content)
		}
	}
	s := map[string]any{
		"add_prefix_space": false, "added_tokens_decoder": decoder, "additional_special_tokens": special,
		"bos_token":                    nil,
		"clean_up_tokenization_spaces": false, "errors": "replace", "model_max_length": 32768, "padding_side": "left",
		"split_special_tokens": false, "tokenizer_class": "Qwen2Tokenizer", "unk_token": nil,
	}
	for key, content := range map[string]string{"eos_token": answerEnd, "pad_token": textEnd} {
		if _, ok := t.find(content); ok {
			s[key] = content
		}
	}
	if c.Processor != "" {
		s["processor_class"] = c.Processor
	}
	return s
}

// generation is a generation_config.json: greedy, ended by what ends an answer.
func (t tokens) generation(configured []int32) map[string]any {
	g := map[string]any{"do_sample": false}
	var ends []int
	for _, id := range configured {
		ends = append(ends, int(id))
	}
	for _, content := range []string{answerEnd, textEnd} {
		if a, ok := t.find(content); ok && !slices.Contains(ends, a.ID) {
			ends = append(ends, a.ID)
		}
	}
	g["eos_token_id"] = ends
	if a, ok := t.find(textEnd); ok {
		g["pad_token_id"], g["bos_token_id"] = a.ID, a.ID
	}
	return g
}

// copyCompanions copies what a checkpoint's folder holds beside
// its weights: configuration, tokenizer, processor, licence.
func copyCompanions(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !isCompanion(e.Name()) {
			continue
		}
		path := filepath.Join(from, e.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() { // what a link leads to
			continue
		}
		data, err := wholefile.Read(path, wholefile.Text)
		if err != nil {
			return err
		}
		if err := wholefile.Write(filepath.Join(to, e.Name()), data); err != nil {
			return err
		}
	}
	return nil
}

func isCompanion(name string) bool {
	switch {
	case strings.HasPrefix(name, "."), strings.HasSuffix(name, ".index.json"), strings.HasPrefix(name, "adapter_"):
		return false
	case strings.HasPrefix(name, "LICENSE"), strings.HasPrefix(name, "NOTICE"):
		return true
	}
	return slices.Contains([]string{".json", ".txt", ".jinja", ".model"}, filepath.Ext(name))
}
