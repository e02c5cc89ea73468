package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTroubleWithClipsIsToldByTheProgram provokes what goes wrong with exercise clips and their model: each time the
// program itself says what it is and what to do about it, with the exit code for its kind.
func TestTroubleWithClipsIsToldByTheProgram(t *testing.T) {
	needFFmpeg(t)
	const clip = "data/00000001.mp4"
	whole := t.TempDir() // a project in which nothing is wrong
	t.Chdir(whole)
	if code, _, errs := verbAnswer(t, append([]string{"new", "qved", "."}, onTiny...)...); code != exitDone {
		t.Fatal(errs)
	}
	drawClips(t, "data")
	for _, c := range []struct {
		trouble string
		provoke func(t *testing.T)
		words   string
		code    int
		says    []string
	}{
		{"a clip that the labels name is not there", remove(clip), "lint", exitFindings,
			[]string{"missing_clip", "00000001.mp4", "add the clips, or name their folder in DATASET.MEDIA"}},
		{"a clip is broken", put(clip, "no clip"), "lint", exitFindings,
			[]string{"unreadable_clip", "00000001.mp4", "replace the clip by one that plays"}},
		{"a clip is empty", put(clip, ""), "lint", exitFindings, []string{"is empty, 0 bytes", "copy the clip again"}},
		{"FFmpeg is missing", func(t *testing.T) { t.Setenv("PATH", t.TempDir()) }, "analyze", exitFindings,
			[]string{"no_ffmpeg", "apt-get install ffmpeg"}},
		{"the folder of the clips is another", nil, "lint DATASET.PATH=clips", exitCall,
			[]string{"there is no file or folder", "set it to the folder of the data set"}},
		{"a data set that is named is not there", nil, `analyze DATASET.SETS=["coaching"]`, exitCall,
			[]string{`the set "coaching" is not there`, filepath.Join("playground", "data", "coaching.json")}},
		{"the label file is cut off", put("data/fine_grained_labels.json", `[{"video_path": "./00000001.mp4", "lab`),
			"analyze", exitFindings, []string{"fine_grained_labels.json"}},
		{"a label names no exercise", put("data/fine_grained_labels.json",
			`[{"video_path": "./00000001.mp4", "labels": ["well done"], "split": "train"}]`), "analyze", exitDone,
			[]string{"label_without_exercise", `as "well done"`, "write labels as exercise - variation"}},
		{"the base is not here and nothing is fetched", func(t *testing.T) {
			t.Setenv("HF_HUB_OFFLINE", "1")
			t.Setenv("HF_HUB_CACHE", t.TempDir())
		}, "lint MODEL.BASE=Amshaker/Mobile-VideoGPT-0.5B", exitFailed,
			[]string{"not in the cache yet", "HF_HUB_OFFLINE is set", "hf download Amshaker/Mobile-VideoGPT-0.5B"}},
		{"the base has no projectors", nil, "train TRAIN.PROJECTOR_LEARNING_RATE=2e-5", exitFindings,
			[]string{"no_projectors", "set TRAIN.PROJECTOR_LEARNING_RATE to 0"}},
		{"conversations are longer than the model takes", nil, "lint MODEL.MAX_LENGTH=20", exitFindings,
			[]string{"prompt_too_long", "raise MODEL.MAX_LENGTH to "}},
		{"nothing was trained yet", nil, "infer 1 " + clip, exitCall,
			[]string{`no run "1"`, "`finetui train` starts one", `the base without an adapter is called "base"`}},
		{"a folder holds no adapter", nil, "infer data " + clip, exitCall, []string{`no run "data"`}},
		{"the base answers, and it is said so", nil, "infer base " + clip, exitDone, []string{"base tiny is asked: "}},
		{"a clip to ask about is not there", nil, "infer base data/squats.mp4", exitCall,
			[]string{"there is no clip data/squats.mp4"}},
		{"nothing was scored yet", nil, "compare base base", exitCall,
			[]string{"has not been evaluated on test", "finetui eval base EVAL.SPLIT=test"}},
		{"there is nothing in the split", nil, "eval base EVAL.SPLIT=holdout", exitCall,
			[]string{"EVAL.SPLIT", "splits are train, valid, test"}},
	} {
		t.Run(c.trouble, func(t *testing.T) {
			t.Chdir(whole)
			if c.provoke != nil {
				t.Chdir(t.TempDir())
				if err := os.CopyFS(".", os.DirFS(whole)); err != nil {
					t.Fatal(err)
				}
				c.provoke(t)
			}
			code, stdout, stderr := verbAnswer(t, strings.Fields(c.words)...)
			said := stdout + stderr
			if code != c.code {
				t.Errorf("%s: code %d, want %d", c.words, code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("%s does not say %q but\n%s", c.words, want, said)
				}
			}
			for _, speech := range []string{"goroutine", "no such file or directory", "exit status"} {
				if strings.Contains(said, speech) {
					t.Errorf("%s speaks as a program to programmers (%q):\n%s", c.words, speech, said)
				}
			}
		})
	}
}

func remove(path string) func(*testing.T) {
	return func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func put(path, text string) func(*testing.T) {
	return func(t *testing.T) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
