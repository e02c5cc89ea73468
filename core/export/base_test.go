package export

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/model"
	"finetui/ml/lora"
)

func TestExportedBaseIsWhatTrainersRead(t *testing.T) {
	b := openBase(t, model.Tiny)
	folder := filepath.Join(t.TempDir(), "base")
	if err := Base(context.Background(), b, folder, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "model.safetensors", "generation_config.json", "tokenizer.json",
		"tokenizer_config.json",
		"chat_template.jinja", "chat_template.json", "preprocessor_config.json"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	settings, err := readObject(filepath.Join(folder, "tokenizer_config.json"))
	if err != nil || settings["tokenizer_class"] != "Qwen2Tokenizer" || settings["eos_token"] != "<|im_end|>" ||
		settings["pad_token"] != "<|endoftext|>" ||
		!strings.Contains(settings["chat_template"].(string), "<|vision_start|><|image_pad|><|vision_end|>") {
		t.Errorf("tokenizer_config.json: %v, error %v", settings, err)
	}
	copied := openBase(t, folder)
	if !slices.Equal(copied.Stop, b.Stop) || copied.Kind.Processing() != b.Kind.Processing() {
		t.Error("the copy ends or sees otherwise")
	}
	if off := apart(logits(t, load(t, b, "")), logits(t, load(t, copied, ""))); off != 0 {
		t.Errorf("the copy answers otherwise, by %g", off)
	}
	// What is there stays there.
	if err := Base(context.Background(), b, folder, nil); err == nil ||
		!strings.Contains(err.Error(), "not overwritten") {
		t.Errorf("a second time: %v", err)
	}
	// A base that brings its own template keeps it.
	own := filepath.Join(t.TempDir(), "own")
	if err := os.CopyFS(own, os.DirFS(b.Dir)); err != nil {
		t.Fatal(err)
	}
	const template = `{"tokenizer_class": "Qwen2Tokenizer", "chat_template": "its own"}`
	if err := os.WriteFile(filepath.Join(own, "tokenizer_config.json"), []byte(template), 0o644); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again")
	if err := Base(context.Background(), openBase(t, own), again, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(again, "tokenizer_config.json")); err != nil ||
		string(data) != template || there(again, "chat_template.jinja") {
		t.Errorf("its own template became %s, error %v", data, err)
	}
}

// A module that an adapter holds as a whole, and an update of one of two tied matrices, are merged as PEFT merges them:
// embeddings and output become two matrices, and the checkpoint answers as base and adapter do.
func TestUntyingAdaptersAreMergedIntoTwoMatrices(t *testing.T) {
	b := openBase(t, model.Tiny)
	for name, c := range map[string]struct {
		config  lora.Config
		adapter *lora.Adapter
		saved   []lora.Saved
		untied  bool
	}{
		"lm_head":      {lora.Config{Targets: []string{"lm_head"}}, update(lora.HeadModule, b), nil, true},
		"embed_tokens": {lora.Config{Targets: []string{"embed_tokens"}}, update(lora.EmbedModule, b), nil, true},
		"modules_to_save": {lora.Config{Targets: []string{"q_proj"}, ModulesToSave: []string{"lm_head"}}, nil,
			whole("lm_head.weight", false, b), true},
		"whole embedding": {lora.Config{Targets: []string{"q_proj"}}, nil, whole("model.embed_tokens.weight", true, b),
			false},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.R, c.config.Alpha, c.config.Naming, c.config.Saved = 2, 4, lora.Nested, c.saved
			var adapters []lora.Adapter
			if c.adapter != nil {
				adapters = append(adapters, *c.adapter)
			}
			dir := filepath.Join(t.TempDir(), "adapter")
			if err := lora.Write(dir, &c.config, adapters); err != nil {
				t.Fatal(err)
			}
			with := load(t, b, dir)
			if moved := apart(logits(t, with), logits(t, load(t, b, ""))); moved < .01 {
				t.Errorf("the adapter moves the answers by %g", moved)
			}
			folder := filepath.Join(t.TempDir(), "merged")
			if err := Merged(context.Background(), b.Dir, dir, folder, nil); err != nil {
				t.Fatal(err)
			}
			m := openBase(t, folder)
			if m.Kind.Sizes().Tied == c.untied {
				t.Errorf("tie_word_embeddings is %v", m.Kind.Sizes().Tied)
			}
			want := logits(t, with)
			if off, size := apart(want, logits(t, load(t, m, ""))),
				apart(want, make([]float32, len(want))); off > size/50 {
				t.Errorf("the merged base is off by %g of %g", off, size)
			}
			again := filepath.Join(t.TempDir(), "again") // written back as it was read
			if err := Adapter(dir, again, lora.Nested); err != nil {
				t.Fatal(err)
			}
			if off := apart(want, logits(t, load(t, b, again))); off != 0 {
				t.Errorf("the exported adapter is off by %g", off)
			}
		})
	}
}

// update is an update of the matrix [vocabulary, hidden] of a module.
func update(module string, b *model.Base) *lora.Adapter {
	a := &lora.Adapter{Module: module, Out: b.Kind.Sizes().Vocab, In: b.Kind.Sizes().Hidden, R: 2, Scale: 2,
		Embedding: module == lora.EmbedModule}
	for i := range a.R * a.In {
		a.A = append(a.A, float32(i%5-2)/8)
	}
	for i := range a.Out * a.R {
		a.B = append(a.B, float32(i%7-3)/8)
	}
	return a
}

func whole(name string, base bool, b *model.Base) []lora.Saved {
	s := lora.Saved{Name: name, Shape: []int{b.Kind.Sizes().Vocab, b.Kind.Sizes().Hidden}, Base: base}
	for i := range s.Shape[0] * s.Shape[1] {
		s.Values = append(s.Values, float32(i%11-5)/16)
	}
	return []lora.Saved{s}
}

// TestAdaptersOfTiedBasesLoad holds the cases that PEFT wrote, where they are there.
func TestAdaptersOfTiedBasesLoad(t *testing.T) {
	cases := os.Getenv("FINETUI_CASES")
	if cases == "" {
		cases = filepath.Join("..", "..", "..", "shared", "cases")
	}
	dirs, _ := filepath.Glob(filepath.Join(cases, "train", "04-tied", "*", lora.ConfigFile))
	if len(dirs) == 0 {
		t.Skip("FINETUI_CASES names no folder of cases")
	}
	b := openBase(t, model.Tiny)
	plain := logits(t, load(t, b, ""))
	for _, path := range dirs {
		if moved := apart(plain, logits(t, load(t, b, filepath.Dir(path)))); moved == 0 {
			t.Errorf("%s changes nothing", path)
		}
	}
}
