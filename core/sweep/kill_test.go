package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/finetune"
	"finetui/core/run"
	"finetui/ml/wholefile/killtest"
)

// What a test tells the processes of queues and runs: whose steps are meant (Verb or finetune.Verb), before which one
// the process ends, the file that says that it has, and the file that the steps are noted in.
const (
	killWho  = "FINETUI_TEST_KILL_WHO"
	killAt   = "FINETUI_TEST_KILL"
	killOnce = "FINETUI_TEST_KILL_ONCE"
	stepsTo  = "FINETUI_TEST_STEPS"
)

// watchSteps heeds them in the process of a queue or run, whose folder is dir.
func watchSteps(who, dir string) {
	if os.Getenv(killWho) != who {
		return
	}
	if who == Verb {
		dir = filepath.Dir(filepath.Dir(dir)) // it makes runs, too, and writes their evaluations
	}
	at, _ := strconv.Atoi(os.Getenv(killAt))
	killtest.Watch(dir, at, os.Getenv(killOnce), os.Getenv(stepsTo))
}

// outcome is what a sweep comes to: its table, and the bytes of each run's adapter.
type outcome map[string]string

func outcomeOf(t *testing.T, s *Sweep) outcome {
	t.Helper()
	st := until(t, s, "the end", complete)
	c, err := s.Compare(context.Background(), st)
	if err != nil {
		t.Fatal(err)
	}
	out := outcome{"table": fmt.Sprint(s.Table(st, c)), "said": strings.Join(c.Sentences, "\n")}
	runs, err := run.List(s.runs())
	if err != nil {
		t.Fatal(err)
	}
	out["runs"] = strconv.Itoa(len(runs))
	for _, cell := range st.Cells {
		of := fmt.Sprintf("%s/%d", cell.Variant, cell.Seed)
		out[of+" was there"] = strconv.FormatBool(cell.Found)
		saved, ok := cell.Run.Latest()
		if !ok {
			t.Fatalf("%s has no checkpoint", cell.Run.Label())
		}
		for _, name := range []string{"adapter_model.safetensors", "optimizer.safetensors"} {
			data, err := os.ReadFile(filepath.Join(saved.Path, name))
			if err != nil {
				t.Fatal(err)
			}
			out[of+" "+name] = string(data)
		}
	}
	return out
}

// tiny is a sweep of two runs of a step, in a folder of runs of its own. Where made is not "", it is the folder of the
// second run, which is there already and has not been scored: then the queue makes the first alone.
func tiny(t *testing.T, f *config.File, folder, made string) *Sweep {
	t.Helper()
	file, err := f.With(config.Change{Key: "PROJECT.RUNS", New: folder})
	if err != nil {
		t.Fatal(err)
	}
	if made != "" {
		to := filepath.Join(f.Root, folder, filepath.Base(made))
		if err := errors.Join(os.CopyFS(to, os.DirFS(made)), os.RemoveAll(filepath.Join(to, "eval"))); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Create(file, Plan{Name: "tiny", Seeds: []int{1}, Together: 1,
		Axes: []Axis{{"RECIPE.SAMPLING", []string{"instance", "square_root"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKilledBeforeEveryStepASweepComesToTheSame kills the process of a queue, and that of its run, before the steps by
// which their files come to be, and lets the sweep go on. make kill takes all steps of the queue and some of the run,
// which core/finetune takes all of; an ordinary test takes one of each.
func TestKilledBeforeEveryStepASweepComesToTheSame(t *testing.T) {
	f, ctx := small(t), context.Background()
	if err := f.Override([]string{"TRAIN.EPOCHS=1", "TRAIN.BATCH_SIZE=24", "TRAIN.SAVE_EVERY=1", "TRAIN.EVAL_EVERY=0",
		"TRAIN.WARMUP_STEPS=0", "EVAL.MAX_NEW_TOKENS=2"}); err != nil {
		t.Fatal(err)
	}
	first := tiny(t, f, "first", "")
	if err := first.GoOn(ctx, killtest.Program(t)); err != nil {
		t.Fatal(err)
	}
	want := outcomeOf(t, first)
	runs, err := run.List(first.runs())
	if err != nil {
		t.Fatal(err)
	}
	made := runs[1].Dir
	for _, who := range []string{Verb, finetune.Verb} {
		notes := filepath.Join(t.TempDir(), "steps")
		s := tiny(t, f, "unbroken-"+who, made)
		if err := s.GoOn(ctx, killtest.Program(t, killWho+"="+who, stepsTo+"="+notes)); err != nil {
			t.Fatal(err)
		}
		sameOutcome(t, "unbroken", want, outcomeOf(t, s))
		text, err := os.ReadFile(notes)
		if err != nil {
			t.Fatal(err)
		}
		steps := strings.Split(strings.TrimSpace(string(text)), "\n")
		points := killPoints(t, who, steps)
		t.Logf("%s: %d of %d steps", who, len(points), len(steps))
		t.Run(who, func(t *testing.T) {
			for _, n := range points {
				t.Run(strconv.Itoa(n), func(t *testing.T) {
					t.Parallel()
					s := tiny(t, f, fmt.Sprintf("killed-%s-%d", who, n), made)
					killedAt(t, s, who, n)
					sameOutcome(t, fmt.Sprintf("%s killed before step %d, %s", who, n, steps[n-1]), want, outcomeOf(t, s))
					if err := os.RemoveAll(s.runs()); err != nil && !t.Failed() {
						t.Fatal(err)
					}
				})
			}
		})
	}
}

// killedAt starts a sweep, lets the process of its queue or run be killed before the n-th step, and lets it go on.
func killedAt(t *testing.T, s *Sweep, who string, n int) {
	t.Helper()
	once := filepath.Join(t.TempDir(), "killed")
	killed := func() bool { _, err := os.Stat(once); return err == nil }
	err := s.GoOn(context.Background(), killtest.Program(t, killWho+"="+who, killAt+"="+strconv.Itoa(n), killOnce+"="+once))
	if err != nil && !killed() {
		t.Fatal(err)
	}
	until(t, s, "the kill", func(st Status) bool { return killed() && (who != Verb || !st.Live) })
	if err := s.GoOn(context.Background(), killtest.Program(t)); err != nil {
		t.Fatal(err)
	}
}

// sameOutcome compares what two sweeps have come to.
func sameOutcome(t *testing.T, what string, want, got outcome) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: %s is %.300q, not %.300q", what, name, got[name], want[name])
		}
	}
}

// killPoints are the steps before which a process is killed: for FINETUI_KILLS=all all of a queue, and of a run the last
// of each kind; else those around what can be lost or made twice.
func killPoints(t *testing.T, who string, steps []string) (points []int) {
	t.Helper()
	if os.Getenv("FINETUI_KILLS") != "" {
		last := map[string]int{}
		for n, step := range steps {
			if who == finetune.Verb {
				last[step] = n + 1
			} else {
				points = append(points, n+1)
			}
		}
		return append(points, slices.Sorted(maps.Values(last))...)
	}
	find := func(from int, what string) int {
		for n := from; n < len(steps); n++ {
			if strings.Contains(steps[n], what) {
				return n
			}
		}
		t.Fatalf("no step has %q after the %d.:\n%s", what, from, strings.Join(steps, "\n"))
		return 0
	}
	if who == finetune.Verb {
		return []int{find(0, "rename checkpoints/latest") + 1}
	}
	begun := find(0, "rename .0003/run.json")
	noted := find(begun+1, "rename sweeps/tiny/queue.json") // the run is there, and not noted down
	return []int{noted + 1}
}
