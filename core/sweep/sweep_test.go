package sweep

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/demo"
	"finetui/core/finetune"
	"finetui/core/project"
	"finetui/core/run"
)

// The test's own binary is the process of runs and of queues.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && (os.Args[1] == finetune.Verb || os.Args[1] == Verb) {
		ctx, stop := finetune.Until(context.Background())
		defer stop()
		dir := os.Args[len(os.Args)-1]
		watchSteps(os.Args[1], dir)
		if os.Args[1] == finetune.Verb && noteCard(dir) {
			os.Exit(1)
		}
		var err error
		if os.Args[1] == Verb {
			err = Work(ctx, dir, os.Args[0], "test")
		} else {
			err = finetune.Work(ctx, dir, os.Args[2:len(os.Args)-1]...)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestVariants(t *testing.T) {
	axes, rest := Axes([]string{"TRAIN.EPOCHS=2", "RECIPE.SAMPLING=instance, square_root", "LORA.R=4,8",
		"LORA.TARGETS=q_proj,v_proj|q_proj"})
	if !slices.Equal(rest, []string{"TRAIN.EPOCHS=2"}) || len(axes) != 3 || axes[2].Values[0] != "q_proj,v_proj" ||
		axes[0].Values[1] != "square_root" {
		t.Fatalf("axes %v, rest %v", axes, rest)
	}
	names := func(p Plan) (list []string) {
		for _, v := range p.Variants() {
			list = append(list, v.Name)
		}
		return list
	}
	grid := Plan{Axes: axes[:2]}
	if got := strings.Join(names(grid), "; "); got != "instance + R 4; instance + R 8; square_root + R 4; "+
		"square_root + R 8" {
		t.Errorf("grid: %s", got)
	}
	if got := strings.Join(grid.Variants()[2].Words, " "); got != "RECIPE.SAMPLING=square_root LORA.R=4" {
		t.Errorf("its third: %s", got)
	}
	grid.Names = []string{"a", "b", "c", "d"}
	if got := strings.Join(names(grid), "; "); got != "a; b; c; d" {
		t.Errorf("with names of their own: %s", got)
	}
	each := Plan{Axes: axes[:2], Each: true}
	if got := strings.Join(names(each), "; "); got != "reference; square_root; R 8" {
		t.Errorf("each: %s", got)
	}
	if got := strings.Join(each.Variants()[2].Words, " "); got != "RECIPE.SAMPLING=instance LORA.R=8" {
		t.Errorf("its third: %s", got)
	}
}

func TestAPlanThatMakesNoSenseIsRefused(t *testing.T) {
	f := small(t)
	sampling := Axis{"RECIPE.SAMPLING", []string{"instance", "square_root"}}
	for _, c := range []struct {
		plan Plan
		says string
	}{
		{Plan{Name: "a", Seeds: []int{1}}, "nothing is varied"},
		{Plan{Name: "a/b", Seeds: []int{1}, Axes: []Axis{sampling}}, "leave out /"},
		{Plan{Name: "a", Axes: []Axis{sampling}}, "no seed"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{{"PROJECT.SEED", []string{"1", "2"}}}}, "SEEDS"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{{"VIEW.THEME", []string{"dark", "light"}}}}, "no other run"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{sampling, sampling}}, "varied twice"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{{"LORA.R", []string{"4", "4"}}}}, "twice"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{sampling}, Names: []string{"one"}}, "2 variants have 1 names"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{sampling}, Names: []string{"one", "one"}}, "the same"},
		{Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{{"RECIPE.SAMPLING", []string{"instance", "square"}}}},
			"square_root"},
	} {
		if _, err := Create(f.Snapshot, c.plan); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.plan, err, c.says)
		}
	}
	if entries, _ := os.ReadDir(Folder(f.Snapshot)); len(entries) > 0 {
		t.Errorf("refused plans left %v", entries)
	}
}

// small is a drawn data set of a few dozen objects, and its configuration.
func small(t *testing.T) *config.File {
	t.Helper()
	root := t.TempDir()
	if err := demo.MakeParts(context.Background(), filepath.Join(root, "data"), demo.Options{Canvas: 168},
		demo.Part{Split: "train", Objects: 24, Seed: 24}, demo.Part{Split: "valid", Objects: 12, Seed: 12}); err != nil {
		t.Fatal(err)
	}
	f, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	f.Move(filepath.Join(root, "config.toml"), root)
	if err := f.Override([]string{"DATASET.PATH=data", "PROJECT.RUNS=runs", "EVAL.DATA=", "EVAL.SPLIT=valid",
		"TRAIN.EPOCHS=2", "TRAIN.BATCH_SIZE=4", "TRAIN.SAVE_EVERY=2", "TRAIN.EVAL_EVERY=6", "TRAIN.LOG_EVERY=1",
		"TRAIN.WARMUP_STEPS=2", "EVAL.MAX_NEW_TOKENS=4", "LORA.R=4"}); err != nil {
		t.Fatal(err)
	}
	return f
}

// until waits for what a sweep comes to. It gives up where nothing changes for two minutes.
func until(t *testing.T, s *Sweep, what string, holds func(st Status) bool) Status {
	t.Helper()
	before, since := "", time.Now()
	for {
		st, err := s.Status()
		if err != nil {
			t.Fatal(err)
		}
		if holds(st) {
			return st
		}
		now := fmt.Sprint(st)
		if now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) > 2*time.Minute {
			log, _ := os.ReadFile(filepath.Join(s.Dir, logFile))
			t.Fatalf("%s does not come: %+v\n%s", what, st, log)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func complete(st Status) bool {
	done, of := st.Done()
	return done == of && !st.Live
}

func TestASweepGoesOnAfterItsQueueAndARunWereKilled(t *testing.T) {
	f, ctx := small(t), context.Background()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Create(f.Snapshot, Plan{Name: "draw", Seeds: []int{1, 2},
		Axes: []Axis{{"RECIPE.SAMPLING", []string{"instance", "square_root"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.GoOn(ctx, exe); err != nil {
		t.Fatal(err)
	}
	st := until(t, s, "a run under way", func(st Status) bool {
		return slices.ContainsFunc(st.Cells, func(c Cell) bool { return c.State == run.Running && c.Step > 0 })
	})
	q, err := s.readQueue()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(q.Process.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, c := range st.Cells {
		if c.Run != nil {
			if process := c.Run.Status().Process; process != nil {
				_ = syscall.Kill(process.PID, syscall.SIGKILL)
			}
		}
	}
	until(t, s, "the end of both", func(st Status) bool {
		return !st.Live && !slices.ContainsFunc(st.Cells, func(c Cell) bool { return c.State == run.Running })
	})
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := s.GoOn(ctx, exe); err != nil {
		t.Fatal(err)
	}
	st = until(t, s, "the end", complete)
	if len(st.Cells) != 4 {
		t.Fatalf("%d experiments, want 4", len(st.Cells))
	}
	c, err := s.Compare(ctx, st)
	if err != nil {
		t.Fatal(err)
	}
	if c.Variants[0].Name != "instance" || c.Variants[1].Name != "square_root" || len(c.Variants[1].Runs) != 2 ||
		strings.Join(c.Differences[0].Constants, "") != "RECIPE.SAMPLING instance → square_root" {
		t.Errorf("compared: %+v", c)
	}
	runs, err := run.List(f.Abs("runs"))
	if err != nil || len(runs) != 4 {
		t.Fatalf("%d runs were made for 4 experiments (%v)", len(runs), err)
	}

	// Everything that is written says what was measured.
	table, report := s.Table(st, c), s.Markdown(st, c)
	text, err := s.CSV(st)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("%v: %d lines\n%s", err, len(rows), text)
	}
	for k, cell := range st.Cells {
		r := cell.Result
		f1 := fmt.Sprintf("%.3f", r.MacroF1)
		if table[1+k/2][1+k%2] != f1 || !strings.Contains(report, f1) || rows[1+k][2] != cell.Run.Label() ||
			rows[1+k][7] != fmt.Sprint(r.MacroF1) {
			t.Errorf("%s, seed %d scored %s: table %v, line %v", cell.Variant, cell.Seed, f1, table[1+k/2], rows[1+k])
		}
	}

	// A run that is called something else now is known all the same.
	renamed, err := run.Rename(st.Cells[0].Run, "other")
	if err != nil {
		t.Fatal(err)
	}
	if now, err := s.Status(); err != nil || now.Cells[0].State != Scored || now.Cells[0].Run.Dir != renamed.Dir {
		t.Errorf("renamed, it is %+v, %v", now.Cells[0], err)
	}

	// It is known whether it is what would be planned now.
	fits := func(file *config.Snapshot, p Plan, version string) bool {
		ok, err := s.Fits(ctx, file, p, version)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	longer, err := f.With(config.Change{Key: "TRAIN.EPOCHS", New: "3"})
	if err != nil {
		t.Fatal(err)
	}
	fewer, other := s.Plan, s.Plan
	fewer.Seeds, other.Axes = fewer.Seeds[:1], []Axis{{"LORA.R", []string{"4", "8"}}}
	if !fits(f.Snapshot, s.Plan, "test") || !fits(f.Snapshot, fewer, "test") || fits(f.Snapshot, other, "test") ||
		fits(longer, s.Plan, "test") || fits(f.Snapshot, s.Plan, "another program") {
		t.Error("a sweep fits another plan, other constants or another program, or does not fit its own")
	}

	// What was made is used again; what is new is made, what is left out is not.
	again, err := Create(f.Snapshot, Plan{Name: "again", Seeds: []int{1},
		Axes: []Axis{{"RECIPE.SAMPLING", []string{"square_root", "instance", "class_balanced"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Skip("class_balanced", nil); err != nil {
		t.Fatal(err)
	}
	o, err := again.ForeseeSeeds(ctx, project.NewEstimator(f.Root), 1)
	if err != nil {
		t.Fatal(err)
	}
	// 24 objects at 4 a step, two epochs; one of three variants is left out
	if said := strings.Join(o.Lines(), "\n"); o.Runs != 2 || o.Steps != 24 ||
		!strings.Contains(said, "again: 1 seed more (2) of 3 variants = 2 runs, 24 steps in all, about") {
		t.Errorf("a seed more comes to %d runs, %d steps: %s", o.Runs, o.Steps, said)
	}
	if added, err := again.AddSeeds(ctx, 1, exe); err != nil || !slices.Equal(added, []int{2}) {
		t.Fatalf("added %v, %v", added, err)
	}
	st = until(t, again, "the end", complete)
	for _, cell := range st.Cells {
		if skipped := cell.Variant == "class_balanced"; skipped != (cell.State == Skipped) || !skipped && !cell.Found {
			t.Errorf("%s, seed %d: %s, found %v", cell.Variant, cell.Seed, cell.State, cell.Found)
		}
	}
	if runs, err = run.List(f.Abs("runs")); err != nil || len(runs) != 4 {
		t.Errorf("%d runs after a sweep of what was there (%v)", len(runs), err)
	}
}

func TestStopEndsTheQueueAndItsRun(t *testing.T) {
	f, ctx := small(t), context.Background()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Override([]string{"TRAIN.EPOCHS=400"}); err != nil {
		t.Fatal(err)
	}
	s, err := Create(f.Snapshot, Plan{Name: "long", Seeds: []int{1}, Together: 1, Axes: []Axis{{"LORA.R", []string{"4", "8"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.GoOn(ctx, exe); err != nil {
		t.Fatal(err)
	}
	until(t, s, "a run under way", func(st Status) bool { return st.Cells[0].Step > 0 })
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	st := until(t, s, "the stop", func(st Status) bool { return !st.Live && st.Cells[0].State == run.Stopped })
	if st.Cells[1].State != Waiting {
		t.Errorf("the second is %s", st.Cells[1].State)
	}
	if err := s.Stop(); err == nil {
		t.Error("what is not at work was stopped")
	}
}

func TestADamagedSweepSaysSo(t *testing.T) {
	f := small(t)
	s, err := Create(f.Snapshot, Plan{Name: "a", Seeds: []int{1}, Axes: []Axis{{"LORA.R", []string{"4", "8"}}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(s.Dir, configure)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{bytes.IndexByte(text, '\n') + 1, len(text)} {
		if err := os.WriteFile(path, text[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Constants(); (err == nil) != (cut == len(text)) {
			t.Errorf("with %d of %d bytes of %s: %v", cut, len(text), configure, err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.Dir, planFile), []byte(`{"schema":1,"axes":[{}]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if list, err := List(f.Snapshot); len(list) != 0 || err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := Find(f.Snapshot, "b"); err == nil || !strings.Contains(err.Error(), "no sweep called b") {
		t.Errorf("%v", err)
	}
}
