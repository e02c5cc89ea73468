package chain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/sweep"
)

// The test's own binary is the process of runs and of queues.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && (os.Args[1] == finetune.Verb || os.Args[1] == sweep.Verb) {
		ctx, stop := finetune.Until(context.Background())
		var err error
		if dir := os.Args[len(os.Args)-1]; os.Args[1] == sweep.Verb {
			err = sweep.Work(ctx, dir, os.Args[0], "test")
		} else {
			err = finetune.Work(ctx, dir, os.Args[2:len(os.Args)-1]...)
		}
		stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// clipProject is the demo with clips in a folder, with other constants where a test wants them.
func clipProject(t *testing.T, root string, constants ...string) *config.File {
	t.Helper()
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on this machine", program)
		}
	}
	file, err := config.Preset("demo-qved")
	if err != nil {
		t.Fatal(err)
	}
	file.Move(filepath.Join(root, "config.toml"), root)
	if err := file.Override(constants); err != nil {
		t.Fatal(err)
	}
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
	return file
}

// asProgram are the options of a chain whose program is this test.
func asProgram(t *testing.T) Options {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Exe: exe, Version: "test", Log: t.Logf}
}

// The whole chain runs on a few clips: drawn, analyzed, checked, converted, learnt, asked about and reported, and every
// figure of the report is that of the evaluations that it leaves.
func TestTheChainOfClips(t *testing.T) {
	root := t.TempDir()
	file := clipProject(t, root, "TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=12")
	o := asProgram(t)
	o.Clips = 8
	path, err := RunClips(context.Background(), file.Snapshot, o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, at := range []string{"base", "0001-enhanced", "0002-control"} {
		r, err := eval.ReadFreeText(filepath.Join(root, "demo", "runs", at, "eval", "test.text.json"))
		if err != nil {
			t.Fatal(err)
		}
		if r.N+r.Failed != o.Clips {
			t.Errorf("%s: %d answers and %d without one, of %d clips", at, r.N, r.Failed, o.Clips)
		}
		want := fmt.Sprintf("| %.1f %%%s | %.3f%s | %.3f%s |", 100*r.IdentifiedShare, span(r.IdentifiedInterval, 100),
			r.METEOR, fractions(r.METEORInterval), r.ROUGEL, fractions(r.ROUGELInterval))
		if !strings.Contains(text, want) {
			t.Errorf("%s: the report does not say %s", at, want)
		}
	}
	for _, want := range []string{"RECIPE.SAMPLING", "participants", fmt.Sprintf("test, %d clips", o.Clips)} {
		if !strings.Contains(text, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	for _, want := range []string{"dataset_analysis.json", "converted/*train*", "base/model.safetensors"} {
		if found, _ := filepath.Glob(filepath.Join(root, "demo", filepath.FromSlash(want))); len(found) == 0 {
			t.Errorf("%s is missing", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// TestTheChainOfClipsInFull runs the demo as it is, in the folder FINETUI_CLIP_CHAIN: what is learnt on two cores in
// minutes names the exercise far more often than the base does, and finds the advice itself, word for word.
func TestTheChainOfClipsInFull(t *testing.T) {
	root := os.Getenv("FINETUI_CLIP_CHAIN")
	if root == "" {
		t.Skip("FINETUI_CLIP_CHAIN names no folder: this takes minutes")
	}
	file := clipProject(t, root)
	if _, err := RunClips(context.Background(), file.Snapshot, asProgram(t)); err != nil {
		t.Fatal(err)
	}
	var share, said [2]float64 // of the exercises identified, and of the answers that are right word for word
	for i, at := range []string{"base", "0001-enhanced"} {
		r, err := eval.ReadFreeText(filepath.Join(root, "demo", "runs", at, "eval", "test.text.json"))
		if err != nil {
			t.Fatal(err)
		}
		n, of := right(r)
		share[i], said[i] = r.IdentifiedShare, float64(n)/float64(of)
	}
	if share[0] > .1 || share[1] < share[0]+.3 {
		t.Errorf("exercises identified: base %.2f, enhanced %.2f", share[0], share[1])
	}
	if said[0] > .02 || said[1] < said[0]+.1 {
		t.Errorf("right word for word: base %.2f, enhanced %.2f", said[0], said[1])
	}
}

func TestTheReportOfClipsHasFeedbackWithItsTime(t *testing.T) {
	spoken := func(subject string, answer ...eval.Feedback) *eval.TimedResult {
		r, err := eval.ScoreTimed([]eval.TimedItem{{ID: "a", Truth: []eval.Feedback{{At: 1, Text: "hips"}},
			Answer: answer}}, eval.FreeTextOptions{Subject: subject, Split: "test"})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := clipReport{splits: []string{"test"}, outcomes: []outcome{{subject: clipSubjects[0]}, {subject: clipSubjects[1]}}}
	var b strings.Builder
	if r.timed(&b); b.Len() > 0 {
		t.Errorf("clips without times have %s", &b)
	}
	r.times = []*eval.TimedResult{spoken("base"), spoken("run", eval.Feedback{At: 1.2, Text: "hips"})}
	r.timed(&b)
	for _, want := range []string{"| zero-shot | 1 | 0 | 0 | 0.000 | – | 0.000 |",
		"| enhanced | 1 | 1 | 1 | 1.000 | 1.000 | 1.000 |", "nearer than 1.5 s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
