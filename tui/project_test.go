package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/demo"
)

// verb runs a call in the current folder.
func verbAnswer(t *testing.T, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	called, overrides := divide(words)
	code = dispatch(newCall(context.Background(), called, overrides, &out, &errs))
	return code, out.String(), errs.String()
}

// inSmallProject moves the test into a project of a few dozen drawn objects.
func inSmallProject(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	t.Chdir(root)
	if code, _, errs := verbAnswer(t, "new", "drains", ".", "DATASET.PATH=data", "MODEL.BASE=tiny",
		"MODEL.MIN_PIXELS=12544", "MODEL.MAX_PIXELS=12544", "RECIPE.CONTEXT=crop"); code != exitDone {
		t.Fatal(errs)
	}
	if err := demo.MakeParts(context.Background(), "data", demo.Options{Canvas: 168},
		demo.Part{Split: "train", Objects: 40, Seed: 45}, demo.Part{Split: "valid", Objects: 10, Seed: 15},
		demo.Part{Split: "test", Objects: 10, Seed: 14}); err != nil {
		t.Fatal(err)
	}
}

func TestVerbsOfAProject(t *testing.T) {
	inSmallProject(t)
	for _, c := range []struct {
		words          string
		code           int
		stdout, stderr string
	}{
		{"new drains", exitCall, "", "not overwritten"},
		{"new castle", exitCall, "", "castle"},
		{"analyze", exitDone, "60 objects in 9 classes", "dataset_analysis.json"},
		{"lint", exitDone, "loss mass", ""},
		{"lint RECIPE.PRESET=enhanced-original", exitFindings, "paid_twice", ""},
		{"train faulty RECIPE.FACTS_FROM=all", exitFindings, "", "facts_from_other_splits"},
		{"runs", exitDone, "run", ""},
		{"stop 7", exitCall, "", "7"},
		{"eval base EVAL.SPLIT=moon", exitCall, "", "moon"},
		{"compare base 1", exitCall, "", "finetui eval base"},
		{"infer base nowhere.jpg", exitCall, "", "nowhere.jpg"},
		{"infer base test/slope_0001#0", exitDone, "", "the truth is"},
		{"integrate base EVAL.MAX_NEW_TOKENS=4", exitDone, "10 detections (ground truth)", ""},
		{"integrate base EVAL.DETECTIONS=nowhere", exitCall, "", "nowhere"},
		{"analyze TRAIN.EPOCH=3", exitCall, "", "EPOCHS"},
		{"analyze TRAIN.EPOCHS=zero", exitCall, "", "TRAIN.EPOCHS"},
		{"analyze DATASET.PATH=nowhere", exitCall, "", "nowhere"},
		{"lint MODEL.BASE=nowhere", exitCall, "", "nowhere"},
		{"eval base EVAL.SPLIT=test EVAL.MAX_NEW_TOKENS=4", exitDone, "accuracy", ""},
	} {
		code, stdout, stderr := verbAnswer(t, strings.Fields(c.words)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: code %d, want %d\nstdout %s\nstderr %s", c.words, code, c.code, stdout, stderr)
		}
	}
}

func TestVerbsPrintOneJSONObject(t *testing.T) {
	inSmallProject(t)
	for _, words := range []string{"analyze", "lint", "runs", "infer base test/slope_0001#0",
		"eval base EVAL.SPLIT=valid EVAL.MAX_NEW_TOKENS=4"} {
		_, stdout, stderr := verbAnswer(t, append(strings.Fields(words), "VIEW.FORMAT=json")...)
		var object map[string]any
		if err := json.Unmarshal([]byte(stdout), &object); err != nil {
			t.Errorf("%s: %v\n%s\n%s", words, err, stdout, stderr)
		} else if _, ok := object["schema"].(float64); !ok {
			t.Errorf("%s: no schema number", words)
		}
	}
}

func TestBrokenConfigurationNamesItsPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	if code, _, stderr := verbAnswer(t, "analyze"); code != exitCall || !strings.Contains(stderr, "finetui new") {
		t.Errorf("without a configuration: code %d, %s", code, stderr)
	}
	for text, want := range map[string]string{
		"[TRAIN]\nEPOCHS = \n":          ":2:",
		"[TRAIN]\nEPOHCS = 3\n":         "EPOCHS",
		"[TRIAN]\nEPOCHS = 3\n":         "TRAIN",
		"[RECIPE]\nSAMPLING = \"no\"\n": "SAMPLING",
	} {
		if err := os.WriteFile(configFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := verbAnswer(t, "analyze"); code != exitCall || !strings.Contains(stderr, want) ||
			!strings.Contains(stderr, configFile) {
			t.Errorf("%q: code %d, %s", text, code, stderr)
		}
		if left, _ := os.ReadFile(configFile); string(left) != text {
			t.Errorf("%q was changed", text)
		}
	}
}

func TestGarbageInLabelsIsAFindingAndCostsNothingElse(t *testing.T) {
	inSmallProject(t)
	labels, _ := filepath.Glob("data/train/labels/*.txt")
	f, err := os.OpenFile(labels[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\x00\xff garbage\n99 0.5 0.5 0.1 0.1\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	code, stdout, _ := verbAnswer(t, "analyze")
	if code != exitFindings || !strings.Contains(stdout, filepath.Base(labels[0])) ||
		!strings.Contains(stdout, "60 objects") {
		t.Errorf("code %d\n%s", code, stdout)
	}
}

func TestSetsThatJoinAreToldByTheVerbs(t *testing.T) {
	inSmallProject(t)
	if err := os.MkdirAll("sets", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATASET_DIR", "sets")
	record := `{"image":"../data/train/images/slope_0001.jpg","messages":[{"role":"user","content":"<image>How is it?"},` +
		`{"role":"assistant","content":"words"}]}`
	for name, text := range map[string]string{"sets.json": `{"talk": {"annotation_path": "talk.jsonl"}}`,
		"talk.jsonl": record} {
		if err := os.WriteFile(filepath.Join("sets", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := filepath.Abs("sets/gone.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words          string
		code           int
		stdout, stderr string
	}{
		{"analyze", exitDone, "the set talk joins with 1 sample", ""},
		{"analyze", exitDone, "the set qved is passed over", ""},
		{"analyze DATASET.SETS=none", exitDone, "60 objects", ""},
		{"analyze DATASET.SETS=talk,gone", exitCall, "", gone},
		{"lint DATASET.SETS=gone", exitCall, "", gone},
		{"doctor DATASET.SETS=gone", exitCall, gone, ""},
	} {
		code, stdout, stderr := verbAnswer(t, strings.Fields(c.words)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: code %d, want %d\nstdout %s\nstderr %s", c.words, code, c.code, stdout, stderr)
		}
	}
}

// eval prints the figures of feedback that has its times where the data set has some, and keeps them.
func TestEvalPrintsTimedFeedback(t *testing.T) {
	inSmallProject(t)
	record := func(answer string) string {
		return `{"image":"data/test/images/slope_0001.jpg","split":"test","messages":[{"role":"user","content":` +
			`"<image>Coach me."},{"role":"assistant","content":"` + answer + `"}]}`
	}
	// the second takes away what was kept
	for i, answer := range []string{`1 s: Lower.\n4.5 s: Good.`, "Lower, and good."} {
		timed, file := i == 0, fmt.Sprintf("talk%d.jsonl", i)
		if err := os.WriteFile(file, []byte(record(answer)), 0o644); err != nil {
			t.Fatal(err)
		}
		words := strings.Fields("eval base DATASET.PATH=" + file + " EVAL.SPLIT=test EVAL.MAX_NEW_TOKENS=4 " +
			"RECIPE.CONTEXT=full")
		code, stdout, stderr := verbAnswer(t, words...)
		if code != exitDone || strings.Contains(stdout, "2 feedbacks expected") != timed ||
			strings.Contains(stdout, "T-F        0.000") != timed || !strings.Contains(stdout, "METEOR") {
			t.Errorf("%s: code %d, %s%s", answer, code, stdout, stderr)
		}
		_, stdout, stderr = verbAnswer(t, append(words, "VIEW.FORMAT=json")...)
		var written struct {
			FreeText *struct{ N int } `json:"free_text"`
			Timed    *struct {
				Expected int
				TF       *float64 `json:"t_f"`
			} `json:"timed_feedback"`
		}
		if err := json.Unmarshal([]byte(stdout), &written); err != nil {
			t.Fatalf("%v\n%s%s", err, stdout, stderr)
		}
		if written.FreeText == nil || written.FreeText.N != 1 || (written.Timed != nil) != timed ||
			timed && (written.Timed.Expected != 2 || written.Timed.TF == nil) {
			t.Errorf("%s: %s", answer, stdout)
		}
		words[0] = "compare base"
		_, stdout, stderr = verbAnswer(t, append(strings.Fields(strings.Join(words, " ")), "VIEW.FORMAT=json")...)
		var compared struct {
			FreeText []struct {
				Timed *struct{ N int } `json:"timed_feedback"`
			} `json:"free_text"`
		}
		if err := json.Unmarshal([]byte(stdout), &compared); err != nil || len(compared.FreeText) != 1 ||
			(compared.FreeText[0].Timed != nil) != timed {
			t.Errorf("%s: %v\n%s%s", answer, err, stdout, stderr)
		}
	}
}
