package finetune

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/project"
	"finetui/core/run"
)

// probe measures a project in a process of the test's own program.
func probe(t *testing.T, ctx context.Context, f *config.File, report project.Progress) (*project.Probe, error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return MeasureSteps(ctx, f.Snapshot, Options{Exe: exe, Env: []string{asProbe + "=1"}, Report: report})
}

// estimate is what the constants of a project come to.
func estimate(t *testing.T, f *config.File) project.Estimate {
	t.Helper()
	x, err := project.NewEstimator(f.Root).Estimate(context.Background(), f.Config)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// nothingIsLeft says that a probe has left what it measured and nothing else.
func nothingIsLeft(t *testing.T, f *config.File, kept int) {
	t.Helper()
	if list, err := run.List(f.Abs("runs")); err != nil || len(list) > 0 {
		t.Errorf("%d runs, %v", len(list), err)
	}
	var left []string
	err := filepath.WalkDir(f.Abs("runs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != "probe.lock" {
			left = append(left, d.Name())
		}
		return err
	})
	if err != nil || len(left) != kept {
		t.Errorf("it leaves %q, %v", left, err)
	}
}

// A probe takes its steps, leaves no run, and is what the estimate says from then on, for as long as nothing changes
// that its figures depend on.
func TestAProbeIsWhatTheEstimateSaysAfterwards(t *testing.T) {
	probed(t, smallProject(t))
}

func TestTorchAProbeIsWhatTheEstimateSaysAfterwards(t *testing.T) {
	f := torchProject(t)
	if err := f.Override([]string{"MODEL.ENGINE=torch"}); err != nil {
		t.Fatal(err)
	}
	if b := probed(t, f); len(b.Ranks) != 1 || b.Ranks[0].Host == 0 {
		t.Errorf("its process held %+v", b.Ranks)
	}
}

func probed(t *testing.T, f *config.File) *project.Probe {
	t.Helper()
	before := estimate(t, f)
	if before.Cost.Probe != nil {
		t.Fatal("measured before anything was")
	}
	said := map[string]bool{}
	b, err := probe(t, context.Background(), f, func(_, _ int, what string) { said[what] = true })
	if err != nil {
		t.Fatal(err)
	}
	if b.Steps != ProbeSteps || b.Step <= 0 || b.FirstStep <= 0 || b.Check <= 0 || b.TokensPerS <= 0 || !said["steps"] {
		t.Errorf("%+v, said %v", b, said)
	}
	nothingIsLeft(t, f, 1)
	x := estimate(t, f)
	if x.Cost.Probe == nil || x.Cost.Probe.Fingerprint != b.Fingerprint ||
		!strings.Contains(strings.Join(x.Cost.Lines(x.Plan.Total), "\n"), "measured by 20 steps on "+b.When()) {
		t.Fatalf("%+v", x.Cost)
	}
	if err := f.Override([]string{"TRAIN.EPOCHS=6", "TRAIN.LEARNING_RATE=0.0001"}); err != nil {
		t.Fatal(err)
	}
	if y := estimate(t, f); y.Cost.Probe == nil || y.Cost.Steps <= x.Cost.Steps {
		t.Errorf("more epochs: %v, then %v", x.Cost.Steps, y.Cost.Steps)
	}
	for _, word := range []string{"LORA.R=2", "TRAIN.BATCH_SIZE=2", "MODEL.MAX_PIXELS=3136",
		"CONVERT.USER_PROMPT_TEMPLATE=What is this {exercise}?"} {
		g, err := f.Snapshot.Override([]string{word})
		if err != nil {
			t.Fatal(err)
		}
		if y, err := project.NewEstimator(f.Root).Estimate(context.Background(), g.Config); err != nil ||
			y.Cost.Probe != nil {
			t.Errorf("%s: still measured, %v", word, err)
		}
	}
	path := filepath.Join(f.Abs("runs"), ".finetui", "probe-"+b.Fingerprint+".json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(text), `"steps": 20`, `"steps": 21`, 1)
	if err := os.WriteFile(path, []byte(edited), 0o644); err != nil {
		t.Fatal(err)
	}
	if y := estimate(t, f); y.Cost.Probe != nil {
		t.Error("an edited probe counts")
	}
	return b
}

// A probe that is stopped leaves nothing, and while one is under way no other begins.
func TestAStoppedProbeLeavesNothing(t *testing.T) {
	f := smallProject(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var second error
	_, err := probe(t, ctx, f, func(done, _ int, _ string) {
		if done == 3 {
			_, second = probe(t, context.Background(), f, nil)
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if second == nil || !strings.Contains(second.Error(), "under way") {
		t.Errorf("a second one: %v", second)
	}
	nothingIsLeft(t, f, 0)
}

// What keeps a probe from its steps is said.
func TestAProbeSaysWhyItCannotStep(t *testing.T) {
	f := smallProject(t)
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	if err := f.Override([]string{"MODEL.BASE=Qwen/Qwen2-VL-2B-Instruct"}); err != nil {
		t.Fatal(err)
	}
	if _, err := probe(t, context.Background(), f, nil); err == nil ||
		!strings.Contains(err.Error(), "is not on this machine yet") {
		t.Errorf("%v", err)
	}
	nothingIsLeft(t, f, 0)
}
