package export

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl/pixels"
	"finetui/ml/weights"
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

// templates are the chat templates of the kinds of models, by model_type: the text that package chat writes.
//
//go:embed templates/*.jinja
var templates embed.FS

// companions copies what a checkpoint's folder holds beside its weights, and writes what trainers miss there. untied
// says that the new checkpoint has an output product of its own.
func companions(from, to string, untied bool) error {
	if err := copyCompanions(from, to); err != nil {
		return err
	}
	config, err := os.ReadFile(filepath.Join(to, configFile))
	if err != nil {
		return err
	}
	if untied {
		config = tied.ReplaceAll(config, []byte("${1}false"))
		if err := wholefile.Write(filepath.Join(to, configFile), config); err != nil {
			return err
		}
	}
	var kind struct {
		ModelType string `json:"model_type"`
	}
	if err := json.Unmarshal(config, &kind); err != nil {
		return fmt.Errorf("%s: %w", configFile, err)
	}
	return complete(to, kind.ModelType)
}

var tied = regexp.MustCompile(`("tie_word_embeddings"\s*:\s*)true`)

// complete writes the files that a folder lacks.
func complete(dir, kind string) error {
	template, err := templates.ReadFile("templates/" + kind + ".jinja")
	if err != nil {
		return fmt.Errorf("%s: there is no chat template for model_type %q", configFile, kind)
	}
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
		settings = tokens.settings(kind)
	}
	if !has && !there(dir, templateFile) && !there(dir, templateJSON) {
		settings["chat_template"] = string(template)
		if err := writeJSON(dir, tokenizerFile, settings); err != nil {
			return err
		}
		if err := wholefile.Write(filepath.Join(dir, templateFile), template); err != nil {
			return err
		}
		if kind == "qwen2_vl" {
			if err := writeJSON(dir, templateJSON, map[string]any{"chat_template": string(template)}); err != nil {
				return err
			}
		}
	} else if own {
		if err := writeJSON(dir, tokenizerFile, settings); err != nil {
			return err
		}
	}
	if !there(dir, generationFile) {
		if err := writeJSON(dir, generationFile, tokens.generation(dir)); err != nil {
			return err
		}
	}
	if kind == "qwen2_vl" && !there(dir, processorFile) {
		return writeProcessor(dir)
	}
	return nil
}

func there(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// readObject is a JSON file's object; nil where there is no such file.
func readObject(path string) (map[string]any, error) {
	data, err := os.ReadFile(path)
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
	data, err := os.ReadFile(path)
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
func (t tokens) settings(kind string) map[string]any {
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
	if kind == "qwen2_vl" {
		s["processor_class"] = "Qwen2VLProcessor"
	}
	return s
}

// generation is a generation_config.json: greedy, ended by what ends an answer.
func (t tokens) generation(dir string) map[string]any {
	g := map[string]any{"do_sample": false}
	var ends []int
	if config, err := readConfig(dir); err == nil {
		for _, id := range config.EOS {
			ends = append(ends, int(id))
		}
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

// writeProcessor writes the settings by which pictures are prepared here, where the base had them elsewhere or nowhere.
func writeProcessor(dir string) error {
	p, err := pixels.LoadProcessor(dir)
	if err != nil {
		return err
	}
	return writeJSON(dir, processorFile, map[string]any{
		"do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true, "resample": 3,
		"rescale_factor": 1. / 255,
		"image_mean":     p.Mean, "image_std": p.Std, "image_processor_type": "Qwen2VLImageProcessor",
		"processor_class": "Qwen2VLProcessor",
		"min_pixels":      p.MinPixels, "max_pixels": p.MaxPixels, "patch_size": p.Patch, "merge_size": p.Merge,
		"temporal_patch_size": p.Temporal,
	})
}

// readConfig is the configuration of the base's language model.
func readConfig(base string) (qwen2.Config, error) {
	data, err := weights.ReadConfig(base)
	if err != nil {
		return qwen2.Config{}, err
	}
	c, err := qwen2.ParseConfig(data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", base, err)
	}
	return c, nil
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
		data, err := os.ReadFile(path)
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
