package finetune

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/run"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/wholefile/killtest"
)

const (
	killAt  = "FINETUI_TEST_KILL"
	stepsTo = "FINETUI_TEST_STEPS"
)

// watchSteps ends this process before the step of its run's files that is asked for, and notes the steps where that is
// asked for.
func watchSteps() {
	at, _ := strconv.Atoi(os.Getenv(killAt))
	killtest.Watch(os.Args[len(os.Args)-1], at, "", os.Getenv(stepsTo))
}

// outcome is what a run comes to, in a form that can be compared: all that does not tell of time and of processes.
type outcome map[string]string

func outcomeOf(t *testing.T, r *run.Run) outcome {
	t.Helper()
	if err := r.Refresh(); err != nil {
		t.Fatal(err)
	}
	out := outcome{"state": r.Status().State + ": " + r.Status().Reason, "number of steps": fmt.Sprint(r.Info.Steps)}
	folder := filepath.Join(r.Dir, "checkpoints")
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(folder, path)
		if d.Type()&fs.ModeSymlink != 0 {
			out["link "+name], err = os.Readlink(path)
			return err
		}
		data, err := os.ReadFile(path)
		out["file "+name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "control", "eval"} {
		entries, err := os.ReadDir(filepath.Join(r.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			out["there is "+filepath.Join(name, e.Name())] = ""
		}
	}
	list, err := r.Checkpoints()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		out[fmt.Sprintf("checkpoint %d", s.Step)] = fmt.Sprint("best ", s.Best, ", latest ", s.Latest)
	}
	rows(t, r, out)
	return out
}

// rows adds a run's metrics, as a reader sees them.
func rows(t *testing.T, r *run.Run, out outcome) {
	t.Helper()
	var h run.History
	for tail := r.Tail(); ; {
		batch, err := tail.Read()
		if err != nil {
			t.Fatal(err)
		}
		if h.Add(batch); !batch.More {
			break
		}
	}
	put := func(kind string, step int, row any) {
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("%s row %d", kind, step)] += string(text)
	}
	for _, x := range h.Train {
		y := *x
		y.Time, y.TokensPerSecond, y.Seconds = 0, 0, run.StepTimes{}
		put("train", y.Step, y)
	}
	for _, x := range h.Classes {
		put("class", x.Step, x.Losses)
	}
	for _, x := range h.Evals {
		y := *x
		y.Time = 0
		put("eval", y.Step, y)
	}
	for _, x := range h.Checkpoints {
		y := *x
		y.Time, y.Seconds = 0, 0
		put("checkpoint", y.Step, y)
	}
}

// differences names where two outcomes differ.
func (o outcome) differences(other outcome) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if v, ok := other[name]; !ok {
			list = append(list, name+" is missing")
		} else if v != o[name] {
			list = append(list, fmt.Sprintf("%s: %.300q, not %.300q", name, v, o[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		if _, ok := o[name]; !ok {
			list = append(list, name+" is there besides")
		}
	}
	return list
}

// killProject is a project whose run checks on valid, breaks down, so that its best checkpoint need not be its last, and
// writes rows, checks and checkpoints at different steps.
func killProject(t *testing.T) *config.File {
	t.Helper()
	f := smallProject(t)
	if err := f.Override([]string{"TRAIN.EPOCHS=2", "TRAIN.BATCH_SIZE=6", "TRAIN.SAVE_EVERY=3", "TRAIN.EVAL_EVERY=4",
		"TRAIN.LOG_EVERY=2", "TRAIN.KEEP=2",
		"TRAIN.BEST_BY=loss", "TRAIN.SCHEDULE=constant", "TRAIN.LEARNING_RATE=0.5"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// killClips is the same with a video model whose projectors are trained, on clips: fewer steps, as each takes longer.
func killClips(t *testing.T) *config.File {
	t.Helper()
	f := clipsProject(t, 3, 2)
	if err := f.Override([]string{"TRAIN.EPOCHS=1", "TRAIN.BATCH_SIZE=1", "TRAIN.SAVE_EVERY=1", "TRAIN.EVAL_EVERY=2",
		"TRAIN.LOG_EVERY=2", "TRAIN.KEEP=1", "TRAIN.BEST_BY=loss", "TRAIN.LEARNING_RATE=0.3", "TRAIN.SCHEDULE=constant",
		"TRAIN.WARMUP_RATIO=0", "EVAL.MAX_NEW_TOKENS=1",
		"LORA.TARGETS=q_proj, k_proj, v_proj, o_proj"}); err != nil { // so it breaks down, and the best is not the last
		t.Fatal(err)
	}
	return f
}

// killed are the projects whose runs are killed, with their last checkpoint, and the one that gives way to it.
var killed = map[string]struct {
	project    func(*testing.T) *config.File
	last, gone int
}{"pictures": {killProject, 4, 3}, "clips and projectors": {killClips, 3, 1}}

// workerWith is this test's program as the process of a run, with something more in its environment.
func workerWith(t *testing.T, env ...string) string {
	t.Helper()
	return killtest.Program(t, append(env, asWorker+"=1")...)
}

// goOnUntilDone resumes a run until it is done.
func goOnUntilDone(t *testing.T, r *run.Run, exe string) {
	t.Helper()
	for range 3 {
		s := waitFor(t, r, "at its end", func(s run.Status) bool { return !s.Live() })
		if s.State == run.Done {
			return
		}
		if err := Resume(context.Background(), r, Options{Exe: exe}); err != nil {
			t.Fatalf("a run that was %s (%s) cannot be resumed: %v", s.State, s.Reason, err)
		}
		wait(t, r)
	}
}

// startKilled starts a run whose process ends before the n-th step
// of its files. It may be gone before it took the run up.
func startKilled(t *testing.T, f *config.File, name string, n int) *run.Run {
	t.Helper()
	r, _, err := Start(context.Background(), f.Snapshot, Options{Name: name, Exe: workerWith(t, killAt+"="+strconv.Itoa(n)),
		Version: "test"})
	if r == nil {
		t.Fatal(err)
	}
	waitFor(t, r, "ended", func(s run.Status) bool { return !s.Live() && (s.State != run.Created || err != nil) })
	return r
}

// TestKilledBeforeEveryStepARunComesToTheSame kills a run before the steps by which its files come to be. make kill
// takes all of them, an ordinary test some.
func TestKilledBeforeEveryStepARunComesToTheSame(t *testing.T) {
	for name, k := range killed {
		t.Run(name, func(t *testing.T) { killedBeforeEveryStep(t, k.project(t), k.last, k.gone) })
	}
}

func killedBeforeEveryStep(t *testing.T, f *config.File, last, gone int) {
	// Which checkpoint is the best of a run that breaks down is a matter of rounding, which differs between machines.
	const seeds = 12
	var want outcome
	var steps []string
	for seed := 1; ; seed++ {
		if err := f.Override([]string{"PROJECT.SEED=" + strconv.Itoa(seed)}); err != nil {
			t.Fatal(err)
		}
		if want, steps = unbroken(t, f); want["link best"] != want["link latest"] && len(steps) >= 120 {
			break
		}
		if seed == seeds {
			t.Fatalf("no run of %d shows much; the last: best %q, latest %q, %d steps", seeds, want["link best"],
				want["link latest"], len(steps))
		}
	}
	if f.Config.Train.ProjectorLR > 0 && !slices.ContainsFunc(steps, func(step string) bool {
		return strings.HasSuffix(step, mobilevideogpt.ProjectorsFile)
	}) {
		t.Fatal("this run writes no projectors")
	}
	points := chosen(steps, last, gone)
	t.Logf("%d of %d steps", len(points), len(steps))
	exe := workerWith(t)
	t.Run("before", func(t *testing.T) {
		for _, n := range points {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				r := startKilled(t, f, fmt.Sprint("killed-", n), n)
				goOnUntilDone(t, r, exe)
				for _, d := range want.differences(outcomeOf(t, r)) {
					t.Errorf("killed before step %d, %s: %s", n, steps[n-1], d)
				}
				if err := os.RemoveAll(r.Dir); err != nil && !t.Failed() {
					t.Fatal(err)
				}
			})
		}
	})
}

// unbroken is what a run comes to that is not killed, and the steps by which its files come to be.
func unbroken(t *testing.T, f *config.File) (outcome, []string) {
	t.Helper()
	notes := filepath.Join(t.TempDir(), "steps")
	r, _, err := Start(context.Background(), f.Snapshot, Options{Name: "unbroken",
		Exe: workerWith(t, stepsTo+"="+notes), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, r)
	text, err := os.ReadFile(notes)
	if err != nil {
		t.Fatal(err)
	}
	return outcomeOf(t, r), strings.Split(strings.TrimSpace(string(text)), "\n")
}

// chosen are all steps for FINETUI_KILLS=all, else those from the one that shows the last checkpoint to the one after its
// link, of the best, and a few spread over the rest, among them the one that removes a checkpoint.
func chosen(steps []string, last, gone int) (points []int) {
	if os.Getenv("FINETUI_KILLS") != "" {
		for n := range steps {
			points = append(points, n+1)
		}
		return points
	}
	shown, hidden := fmt.Sprintf("checkpoints/step-%06d", last), fmt.Sprintf("checkpoints/.step-%06d.gone", gone)
	want := []string{"rename " + shown, "sync checkpoints", "symlink checkpoints/.best.tmp", "rename checkpoints/best",
		"rename checkpoints/latest", "rename " + shown + "/checkpoint.json",
		"rename " + shown + "/" + mobilevideogpt.ProjectorsFile, "rename " + hidden, "remove " + hidden,
		"rename exit.json"}
	for _, step := range want {
		if n := slices.Index(steps, step); n >= 0 {
			points = append(points, n+1)
		}
	}
	return points
}

func TestKilledAtRandomMomentsARunComesToTheSame(t *testing.T) {
	f := killProject(t)
	kills, seed := 3, uint64(1)
	if os.Getenv("FINETUI_KILLS") != "" { // a longer run for more kills; at the short one's rate it breaks down at step 22
		kills, seed = 20, uint64(time.Now().UnixNano())
		if err := f.Override([]string{"TRAIN.EPOCHS=40", "TRAIN.LEARNING_RATE=0.02"}); err != nil {
			t.Fatal(err)
		}
	}
	unbroken := start(t, f, "unbroken")
	wait(t, unbroken)
	for _, d := range outcomeOf(t, unbroken).differences(outcomeOf(t, killedAtRandom(t, f, kills, seed))) {
		t.Error(d)
	}
}

// killedAtRandom is a run whose process is killed at so many moments and resumed each time, when it is done.
func killedAtRandom(t *testing.T, f *config.File, kills int, seed uint64) *run.Run {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 2))
	exe, _ := os.Executable()
	killed := start(t, f, "killed")
	done := 0
	for done < kills {
		// A kill comes some bytes of metrics after the run was taken
		// up, which is a moment that a slow machine has, too.
		at := size(filepath.Join(killed.Dir, "metrics.jsonl")) + int64(rng.IntN(3000))
		s := waitFor(t, killed, "a little further", func(s run.Status) bool {
			return !s.Live() || size(filepath.Join(killed.Dir, "metrics.jsonl")) >= at
		})
		if !s.Live() {
			break
		}
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
		syscall.Kill(s.Process.PID, syscall.SIGKILL)
		done++
		if s := waitFor(t, killed, "killed", func(s run.Status) bool { return !s.Live() }); s.State == run.Done {
			break
		}
		if err := Resume(context.Background(), killed, Options{Exe: exe}); err != nil {
			t.Fatal(err)
		}
		// On a busy machine the new process takes a while; until then the run's is the one that is gone.
		if err := Underway(context.Background(), killed, nil); err != nil {
			t.Fatal(err)
		}
	}
	if done == 0 {
		t.Error("the run was over before it could be killed")
	}
	wait(t, killed)
	t.Logf("killed %d times, seed %d", done, seed)
	return killed
}
