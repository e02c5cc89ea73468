package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/run"
	"finetui/views/viewtest"
)

// noon is now in every test: a Wednesday.
var noon = time.Date(2025, 6, 18, 12, 0, 0, 0, time.UTC)

// The classes of the made runs, commonest first, with their samples in train and in valid.
var madeClasses = []struct {
	name         string
	train, valid int
}{
	{"rock toe damaged", 282, 52}, {"slope drain", 198, 36}, {"vegetation", 183, 34}, {"rock toe", 118, 22},
	{"slope drain damaged", 114, 21},
	{"slope drain blocked", 75, 14}, {"Toe drain- Blocked", 60, 11}, {"Toe drain- Damaged", 59, 11},
	{"Toe drain", 40, 7},
}

// made is a run directory to be made.
type made struct {
	name, recipe string
	steps, done  int           // planned, and reported; every fifth has a row
	ago          time.Duration // since it began
	end          string        // of run's states; run.Running: this process seems to write it
	reason       string
	gpus         int
	seed         uint64
	level        float64              // where its loss ends
	constants    []string             // SECTION.KEY=value
	change       func(rows []run.Row) // of what is written
	events       []run.Event
}

// folder makes run directories in a new folder.
func folder(t testing.TB, runs ...made) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "runs")
	for _, m := range runs {
		m.make(t, dir)
	}
	return dir
}

func (m made) make(t testing.TB, folder string) string {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file, err := config.Preset("demo")
	must(err)
	fixed := []string{"RECIPE.PRESET=" + m.recipe, "RECIPE.SAMPLING=square_root", "RECIPE.PROMPT_FACTS=place",
		"TRAIN.EPOCHS=6", "TRAIN.SAVE_EVERY=50", "TRAIN.BEST_BY=loss"}
	must(file.Override(append(fixed, m.constants...))) // so that screens stay when the preset changes
	w, err := run.Create(folder, m.name, run.Meta{Recipe: m.recipe, Base: "tiny",
		BaseFingerprint: "5f0c3e9d8b7a61524039", DataFingerprint: "a1b2c3d4e5f60718", Version: "0.3",
		Root: "/home/someone/drains"}, file.Raw())
	must(err)
	defer w.Close()
	began := noon.Add(-m.ago)
	self, err := run.Self()
	must(err)
	if m.end != run.Running {
		self = run.Process{PID: 4194000, Start: 1, Boot: "another boot"}
	}
	must(w.Update(func(i *run.Info) {
		i.Created, i.Began, i.Process, i.State = float64(began.Unix())-2, float64(began.Unix()), &self, run.Running
		i.Steps, i.Samples, i.Trainable = m.steps, 1129, 98304
	}))
	rows := m.rows(began)
	if m.change != nil {
		m.change(rows)
	}
	must(w.Append(rows...))
	for i := range m.events {
		must(w.Append(&m.events[i]))
	}
	m.writeCheckpoints(t, w)
	last := began
	if n := len(rows); n > 0 {
		last = began.Add(time.Duration(m.done) * stepSeconds * time.Millisecond)
	}
	log := fmt.Sprintf("%s train: %d samples of 9 classes, 6 epochs, %d steps\n%s base tiny, 98,304 trainable "+
		"parameters\n%s features of 1129 pictures in 21.4 s\n",
		began.Format(time.DateTime), 1129, m.steps, began.Add(time.Second).Format(time.DateTime),
		began.Add(22*time.Second).Format(time.DateTime))
	must(os.WriteFile(filepath.Join(w.Dir(), "log.txt"), []byte(log), 0o644))
	if m.end == run.Done || m.end == run.Stopped || m.end == run.Failed {
		exit, err := json.Marshal(run.Exit{State: m.end, Reason: m.reason, Seconds: last.Sub(began).Seconds(),
			Time: float64(last.Unix())})
		must(err)
		must(os.WriteFile(filepath.Join(w.Dir(), "exit.json"), exit, 0o644))
	}
	for _, name := range []string{"metrics.jsonl", "log.txt", "run.json"} {
		must(os.Chtimes(filepath.Join(w.Dir(), name), last, last))
	}
	return w.Dir()
}

// stepSeconds is how long a made step takes, in milliseconds.
const stepSeconds = 1500

// rows are the run's metrics: a falling noisy loss, classes that learn the later the rarer they are, checks, figures.
func (m made) rows(began time.Time) []run.Row {
	random := rand.New(rand.NewPCG(m.seed, 1))
	var rows []run.Row
	if m.level == 0 {
		m.level = 0.18
	}
	for step := 5; step <= m.done; step += 5 {
		head := run.Head{Step: step, Time: float64(began.UnixMilli())/1000 + float64(step)*stepSeconds/1000}
		progress := float64(step) / float64(m.steps)
		loss := m.level + 2.2*math.Exp(-9*progress) + 0.08*random.NormFloat64()*math.Exp(-2*progress)
		rows = append(rows, &run.Train{Head: head, Epoch: run.Float(6 * progress), Loss: run.Float(loss * 1.1),
			LossPlain: run.Float(loss),
			LR:        run.Float(4e-3 * min(float64(step)/20, 1-progress+1e-9)), GradNorm: run.Float(0.4 +
				0.3*random.Float64()), Tokens: step * 1600, Samples: step * 16,
			TokensPerSecond: run.Float(1050 + 60*random.NormFloat64()), Seconds: run.StepTimes{Data: 0.4, Forward: 2.3,
				Backward: 4.1, Optimizer: 0.2}})
		classes := &run.Class{Head: head}
		for _, c := range madeClasses {
			slow := math.Sqrt(float64(c.train) / 282)
			classes.Losses = append(classes.Losses, run.ClassLoss{Name: c.name, N: max(c.train/14, 1),
				Loss: run.Float(m.level + 2.2*math.Exp(-9*progress*slow) + 0.15*random.Float64())})
		}
		cpu, rss := min(91+4*random.NormFloat64(), 100), uint64(612<<20+step<<16)
		system := &run.System{Head: head, CPU: &cpu, RSS: &rss}
		for g := range m.gpus {
			util, used, total, power, heat := 84+5*random.NormFloat64(), uint64(61<<30), uint64(80<<30),
				480+20*random.NormFloat64(), 66+float64(g)+3*progress
			limit, clock, own := 700.0, 1755.0, uint64(60<<30)
			d := run.GPU{Index: g, Util: &util, MemoryUsed: &used, MemoryTotal: &total, Power: &power,
				PowerLimit: &limit, Temperature: &heat, Clock: &clock,
				Processes: []run.GPUProcess{{PID: 4100 + g, Own: true, User: "ada", Memory: &own}}}
			switch g {
			case 1: // somebody else works there
				theirs := uint64(12 << 30)
				d.Processes = append(d.Processes, run.GPUProcess{PID: 977, User: "grace", Memory: &theirs})
			case 2: // it waits
				util = 21 + 3*random.NormFloat64()
			case 3:
				heat, clock, d.Throttle = 88, 1200, []string{gpu.Heat}
			}
			system.GPUs = append(system.GPUs, d)
		}
		rows = append(rows, classes, system)
		if step%50 == 0 {
			check := &run.Eval{Head: head, Split: "valid", Loss: run.Float(loss + 0.05),
				Recall: map[string]run.Recall{}}
			right, n := 0, 0
			for _, c := range madeClasses {
				share := 1 - math.Exp(-7*progress*math.Sqrt(float64(c.train)/282))
				k := int(share * float64(c.valid))
				check.Recall[c.name] = run.Recall{N: c.valid, Right: k}
				right, n = right+k, n+c.valid
			}
			check.Accuracy, check.MacroF1 = run.Float(float64(right)/float64(n)),
				run.Float(float64(right)/float64(n)-0.04)
			rows = append(rows, check)
		}
	}
	return rows
}

// writeCheckpoints puts the last three checkpoints there, each at its own time; the one before the last is the best.
func (m made) writeCheckpoints(t testing.TB, w *run.Writer) {
	t.Helper()
	for step := 50; step <= m.done; step += 50 {
		dir := filepath.Join(w.Dir(), "checkpoints", fmt.Sprintf("step-%06d", step))
		if step > m.done-150 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		at := float64(noon.Add(-m.ago).Unix()) + float64(step)*stepSeconds/1000
		if err := w.Append(&run.Checkpoint{Head: run.Head{Step: step, Time: at},
			Path: fmt.Sprintf("checkpoints/step-%06d", step), Seconds: 0.02, Bytes: 812345}); err != nil {
			t.Fatal(err)
		}
	}
	if best := m.done/50*50 - 50; best > 0 {
		if err := os.Symlink(fmt.Sprintf("step-%06d", best), filepath.Join(w.Dir(), "checkpoints",
			"best")); err != nil {
			t.Fatal(err)
		}
	}
}

// The runs that most tests look at.
var (
	doneRun = made{name: "basic", recipe: "basic", steps: 430, done: 430, ago: 3 * time.Hour, end: run.Done,
		reason: "all epochs are done", seed: 1, level: 0.31, constants: []string{"RECIPE.SAMPLING=instance",
			"RECIPE.PROMPT_FACTS=none"}}
	killedRun = made{name: "enhanced", recipe: "enhanced", steps: 430, done: 265, ago: 90 * time.Minute,
		end: run.Killed, seed: 2}
	fetchingRun = made{name: "large", recipe: "enhanced", ago: 2*time.Minute + 5*time.Second, end: run.Running, seed: 4}
	runningRun  = made{name: "enhanced", recipe: "enhanced", steps: 1455, done: 410, ago: 10*time.Minute +
		16*time.Second, end: run.Running, seed: 3}
)

// control reaches a folder of made runs at noon, without a GPU.
func control(folder string) Control {
	return Control{
		Runs: func() string { return folder },
		Lint: func(context.Context) ([]dataset.Finding, error) { return nil, nil },
		Start: func(context.Context, string) (*run.Run, []dataset.Finding, error) {
			return nil, nil, fmt.Errorf("not in this test")
		},
		Resume: func(context.Context, *run.Run) error { return nil },
		Stop:   func(string, bool) error { return nil },
		Save:   func(name string, _ []byte) (string, error) { return "runs/" + name, nil },
		GPUs:   func() ([]gpu.Device, error) { return nil, gpu.ErrUnavailable },
		Now:    func() time.Time { return noon },
	}
}

// open opens a pane and waits until the selected run is read.
func open(t testing.TB, c Control, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	p := New(c)
	d := viewtest.Open(t, p, w, h)
	t.Cleanup(func() {
		p.watching.Close()
		for _, f := range p.follows {
			f.request.Close()
		}
	})
	ready := func() bool {
		if p.list == nil {
			return false
		}
		return len(p.list.runs) == 0 || len(p.list.runs) > 100 || p.current() != nil && !p.list.more
	}
	d.Wait("the runs", ready)
	return p, d
}

// allRead says whether every run that is followed has been read.
func (p *Pane) allRead() bool {
	return !slices.ContainsFunc(p.follows, func(f *followed) bool { return f.shown == nil })
}
