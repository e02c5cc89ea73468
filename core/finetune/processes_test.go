package finetune

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/ml/wholefile/killtest"
)

// twoProcesses is a project that two processes of PyTorch train, with dropout.
func twoProcesses(t *testing.T) *config.File {
	t.Helper()
	f := torchProject(t)
	if err := f.Override([]string{"MODEL.ENGINE=torch", "TORCH.PROCESSES=2", "LORA.DROPOUT=0.1"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// Two processes share the samples of a step and take the step that one alone takes, with dropout too; rows tell each
// one's loss.
func TestTorchOfTwoProcessesTakesTheStepsOfOne(t *testing.T) {
	f := twoProcesses(t)
	two := start(t, f, "two")
	if err := f.Override([]string{"TORCH.PROCESSES=1"}); err != nil {
		t.Fatal(err)
	}
	agree(t, start(t, f, "one"), two, 10)
	for _, row := range history(t, two).Train {
		if len(row.Ranks) != 2 || !run.Finite(float64(row.Ranks[0].Loss)) || row.Ranks[1].Seconds <= 0 {
			t.Errorf("step %d tells of its processes %+v", row.Step, row.Ranks)
		}
	}
	nobodyIsLeft(t, two)
}

// worker is a process that a run's engine has started.
type worker struct {
	pid  int
	rank string // "": it starts others
}

// workers are the processes of a run's engine.
func workers(t *testing.T, r *run.Run) (list []worker) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		words, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if !slices.Contains(strings.Split(string(words), "\x00"), filepath.Join(r.Dir, "torch", "trainer.py")) {
			continue
		}
		w := worker{pid: pid}
		environment, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		for _, v := range strings.Split(string(environment), "\x00") {
			if rank, ok := strings.CutPrefix(v, "RANK="); ok {
				w.rank = rank
			}
		}
		list = append(list, w)
	}
	return list
}

// signalRank sends a signal to one process.
func signalRank(t *testing.T, r *run.Run, rank string, s syscall.Signal) {
	t.Helper()
	list := workers(t, r)
	i := slices.IndexFunc(list, func(w worker) bool { return w.rank == rank })
	if i < 0 {
		t.Fatalf("no rank %s among %v", rank, list)
	}
	if err := syscall.Kill(list[i].pid, s); err != nil {
		t.Fatal(err)
	}
}

// nobodyIsLeft waits until no process of a run's engine is there any more.
func nobodyIsLeft(t *testing.T, r *run.Run) {
	t.Helper()
	for range 6000 { // of 10 ms, for which nothing else has to be done
		if len(workers(t, r)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%s has left processes: %v", r.Label(), workers(t, r))
}

// onward waits until a run has taken another step.
func onward(t *testing.T, r *run.Run) {
	t.Helper()
	n := len(history(t, r).Train)
	waitFor(t, r, "a step further", func(s run.Status) bool {
		if s.State == run.Done {
			t.Fatal("the run was done too soon")
		}
		return len(history(t, r).Train) > n
	})
}

// A run of two processes stops on request and when one of them is told to end, survives the end of its terminal, and of
// its own process; one that is killed ends it in a sentence. Each time it goes on, and comes to the checkpoint of an
// unbroken run, bit for bit. No process is left behind.
func TestTorchOfTwoProcessesEndsAndGoesOn(t *testing.T) {
	f := twoProcesses(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=12", "TRAIN.EVAL_EVERY=0", "TRAIN.SAVE_EVERY=2"}); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unbroken, r := start(t, f, "unbroken"), start(t, f, "broken")
	again := func() {
		t.Helper()
		nobodyIsLeft(t, r)
		if err := Resume(context.Background(), r, Options{Exe: exe}); err != nil {
			t.Fatal(err)
		}
		if err := Underway(context.Background(), r, nil); err != nil {
			t.Fatal(err)
		}
		onward(t, r)
	}
	ended := func(state, reason string) {
		t.Helper()
		s := waitFor(t, r, "at its end", func(s run.Status) bool { return !s.Live() && s.State != run.Created })
		if s.State != state || !strings.Contains(s.Reason, reason) {
			t.Fatalf("%s: %s, not %s: %s", s.State, s.Reason, state, reason)
		}
	}
	onward(t, r)
	syscall.Kill(r.Status().Process.PID, syscall.SIGHUP)
	for _, w := range workers(t, r) {
		if w.rank != "" {
			syscall.Kill(w.pid, syscall.SIGHUP)
		}
	}
	onward(t, r)
	if err := run.RequestStop(r.Dir, true); err != nil {
		t.Fatal(err)
	}
	ended(run.Stopped, "on request")
	again()
	signalRank(t, r, "1", syscall.SIGTERM)
	ended(run.Stopped, "told to end by SIGTERM")
	again()
	signalRank(t, r, "1", syscall.SIGKILL)
	ended(run.Failed, "rank 1 of 2 (process ")
	again()
	syscall.Kill(r.Status().Process.PID, syscall.SIGKILL)
	ended(run.Killed, "")
	again()
	wait(t, r)
	wait(t, unbroken)
	sameFiles(t, last(t, unbroken), last(t, r))
	nobodyIsLeft(t, r)
	if logs, _ := filepath.Glob(filepath.Join(r.Dir, "torch", "ranks", "*", "*", "1", "stderr.log")); len(logs) != 5 {
		t.Errorf("logs of rank 1: %q", logs)
	}
}

// A Python that cannot start its processes says so in the run's reason.
func TestTorchProcessesThatDoNotComeAreNamed(t *testing.T) {
	f := smallProject(t)
	versions := `{"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.21.2", "safetensors": "0.7.0"}`
	text := fmt.Sprintf("#!/bin/sh\ncase \"$1\" in -c) echo '%s';; *) echo no such module >&2; exit 3;; esac\n", versions)
	fake := killtest.Script(t, text)
	if err := f.Override([]string{"MODEL.ENGINE=torch", "TORCH.PROCESSES=2", "TORCH.PYTHON=" + fake}); err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "nothing")
	s := waitFor(t, r, "failed", func(s run.Status) bool { return !s.Live() && s.State != run.Created })
	if s.State != run.Failed || !strings.Contains(s.Reason, "0 of 2 processes were there") {
		t.Errorf("%s: %s", s.State, s.Reason)
	}
}

// Under DeepSpeed two processes take the steps of one without, and go on where they stood when they are killed. ZeRO-3
// deals out the base, too.
func TestTorchUnderDeepSpeedTakesTheSameSteps(t *testing.T) {
	underDeepSpeed(t, torchProject(t), 10)
}

// So they do on clips, with projectors that are trained and with projectors that are not. Of three samples a step one
// process has a single one, and passes a second time through the model with nothing.
func TestTorchUnderDeepSpeedTrainsVideoModelsAndProjectors(t *testing.T) {
	for _, rate := range []string{"0.002", "0"} {
		t.Run("projectors at "+rate, func(t *testing.T) {
			f := withTorch(t, clipProject(t))
			if err := f.Override([]string{"TRAIN.PROJECTOR_LEARNING_RATE=" + rate, "TRAIN.LEARNING_RATE=0.001",
				"TRAIN.BATCH_SIZE=3", "EVAL.MAX_NEW_TOKENS=2"}); err != nil {
				t.Fatal(err)
			}
			underDeepSpeed(t, f, 6)
		})
	}
}

// underDeepSpeed holds runs of two processes under each stage of DeepSpeed, killed or not, against one of one process
// without.
func underDeepSpeed(t *testing.T, f *config.File, least int) {
	t.Helper()
	p, err := project.Python(context.Background(), f.Snapshot)
	if err != nil || p.Versions["deepspeed"] == "" {
		t.Skip("no deepspeed: ", p.Install("deepspeed"), err)
	}
	if err := f.Override([]string{"MODEL.ENGINE=torch", "TORCH.PROCESSES=1", "LORA.DROPOUT=0.1"}); err != nil {
		t.Fatal(err)
	}
	plain := start(t, f, "plain")
	for _, stage := range []string{"zero2", "zero3"} {
		t.Run(stage, func(t *testing.T) {
			if err := f.Override([]string{"TORCH.PROCESSES=2", "TORCH.DEEPSPEED=" + stage}); err != nil {
				t.Fatal(err)
			}
			for _, r := range []*run.Run{start(t, f, stage), killedOnceSaved(t, f)} {
				here, there := agree(t, plain, r, least)
				if f.Config.Train.ProjectorLR > 0 {
					sameProjectors(t, here, there)
				}
			}
		})
	}
}

// killedOnceSaved is a run that is killed after its first checkpoint, and goes on from there.
func killedOnceSaved(t *testing.T, f *config.File) *run.Run {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, f, "killed")
	s := waitFor(t, r, "at its first checkpoint", func(s run.Status) bool {
		_, saved := r.Latest()
		return saved || !s.Live() && s.State != run.Created
	})
	if !s.Live() {
		t.Fatalf("it is %s before it could be killed: %s", s.State, s.Reason)
	}
	syscall.Kill(s.Process.PID, syscall.SIGKILL)
	waitFor(t, r, "killed", func(s run.Status) bool { return !s.Live() })
	nobodyIsLeft(t, r)
	if err := Resume(context.Background(), r, Options{Exe: exe}); err != nil {
		t.Fatal(err)
	}
	if err := Underway(context.Background(), r, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// Two agents of torchrun, each with its own port, are two machines to PyTorch: the steps are those of one process.
func TestTorchOnTwoNodesTakesTheStepsOfOne(t *testing.T) {
	f := twoProcesses(t)
	meeting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	meeting.Close()
	if err := f.Override([]string{"TORCH.PROCESSES=1", "TORCH.HOSTS=" + meeting.Addr().String() + ", localhost",
		"TORCH.REMOTE=sh -c {command}"}); err != nil {
		t.Fatal(err)
	}
	two := start(t, f, "two")
	if err := f.Override([]string{"TORCH.HOSTS="}); err != nil {
		t.Fatal(err)
	}
	agree(t, start(t, f, "one"), two, 10)
	nobodyIsLeft(t, two)
	lines, err := two.LogTail(200)
	if text := strings.Join(lines, "\n"); err != nil || strings.Count(text, "--nnodes 2") != 2 {
		t.Errorf("the log does not show the commands: %v\n%s", err, text)
	}
}
