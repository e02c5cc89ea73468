package model

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/ml/qwen2vl/pixels"
)

// serve is a hub with the files of a folder as the model someone/small.
func serve(t *testing.T, dir string) *httptest.Server {
	t.Helper()
	const commit = "00000000000000000000000000000000000000aa"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/models/someone/small/revision/main" {
			var files []map[string]string
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				files = append(files, map[string]string{"rfilename": e.Name()})
			}
			json.NewEncoder(w).Encode(map[string]any{"sha": commit, "siblings": files})
			return
		}
		name, ok := strings.CutPrefix(r.URL.Path, "/someone/small/resolve/"+commit+"/")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("ETag", `"content-of-`+name+`"`)
		http.ServeFile(w, r, filepath.Join(dir, name))
	}))
	t.Cleanup(s.Close)
	t.Setenv("HF_HOME", t.TempDir())
	for _, name := range []string{"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_ENDPOINT", s.URL)
	return s
}

func TestBaseFromTheHub(t *testing.T) {
	tiny := openTiny(t)
	s := serve(t, tiny.Dir)
	ctx, root := context.Background(), t.TempDir()
	if _, err := OpenLocal("someone/small", root); err == nil || !strings.Contains(err.Error(), "not in the cache yet") || !strings.Contains(err.Error(), "finetui lint") {
		t.Errorf("before it was fetched: %v", err)
	}
	reports := 0
	b, err := OpenBase(ctx, "someone/small", root, func(int, int, string) { reports++ })
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Fingerprint != tiny.Fingerprint || b.Name != "someone/small" || reports == 0 {
		t.Errorf("fingerprint %s, %s before; named %s; %d reports", b.Fingerprint, tiny.Fingerprint, b.Name, reports)
	}
	s.Close()
	again, err := OpenLocal("someone/small", root)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Dir != b.Dir {
		t.Errorf("fetched to %s, found in %s", b.Dir, again.Dir)
	}
	if err := os.MkdirAll(filepath.Join(root, "someone/small"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLocal("someone/small", root); err == nil || !strings.Contains(err.Error(), filepath.Join(root, "someone/small")) {
		t.Errorf("a folder of that name goes first: %v", err)
	}
	if _, err := OpenBase(ctx, "someone/other", root, nil); err == nil || !strings.Contains(err.Error(), "there is no folder "+root) || !strings.Contains(err.Error(), "hf download someone/other") {
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
	question[0].Pictures = []*pixels.RGB{noise(1, 112, 112)}
	_, err = blind.Ask(context.Background(), 1, func(int) (Question, error) { return question[0], nil }, small)
	if err == nil || !strings.Contains(err.Error(), "without a vision tower") {
		t.Errorf("shown a picture: %v", err)
	}
	if _, err := b.Grids(small.View, [][2]int{{112, 112}}); err == nil {
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
	batch, err := b.prompts([]open{{prompt: "Hi."}})
	if err != nil {
		t.Fatal(err)
	}
	if text := b.Tokenizer.Decode(batch.IDs, false); !strings.Contains(text, "created by Alibaba Cloud") {
		t.Errorf("the prompt is %q", text)
	}
}
