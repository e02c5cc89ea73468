package recipe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// onePicture holds a blocked toe drain at the bottom and a damaged rock toe in the middle; the train split also has
// a picture that puts toe drains at the bottom, the test split one that would put them at the top.
func onePicture() *dataset.Dataset {
	box := func(y float64) dataset.Box { return dataset.Box{X0: .3, X1: .5, Y0: y - .1, Y1: y + .1} }
	return &dataset.Dataset{
		Classes: drainClasses,
		Splits:  []string{"train", "test"},
		Items: []dataset.Item{
			{ID: "train/a", Split: "train", Labels: "a.txt", Objects: []dataset.Object{{Class: 1, Box: box(.75),
				Line: 1}, {Class: 4, Box: box(.5), Line: 2}}},
			{ID: "test/b", Split: "test", Labels: "b.txt", Objects: []dataset.Object{{Class: 0, Box: box(.1), Line: 1},
				{Class: 0, Box: box(.1), Line: 2}, {Class: 5, Box: box(.3), Line: 3}}},
		},
	}
}

func TestPromptSays(t *testing.T) {
	for _, c := range []struct {
		name   string
		preset string
		set    func(*config.Config)
		ref    dataset.Ref
		want   string
	}{
		{"the plain question", "basic", nil, dataset.Ref{}, "Name and state?"},
		{"position, type and place", "enhanced", nil, dataset.Ref{},
			"At the bottom. A toe drain; mostly at the bottom. Name and state?"},
		{"the place known from train, not from test", "enhanced", nil, dataset.Ref{Item: 1},
			"At the top. A toe drain; mostly at the bottom. Name and state?"},
		{"the type alone where train never saw it", "enhanced", nil, dataset.Ref{Item: 1, Object: 2},
			"At the top. A slope drain. Name and state?"},
		{"the type alone", "enhanced", func(c *config.Config) { c.Recipe.PromptFacts = "object" },
			dataset.Ref{Object: 1}, "In the middle. A rock toe. Name and state?"},
		{"all splits' facts when asked to leak", "enhanced", func(c *config.Config) { c.Recipe.FactsFrom = "all" },
			dataset.Ref{}, "At the bottom. A toe drain; mostly at the top. Name and state?"},
		{"where to look in a whole picture", "basic", func(c *config.Config) { c.Recipe.Context = "full" },
			dataset.Ref{}, "At x 0.40, y 0.75. Name and state?"},
		{"the other objects by type", "basic", func(c *config.Config) { c.Recipe.Prompt = "basic" }, dataset.Ref{},
			"Also in the picture: rock toe. What is the object in focus, and is it normal, blocked or damaged? Mind " +
				"where it lies and what is beside it. Answer with its name and state only."},
		{"the closed list", "basic", func(c *config.Config) { c.Recipe.Prompt = "list" }, dataset.Ref{},
			"Name and state? Choose: Toe drain; Toe drain- Blocked; Toe drain- Damaged; rock toe; rock toe damaged; " +
				"slope drain; slope drain blocked; slope drain damaged; vegetation."},
		{"nothing of an object that is not there", "enhanced", nil, dataset.Ref{Item: 7}, "Name and state?"},
	} {
		cfg := constants(t, c.preset)
		if c.set != nil {
			c.set(cfg)
		}
		if got := build(t, onePicture(), cfg).Prompt(c.ref); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestPositionWordOnTheLimitIsMiddle(t *testing.T) {
	r := build(t, onePicture(), constants(t, "enhanced"))
	for y, want := range map[float64]string{0.6000000000000001: "in the middle", 0.6001: "at the bottom",
		0.3999999999999999: "in the middle", 0.3999: "at the top"} {
		if got := r.band(y); got != want {
			t.Errorf("%v is %q, want %q", y, got, want)
		}
	}
}

func TestSampleCarriesTheAnswerAsSpelled(t *testing.T) {
	r := build(t, onePicture(), constants(t, "basic"))
	samples := r.Samples("train")
	if len(samples) != 2 || samples[0].ID != "train/a#0" || samples[0].Answer != "Toe drain- Blocked" ||
		samples[0].Condition != "blocked" ||
		samples[1].Line() != 2 || samples[0].Context != "crop" {
		t.Errorf("%+v", samples)
	}
	if all := r.Samples(""); len(all) != 5 {
		t.Errorf("%d samples in all splits", len(all))
	}
	if _, ok := r.Sample(dataset.Ref{Item: 0, Object: 2}); ok {
		t.Error("a sample of an object that is not there")
	}
}

func TestTypeIsNotToldWhereItIsTheAnswer(t *testing.T) {
	d := onePicture()
	d.Classes = []dataset.Class{{Name: "RBC", Object: "rbc", Condition: "normal"}, {Name: "WBC", Object: "wbc",
		Condition: "normal"}}
	for i := range d.Items {
		for o := range d.Items[i].Objects {
			d.Items[i].Objects[o].Class %= 2
		}
	}
	cfg := constants(t, "enhanced")
	r := build(t, d, cfg)
	for _, s := range r.Samples("") {
		if strings.Contains(strings.ToLower(s.Prompt), "bc") {
			t.Errorf("%s: %q", s.ID, s.Prompt)
		}
	}
	if f := Lint(d, cfg, nil); !hasCode(f, "facts_left_out") {
		t.Errorf("lint does not say that facts were left out: %+v", f)
	}
}

func TestBuildRefuses(t *testing.T) {
	d := onePicture()
	for name, set := range map[string]func(*config.Config){
		"weights":  func(c *config.Config) { c.Recipe.ClassWeights = "x" },
		"sampling": func(c *config.Config) { c.Recipe.Sampling = "x" },
		"prompt":   func(c *config.Config) { c.Recipe.Prompt = "x" },
	} {
		cfg := constants(t, "basic")
		set(cfg)
		if _, err := Build(d, cfg); err == nil || !strings.Contains(err.Error(), "choose") {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.Items[1].Objects[2].Class = 9
	if _, err := Build(d, constants(t, "basic")); err == nil || !strings.Contains(err.Error(), "test/b") {
		t.Errorf("class out of the list: %v", err)
	}
}

func TestPresetsAreDetected(t *testing.T) {
	for _, name := range Presets() {
		cfg := constants(t, name)
		if got := detect(cfg); string(got) != name || string(cfg.Recipe.Preset) != name {
			t.Errorf("%s is taken for %s", name, got)
		}
		cfg.Recipe.Context, cfg.Recipe.FocalGamma = "full", 3
		if got := detect(cfg); string(got) != name {
			t.Errorf("%s with another context is taken for %s", name, got)
		}
		cfg.Recipe.Sampling = "progressive"
		if got := detect(cfg); got != config.PresetCustom {
			t.Errorf("%s with other sampling is taken for %s", name, got)
		}
	}
	if err := apply(constants(t, "basic"), "best"); err == nil {
		t.Error("an unknown preset was applied")
	}
}

func TestRecipeOnDetectionsKeepsTheFactsOfTheLabels(t *testing.T) {
	r := build(t, onePicture(), constants(t, "enhanced"))
	found := onePicture()
	// a toe drain at the top of train
	found.Items[0].Objects = []dataset.Object{{Class: 0, Box: dataset.Box{X0: .3, X1: .5, Y0: .1, Y1: .2}}}
	s, ok := r.On(found).Sample(dataset.Ref{})
	if want := "At the top. A toe drain; mostly at the bottom. Name and state?"; !ok || s.Prompt != want {
		t.Errorf("got %q, want %q", s.Prompt, want)
	}
}

func TestHundredthsAreThoseOfPrintf(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	values := []float64{0, math.Copysign(0, -1), 0.005, 0.015, 0.025, 0.125, 0.994999999, 0.995, 0.999, 1, 1.005,
		8.999, 9, 12.345, -0.001, -3.2, math.NaN(), math.Inf(1)}
	for range 20_000 {
		values = append(values, rng.Float64(), float64(rng.IntN(1e6))/1e6, float64(rng.IntN(1000))/1000+0.005)
	}
	for _, v := range values {
		if got, want := string(appendHundredths(nil, v)), fmt.Sprintf("%.2f", v); got != want {
			t.Fatalf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestLintSeesThePromptsOfSamples(t *testing.T) {
	for _, preset := range []string{"basic", "enhanced", "enhanced-original"} {
		for _, context := range []config.Context{config.ContextCrop, config.ContextFull} {
			cfg := constants(t, preset)
			cfg.Recipe.Context = context
			r := build(t, onePicture(), cfg)
			known := newPhrases()
			for range 2 {
				for i, it := range r.data.Items {
					for o := range it.Objects {
						got, want := r.unnamed(i, o, known).Prompt, r.Prompt(dataset.Ref{Item: i, Object: o})
						if got != want {
							t.Errorf("%s, %s: got %q, want %q", preset, context, got, want)
						}
					}
				}
			}
		}
	}
}
