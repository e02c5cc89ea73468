package model

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/model/hub/hubtest"
)

func TestBaseFromTheHub(t *testing.T) {
	tiny := openTiny(t)
	s := hubtest.Of(t, tiny.Dir)
	ctx, root := context.Background(), t.TempDir()
	if _, err := OpenLocal("someone/small", root); err == nil ||
		!strings.Contains(err.Error(), "not in the cache yet") || !strings.Contains(err.Error(), "finetui lint") {
		t.Errorf("before it was fetched: %v", err)
	}
	if b, away, err := OpenPresent("someone/small", root); b != nil || !away || err != nil || s.Asked("") > 0 {
		t.Errorf("a look at what is on this machine: away %v, %v, %d requests", away, err, s.Asked(""))
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	if _, away, err := OpenPresent("someone/small", root); away || err == nil ||
		!strings.Contains(err.Error(), "HF_HUB_OFFLINE is set") {
		t.Errorf("offline it is promised all the same: %v, %v", away, err)
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	reports := 0
	b, err := OpenBase(ctx, "someone/small", root, func(int, int, string) { reports++ })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if now, then := fingerprint(t, b), fingerprint(t, tiny); now != then || b.Name != "someone/small" || reports == 0 {
		t.Errorf("fingerprint %s, %s before; named %s; %d reports", now, then, b.Name, reports)
	}
	s.Hub.Close()
	again, err := OpenLocal("someone/small", root)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if b, away, err := OpenPresent("someone/small", root); away || err != nil {
		t.Errorf("what is here: away %v, %v", away, err)
	} else {
		b.Close()
	}
	if again.Dir != b.Dir {
		t.Errorf("fetched to %s, found in %s", b.Dir, again.Dir)
	}
	if err := os.MkdirAll(filepath.Join(root, "someone/small"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLocal("someone/small", root); err == nil ||
		!strings.Contains(err.Error(), filepath.Join(root, "someone/small")) {
		t.Errorf("a folder of that name goes first: %v", err)
	}
	if _, err := OpenBase(ctx, "someone/other", root, nil); err == nil ||
		!strings.Contains(err.Error(), "there is no folder "+root) ||
		!strings.Contains(err.Error(), "hf download someone/other") {
		t.Errorf("without a network: %v", err)
	}
}

// textOnly makes a Qwen2 without a tower of the tiny base.
func textOnly(data []byte) []byte {
	var c map[string]any
	if json.Unmarshal(data, &c) != nil {
		return data
	}
	c["model_type"] = "qwen2"
	delete(c, "vision_config")
	out, _ := json.Marshal(c)
	return out
}

func TestLanguageModelAnswersWithoutPictures(t *testing.T) {
	b, err := OpenLocal(broken(t, "config.json", textOnly), "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	question := []Question{{Prompt: "What is shown?"}}
	blind, err := Load(b, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	seeing, err := Load(openTiny(t), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, blind, question, small)[0].Text, ask(t, seeing, question, small)[0].Text; got != want {
		t.Errorf("it says %q, the whole model %q", got, want)
	}
	question[0].Scene = Shows(Pictures(noise(1, 112, 112))...)
	_, err = blind.Ask(context.Background(), 1, func(int) (Question, error) { return question[0], nil }, small)
	if err == nil || !strings.Contains(err.Error(), "without a vision tower") {
		t.Errorf("shown a picture: %v", err)
	}
	if _, err := b.Measure(small.View, []Size{{W: 112, H: 112}}); err == nil {
		t.Error("a picture takes room in its prompt")
	}
}

func TestLanguageModelsSpeakAfterTheirOwnSystemText(t *testing.T) {
	dir := broken(t, "config.json", textOnly)
	template := `{"chat_template": "{%- if … %}You are Qwen, created by Alibaba Cloud. You are a helpful assistant.{%- endif %}"}`
	if err := os.WriteFile(filepath.Join(dir, "tokenizer_config.json"), []byte(template), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := OpenLocal(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	said, err := b.Question(nil, "Hi.")
	if err != nil {
		t.Fatal(err)
	}
	if text := b.Tokenizer.Decode(said.IDs, false); !strings.Contains(text, "created by Alibaba Cloud") {
		t.Errorf("the prompt is %q", text)
	}
}

func TestTheSizeThatANameGives(t *testing.T) {
	for name, want := range map[string]int64{"Qwen/Qwen2-VL-7B-Instruct": 7e9, "Qwen/Qwen2.5-0.5B": 5e8,
		"a/72b-chat@main": 72e9,
		"a/base":          0, "a/b8bit": 0, "a/4bit": 0, "tiny": 0} {
		if got := NamedSize(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
