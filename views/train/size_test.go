package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"

	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/run"
	"finetui/core/trainerlog/logtest"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// states are folders and what is done in them: everything that the pane can look like.
var states = []struct {
	name  string
	runs  []made
	views []string // that are looked at
	then  func(p *Pane, d *viewtest.Driver, dir string)
}{
	{"running", []made{doneRun, killedRun, runningRun}, []string{overviewView, curvesView, classesView, machineView,
		detailsView}, nil},
	{"compared", []made{doneRun, killedRun, runningRun}, []string{compareView}, func(_ *Pane, d *viewtest.Driver,
		_ string) {
		d.Press("space", "J", "space", "J", "space")
	}},
	{"killed", []made{killedRun}, []string{overviewView, detailsView}, nil},
	{"GPUs", []made{ofGPUs(runningRun, 8)}, []string{overviewView, machineView}, nil},
	{"wild figures and names", []made{wild()}, []string{overviewView, curvesView, classesView, machineView,
		detailsView},
		func(_ *Pane, d *viewtest.Driver, _ string) { d.Press("v", "X", "L") }},
	{"just begun", []made{{name: "x", recipe: "basic", ago: time.Second, end: run.Running}},
		[]string{overviewView, curvesView, classesView, machineView, detailsView}, nil},
	{"broken", []made{doneRun}, []string{overviewView, detailsView}, func(_ *Pane, d *viewtest.Driver, dir string) {
		_ = os.WriteFile(filepath.Join(dir, "0001-basic", "run.json"), []byte("{"), 0o644)
		_ = os.WriteFile(filepath.Join(dir, "0001-basic", "config.toml"), []byte("[TRAIN]\nEPOCHS = x\n"), 0o644)
	}},
	{"no runs", nil, []string{overviewView}, nil},
	{"a new run", []made{doneRun}, []string{overviewView}, func(_ *Pane, d *viewtest.Driver,
		_ string) {
		d.Press("n").Type("mild").Press("enter")
	}},
	{"a filter", []made{doneRun}, []string{overviewView}, func(_ *Pane, d *viewtest.Driver,
		_ string) {
		d.Press("/").Type("none of them").Press("enter")
	}},
}

func ofGPUs(m made, n int) made { m.gpus = n; return m }

// wild is a run of names and numbers that nobody would choose.
func wild() made {
	m := runningRun
	m.name, m.recipe = "enhanced-with-a-name-that-goes-on-and-on-and-on", "basic"
	m.change = func(rows []run.Row) {
		for i, row := range rows {
			switch r := row.(type) {
			case *run.Train:
				r.Loss = run.Float([]float64{math.NaN(), math.Inf(1), -3, 0, 1e12, 1e-12}[i%6])
				r.GradNorm, r.TokensPerSecond, r.Epoch = run.Float(math.NaN()), run.Float(math.Inf(1)),
					run.Float(math.NaN())
			case *run.Class:
				r.Losses = append(r.Losses, run.ClassLoss{Name: "排水溝 \x1b[31m 損傷\tあり", N: 1,
					Loss: run.Float(math.NaN())})
			case *run.Eval:
				r.Loss, r.Accuracy = run.Float(math.NaN()), run.Float(math.NaN())
				r.Recall["排水溝 \x1b[31m 損傷\tあり"] = run.Recall{N: 3, Right: i % 4}
			case *run.System:
				r.CPU, r.GPUs = nil, []run.GPU{{Index: 0}, {Index: 7}}
			}
		}
	}
	m.events = []run.Event{{Head: run.Head{Step: 1 << 40, Time: 1e9}, Level: level.Warn, Text: "a\x07b\nc " +
		fmt.Sprint(make([]int, 200))}}
	return m
}

func TestEveryViewAndStateIsDrawnWholeAtEverySize(t *testing.T) {
	theme := widget.NewTheme(true, true)
	for _, state := range states {
		t.Run(state.name, func(t *testing.T) {
			dir := folder(t, state.runs...)
			c := control(dir)
			c.Lint = func(context.Context) ([]dataset.Finding, error) {
				return []dataset.Finding{{Level: level.Error, File: "a/b", Line: 3,
					Text: "the answer \x1b[2J is in the prompt", Do: "change it"}, {Level: level.Warn,
					Text: fmt.Sprint(make([]int, 300))}}, nil
			}
			c.Start = func(context.Context, string) (*run.Run, []dataset.Finding, error) {
				return nil, nil, errors.New("refused")
			}
			p, d := open(t, c, 120, 30)
			if state.then != nil {
				state.then(p, d, dir)
			}
			d.Wait("every run", p.allRead)
			if state.name == "broken" {
				p.scanNow()
				d.Wait("the fault", func() bool { return p.list.runs[0].run.Fault != nil })
			}
			for _, view := range state.views {
				p.views.Show(view)
				draw := func(w, h int) string {
					p.update(tea.WindowSizeMsg{Width: w, Height: h})
					return p.View(theme, w, h)
				}
				if view == overviewView && state.name == "running" || os.Getenv("FINETUI_SIZES") == "all" {
					viewtest.Sizes(t, draw)
				} else {
					someSizes(t, draw)
				}
			}
		})
	}
}

// someSizes is viewtest.Sizes with a twelfth of the sizes, so that all states and views can be looked at each time.
func someSizes(t *testing.T, draw func(w, h int) string) {
	for w := 60; w <= 200; w += 7 {
		for h := 20 + w%5; h <= 60; h += 8 {
			if fault := viewtest.Fault(draw, w, h); fault != "" {
				t.Fatalf("at %d×%d: %s", w, h, fault)
			}
		}
	}
}

// crowd makes n finished runs, the last of which goes on with so many train rows.
func crowd(t testing.TB, n, rows int) string {
	small := doneRun
	small.done, small.steps = 30, 30
	dir := folder(t, small)
	first, last := filepath.Join(dir, "0001-basic"), filepath.Join(dir, fmt.Sprintf("%04d-basic", n))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.CopyFS(last, os.DirFS(first)))
	for i := 2; i < n; i++ { // the same files under other names: making each would take long
		copied := filepath.Join(dir, fmt.Sprintf("%04d-basic", i))
		must(os.Mkdir(copied, 0o755))
		for _, name := range []string{"run.json", "config.toml", "metrics.jsonl", "exit.json"} {
			must(os.Link(filepath.Join(first, name), filepath.Join(copied, name)))
		}
	}
	w, err := run.Attach(last)
	must(err)
	defer w.Close()
	var batch []run.Row
	for i := range rows {
		head := run.Head{Step: 31 + i, Time: float64(noon.Unix()) + float64(i)}
		batch = append(batch, &run.Train{Head: head, Loss: run.Float(1 + math.Cos(float64(i))), LossPlain: 1})
		if i%10 > 0 {
			continue
		}
		classes := &run.Class{Head: head}
		for _, c := range madeClasses {
			classes.Losses = append(classes.Losses, run.ClassLoss{Name: c.name, N: 1,
				Loss: run.Float(1 + math.Sin(float64(i)))})
		}
		batch = append(batch, classes)
	}
	must(w.Append(batch...))
	return dir
}

func TestManyRunsAndALongOneDoNotSlowKeys(t *testing.T) {
	dir := crowd(t, 120, 6_000)
	p, d := open(t, control(dir), 120, 30)
	theme := widget.NewTheme(true, true)
	d.Wait("the long run", func() bool { r := p.current(); return r != nil && r.history.Step() >= 6_000 })
	var times []time.Duration
	for _, key := range []string{"down", "down", "up", "]", "]", "[", "[", ".", ",", "m", "G", "g", "t", "t", "t",
		"v", "v"} {
		start := time.Now()
		if action, ok := find(p, key); ok {
			action()
		}
		p.View(theme, 120, 30)
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	t.Logf("keys took %v with their drawing", times)
	if median := times[len(times)/2]; median > 100*time.Millisecond { // 5 ms on a free machine
		t.Errorf("a key took %v", median)
	}
	d.Wait("every run", func() bool { return p.newest.runs[119].step == 30 })
	if len(p.follows) > keepFollowed+len(p.marks) {
		t.Errorf("%d runs are being read", len(p.follows))
	}
}

func find(p *Pane, key string) (func() tea.Cmd, bool) {
	for _, action := range p.Actions() {
		if action.Has(key) && action.On() {
			return action.Run, true
		}
	}
	return nil, false
}

func BenchmarkView(b *testing.B) {
	p, _ := open(b, control(folder(b, doneRun, killedRun, runningRun)), 120, 30)
	theme := widget.NewTheme(true, true)
	for _, view := range p.views.Names() {
		b.Run(view, func(b *testing.B) {
			p.views.Show(view)
			for b.Loop() {
				p.View(theme, 120, 30)
			}
		})
	}
}

// BenchmarkLongRun draws every view of a run of 20,000 rows, and works out what follows from them.
func BenchmarkLongRun(b *testing.B) {
	p, d := open(b, control(crowd(b, 2, 20_000)), 120, 30)
	theme := widget.NewTheme(true, true)
	d.Wait("the long run", func() bool { r := p.current(); return r != nil && r.history.Step() >= 20_000 })
	for _, view := range p.views.Names() {
		b.Run(view, func(b *testing.B) {
			p.views.Show(view)
			for b.Loop() {
				p.View(theme, 120, 30)
			}
		})
	}
	b.Run("derive", func(b *testing.B) {
		f := &follower{run: p.current().run, reader: p.current().run.Reader()}
		f.reader.History = p.current().history
		for b.Loop() {
			f.derive()
		}
	})
}

// threadTime is the processor time of this thread: what else the machine does is no part of it.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// BenchmarkAMillionFigures draws every view of another trainer's run of a million figures, 120 columns wide and 200.
// p99-cpu-ms is the processor time of the redraw that one in a hundred is slower than; the first one is left out, which
// works out what the others draw from.
func BenchmarkAMillionFigures(b *testing.B) {
	const rows = 250_000
	for _, made := range []struct {
		name   string
		folder func(testing.TB, int) string
	}{{"state", logtest.State}, {"events", logtest.Events}} {
		c := control(filepath.Join(b.TempDir(), "runs"))
		dir := made.folder(b, rows)
		c.Watched = func() []string { return []string{dir} }
		p, d := open(b, c, 120, 30)
		theme := widget.NewTheme(true, true)
		d.Wait("the long run", func() bool { r := p.current(); return r != nil && r.history.Step() >= rows })
		for _, view := range p.views.Names() {
			for _, size := range [][2]int{{120, 30}, {200, 60}} {
				b.Run(fmt.Sprintf("%s/%s/%dx%d", made.name, view, size[0], size[1]), func(b *testing.B) {
					p.views.Show(view)
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					start := threadTime()
					p.View(theme, size[0], size[1])
					first := threadTime() - start
					var took []time.Duration
					for b.Loop() {
						start := threadTime()
						p.View(theme, size[0], size[1])
						took = append(took, threadTime()-start)
					}
					slices.Sort(took)
					b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-cpu-ms")
					b.ReportMetric(first.Seconds()*1000, "first-cpu-ms")
				})
			}
		}
	}
}
