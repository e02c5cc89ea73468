package finetune

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
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
	if os.Getenv(asWorker) != "" {
		dir := os.Args[len(os.Args)-1]
		if err := errors.Join(Work(context.Background(), dir), notePeak(dir)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// smallProject is a data set of a few dozen objects with its configuration.
func smallProject(t testing.TB) *config.File {
	t.Helper()
	root := t.TempDir()
	for split, n := range map[string]int{"train": 48, "valid": 12} {
		drawn := filepath.Join(root, "drawn-"+split)
		if err := demo.MakeExtra(context.Background(), drawn, n, demo.Options{Seed: uint64(n), Canvas: 168}, nil); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(root, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(drawn, "test"), filepath.Join(root, "data", split)); err != nil {
			t.Fatal(err)
		}
	}
	yaml := "train: train/images\nval: valid/images\nnames: [" + strings.Join(demo.Classes, ", ") + "]\n"
	if err := os.WriteFile(filepath.Join(root, "data", "data.yaml"), []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	f.Path, f.Root = filepath.Join(root, "config.toml"), root
	if err := f.Override([]string{"DATASET.PATH=data", "PROJECT.RUNS=runs", "EVAL.DATA=", "TRAIN.EPOCHS=3", "TRAIN.BATCH_SIZE=8", "TRAIN.SAVE_EVERY=3", "TRAIN.EVAL_EVERY=6",
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
	r, _, err := Start(context.Background(), f, Options{Name: name, Exe: exe, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wait(t *testing.T, r *run.Run) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := Wait(ctx, r, nil); err != nil {
		t.Fatal(err)
	}
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

func TestKilledAndResumedRunEqualsAnUnbrokenOne(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	if os.Getenv("FINETUI_KILLS") != "" { // a longer run for more kills
		if err := f.Override([]string{"TRAIN.EPOCHS=60"}); err != nil {
			t.Fatal(err)
		}
		unbroken = start(t, f, "unbroken-long")
		wait(t, unbroken)
	}
	killed := start(t, f, "killed")
	rng := rand.New(rand.NewPCG(1, 2))
	exe, _ := os.Executable()
	kills, most := 0, 3
	if n, err := strconv.Atoi(os.Getenv("FINETUI_KILLS")); err == nil {
		most = n
	}
	for range most {
		time.Sleep(time.Duration(50+rng.IntN(400)) * time.Millisecond)
		s := killed.Status()
		if !s.Live() {
			break
		}
		process, err := os.FindProcess(s.Process.PID)
		if err != nil {
			t.Fatal(err)
		}
		process.Kill()
		kills++
		for killed.Status().Live() {
			time.Sleep(5 * time.Millisecond)
		}
		if s := killed.Status(); s.State == run.Done {
			break
		} else if s.State != run.Killed {
			t.Fatalf("after SIGKILL the run is %s: %s", s.State, s.Reason)
		}
		if err := Resume(context.Background(), killed, exe); err != nil {
			t.Fatal(err)
		}
	}
	if kills == 0 {
		t.Error("the run was over before it could be killed")
	}
	wait(t, killed)
	t.Logf("killed %d times", kills)
	sameFiles(t, last(t, unbroken), last(t, killed))
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
	if err := Resume(context.Background(), stopped, exe); err != nil {
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
	r, findings, err := Start(context.Background(), f, Options{Exe: "/nonexistent"})
	if _, ok := err.(Faults); !ok || r != nil {
		t.Errorf("facts from other splits: run %v, error %v, findings %v", r, err, findings)
	}
}

func TestTowerIsAdaptedWhereAsked(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=2", `LORA.TARGETS=["q_proj", "attn.qkv", "mlp.fc2", "mlp.2"]`, "LORA.DROPOUT=0.1"}); err != nil {
		t.Fatal(err)
	}
	unbroken, stopped := start(t, f, "unbroken"), start(t, f, "stopped")
	run.RequestStop(stopped.Dir, true)
	for stopped.Status().Live() {
		time.Sleep(10 * time.Millisecond)
	}
	exe, _ := os.Executable()
	if err := Resume(context.Background(), stopped, exe); err != nil {
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
	for _, module := range []string{"model.layers.0.self_attn.q_proj", "visual.blocks.0.attn.qkv", "visual.blocks.3.mlp.fc2", "visual.merger.mlp.2"} {
		if !moved[module] {
			t.Errorf("%s has not been trained; there are %d adapters", module, len(adapters))
		}
	}
	p, err := project.Open(context.Background(), f, nil)
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
	if s.Model.TowerFrozen() {
		t.Error("the adapter on the tower was not loaded")
	}
	if n := project.Trainable(p.Base.Config, f.Config.LoRA); n != unbroken.Info.Trainable {
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
