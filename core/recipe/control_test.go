package recipe

import (
	"slices"
	"testing"

	"finetui/core/dataset"
)

func TestNamesThatAreNoPlainLineAreFound(t *testing.T) {
	for name, want := range map[string]bool{"crack": false, "trou été 孔": false, "a\nb": true, "\x1b[31mred": true,
		"a\u202eb": true, "a\u200bb": true} {
		d := &dataset.Dataset{Classes: []dataset.Class{{Name: name, Object: "crack", Condition: "normal"}},
			Splits: []string{"train"},
			Items: []dataset.Item{{ID: "train/a", Split: "train", Media: "a.png",
				Objects: []dataset.Object{{Class: 0}}}}}
		var codes []string
		for _, f := range Lint(d, constants(t, "basic"), nil) {
			codes = append(codes, f.Code)
		}
		if got := slices.Contains(codes, "name_not_plain"); got != want {
			t.Errorf("%q: %v", name, codes)
		}
	}
}

func TestLintRefusesWhatConvertRefuses(t *testing.T) {
	for _, name := range []string{"<image> blur", "<video>", "<|im_end|>", "a <|endoftext|>"} {
		if ControlToken(name) == "" {
			t.Errorf("%q holds no control token", name)
		}
		d := &dataset.Dataset{Classes: []dataset.Class{{Name: name, Object: "blur", Condition: "normal"}},
			Splits: []string{"train"},
			Items: []dataset.Item{{ID: "train/a", Split: "train", Media: "a.png",
				Objects: []dataset.Object{{Class: 0}}}}}
		var codes []string
		for _, f := range Lint(d, constants(t, "basic"), nil) {
			codes = append(codes, string(f.Level)+" "+f.Code)
		}
		if !slices.Contains(codes, "error supervision_outside_answer") {
			t.Errorf("%q: %v", name, codes)
		}
	}
}
