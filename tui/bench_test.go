//go:build linux

package main

import (
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"finetui/core/config"
	"finetui/core/run"
	"finetui/views"
	trainpane "finetui/views/train"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// longRun is a folder with one done run of so many steps, each with its row, every tenth with one of nine classes.
func longRun(b *testing.B, steps int) string {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	file, err := config.Preset("demo")
	must(err)
	dir := filepath.Join(b.TempDir(), "runs")
	w, err := run.Create(dir, "long", run.Meta{Recipe: "enhanced", Base: "tiny", Version: "0.3"}, file.Raw())
	must(err)
	defer w.Close()
	self, err := run.Self()
	must(err)
	began := float64(time.Now().Unix())
	must(w.Update(func(i *run.Info) {
		i.Created, i.Began, i.Process, i.State, i.Steps, i.Samples = began, began, &self, run.Running, steps, 1129
	}))
	var rows []run.Row
	for step := 1; step <= steps; step++ {
		head := run.Head{Step: step, Time: began + float64(step)}
		loss := run.Float(0.2 + 2*math.Exp(-9*float64(step)/float64(steps)) + 0.1*math.Sin(float64(step*step)))
		rows = append(rows, &run.Train{Head: head, Loss: loss, LossPlain: loss, LR: 1e-3, GradNorm: 0.5,
			Tokens:  step * 1600,
			Samples: step * 16, TokensPerSecond: 1000, Seconds: run.StepTimes{Data: 0.1, Forward: 0.3, Backward: 0.6}})
		if step%10 == 0 {
			classes := &run.Class{Head: head}
			for c := range 9 {
				classes.Losses = append(classes.Losses, run.ClassLoss{Name: "class " + string(rune('A'+c)), N: 1,
					Loss: loss})
			}
			rows = append(rows, classes)
		}
		if len(rows) > 10_000 || step == steps {
			must(w.Append(rows...))
			rows = rows[:0]
		}
	}
	return dir
}

// report draws again and again and reports the 99th of a hundred drawings beside the mean, by the clock and by the
// processor's time, which what else the machine does hardly changes: go test -bench Redraw -benchtime 2000x.
func report(b *testing.B, draw func()) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var wall, cpu []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start, worked := time.Now(), threadTime(b)
		draw()
		wall, cpu = append(wall, time.Since(start)), append(cpu, threadTime(b)-worked)
	}
	for name, times := range map[string][]time.Duration{"p99-ms": wall, "p99-cpu-ms": cpu} {
		slices.Sort(times)
		b.ReportMetric(float64(times[(len(times)*99-1)/100].Microseconds())/1000, name)
	}
}

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkRedraw draws the whole workbench at 200×60 with a run of a million steps in the Train pane, one view after
// another, and then help and palette over it.
func BenchmarkRedraw(b *testing.B) {
	const steps = 1_000_000
	dir := longRun(b, steps)
	train := trainpane.New(trainpane.Control{Runs: func() string { return dir }})
	r := newRoot("drains", viewtest.NewSample("Data"), viewtest.NewSample("Config"), train, viewtest.NewSample("Infer"))
	d := viewtest.OpenModel(b, r, 200, 60).Send(figures()).Press("3")
	for limit := time.Now().Add(2 * time.Minute); !d.Shows(widget.Count(steps)); d.Send(nil) {
		if time.Now().After(limit) {
			b.Fatalf("the run is not read:\n%s", d.Screen())
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Second) // what follows from the last rows
	d.Send(nil)
	for _, jump := range train.Jumps() {
		if _, name, view := strings.Cut(jump.Text, " · "); view && jump.Detail == views.AView {
			jump.Go()
			b.Run(strings.TrimSpace(name), func(b *testing.B) { report(b, func() { r.drawn() }) })
		}
	}
	r.over = newHelp(r)
	b.Run("help", func(b *testing.B) { report(b, func() { r.drawn() }) })
	r.over = newPalette(r)
	b.Run("palette", func(b *testing.B) { report(b, func() { r.drawn() }) })
}
