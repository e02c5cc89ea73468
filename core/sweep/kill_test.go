package sweep

import (
	"context"
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

// tinySweep is a sweep of two runs with few steps; folder is that of its runs.
func tinySweep(t *testing.T, f *config.File, folder string) *Sweep {
	t.Helper()
	if err := f.Override([]string{"PROJECT.RUNS=" + folder}); err != nil {
		t.Fatal(err)
	}
	s, err := Create(f.Snapshot, Plan{Name: "tiny", Seeds: []int{1}, Together: 1,
		Axes: []Axis{{"RECIPE.SAMPLING", []string{"instance", "square_root"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestKilledBeforeEveryStepASweepComesToTheSame kills the process of a queue, and that of its first run, before the
// steps by which their files come to be, and lets the sweep go on. make kill takes all steps, an ordinary test some.
func TestKilledBeforeEveryStepASweepComesToTheSame(t *testing.T) {
	f, ctx := small(t), context.Background()
	if err := f.Override([]string{"TRAIN.EPOCHS=1", "TRAIN.BATCH_SIZE=12", "TRAIN.SAVE_EVERY=1", "TRAIN.EVAL_EVERY=2",
		"TRAIN.WARMUP_STEPS=0", "EVAL.MAX_NEW_TOKENS=2"}); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var want outcome
	for _, who := range []string{Verb, finetune.Verb} {
		t.Setenv(killWho, who)
		notes := filepath.Join(t.TempDir(), "steps")
		t.Setenv(stepsTo, notes)
		s := tinySweep(t, f, "unbroken-"+who)
		if err := s.GoOn(ctx, exe); err != nil {
			t.Fatal(err)
		}
		want = outcomeOf(t, s)
		os.Unsetenv(stepsTo)
		text, err := os.ReadFile(notes)
		if err != nil {
			t.Fatal(err)
		}
		steps := strings.Split(strings.TrimSpace(string(text)), "\n")
		points := killPoints(t, who, steps)
		t.Logf("%s: %d of %d steps", who, len(points), len(steps))
		for _, n := range points {
			once := filepath.Join(t.TempDir(), "killed")
			t.Setenv(killAt, strconv.Itoa(n))
			t.Setenv(killOnce, once)
			s := tinySweep(t, f, fmt.Sprintf("killed-%s-%d", who, n))
			killed := func() bool { _, err := os.Stat(once); return err == nil }
			if err := s.GoOn(ctx, exe); err != nil && !killed() {
				t.Fatal(err)
			}
			until(t, s, "the kill", func(st Status) bool { return killed() && (who != Verb || !st.Live) })
			os.Unsetenv(killAt)
			if err := s.GoOn(ctx, exe); err != nil {
				t.Fatal(err)
			}
			got := outcomeOf(t, s)
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if got[name] != want[name] {
					t.Errorf("%s killed before step %d, %s: %s is %.300q, not %.300q", who, n, steps[n-1], name, got[name],
						want[name])
				}
			}
			if t.Failed() {
				return
			}
			if err := os.RemoveAll(s.runs()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// killPoints are the steps before which a process is killed: all for FINETUI_KILLS=all, of a run those of the first one
// alone; else those around what can be lost or made twice.
func killPoints(t *testing.T, who string, steps []string) (points []int) {
	t.Helper()
	if who == finetune.Verb { // two runs have written to the notes, one after the other
		steps = steps[:len(steps)/2]
	}
	if os.Getenv("FINETUI_KILLS") != "" {
		for n := range steps {
			points = append(points, n+1)
		}
		return points
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
	made := find(0, "rename .0001/run.json")
	noted := find(made+1, "rename sweeps/tiny/queue.json") // the run is there, and not noted down
	return []int{noted + 1}
}
