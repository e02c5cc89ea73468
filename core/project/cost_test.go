package project

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/core/level"
	"finetui/core/recipe"
	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
)

// The sizes are those of the published checkpoints (ml/bench/fake).
func TestParametersOfThePublishedModels(t *testing.T) {
	tower := qwen2vl.Vision{Depth: 32, Embed: 1280, Heads: 16, MLPRatio: 4, Patch: 14, Merge: 2, Temporal: 2,
		Channels: 3}
	for _, c := range []struct {
		text qwen2.Config
		want int64
	}{
		{qwen2.Config{Hidden: 1536, Layers: 28, Heads: 12, KVHeads: 2, HeadDim: 128, Inner: 8960, Vocab: 151936,
			Tied: true}, 2_208_985_600},
		{qwen2.Config{Hidden: 3584, Layers: 28, Heads: 28, KVHeads: 4, HeadDim: 128, Inner: 18944, Vocab: 152064},
			8_291_375_616},
	} {
		tower.Hidden = c.text.Hidden
		if got := (qwen2vl.Config{Text: c.text, Vision: tower}).Parameters(); got != c.want {
			t.Errorf("hidden %d: %d parameters, want %d", c.text.Hidden, got, c.want)
		}
	}
}

// away opens a project whose base is on the hub and not on this machine.
func away(t *testing.T, name string) *Project {
	t.Helper()
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	p := drawn(t)
	if err := p.Base.Close(); err != nil {
		t.Fatal(err)
	}
	p.Base, p.Config.Model.Base = nil, name
	for i := range p.Data.Items {
		p.Data.Items[i].Split = "train"
	}
	var err error
	if p.Recipe, err = recipe.Build(p.Data, p.Config); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestALargeBaseIsKnownByItsConfigurationInTheCache(t *testing.T) {
	config, err := os.ReadFile(filepath.Join("..", "..", "ml", "bench", "fake", "layouts", "qwen2-vl-7b",
		"config.json"))
	if err != nil {
		t.Fatal(err)
	}
	p := away(t, "Qwen/Qwen2-VL-7B-Instruct")
	folder := filepath.Join(os.Getenv("HF_HUB_CACHE"), "models--Qwen--Qwen2-VL-7B-Instruct")
	for name, text := range map[string]string{"refs/main": "abc", "snapshots/abc/config.json": string(config)} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := p.Cost()
	if c.Hint || c.Download != 2*8_291_375_616 {
		t.Errorf("%d bytes to fetch", c.Download)
	}
	if c.Memory < 29e9 || c.Memory > 60e9 || c.Free == 0 || c.Time <= 0 {
		t.Errorf("%+v", c)
	}
}

func TestALargeBaseThatIsNotHereIsKnownByItsName(t *testing.T) {
	c := away(t, "Qwen/Qwen2-VL-7B-Instruct").Cost()
	if !c.Hint || c.Download != 2*8_291_375_616 || c.Memory < 29e9 || c.Time <= 0 { // the name leaves out the tower
		t.Errorf("%+v", c)
	}
	if text := c.Away("Qwen/Qwen2-VL-7B-Instruct").Text; !strings.Contains(text,
		"about 16.6 GB by the size in its name") {
		t.Error(text)
	}
	c = away(t, "somebody/nameless").Cost()
	if c.Download != 0 || c.Memory != 0 || c.Time != 0 {
		t.Errorf("of a base that nothing is known of: %+v", c)
	}
	if text := c.Away("somebody/nameless").Text; !strings.Contains(text, "not known before") {
		t.Error(text)
	}
}

func TestWhatDoesNotFitOrTakesLongIsAWarning(t *testing.T) {
	for _, c := range []struct {
		cost Cost
		want []string
	}{
		{Cost{Memory: 1e9, Free: 2e9, Time: time.Hour}, nil},
		{Cost{Memory: 3e9, Free: 2e9, Time: time.Hour}, []string{"memory_short"}},
		{Cost{Memory: 35e9, Free: 2e9, Time: 55 * time.Hour}, []string{"memory_short", "takes_long"}},
		{Cost{}, nil},
	} {
		var got []string
		for _, f := range c.cost.Findings("a/b") {
			got = append(got, f.Code)
			if f.Level != level.Warn {
				t.Errorf("%s is a matter of level %s", f.Code, f.Level)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.cost, got, c.want)
		}
	}
	for d, want := range map[time.Duration]string{40 * time.Second: "40 s", 12 * time.Minute: "12 min",
		55 * time.Hour: "55 hours", 216 * time.Hour: "9 days", 80 * 8766 * time.Hour: "70 years or more"} {
		if got := Roughly(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
