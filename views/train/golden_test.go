package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"finetui/core/dataset"
	"finetui/core/finetune"
	"finetui/core/level"
	"finetui/core/run"
)

// sizes are the pane's at the two terminals that every screen is kept for, and at a large one.
var sizes = []struct {
	name string
	w, h int
}{{"120x30", 120, 30}, {"80x22", 80, 22}, {"200x58", 200, 58}}

func TestScreens(t *testing.T) {
	dir := folder(t, doneRun, killedRun, runningRun)
	for _, size := range sizes {
		p, d := open(t, control(dir), size.w, size.h)
		d.Golden("running-" + size.name)
		for _, view := range []string{"curves", "classes", "machine"} {
			d.Press("]").Golden(view + "-" + size.name)
		}
		d.Press("[", "[", "[", "J").Wait("the killed run", func() bool { return d.Shows("resumes it from step") })
		d.Golden("killed-" + size.name)
		d.Press("J").Wait("the done run", func() bool { return d.Shows("Weighted loss · 0001") })
		d.Golden("done-" + size.name)
		d.Press("space", "K", "space", "K", "space", "c").Wait("the comparison", func() bool { return p.allRead() })
		d.Golden("compare-" + size.name)
	}
}

func TestScreensOfARunThatFetchesItsBase(t *testing.T) {
	dir := folder(t, doneRun, fetchingRun)
	for _, size := range sizes {
		c := control(dir)
		c.Preparing = func(*run.Run) (finetune.Preparation, bool) {
			return finetune.Preparation{Done: 1234, Total: 4213, What: "MB, model-00001-of-00002.safetensors", Hub: true}, true
		}
		_, d := open(t, c, size.w, size.h)
		d.Golden("fetching-" + size.name)
	}
}

func TestScreenOfGPUs(t *testing.T) {
	m := runningRun
	m.gpus = 4
	dir := folder(t, m)
	for _, size := range sizes {
		_, d := open(t, control(dir), size.w, size.h)
		d.Golden("gpus-overview-" + size.name)
		d.Press("]", "]", "]").Golden("gpus-machine-" + size.name)
	}
}

func TestScreensOfASmallTerminalAndOfAlerts(t *testing.T) {
	m := runningRun
	m.change = func(rows []run.Row) {
		for _, row := range rows {
			switch r := row.(type) {
			case *run.Train:
				if r.Step == 300 {
					r.Loss = 9
				}
				r.Seconds.Data = 11
			case *run.Eval:
				r.Recall["Toe drain"] = run.Recall{N: 7, Right: map[int]int{200: 7, 300: 4, 400: 2}[r.Step]}
			}
		}
	}
	dir := folder(t, doneRun, m)
	_, d := open(t, control(dir), 120, 30)
	d.Golden("alerts-120x30")
	_, d = open(t, control(dir), 60, 18)
	d.Golden("alerts-60x18")
}

func TestScreensWithoutRuns(t *testing.T) {
	for _, size := range sizes {
		c := control("/home/someone/drains/runs")
		_, d := open(t, c, size.w, size.h)
		d.Golden("none-" + size.name)
	}
}

func TestScreenOfABrokenRun(t *testing.T) {
	dir := folder(t, doneRun, killedRun)
	path := filepath.Join(dir, "0002-enhanced", "run.json")
	if err := os.WriteFile(path, []byte("{\"schema\": 1, \"name\""), 0o644); err != nil {
		t.Fatal(err)
	}
	_, d := open(t, control(dir), 120, 30)
	d.Golden("broken-120x30")
}

func TestScreensOfFindings(t *testing.T) {
	findings := []dataset.Finding{
		{Code: "answer_in_prompt", Level: level.Error, File: "data/train/labels/drain_0012.txt", Line: 3,
			Text: "the prompt names the answer \"rock toe damaged\" in 1129 of 1129 samples, first train/drain_0012#2",
			Do:   "choose another RECIPE.PROMPT"},
		{Code: "paid_twice", Level: level.Warn, File: "data/train/labels/drain_0007.txt", Line: 1,
			Text: "the imbalance is paid for 2 times (CLASS_WEIGHTS max_ratio, SAMPLING int_weight): Toe drain goes " +
				"from 3.5 % of the samples to 17.9 % of the loss", Do: "keep one of them"},
		{Code: "class_missing_from_train", Level: level.Info, File: "data/data.yaml",
			Text: "class \"gully\" has no object in any split",
			Do:   "take it out of the data set's names if it is not meant to be answered"},
	}
	c := control(folder(t, doneRun))
	c.Lint = func(context.Context) ([]dataset.Finding, error) { return findings, nil }
	c.Start = func(context.Context, string) (*run.Run, []dataset.Finding, error) {
		return nil, findings, errors.New("the recipe has 1 findings of error level, the first: the prompt names " +
			"the answer")
	}
	for _, size := range sizes {
		_, d := open(t, c, size.w, size.h)
		d.Press("n").Type("mild").Wait("what lint finds", func() bool { return d.Shows("✗ the prompt names") })
		d.Golden("findings-" + size.name)
		d.Press("enter").Wait("the refusal", func() bool { return d.Shows("✗ the recipe has") })
		d.Golden("refused-" + size.name)
	}
}
