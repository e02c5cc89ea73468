package finetune

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/ml/lora"
)

// The test binary is also the program: with asWorker set it is the process of a run.
const asWorker = "FINETUI_TEST_WORKER"

func TestMain(m *testing.M) {
	model.Register(wordsType, openWords)
	if os.Getenv(asEngine) != "" {
		os.Exit(beEngine())
	}
	if os.Getenv(asWorker) != "" {
		os.Exit(beWorker(os.Args[2 : len(os.Args)-1]))
	}
	if os.Getenv(asProbe) != "" {
		if err := TakeProbe(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// asProbe makes the test's program a probe's process.
const asProbe = "FINETUI_TEST_PROBE"

// beWorker is the process of a run, whose folder is the last argument. FINETUI_TEST_KILL=n ends it before the n-th step
// of its files, and FINETUI_TEST_STEPS names a file that those steps are written to.
func beWorker(words []string) int {
	watchSteps()
	if os.Getenv(childEngine) != "" {
		engines[native] = openChild
	}
	ctx, stop := Until(context.Background())
	defer stop()
	dir := os.Args[len(os.Args)-1]
	if err := errors.Join(Work(ctx, dir, words...), notePeak()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// smallProject is a data set of a few dozen objects with its configuration.
func smallProject(t testing.TB) *config.File {
	t.Helper()
	root := t.TempDir()
	if err := demo.MakeParts(context.Background(), filepath.Join(root, "data"), demo.Options{Canvas: 168},
		demo.Part{Split: "train", Objects: 48, Seed: 48}, demo.Part{Split: "valid", Objects: 12, Seed: 12}); err != nil {
		t.Fatal(err)
	}
	f, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	f.Move(filepath.Join(root, "config.toml"), root)
	if err := f.Override([]string{"DATASET.PATH=data", "PROJECT.RUNS=runs", "EVAL.DATA=", "TRAIN.EPOCHS=3",
		"TRAIN.BATCH_SIZE=8", "TRAIN.SAVE_EVERY=3", "TRAIN.EVAL_EVERY=6",
		"TRAIN.LOG_EVERY=2", "TRAIN.WARMUP_STEPS=4", "EVAL.MAX_NEW_TOKENS=4", "LORA.R=4"}); err != nil {
		t.Fatal(err)
	}
	return f
}

func start(t *testing.T, f *config.File, name string) *run.Run {
	t.Helper()
	t.Setenv(asWorker, "1")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := Start(context.Background(), f.Snapshot, Options{Name: name, Exe: exe, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wait returns when a run is done. It is bound by progress: the test is given up when nothing of the run has changed
// for a while that no machine takes for one step.
func wait(t *testing.T, r *run.Run) {
	t.Helper()
	waitFor(t, r, "done", func(s run.Status) bool { return s.State == run.Done })
}

func waitFor(t *testing.T, r *run.Run, what string, holds func(s run.Status) bool) run.Status {
	t.Helper()
	const stuck = 3 * time.Minute
	moved, sign := time.Now(), ""
	for {
		s := r.Status()
		if holds(s) {
			if err := r.Refresh(); err != nil {
				t.Fatal(err)
			}
			return s
		}
		if !s.Live() && s.State != run.Created {
			lines, _ := r.LogTail(20)
			t.Fatalf("%s is %s, not %s: %s\n%s", r.Label(), s.State, what, s.Reason, strings.Join(lines, "\n"))
		}
		if now := fmt.Sprint(s.State, size(filepath.Join(r.Dir, "metrics.jsonl")),
			size(filepath.Join(r.Dir, "log.txt"))); now != sign {
			moved, sign = time.Now(), now
		}
		if time.Since(moved) > stuck {
			t.Fatalf("%s is %s and does not move on", r.Label(), s.State)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// last are the files of a run's last checkpoint.
func last(t *testing.T, r *run.Run) map[string][]byte {
	t.Helper()
	saved, ok := r.Latest()
	if !ok {
		t.Fatalf("%s has no checkpoint", r.Label())
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(saved.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(saved.Path, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func sameFiles(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	if len(want) != len(got) || len(want) < 4 {
		t.Errorf("checkpoints of %d and %d files", len(want), len(got))
	}
	for name := range want {
		if !bytes.Equal(want[name], got[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestStoppedRunGoesOnWhereItStood(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	stopped := start(t, f, "stopped")
	if err := run.RequestStop(stopped.Dir, true); err != nil {
		t.Fatal(err)
	}
	for stopped.Status().Live() {
		time.Sleep(10 * time.Millisecond)
	}
	if s := stopped.Status(); s.State != run.Stopped {
		t.Fatalf("the run is %s: %s", s.State, s.Reason)
	}
	exe, _ := os.Executable()
	if err := Resume(context.Background(), stopped, Options{Exe: exe}); err != nil {
		t.Fatal(err)
	}
	wait(t, unbroken)
	wait(t, stopped)
	sameFiles(t, last(t, unbroken), last(t, stopped))

	var h run.History
	batch, err := stopped.Tail().Read()
	if err != nil {
		t.Fatal(err)
	}
	h.Add(batch)
	if n := len(h.Train); n < 3 || !(h.Train[n-1].Loss < h.Train[0].Loss) {
		t.Errorf("the loss did not fall: %d rows", n)
	}
	if len(h.Evals) == 0 || len(h.Checkpoints) == 0 || len(h.Classes) == 0 {
		t.Errorf("%d evaluations, %d checkpoints, %d class rows", len(h.Evals), len(h.Checkpoints), len(h.Classes))
	}
}

func TestFaultyRecipeStartsNothing(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"RECIPE.FACTS_FROM=all"}); err != nil {
		t.Fatal(err)
	}
	r, findings, err := Start(context.Background(), f.Snapshot, Options{Exe: "/nonexistent"})
	if _, ok := err.(Faults); !ok || r != nil {
		t.Errorf("facts from other splits: run %v, error %v, findings %v", r, err, findings)
	}
}

func TestTowerIsAdaptedWhereAsked(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=2", `LORA.TARGETS=["q_proj", "attn.qkv", "mlp.fc2", "mlp.2"]`,
		"LORA.DROPOUT=0.1"}); err != nil {
		t.Fatal(err)
	}
	unbroken, stopped := start(t, f, "unbroken"), start(t, f, "stopped")
	run.RequestStop(stopped.Dir, true)
	for stopped.Status().Live() {
		time.Sleep(10 * time.Millisecond)
	}
	exe, _ := os.Executable()
	if err := Resume(context.Background(), stopped, Options{Exe: exe}); err != nil {
		t.Fatal(err)
	}
	wait(t, unbroken)
	wait(t, stopped)
	sameFiles(t, last(t, unbroken), last(t, stopped))
	saved, _ := unbroken.Latest()
	_, adapters, err := lora.Read(saved.Path)
	if err != nil {
		t.Fatal(err)
	}
	moved := map[string]bool{}
	for _, a := range adapters {
		for _, v := range a.B {
			if v != 0 {
				moved[a.Module] = true
			}
		}
	}
	for _, module := range []string{"model.layers.0.self_attn.q_proj", "visual.blocks.0.attn.qkv",
		"visual.blocks.3.mlp.fc2", "visual.merger.mlp.2"} {
		if !moved[module] {
			t.Errorf("%s has not been trained; there are %d adapters", module, len(adapters))
		}
	}
	p, err := project.Open(context.Background(), f.Snapshot, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.OpenBase(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	s, err := model.Load(p.Base, saved.Path, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s.Network.Frozen() {
		t.Error("the adapter on the tower was not loaded")
	}
	if n := project.Trainable(p.Base.Kind, f.Config); n != unbroken.Info.Trainable {
		t.Errorf("%d parameters are estimated, %d were trained", n, unbroken.Info.Trainable)
	}
}

func TestMissingAndBrokenPicturesAreLeftOut(t *testing.T) {
	f := smallProject(t)
	pictures, _ := filepath.Glob(filepath.Join(f.Root, "data", "*", "images", "*"))
	if err := os.Remove(pictures[0]); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{pictures[1], pictures[len(pictures)-1]} { // of train and of valid
		if err := os.Truncate(p, 700); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Override([]string{"TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "gaps")
	wait(t, r)
	var h run.History
	batch, err := r.Tail().Read()
	if err != nil {
		t.Fatal(err)
	}
	h.Add(batch)
	if len(h.Events) == 0 || !strings.Contains(h.Events[0].Text, "left out") {
		t.Errorf("nothing is said about the samples that are left out: %+v", h.Events)
	}
}

func TestChangedDataIsNoticed(t *testing.T) {
	f := smallProject(t)
	r := start(t, f, "first")
	run.RequestStop(r.Dir, true)
	for r.Status().Live() {
		time.Sleep(10 * time.Millisecond)
	}
	labels, _ := filepath.Glob(filepath.Join(f.Root, "data", "train", "labels", "*.txt"))
	if err := os.WriteFile(labels[0], nil, 0o644); err != nil {
		t.Fatal(err)
	}
	err := Work(context.Background(), r.Dir)
	if err == nil || !strings.Contains(err.Error(), "data set has changed") {
		t.Errorf("resumed on other data: %v", err)
	}
	var exit run.Exit
	data, _ := os.ReadFile(filepath.Join(r.Dir, "exit.json"))
	if json.Unmarshal(data, &exit); exit.State != run.Failed {
		t.Errorf("the run's end says %+v", exit)
	}
}
