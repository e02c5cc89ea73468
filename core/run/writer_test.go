package run

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"finetui/core/level"
)

func readAll(t *testing.T, dir string) Batch {
	t.Helper()
	var all Batch
	tail := open(t, dir).Tail()
	for {
		b, err := tail.Read()
		if err != nil {
			t.Fatal(err)
		}
		all.Rows, all.Bad = append(all.Rows, b.Rows...), all.Bad+b.Bad
		if !b.More {
			return all
		}
	}
}

func TestRowsComeBackAsWritten(t *testing.T) {
	w := newRun(t)
	util, rss := 87.0, uint64(1)<<30
	rows := []Row{
		&Train{Head: Head{Step: 5}, Epoch: 0.5, Loss: Float(math.NaN()), LossPlain: Float(math.Inf(1)),
			GradNorm: Float(math.Inf(-1)), LR: 2e-4, Seconds: StepTimes{Data: 0.25}},
		&Class{Head: Head{Step: 5}, Losses: ClassLosses{{"a", 2, 0.5}, {"b", 1, Float(math.NaN())}}},
		&Eval{Head: Head{Step: 5}, Split: "valid", Accuracy: 0.5, Recall: map[string]Recall{"a": {4, 2}}},
		&System{Head: Head{Step: 5}, GPUs: []GPU{{Index: 1, Util: &util}}, RSS: &rss},
		&Event{Head: Head{Step: 5, Time: 12.5}, Level: level.Warn, Text: "spike"},
	}
	if err := w.Append(rows...); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(w.Dir(), metricsFile))
	for _, want := range []string{`"kind":"train","step":5`, `"loss":"NaN","loss_plain":"Infinity"`,
		`"grad_norm":"-Infinity"`,
		`"losses":{"a":{"n":2,"loss":0.5},"b":{"n":1,"loss":"NaN"}}`,
		`"gpus":[{"index":1,"util":87}],"rss":1073741824}`, `"time":12.5,"level":"warn"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	got := readAll(t, w.Dir())
	if got.Bad != 0 || len(got.Rows) != len(rows) {
		t.Fatalf("%+v", got)
	}
	train := got.Rows[0].(*Train)
	if !math.IsNaN(float64(train.Loss)) || !math.IsInf(float64(train.LossPlain), 1) ||
		!math.IsInf(float64(train.GradNorm), -1) || train.LR != 2e-4 || train.Time == 0 {
		t.Errorf("%+v", train)
	}
	system := got.Rows[3].(*System)
	if *system.GPUs[0].Util != 87 || system.GPUs[0].Power != nil || system.CPU != nil || *system.RSS != rss {
		t.Errorf("%+v", system)
	}
}

func TestSecondWriterIsRefused(t *testing.T) {
	w := newRun(t)
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	_, err := Attach(w.Dir())
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "process ") ||
		!strings.Contains(err.Error(), "stop it first") {
		t.Errorf("%v", err)
	}
	w.Close()
	again, err := Attach(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestSuccessorWaitsForALeavingWriter(t *testing.T) {
	w := newRun(t)
	if err := writeJSON(filepath.Join(w.Dir(), exitFile), Exit{State: Stopped}); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(50 * time.Millisecond)
		w.Close()
	}()
	next, err := Attach(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	next.Close()
}

func TestRestartedWriterEndsATornLine(t *testing.T) {
	w := newRun(t)
	if err := w.Append(&Train{Head: Head{Step: 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.metrics.Write([]byte(`{"kind":"train","step":2,"lo`)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	w, err := Attach(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Append(&Train{Head: Head{Step: 2}}); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, w.Dir())
	if got.Bad != 1 || len(got.Rows) != 2 || got.Rows[1].head().Step != 2 {
		t.Errorf("%+v", got)
	}
}

func TestRowsWaitForRoomAndComeInOrder(t *testing.T) {
	w := newRun(t)
	good := w.metrics
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here: ", err)
	}
	defer full.Close()
	if err := w.Append(&Train{Head: Head{Step: 1}}); err != nil {
		t.Fatal(err)
	}
	w.metrics = full
	for step := 2; step < 9; step++ {
		if err := w.Append(&Train{Head: Head{Step: step}}); err != nil {
			t.Errorf("step %d: %v", step, err)
		}
	}
	if err := w.Checkpoint(8, weights("8")); !IsDiskFull(err) {
		t.Errorf("a checkpoint was shown before its rows: %v", err)
	}
	w.metrics = good
	if err := w.Append(&Train{Head: Head{Step: 9}}); err != nil {
		t.Fatal(err)
	}
	var got []int
	said := ""
	for _, row := range readAll(t, w.Dir()).Rows {
		switch row := row.(type) {
		case *Train:
			got = append(got, row.Step)
		case *Event:
			said += row.Text
		}
	}
	if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}; !slices.Equal(got, want) || !strings.Contains(said, "complete again") {
		t.Errorf("rows of steps %v, events %q", got, said)
	}
	defer func(n int) { mostWaiting = n }(mostWaiting)
	mostWaiting = 1000
	w.metrics = full
	for step := 10; ; step++ {
		err := w.Append(&Train{Head: Head{Step: step}})
		if err != nil {
			if !IsDiskFull(err) || step == 10 {
				t.Errorf("step %d: %v", step, err)
			}
			break
		}
		if step > 100 {
			t.Fatal("what waits has no bound")
		}
	}
	w.metrics = good
}

func TestStatusFollowsTheRun(t *testing.T) {
	w := newRun(t)
	r := open(t, w.Dir())
	if s := r.Status(); s.State != Created || !s.Resumable() {
		t.Errorf("%+v", s)
	}
	if err := RequestStop(w.Dir(), false); err == nil || !strings.Contains(err.Error(), "is created already") {
		t.Error(err)
	}
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	if s := r.Status(); s.State != Running || s.Process.PID != os.Getpid() {
		t.Errorf("%+v", s)
	}
	if stop, now := w.StopRequested(); stop || now {
		t.Error("nobody asked to stop")
	}
	for _, wantNow := range []bool{false, true} {
		if err := RequestStop(w.Dir(), wantNow); err != nil {
			t.Fatal(err)
		}
		if stop, now := w.StopRequested(); !stop || now != wantNow {
			t.Error(stop, now)
		}
		if s := r.Status(); s.State != Stopping {
			t.Errorf("%+v", s)
		}
	}
	if err := w.Finish("paused", ""); err == nil {
		t.Error("paused is no end")
	}
	if err := w.Finish(Stopped, "on request"); err != nil {
		t.Fatal(err)
	}
	if s := r.Status(); s.State != Stopped || s.Reason != "on request" || !s.Resumable() {
		t.Errorf("%+v", s)
	}
	if err := RequestStop(w.Dir(), true); err == nil || !strings.Contains(err.Error(), "is stopped already") {
		t.Error(err)
	}
	if err := w.Append(&Event{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a row after the end: %v", err)
	}
}

// Of a run whose exit.json cannot be read it is said that its end is not known, and it can go on.
func TestADamagedEndIsSaid(t *testing.T) {
	for _, text := range []string{"", `{"state":"do`, `{"state":3}`, `["done"]`, `{"state":"finished"}`, "{}"} {
		w := newRun(t)
		if err := w.Begin(); err != nil {
			t.Fatal(err)
		}
		if err := w.Finish(Done, ""); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(w.Dir(), exitFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		gone := func(Process) bool { return false }
		if s := open(t, w.Dir()).status(gone); s.State != Killed || !s.Resumable() ||
			!strings.Contains(s.Reason, "exit.json is damaged") {
			t.Errorf("%q: %+v", text, s)
		}
	}
}

func TestResumeCountsItsTime(t *testing.T) {
	w := newRun(t)
	if err := w.Begin(); err != nil {
		t.Fatal(err)
	}
	if err := w.Update(func(i *Info) { i.Before, i.Steps = 100, 426 }); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(Stopped, ""); err != nil {
		t.Fatal(err)
	}
	w, err := Attach(w.Dir())
	if err != nil {
		t.Fatal(err)
	}
	info := w.Info()
	if info.Resumed != 1 || info.Before < 100 || info.Before > 160 || info.Steps != 426 || info.State != Running {
		t.Errorf("%+v", info)
	}
	if s := open(t, w.Dir()).Status(); s.State != Running || s.Elapsed < 100*time.Second {
		t.Errorf("%+v", s)
	}
	rows := readAll(t, w.Dir()).Rows
	if e, ok := rows[len(rows)-1].(*Event); !ok || !strings.Contains(e.Text, "there is no checkpoint") {
		t.Errorf("%+v", rows)
	}
	if err := w.Finish(Done, ""); err != nil {
		t.Fatal(err)
	}
	if s := open(t, w.Dir()).Status(); s.State != Done || s.Resumable() || s.Elapsed < 100*time.Second {
		t.Errorf("%+v", s)
	}
}

func TestLogTailShowsTheLastLines(t *testing.T) {
	w := newRun(t)
	r := open(t, w.Dir())
	if lines, err := r.LogTail(3); err != nil || lines != nil {
		t.Error(lines, err)
	}
	for i := range 20_000 {
		w.Logf("line %d\n", i)
	}
	if _, err := w.log.WriteString("10%\r20%\r\nlast \xff"); err != nil {
		t.Fatal(err)
	}
	lines, err := r.LogTail(3)
	if err != nil || len(lines) != 3 || !strings.HasSuffix(lines[0], " line 19999") || lines[1] != "20%" ||
		lines[2] != "last \uFFFD" {
		t.Errorf("%q %v", lines, err)
	}
}
