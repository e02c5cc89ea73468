package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/model"
	"finetui/ml/lora"
)

// writeAdapter writes an adapter of the built-in base that adds nothing yet.
func writeAdapter(t *testing.T, dir string) {
	t.Helper()
	b, err := model.OpenLocal(model.Tiny, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := &lora.Config{Base: model.Tiny, R: 2, Alpha: 4, Targets: []string{"q_proj"}, Naming: lora.Nested}
	m, err := b.New(model.Adapt(c))
	if err != nil {
		t.Fatal(err)
	}
	adapters := model.Adapters(m, c)
	for i, a := range adapters {
		adapters[i] = lora.New(a.Module, a.In, a.Out, c, 1)
	}
	if err := lora.Write(dir, c, adapters); err != nil {
		t.Fatal(err)
	}
}

func TestExportWritesForOthers(t *testing.T) {
	inProject(t)
	writeAdapter(t, "elsewhere/adapter")
	for _, c := range []struct {
		words          string
		code           int
		stdout, stderr string
	}{
		{"export", exitCall, "", "call it as"},
		{"export merged elsewhere/adapter out old", exitCall, "", "call it as"},
		{"export merged 3 out", exitCall, "", `no run "3"`},
		{"export merged elsewhere/adapter out", exitDone, "out\n", "is exported"},
		{"export base whole", exitDone, "whole\n", "base tiny is exported"},
		{"export base whole", exitFailed, "", "not overwritten"},
		{"export merged elsewhere/adapter out", exitFailed, "", "not overwritten"},
		{"export adapter elsewhere/adapter new", exitDone, "new\n", "is exported"},
		{"export adapter elsewhere/adapter old old VIEW.FORMAT=json", exitDone, `"folder": "old"`, ""},
		{"export llamafactory handed", exitDone, "llamafactory-cli train train.yaml", ""},
		{"export ms-swift handed", exitDone, "swift sft train.yaml", ""},
		{"export trl handed RECIPE.CLASS_WEIGHTS=balanced VIEW.FORMAT=json", exitDone, `"trl sft --config train.yaml"`,
			""},
		{"export axolotl handed2", exitDone, "axolotl train train.yaml", ""},
		{"export llava handed3", exitCall, "", "call it as"},
		{"infer base - hello INFER.MAX_NEW_TOKENS=3", exitDone, "\n", "base tiny is asked: hello"},
		{"infer base -", exitCall, "", "has to be a prompt"},
		{"eval elsewhere/adapter EVAL.SPLIT=train EVAL.MAX_NEW_TOKENS=3 MODEL.MAX_PIXELS=12544", exitDone,
			"accuracy", ""},
		{"infer base data/train/images/one.png hello MODEL.BASE=out INFER.MAX_NEW_TOKENS=3 MODEL.MAX_PIXELS=12544",
			exitDone, "\n", "base out is asked: hello"},
	} {
		code, stdout, stderr := dispatched(strings.Fields(c.words)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: code %d, want %d\nstdout %s\nstderr %s", c.words, code, c.code, stdout, stderr)
		}
	}
	for folder, want := range map[string]string{"new": "model.language_model.layers.0",
		"old": "base_model.model.model.layers.0"} {
		data, err := os.ReadFile(filepath.Join(folder, lora.WeightsFile))
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s has no key with %s (%v)", folder, want, err)
		}
	}
}
