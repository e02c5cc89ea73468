package chain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/page"
	"finetui/core/run"
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

// The whole chain runs on a few clips: drawn, analyzed, checked, converted, learnt by two seeds of each recipe, asked about
// and reported, and every figure of both forms of the report is that of the evaluations and comparisons that it leaves. A
// second call makes no run again.
func TestTheChainOfClips(t *testing.T) {
	root := t.TempDir()
	file := clipProject(t, root, "TRAIN.EPOCHS=1", "EVAL.MAX_NEW_TOKENS=12")
	o := asProgram(t)
	o.Clips, o.Seeds = 8, 2
	paths, err := RunClips(context.Background(), file.Snapshot, o)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := RunClips(context.Background(), file.Snapshot, o); err != nil || !slices.Equal(again, paths) {
		t.Errorf("the second call: %v, %v", again, err)
	}
	runs, err := run.List(file.Abs("demo/runs"))
	if err != nil || len(runs) != 2*o.Seeds {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	texts, says := reports(t, paths, clipTitle)
	evaluated := []string{filepath.Join(root, "demo", "runs", "base", "eval", "test")}
	for _, r := range runs {
		says(r.Label())
		evaluated = append(evaluated, strings.TrimSuffix(r.EvalPath("test", "json"), ".json"))
	}
	for _, at := range evaluated {
		r, err := eval.ReadFreeText(at + ".text.json")
		if err != nil {
			t.Fatal(err)
		}
		if r.N+r.Failed != o.Clips {
			t.Errorf("%s: %d answers and %d without one, of %d clips", at, r.N, r.Failed, o.Clips)
		}
		says(fmt.Sprintf("%.3f", r.METEOR))
		says(fmt.Sprintf("%.3f", r.ROUGEL))
		says(percent(r.IdentifiedShare))
	}
	c, err := readComparison(filepath.Join(root, "demo", "runs", "sweeps", "exercises", "compare-test.json"))
	if err != nil {
		t.Fatal(err)
	}
	says(gain(c.Differences[0].MacroF1))
	for i := range c.Words {
		says(gain(c.Words[i].Differences[0]))
	}
	for _, want := range []string{"RECIPE.SAMPLING", "Participants", fmt.Sprintf("test, %d clips", o.Clips), zeroShot} {
		says(want)
	}
	if strings.Contains(texts[1], "<script") || strings.Count(texts[1], "<svg") != 7 {
		t.Errorf("the page has %d drawings, want 7", strings.Count(texts[1], "<svg"))
	}
	for i, text := range texts {
		for _, wrong := range []string{"NaN", "Inf", "%!", "objects"} {
			if strings.Contains(text, wrong) {
				t.Errorf("%s has %s", filepath.Base(paths[i]), wrong)
			}
		}
	}
	for _, want := range []string{"dataset_analysis.json", "converted/*train*", "base/model.safetensors"} {
		if found, _ := filepath.Glob(filepath.Join(root, "demo", filepath.FromSlash(want))); len(found) == 0 {
			t.Errorf("%s is missing", want)
		}
	}
	if t.Failed() {
		t.Log(texts[0])
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
	runs, err := run.List(file.Abs("demo/runs"))
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []string{filepath.Join(root, "demo", "runs", "base", "eval", "test"),
		strings.TrimSuffix(runs[0].EvalPath("test", "json"), ".json")} {
		r, err := eval.ReadFreeText(at + ".text.json")
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
	said := func(r clipReport) string {
		p := &page.Page{Title: clipTitle}
		r.feedback(p)
		return p.Markdown()
	}
	r := clipReport{findings: &findings{recipes: []recipeFindings{{name: "control"}, {name: "enhanced"}}}}
	without := said(r)
	if strings.Contains(without, "T-F") {
		t.Errorf("clips without times have %s", without)
	}
	r.times = [][]*eval.TimedResult{{spoken("base")}, {spoken("control")},
		{spoken("run", eval.Feedback{At: 1.2, Text: "hips"})}}
	text := said(r)
	for _, want := range []string{"| zero-shot | 1 | 0 | 0 | 0.000 | – | 0.000 |",
		"| enhanced | 1 | 1 | 1 | 1.000 | 1.000 | 1.000 |", "nearer than 1.5 s"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
