package finetune

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/core/run"
)

// stopAfter starts a run and stops it once its first checkpoint of that step, or a later one, is there.
func stopAfter(t *testing.T, f *config.File, name string, step int) *run.Run {
	t.Helper()
	r := start(t, f, name)
	waitFor(t, r, "at its checkpoint", func(run.Status) bool {
		s, ok := r.Latest()
		return ok && s.Step >= step
	})
	if err := run.RequestStop(r.Dir, true); err != nil && r.Status().State != run.Done {
		t.Fatal(err)
	}
	waitFor(t, r, "stopped", func(s run.Status) bool { return s.State == run.Stopped })
	return r
}

// resume goes on with a run, with constants, to its end.
func resume(t *testing.T, r *run.Run, words ...string) {
	t.Helper()
	t.Setenv(asWorker, "1")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := Resume(context.Background(), r, Options{Exe: exe}, words...); err != nil {
		t.Fatal(err)
	}
	if err := Underway(context.Background(), r, nil); err != nil {
		t.Fatal(err)
	}
	wait(t, r)
}

func eventTexts(t *testing.T, r *run.Run) string {
	t.Helper()
	var all []string
	for tail := r.Tail(); ; {
		batch, err := tail.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range batch.Rows {
			if e, ok := row.(*run.Event); ok {
				all = append(all, e.Text)
			}
		}
		if !batch.More {
			return strings.Join(all, "\n")
		}
	}
}

// harms are what may become of a checkpoint's files: cases/train/17 and flipped bits.
var harms = []struct {
	name, file string
	do         func(path string) error
}{
	{"optimizer cut", "optimizer.safetensors", cutHalf},
	{"adapter cut", "adapter_model.safetensors", cutHalf},
	{"state empty", "state.json", empty},
	{"state cut", "state.json", cutHalf},
	{"own list empty", "checkpoint.json", empty},
	{"own list flipped", "checkpoint.json", flip},
	{"optimizer flipped", "optimizer.safetensors", flip},
	{"adapter flipped", "adapter_model.safetensors", flip},
	{"state flipped", "state.json", flip},
	{"adapter's constants flipped", "adapter_config.json", flip},
	{"optimizer gone", "optimizer.safetensors", os.Remove},
	{"state gone", "state.json", os.Remove},
	{"adapter a folder", "adapter_model.safetensors", func(path string) error {
		return errors.Join(os.Remove(path),
			os.Mkdir(path, 0o755))
	}},
	{"state a pipe", "state.json", func(path string) error {
		return errors.Join(os.Remove(path),
			syscall.Mkfifo(path, 0o644))
	}},
	{"everything gone", ".", func(path string) error { return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o755)) }},
}

func cutHalf(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.Truncate(path, info.Size()/2)
}

func empty(path string) error { return os.Truncate(path, 0) }

func flip(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[len(data)*3/4] ^= 4
	return os.WriteFile(path, data, 0o644)
}

func TestDamagedNewestCheckpointGivesWayToTheOneBefore(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	want := last(t, unbroken)
	stopped := stopAfter(t, f, "stopped", 6)
	list, err := stopped.Checkpoints()
	if err != nil || len(list) < 2 {
		t.Fatalf("%v, %v", list, err)
	}
	newest, before := list[len(list)-1], list[len(list)-2]
	for _, h := range harms {
		t.Run(h.name, func(t *testing.T) {
			r := copyRun(t, stopped, h.name)
			path := filepath.Join(r.Dir, "checkpoints", filepath.Base(newest.Path), h.file)
			if err := h.do(path); err != nil {
				t.Fatal(err)
			}
			damaged := h.name != "everything gone" // a folder with nothing in it is told by its emptiness
			resume(t, r)
			sameFiles(t, want, last(t, r))
			said := eventTexts(t, r)
			if wanted := fmt.Sprintf("the checkpoint of step %d is damaged", newest.Step); !strings.Contains(said,
				wanted) {
				t.Errorf("nobody says %q (%v):\n%s", wanted, damaged, said)
			}
			if wanted := fmt.Sprintf("goes on from that of step %d", before.Step); !strings.Contains(said, wanted) {
				t.Errorf("nobody says %q:\n%s", wanted, said)
			}
			words, err := Words(r, 0)
			if err != nil || !strings.Contains(strings.Join(words, "\n"), "is damaged") {
				t.Errorf("resume says %q, %v", words, err)
			}
		})
	}
}

// copyRun copies a run's folder beside it, with links as they are.
func copyRun(t *testing.T, r *run.Run, name string) *run.Run {
	t.Helper()
	dir := filepath.Join(filepath.Dir(r.Dir), fmt.Sprintf("%04d-%s", 100+len(name), strings.ReplaceAll(name, " ", "-")))
	if out, err := exec.Command("cp", "-a", r.Dir, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	copied, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestWithEveryCheckpointDamagedTheRunBeginsAnew(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	r := stopAfter(t, f, "stopped", 3)
	list, _ := r.Checkpoints()
	for _, s := range list {
		if err := flip(filepath.Join(s.Path, "optimizer.safetensors")); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := r.Answering(); err != nil {
		t.Errorf("the optimizer matters to nobody who only asks: %v", err)
	}
	resume(t, r)
	sameFiles(t, last(t, unbroken), last(t, r))
	if said := eventTexts(t, r); !strings.Contains(said, "begins anew") {
		t.Errorf("nobody says that it begins anew:\n%s", said)
	}
}

func TestCheckpointsOfAnOlderProgramAreResumed(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	r := stopAfter(t, f, "stopped", 6)
	list, _ := r.Checkpoints()
	for _, s := range list { // as they were: no list of checksums
		if err := os.Remove(filepath.Join(s.Path, "checkpoint.json")); err != nil {
			t.Fatal(err)
		}
	}
	older := copyRun(t, r, "older")
	resume(t, older)
	sameFiles(t, last(t, unbroken), last(t, older))
	cut := copyRun(t, r, "cut")
	newest, _ := cut.Latest()
	if err := cutHalf(filepath.Join(newest.Path, "optimizer.safetensors")); err != nil {
		t.Fatal(err)
	}
	resume(t, cut)
	sameFiles(t, last(t, unbroken), last(t, cut))
}

func TestMovedAndCopiedProjectsResume(t *testing.T) {
	f := smallProject(t)
	absolute := filepath.Join(f.Root, "data")
	if err := f.Override([]string{"DATASET.PATH=" + absolute}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Path, f.Raw(), 0o644); err != nil {
		t.Fatal(err)
	}
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	stopped := stopAfter(t, f, "stopped", 3)
	want := last(t, unbroken)
	for _, c := range []struct {
		name string
		args []string
		gone bool // the original is not there any more
	}{
		{"copied", []string{"cp", "-a"}, false},
		{"copied, links followed", []string{"cp", "-rL"}, false},
		{"copied, links followed, the original gone", []string{"cp", "-rL"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "elsewhere")
			if out, err := exec.Command(c.args[0], append(c.args[1:], f.Root, root)...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			hidden := f.Root + "-hidden"
			if c.gone {
				if err := os.Rename(f.Root, hidden); err != nil {
					t.Fatal(err)
				}
				defer os.Rename(hidden, f.Root)
			}
			r, err := run.Open(filepath.Join(root, "runs", stopped.Label()))
			if err != nil {
				t.Fatal(err)
			}
			own, err := r.Config()
			if err != nil || own.Root != root || own.Abs(own.Config.Dataset.Path) != filepath.Join(root, "data") {
				t.Errorf("its data set is looked for in %s below %s (%v)", own.Config.Dataset.Path, own.Root, err)
			}
			resume(t, r)
			sameFiles(t, want, last(t, r))
			for _, link := range []string{"latest", "best"} {
				if target, err := os.Readlink(filepath.Join(r.Dir, "checkpoints", link)); err != nil ||
					!strings.HasPrefix(target, "step-") {
					t.Errorf("%s leads to %q (%v)", link, target, err)
				}
			}
		})
	}
	moved := filepath.Join(t.TempDir(), "renamed")
	if err := os.Rename(f.Root, moved); err != nil {
		t.Fatal(err)
	}
	r, err := run.Open(filepath.Join(moved, "runs", stopped.Label()))
	if err != nil {
		t.Fatal(err)
	}
	resume(t, r)
	sameFiles(t, want, last(t, r))
}

func TestCopyOfALiveRunIsNoLiveRun(t *testing.T) {
	r := start(t, smallProject(t), "live")
	copied := copyRun(t, r, "copy")
	if s := copied.Status(); s.Live() && r.Status().Live() {
		t.Errorf("the copy of a live run is %s", s.State)
	}
	wait(t, r)
}

func TestEvalDataBindsNoRun(t *testing.T) {
	f := smallProject(t)
	if err := os.CopyFS(filepath.Join(f.Root, "more"), os.DirFS(filepath.Join(f.Root, "data"))); err != nil {
		t.Fatal(err)
	}
	if err := f.Override([]string{"EVAL.DATA=more"}); err != nil {
		t.Fatal(err)
	}
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	changed := stopAfter(t, f, "changed", 3)
	labels, _ := filepath.Glob(filepath.Join(f.Root, "more", "*", "labels", "*.txt"))
	if err := os.WriteFile(labels[0], nil, 0o644); err != nil {
		t.Fatal(err)
	}
	gone := copyRun(t, changed, "gone")
	resume(t, changed)
	sameFiles(t, last(t, unbroken), last(t, changed))
	if err := os.RemoveAll(filepath.Join(f.Root, "more")); err != nil {
		t.Fatal(err)
	}
	resume(t, gone)
	sameFiles(t, last(t, unbroken), last(t, gone))
}

func TestReplacedPictureIsNamedOnResume(t *testing.T) {
	f := smallProject(t)
	r := stopAfter(t, f, "stopped", 3)
	pictures, _ := filepath.Glob(filepath.Join(f.Root, "data", "train", "images", "*"))
	kept, err := os.ReadFile(pictures[1])
	if err != nil {
		t.Fatal(err)
	}
	at, _ := os.Stat(pictures[1])
	other := bytes.Clone(kept)
	for i := len(other) / 2; i < len(other)/2+40; i++ {
		other[i] ^= 1
	}
	for what, text := range map[string][]byte{"another picture": must(os.ReadFile(pictures[2])),
		"flipped bits": other} {
		if err := os.WriteFile(pictures[1], text, 0o644); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(pictures[1], at.ModTime(), at.ModTime()) // as if it were the old one
		err := Work(context.Background(), r.Dir)
		name := strings.TrimSuffix(filepath.Base(pictures[1]), filepath.Ext(pictures[1]))
		if err == nil || !strings.Contains(err.Error(), name) &&
			!strings.Contains(err.Error(), "data set has changed") || what == "flipped bits" &&
			!strings.Contains(err.Error(), "picture train/"+name) {
			t.Errorf("with %s in place of %s: %v", what, name, err)
		}
	}
	if err := os.WriteFile(pictures[1], kept, 0o644); err != nil {
		t.Fatal(err)
	}
	resume(t, r)
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

func TestConstantsThatMayChangeAreFollowed(t *testing.T) {
	f := smallProject(t)
	r := stopAfter(t, f, "stopped", 3)
	stoodAt := r.Info.Steps
	saved, _ := r.Latest()
	resume(t, r, "TRAIN.EPOCHS=5", "TRAIN.SAVE_EVERY=4", "TRAIN.KEEP=9", "PROJECT.RUNS=runs")
	if r.Info.Steps != stoodAt/3*5 {
		t.Errorf("%d steps after 3 epochs became 5, before %d", r.Info.Steps, stoodAt)
	}
	own, err := r.Config()
	if err != nil || own.Config.Train.Epochs != 5 || own.Config.Train.SaveEvery != 4 || own.Config.Train.Keep != 9 {
		t.Errorf("the snapshot says %+v, %v", own.Config.Train, err)
	}
	said := eventTexts(t, r)
	for _, want := range []string{"TRAIN.EPOCHS 3 → 5", "TRAIN.SAVE_EVERY 3 → 4", "the learning rate goes on at"} {
		if !strings.Contains(said, want) {
			t.Errorf("no event says %q:\n%s", want, said)
		}
	}
	out := outcome{}
	rows(t, r, out)
	rate := func(step int) float64 {
		var row struct{ LR float64 }
		if err := json.Unmarshal([]byte(out[fmt.Sprintf("train row %d", step)]), &row); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		return row.LR
	}
	end, next := saved.Step/2*2, saved.Step/2*2+2
	if a, b := rate(end), rate(next); saved.Step > 4 && !(b <= a && b > 0.8*a) {
		t.Errorf("the learning rate was %g at step %d and goes on with %g", a, end, b)
	}
	list, _ := r.Checkpoints()
	if n := len(list); n < 4 || list[n-2].Step%4 != 0 {
		t.Errorf("checkpoints after SAVE_EVERY became 4: %+v", list)
	}
}

// TestCheckpointingMayChangeOnResume goes on with activations made again, to the same files.
func TestCheckpointingMayChangeOnResume(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	r := stopAfter(t, f, "stopped", 3)
	resume(t, r, "TRAIN.CHECKPOINTING=true")
	if own, err := r.Config(); err != nil || !own.Config.Train.Checkpointing {
		t.Errorf("the snapshot says %+v, %v", own.Config.Train, err)
	}
	sameFiles(t, last(t, unbroken), last(t, r))
}

func TestConstantsThatAreFixedAreRefusedByName(t *testing.T) {
	f := smallProject(t)
	r := stopAfter(t, f, "stopped", 3)
	before, _ := os.ReadFile(filepath.Join(r.Dir, "config.toml"))
	for _, c := range []struct {
		words []string
		want  string // in the error; empty: accepted, since nothing changes
	}{
		{[]string{"LORA.R=8"}, "LORA.R = 4"},
		{[]string{"TRAIN.EPOCHS=9", "TRAIN.LEARNING_RATE=0.5"}, "TRAIN.LEARNING_RATE = "},
		{[]string{"RECIPE.PRESET=basic"}, "RECIPE.PRESET = "},
		{[]string{"TRAIN.BATCH_SIZE=1"}, "TRAIN.BATCH_SIZE = 8"},
		{[]string{"PROJECT.SEED=7"}, "PROJECT.SEED = "},
		{[]string{"LORA.R=4", "TRAIN.BATCH_SIZE=8"}, ""},
	} {
		changes, err := check(r, c.words)
		var fixed *Fixed
		if c.want == "" {
			if err != nil || len(changes) > 0 {
				t.Errorf("%v: %v, %v", c.words, changes, err)
			}
		} else if !errors.As(err, &fixed) || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "TRAIN.EPOCHS") {
			t.Errorf("%v: %v", c.words, err)
		}
	}
	if _, err := check(r, []string{"TRAIN.EPOCH=3"}); err == nil || !strings.Contains(err.Error(), "EPOCHS") {
		t.Errorf("an unknown constant: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(r.Dir, "config.toml")); string(after) != string(before) {
		t.Error("the snapshot has changed")
	}
}

func TestEveryConstantIsEitherFixedOrMayChange(t *testing.T) {
	known := map[string]bool{}
	for _, field := range config.Fields() {
		known[field.Name()] = true
		known[field.Section+"."] = true
	}
	known["KEYS."] = true
	for _, c := range changeable {
		if !known[c.name] {
			t.Errorf("%s may change and does not exist", c.name)
		}
	}
	for name, want := range map[string]bool{"TRAIN.EPOCHS": true, "EVAL.SPLIT": true, "KEYS.quit": true,
		"LORA.R": false, "TRAIN.SCHEDULE": false, "RECIPE.LOSS": false} {
		if _, may := howChanged(name); may != want {
			t.Errorf("%s may change: %v", name, may)
		}
	}
}

func TestDoneRunsGoOnOnlyWhereThereIsSomethingToDo(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=1"}); err != nil {
		t.Fatal(err)
	}
	linear := start(t, f, "linear")
	wait(t, linear)
	if _, err := check(linear, nil); !errors.Is(err, errNothingToDo) {
		t.Errorf("a run that is done: %v", err)
	}
	if _, err := check(linear, []string{"TRAIN.EPOCHS=2"}); err == nil ||
		!strings.Contains(err.Error(), "come down to 0") {
		t.Errorf("more epochs at a learning rate of 0: %v", err)
	}
	damaged := copyRun(t, linear, "damaged")
	newest, _ := damaged.Latest()
	if err := flip(filepath.Join(newest.Path, "adapter_model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if s, note, err := damaged.Answering(); err != nil || s.Step == newest.Step ||
		!strings.Contains(note, "is damaged") || !strings.Contains(note, "is used instead") {
		t.Errorf("who answers for a run whose newest checkpoint is damaged: %+v, %q, %v", s, note, err)
	}
	resume(t, damaged)
	sameFiles(t, last(t, linear), last(t, damaged))
	if err := f.Override([]string{"TRAIN.SCHEDULE=constant"}); err != nil {
		t.Fatal(err)
	}
	constant := start(t, f, "constant")
	wait(t, constant)
	steps := constant.Info.Steps
	resume(t, constant, "TRAIN.EPOCHS=2")
	if s, _ := constant.Latest(); s.Step != 2*steps {
		t.Errorf("it ended at step %d of %d", s.Step, 2*steps)
	}
}

func TestResumeThatCannotGoOnSaysWhy(t *testing.T) {
	f := smallProject(t)
	r := stopAfter(t, f, "stopped", 9)
	exe, _ := os.Executable()
	data := filepath.Join(f.Root, "data")
	if err := os.Rename(data, data+"-away"); err != nil {
		t.Fatal(err)
	}
	err := Resume(context.Background(), r, Options{Exe: exe})
	if err == nil {
		err = Underway(context.Background(), r, nil)
	}
	if err == nil || !strings.Contains(err.Error(), r.Label()+" is failed") {
		t.Errorf("without its data set: %v", err)
	}
	if err := os.Rename(data+"-away", data); err != nil {
		t.Fatal(err)
	}
	was := r.Status().State
	err = Resume(context.Background(), r, Options{Exe: exe}, "TRAIN.EPOCHS=1", "TRAIN.SAVE_EVERY=1")
	if !errors.Is(err, errNothingToDo) || r.Status().State != was {
		t.Errorf("fewer epochs than are done: %v, and it is %s, not %s", err, r.Status().State, was)
	}
	if _, err := check(r, []string{"TRAIN.EPOCHS=2"}); err != nil {
		t.Errorf("fewer epochs, that are not done: %v", err)
	}
	resume(t, r, "TRAIN.EPOCHS=3")
}

func TestSignalsOfARunsProcess(t *testing.T) {
	f := smallProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	for _, c := range []struct {
		signal syscall.Signal
		state  string
		reason string
	}{
		{syscall.SIGTERM, run.Stopped, "told to end by SIGTERM"},
		{syscall.SIGINT, run.Stopped, "told to end by SIGINT"},
		{syscall.SIGQUIT, run.Stopped, "told to end by SIGQUIT"},
		{syscall.SIGHUP, run.Done, "all epochs"},
		{syscall.SIGKILL, run.Killed, "resume goes on"},
	} {
		r := start(t, f, "signalled")
		s := waitFor(t, r, "past its first step",
			func(s run.Status) bool { return size(filepath.Join(r.Dir, "metrics.jsonl")) > 0 })
		if s.Process == nil {
			t.Fatalf("%v: it was over before", c.signal)
		}
		if err := syscall.Kill(s.Process.PID, c.signal); err != nil {
			t.Fatal(err)
		}
		if s = waitFor(t, r, "at its end", func(s run.Status) bool { return !s.Live() }); s.State != c.state ||
			!strings.Contains(s.Reason, c.reason) {
			t.Errorf("after %v the run is %+v", c.signal, s)
		}
		if s.State != run.Done {
			resume(t, r)
		}
		sameFiles(t, last(t, unbroken), last(t, r))
	}
}

// TestCheckThatIsBrokenOffIsMadeAnew tells the process to end while it measures valid.
func TestCheckThatIsBrokenOffIsMadeAnew(t *testing.T) {
	f := killProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	want := outcome{}
	rows(t, unbroken, want)
	evals := func(o outcome) string {
		var list []string
		for name, row := range o {
			if strings.HasPrefix(name, "eval") {
				list = append(list, name+row)
			}
		}
		return fmt.Sprint(len(list))
	}
	broken := 0
	for at := range 6 {
		r := start(t, f, "told")
		// A check begins once the row of its step is there.
		s := waitFor(t, r, "at a check", func(s run.Status) bool {
			return !s.Live() || hasRow(r, 4)
		})
		if s.Process != nil {
			for range at * 200 {
				io.Discard.Write(nil)
			}
			syscall.Kill(s.Process.PID, syscall.SIGTERM)
		}
		if s = waitFor(t, r, "at its end", func(s run.Status) bool { return !s.Live() }); s.State == run.Stopped {
			broken++
			resume(t, r)
		}
		got := outcome{}
		rows(t, r, got)
		if evals(got) != evals(want) {
			t.Errorf("%s evaluations, unbroken %s", evals(got), evals(want))
		}
		for name, row := range want {
			if strings.HasPrefix(name, "eval") && got[name] != row {
				t.Errorf("%s is %q, unbroken %q", name, got[name], row)
			}
		}
		a, _ := unbroken.Best()
		if b, _ := r.Best(); a.Step != b.Step {
			t.Errorf("the best is of step %d, unbroken %d", b.Step, a.Step)
		}
	}
	if broken == 0 {
		t.Error("no run was told to end in time")
	}
}

func hasRow(r *run.Run, step int) bool {
	text, err := os.ReadFile(filepath.Join(r.Dir, "metrics.jsonl"))
	return err == nil && strings.Contains(string(text), fmt.Sprintf(`{"kind":"train","step":%d,`, step))
}

func TestNaNIsSaidInASentence(t *testing.T) {
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.LEARNING_RATE=10", "TRAIN.WARMUP_STEPS=1", "TRAIN.MAX_GRAD_NORM=0",
		"TRAIN.EPOCHS=3", "TRAIN.SCHEDULE=constant", "LORA.ALPHA=1e19"}); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "diverges")
	s := waitFor(t, r, "at its end", func(s run.Status) bool { return !s.Live() })
	if s.State != run.Failed || !strings.Contains(s.Reason, "training broke down in step") ||
		!strings.Contains(s.Reason, "TRAIN.LEARNING_RATE") {
		t.Errorf("%+v", s)
	}
}

// TestFullDiskLosesNoRow lets the disk of a run be full until the run gives up, makes room, and resumes.
func TestFullDiskLosesNoRow(t *testing.T) {
	f := killProject(t)
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=3m"); err != nil {
		t.Skip("mounting a small tmpfs needs root: ", err)
	}
	defer syscall.Unmount(small, syscall.MNT_DETACH)
	if err := f.Override([]string{"PROJECT.RUNS=" + small}); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "full")
	waitFor(t, r, "at its first checkpoint", func(run.Status) bool { _, ok := r.Latest(); return ok })
	rest := filepath.Join(small, "rest")
	if err := os.WriteFile(rest, make([]byte, 4<<20), 0o644); !run.IsDiskFull(err) {
		t.Fatalf("the disk is not full: %v", err)
	}
	s := waitFor(t, r, "at its end", func(s run.Status) bool { return !s.Live() })
	if s.State != run.Failed || !strings.Contains(printable.Plain(s.Reason), "make room") {
		t.Errorf("on a full disk the run is %+v", s)
	}
	if err := os.Remove(rest); err != nil {
		t.Fatal(err)
	}
	resume(t, r)
	sameFiles(t, last(t, unbroken), last(t, r))
	want, got := outcome{}, outcome{}
	rows(t, unbroken, want)
	rows(t, r, got)
	for name, row := range want {
		if !strings.HasPrefix(name, "checkpoint") && got[name] != row {
			t.Errorf("%s is %q, unbroken %q", name, got[name], row)
		}
	}
}
