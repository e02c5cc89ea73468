package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
	"finetui/ml/safetensors"
	"finetui/ml/weights"
)

func TestPublishedSizes(t *testing.T) {
	for kind, want := range map[string]struct {
		parameters int64
		shards     int
	}{"qwen2.5-0.5b": {494_032_768, 1}, "qwen2-vl-2b": {2_208_985_600, 2}, "qwen2-vl-7b": {8_291_375_616, 5}} {
		l, err := readLayout(kind)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, x := range l.tensors {
			n += x.bytes() / 2
		}
		if n != want.parameters || len(l.shards()) != want.shards {
			t.Errorf("%s has %d parameters in %d shards, published are %d in %d", kind, n, len(l.shards()),
				want.parameters, want.shards)
		}
	}
	if _, err := readLayout("gpt"); err == nil {
		t.Error("an unknown kind was accepted")
	}
}

// TestSmallFakesAreWholeModels makes the layouts with other sizes, in shards, and builds the models.
func TestSmallFakesAreWholeModels(t *testing.T) {
	tokenizer := t.TempDir()
	if err := os.WriteFile(filepath.Join(tokenizer, "tokenizer.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds() {
		l, err := readLayout(kind)
		if err != nil {
			t.Fatal(err)
		}
		files := maps.Clone(l.files)
		for _, r := range [][2]string{{`"num_hidden_layers": 28`, `"num_hidden_layers": 1`}, {`"num_hidden_layers": 24`,
			`"num_hidden_layers": 1`},
			{`"vocab_size": 15`, `"vocab_size": 7, "ignored": 1`}, {`"depth": 32`, `"depth": 1`},
			{`"embed_dim": 1280`, `"embed_dim": 64`},
			{`"intermediate_size": 18944`, `"intermediate_size": 32`}, {`"intermediate_size": 8960`,
				`"intermediate_size": 32`}} {
			files["config.json"] = bytes.Replace(files["config.json"], []byte(r[0]), []byte(r[1]), 1)
		}
		if l, err = newLayout(files); err != nil {
			t.Fatal(err)
		}
		l.shard = 3 << 20
		folder := filepath.Join(t.TempDir(), kind)
		if _, err := l.write(folder, tokenizer); err != nil {
			t.Fatal(err)
		}
		checkpoint, err := weights.OpenCheckpoint(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer checkpoint.Close()
		if dtype, _, ok := checkpoint.Info("model.norm.weight"); !ok || dtype != safetensors.BF16 {
			t.Errorf("%s: model.norm.weight is %s", kind, dtype)
		}
		if files["preprocessor_config.json"] == nil {
			c, err := qwen2.ParseConfig(files["config.json"])
			if err == nil {
				_, err = qwen2.New(c, checkpoint, weights.Tuning{})
			}
			if err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			continue
		}
		c, err := qwen2vl.ParseConfig(files["config.json"])
		if err == nil {
			_, err = qwen2vl.New(c, checkpoint, qwen2vl.Tuning{})
		}
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
