package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"finetui/core/printable"
)

// hostile is a name that would colour, move, ring, hide and turn around, on two lines.
const hostile = "x\x1b[31m\x07\u202e\u200b\u009b2J\x7f\nINJECTED\r"

// rawSigns are the characters in a text that a terminal would act on.
func rawSigns(text string) (found []string) {
	for _, r := range text {
		if r != '\n' && r != '\t' && (unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) ||
			unicode.Is(unicode.Zp, r)) {
			found = append(found, fmt.Sprintf("%U", r))
		}
	}
	return found
}

// inHostileProject moves the test into a small project with hostile names of classes, files, the project and a run.
func inHostileProject(t *testing.T) {
	t.Helper()
	inSmallProject(t)
	yaml, err := os.ReadFile("data/data.yaml")
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(hostile) // YAML reads JSON's escapes
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(yaml), "vegetation", string(printable.JSON(quoted)), 1)
	if err := os.WriteFile("data/data.yaml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	pictures, _ := filepath.Glob("data/valid/images/*.jpg")
	if len(pictures) == 0 {
		t.Fatal("there are no pictures")
	}
	name := strings.TrimSuffix(filepath.Base(pictures[0]), ".jpg")
	for from, to := range map[string]string{"images/" + name + ".jpg": "images/" + hostile + ".jpg", "labels/" + name +
		".txt": "labels/" + hostile + ".txt"} {
		if err := os.Rename("data/valid/"+from, "data/valid/"+to); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("data/valid/labels/"+hostile+".txt", []byte("8 0.5 0.5 0.2 0.2\n99 1 1 1 1\n\x1b[2J\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("runs/0007-"+hostile, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("runs/0007-"+hostile+"/run.json", []byte(`{"schema":1,"number":7,"name":"`+"\x1b[5m"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("adapter"+hostile, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("adapter"+hostile+"/adapter_config.json",
		[]byte(`{"peft_type":"\u001b[31m","base_model_name_or_path":"\u202e"}`), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestNothingFromOutsideReachesTheTerminalRaw(t *testing.T) {
	inHostileProject(t)
	for _, words := range [][]string{
		{"analyze"}, {"lint"}, {"convert"}, {"runs"}, {"runs", "7"}, {"stop", "7"}, {"resume", "7"}, {"follow", "7"},
		{"train", hostile},
		{"eval", "base", "EVAL.SPLIT=valid", "EVAL.MAX_NEW_TOKENS=2"}, {"eval", "7"}, {"eval", "adapter" + hostile},
		{"eval", hostile},
		{"compare", "base", "base", "EVAL.SPLIT=valid"}, {"compare", "base", hostile},
		{"integrate", "base", "EVAL.SPLIT=valid", "EVAL.MAX_NEW_TOKENS=2"},
		{"integrate", "base", "EVAL.DETECTIONS=" + hostile},
		{"infer", "base", "valid/" + hostile + "#0"}, {"infer", "base", hostile}, {"infer", "base", "-", hostile,
			"INFER.MAX_NEW_TOKENS=4"},
		{"export", "adapter", "adapter" + hostile, "out"}, {"export", "merged", hostile, "out"},
		{"export", hostile, "1", "out"},
		{"doctor", "MODEL.BASE=" + hostile}, {"lint", "MODEL.BASE=" + hostile}, {"analyze", "DATASET.PATH=" + hostile},
		{"analyze", "VIEW.FORMAT=" + hostile},
		{"new", hostile}, {"new", "drains", "."}, {"help", hostile}, {hostile}, {"analyze", hostile},
		{"demo", "base", hostile, "more"}, {"work", hostile}, {hostile + "=1"},
	} {
		for _, format := range []string{"", "VIEW.FORMAT=json"} {
			called := words
			if format != "" {
				called = append(append([]string{}, words...), format)
			}
			_, stdout, stderr := verbAnswer(t, called...)
			if len(called) == 1 && called[0] == "analyze" && !strings.Contains(stdout, "␛[31m") {
				t.Errorf("the hostile class is not there:\n%s%s", stdout, stderr)
			}
			for where, text := range map[string]string{"stdout": stdout, "stderr": stderr} {
				if raw := rawSigns(text); len(raw) > 0 {
					t.Errorf("%q %s: %s holds %v:\n%q", words, format, where, raw, text)
				}
				if strings.HasPrefix(text, "INJECTED") || strings.Contains(text, "\nINJECTED") {
					t.Errorf("%q %s: a name breaks a line of %s:\n%s", words, format, where, text)
				}
			}
		}
	}
}
