package recipe

import (
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
)

func hasCode(found []dataset.Finding, code string) bool {
	for _, f := range found {
		if f.Code == code {
			return true
		}
	}
	return false
}

func short(Sample) int { return 81 }

func TestHonestPresetsAreClean(t *testing.T) {
	d := drains(drainCounts)
	for _, preset := range []string{"basic", "enhanced"} {
		for _, prompt := range []config.Prompt{"short", "basic", "list"} {
			for _, context := range []config.Context{"full", "marked", "crop", "full+crop"} {
				cfg := constants(t, preset)
				cfg.Recipe.Prompt, cfg.Recipe.Context = prompt, context
				cfg.Recipe.Preset = detect(cfg)
				for _, f := range Lint(d, cfg, short) {
					if f.Level != level.Info {
						t.Errorf("%s %s %s: %+v", preset, prompt, context, f)
					}
				}
			}
		}
	}
	if f := Lint(d, constants(t, "basic"), short); len(f) != 0 {
		t.Errorf("basic: %+v", f)
	}
}

func TestOneCompensationIsClean(t *testing.T) {
	for name, set := range map[string]func(*config.Recipe){
		"effective_number": func(r *config.Recipe) { r.ClassWeights = "effective_number" },
		"balanced":         func(r *config.Recipe) { r.ClassWeights = "balanced" },
		"inverse_sqrt":     func(r *config.Recipe) { r.ClassWeights = "inverse_sqrt" },
		"class_balanced":   func(r *config.Recipe) { r.Sampling = "class_balanced" },
		"progressive":      func(r *config.Recipe) { r.Sampling = "progressive" },
		"repeat_factor":    func(r *config.Recipe) { r.Sampling = "repeat_factor" },
	} {
		cfg := constants(t, "basic")
		set(&cfg.Recipe)
		cfg.Recipe.Preset = config.PresetCustom
		if f := Lint(drains(drainCounts), cfg, short); len(f) != 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestEnhancedOriginalShowsEveryFault(t *testing.T) {
	found := Lint(drains(drainCounts), constants(t, "enhanced-original"), short)
	for code, bad := range map[string]level.Level{
		"answer_in_prompt":        level.Error,
		"condition_in_prompt":     level.Error,
		"class_names_in_prompt":   level.Error,
		"facts_from_other_splits": level.Error,
		"paid_twice":              level.Warn,
		"mass_inverted":           level.Warn,
	} {
		ok := false
		for _, f := range found {
			if f.Code == code {
				ok = true
				if f.Level != bad || !strings.HasPrefix(f.File, "data/") || f.Line < 1 || f.Text == "" || f.Do == "" {
					t.Errorf("%s is incomplete: %+v", code, f)
				}
			}
		}
		if !ok {
			t.Errorf("%s was not found", code)
		}
	}
	// Each class names its condition, the plain ones too.
	n := 0
	for _, f := range found {
		if f.Code == "condition_in_prompt" {
			n++
		}
	}
	if n != len(drainClasses) {
		t.Errorf("condition_in_prompt for %d classes", n)
	}
	for i := 1; i < len(found); i++ {
		if found[i-1].Level.Severity() > found[i].Level.Severity() {
			t.Fatal("findings are not ordered worst first")
		}
	}
}

func TestLintFinds(t *testing.T) {
	without := func(split string, class int) map[string][]int {
		counts := map[string][]int{}
		for s, n := range drainCounts {
			counts[s] = append([]int(nil), n...)
		}
		if split == "" {
			for s := range counts {
				counts[s][class] = 0
			}
			return counts
		}
		counts[split][class] = 0
		return counts
	}
	for _, c := range []struct {
		name  string
		d     *dataset.Dataset
		set   func(*config.Config)
		long  func(Sample) int
		code  string
		level string
		text  string
	}{
		{"a class without training samples", drains(without("train", 6)), nil, short, "class_missing_from_train",
			"warn", "slope drain blocked"},
		{"a class without any sample", drains(without("", 6)), nil, short, "class_missing_from_train", "info",
			"any split"},
		{"no training samples", drains(map[string][]int{"test": drainCounts["test"]}), nil, short, "train_empty",
			"error", "nothing to learn"},
		{"a sample beyond MAX_LENGTH", drains(drainCounts), nil, func(s Sample) int {
			return 100 +
				len(s.Item.Objects)*40
		}, "prompt_too_long", "error", "300 tokens"},
		{"a length nobody could count", drains(drainCounts), nil, nil, "length_not_checked", "info", "no tokenizer"},
		{"weights from all splits", drains(drainCounts), func(c *config.Config) {
			c.Recipe.ClassWeights,
				c.Recipe.FactsFrom = "balanced", "all"
		}, short, "facts_from_other_splits", "error", "weights"},
		{"places from all splits", drains(drainCounts), func(c *config.Config) {
			c.Recipe.PromptFacts,
				c.Recipe.FactsFrom = "place", "all"
		}, short, "facts_from_other_splits", "error", "facts"},
		{"weights beside sampling", drains(drainCounts), func(c *config.Config) {
			c.Recipe.ClassWeights,
				c.Recipe.Sampling = "balanced", "square_root"
		}, short, "paid_twice", "warn", "2 times"},
		{"weights beside weights", drains(drainCounts), func(c *config.Config) {
			c.Recipe.ClassWeights,
				c.Recipe.ConditionWeights = "balanced", "balanced"
		}, short, "paid_twice", "warn", "CONDITION_WEIGHTS"},
		{"copies that overshoot", drains(drainCounts), func(c *config.Config) {
			c.Recipe.ClassWeights,
				c.Recipe.Sampling = "max_ratio", "int_weight"
		}, short, "mass_inverted", "warn", "Toe drain"},
		{"a preset that is none any more", drains(drainCounts), func(c *config.Config) {
			c.Recipe.PositionWords,
				c.Recipe.Preset = true, "basic"
		}, short, "preset_differs", "warn", "custom"},
		{"an object type with one class", drains(drainCounts),
			func(c *config.Config) { c.Recipe.PromptFacts = "object" }, short, "type_tells_answer", "info",
			"vegetation"},
		{"a type that only a first stage knows", drains(drainCounts),
			func(c *config.Config) { c.Recipe.PromptFacts = "place" }, short, "type_told", "info",
			"its usual place adds nothing"},
		{"a recipe that cannot be built", drains(drainCounts), func(c *config.Config) { c.Recipe.Sampling = "x" },
			short, "recipe_void", "error", "SAMPLING"},
	} {
		cfg := constants(t, "basic")
		cfg.Recipe.Preset = config.PresetCustom
		if c.set != nil {
			c.set(cfg)
		}
		ok := false
		found := Lint(c.d, cfg, c.long)
		for _, f := range found {
			ok = ok || f.Code == c.code && string(f.Level) == c.level && strings.Contains(f.Text, c.text)
		}
		if !ok {
			t.Errorf("%s: no %s %s with %q in %+v", c.name, c.level, c.code, c.text, found)
		}
	}
}

func TestNamesThatCannotBeToldApartAreFound(t *testing.T) {
	d := onePicture()
	d.Classes = append([]dataset.Class(nil), drainClasses...)
	d.Classes[8].Name = "Rock-toe"
	if !hasCode(Lint(d, constants(t, "basic"), short), "answers_collide") {
		t.Error("not found")
	}
}

func TestWordsChosenByTheAnswerAreFound(t *testing.T) {
	d := drains(drainCounts)
	samples := build(t, d, constants(t, "enhanced")).Samples("")
	if f := LintPrompts(slices.Values(samples), d.Classes, "Name and state?"); len(f) != 0 {
		t.Fatalf("honest prompts: %+v", f)
	}
	for i := range samples {
		if samples[i].Condition == "blocked" {
			samples[i].Prompt = "Mind the leaves. " + samples[i].Prompt
		}
	}
	found := LintPrompts(slices.Values(samples), d.Classes, "Name and state?")
	if len(found) != 2 || found[0].Code != "answer_in_prompt" || !strings.Contains(found[0].Text, "leaves") {
		t.Errorf("%+v", found)
	}
}

func TestConditionIsFoundInAnyForm(t *testing.T) {
	for _, c := range []struct{ text, condition, want string }{
		{"there may be a blockage", "blocked", "blockage"},
		{"damage is likely", "damaged", "damage"},
		{"as normal", "normal", "normal"},
		{"normally at the bottom", "normal", ""},
		{"a row of blocks", "damaged", ""},
		{"it is half full", "half full", "half full"},
		{"at the bottom", "", ""},
	} {
		if got := namesCondition(c.text, c.condition); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.condition, c.text, got, c.want)
		}
	}
}

func TestSupervisionIsComparedWithTheAnswer(t *testing.T) {
	samples := build(t, onePicture(), constants(t, "basic")).Samples("train")
	for name, c := range map[string]struct {
		supervised func(Sample) string
		finds      string
	}{
		"the answer":           {func(s Sample) string { return s.Answer }, ""},
		"the answer's turn":    {func(s Sample) string { return s.Answer + "<|im_end|>\n" }, ""},
		"the prompt, too":      {func(s Sample) string { return s.Prompt + s.Answer }, "more than the answer"},
		"everything but it":    {func(s Sample) string { return s.Prompt }, "not the answer"},
		"a part of the answer": {func(s Sample) string { return s.Answer[:3] }, "not the answer"},
	} {
		var v Supervision
		for _, s := range samples {
			v.See(s, c.supervised(s))
		}
		found := v.Findings()
		if c.finds == "" && len(found) != 0 || c.finds != "" &&
			(len(found) != 1 || found[0].Code != "supervision_outside_answer" ||
				!strings.Contains(found[0].Text, c.finds)) {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestControlTokenInAClassNameIsFound(t *testing.T) {
	d := onePicture()
	d.Classes = append([]dataset.Class(nil), drainClasses...)
	d.Classes[4].Name = "rock toe<|im_end|> damaged"
	if !hasCode(Lint(d, constants(t, "basic"), short), "supervision_outside_answer") {
		t.Error("not found")
	}
}
