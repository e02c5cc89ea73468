package config

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the repository's config.toml from the demo preset")

const repositoryFile = "../../config.toml"

func TestRepositoryFileIsTheDemoPreset(t *testing.T) {
	p, err := Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(repositoryFile, p.Raw(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := os.ReadFile(repositoryFile); err == nil && string(now) == string(p.Raw()) {
		return
	}
	// The file is its owner's, who edits and saves it; what the repository holds is the preset.
	held, err := exec.Command("git", "show", "HEAD:./"+repositoryFile).Output()
	if err != nil {
		t.Skip("config.toml was edited, and git does not say how it was: ", err)
	}
	if string(held) != string(p.Raw()) {
		t.Error("the repository's config.toml differs from the preset; run go test ./core/config -update and commit it")
	}
}

func TestPresetsAreCompleteCommentedAndValid(t *testing.T) {
	for _, name := range Presets() {
		p, err := Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Fields() {
			if !p.Has(f.Name()) {
				t.Errorf("%s lacks %s", name, f.Name())
			}
			if f.Doc == "" || p.Comment(f.Name()) != comment(f) {
				t.Errorf("%s: %s has the comment %q", name, f.Name(), p.Comment(f.Name()))
			}
		}
		if problems := Validate(p.Config); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if _, err := Preset("dmeo"); err == nil || !strings.Contains(err.Error(), "did you mean demo?") {
		t.Error(err)
	}
}

func TestDefaultsAreAllowedValues(t *testing.T) {
	for _, f := range Fields() {
		if _, _, err := parseValue(f, Get(Default(), f.Name())); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}

func TestPresetsCarryThePublishedConstants(t *testing.T) {
	for _, c := range []struct{ preset, key, want string }{
		{"demo", "TRAIN.LEARNING_RATE", "0.004"}, {"demo", "TRAIN.EPOCHS", "6"}, {"demo", "MODEL.BASE", `"tiny"`},
		{"demo", "RECIPE.CONTEXT", `"crop"`}, {"demo", "MODEL.MAX_PIXELS", "12544"},
		{"drains", "MODEL.BASE", `"Qwen/Qwen2-VL-7B-Instruct"`}, {"drains", "TRAIN.LEARNING_RATE", "0.0002"},
		{"drains", "LORA.DROPOUT", "0.1"}, {"drains", "TRAIN.GRAD_ACCUM", "4"}, {"drains", "TRAIN.WARMUP_STEPS", "50"},
		{"drains", "TRAIN.SAVE_EVERY", "100"}, {"drains", "RECIPE.CONTEXT", `"full"`},
	} {
		p, err := Preset(c.preset)
		if err != nil {
			t.Fatal(err)
		}
		if got := Get(p.Config, c.key); got != c.want {
			t.Errorf("%s: %s = %s, want %s", c.preset, c.key, got, c.want)
		}
	}
}

func TestPlainTextComesBackThroughSet(t *testing.T) {
	c := Default()
	c.Infer.Prompt = `"quoted"`
	c.Dataset.Sets = []string{"a, b", ""}
	c.Convert.SystemPrompt = " # x\ny"
	for _, f := range Fields() {
		v, _, err := parseValue(f, Plain(c, f.Name()))
		if err != nil || !equalValues(v, valueOf(c, f)) {
			t.Errorf("%s: %q became %v, %v", f.Name(), Plain(c, f.Name()), v, err)
		}
	}
	if got := Plain(c, "LORA.TARGETS"); got != "q_proj, k_proj, v_proj, o_proj" {
		t.Error(got)
	}
	if Plain(c, "X.Y") != "" || Get(c, "X.Y") != "" {
		t.Error("unknown names have values")
	}
}
