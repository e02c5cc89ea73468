package train

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/finetune"
	"finetui/core/gpu"
	"finetui/core/level"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/viewtest"
)

// toasts are what the pane has said.
func toasts(d *viewtest.Driver) (all []string) {
	for _, msg := range d.Seen() {
		if toast, ok := msg.(views.Toast); ok {
			all = append(all, toast.Text)
		}
	}
	return all
}

func said(t *testing.T, d *viewtest.Driver, want string) {
	t.Helper()
	d.Wait(want, func() bool { return strings.Contains(strings.Join(toasts(d), "\n"), want) })
}

func TestTheRunThatGoesOnIsSelectedThenTheNewest(t *testing.T) {
	later := doneRun
	later.ago = time.Minute
	p, _ := open(t, control(folder(t, runningRun, later)), 120, 30)
	if got := p.selected().run.Label(); got != "0001-enhanced" {
		t.Errorf("selected %s, though 0001 goes on", got)
	}
	p, d := open(t, control(folder(t, doneRun, killedRun)), 120, 30)
	if got := p.selected().run.Label(); got != "0002-enhanced" {
		t.Errorf("selected %s, not the newest", got)
	}
	if d.Press("down"); p.selected().run.Label() != "0001-basic" {
		t.Errorf("down selected %s", p.selected().run.Label())
	}
	if d.Click(5, 2); p.selected().run.Label() != "0002-enhanced" {
		t.Errorf("the click selected %s", p.selected().run.Label())
	}
}

func TestStopAsksForACheckpointThenForNow(t *testing.T) {
	var asked []bool
	c := control(folder(t, runningRun))
	c.Stop = func(dir string, now bool) error { asked = append(asked, now); return run.RequestStop(dir, now) }
	p, d := open(t, c, 120, 30)
	d.Press("x")
	said(t, d, "0001-enhanced stops at its next checkpoint; x again stops it after this step")
	d.Wait("the state", func() bool { return d.Shows("◐ stopping") })
	d.Press("x")
	said(t, d, "0001-enhanced stops after the step it is in")
	if fmt.Sprint(asked) != "[false true]" {
		t.Errorf("asked %v", asked)
	}
	if d.Wait("the words", func() bool { return d.Shows("stops after this step") }); p.actual().status.State != run.Stopping {
		t.Errorf("%+v", p.actual().status)
	}
}

func TestARunThatFetchesItsBaseShowsHowFarAndIsStoppedAtOnce(t *testing.T) {
	c := control(folder(t, fetchingRun))
	var mutex sync.Mutex
	done, total, what := 0, 0, "asking the hub for someone/small"
	fetches := true
	c.Preparing = func(*run.Run) (finetune.Preparation, bool) {
		mutex.Lock()
		defer mutex.Unlock()
		return finetune.Preparation{Done: done, Total: total, What: what, Hub: fetches}, true
	}
	say := func(d, n int, w string) {
		mutex.Lock()
		defer mutex.Unlock()
		done, total, what = d, n, w
	}
	var now []bool
	c.Stop = func(_ string, n bool) error { now = append(now, n); return nil }
	_, d := open(t, c, 120, 30)
	d.Wait("the question to the hub", func() bool { return d.Shows("asking the hub for someone/small …") })
	say(1234, 4213, "MB, model-00001-of-00002.safetensors")
	d.Wait("the bytes", func() bool {
		return d.Shows("1234 of 4213 MB, model-00001-of-00002.safetensors") &&
			d.Shows("29 %")
	})
	d.Press("x")
	said(t, d, "0001-large stops fetching its base; what has come is kept, and r goes on with it")
	if fmt.Sprint(now) != "[true]" {
		t.Errorf("asked %v", now)
	}
	mutex.Lock()
	fetches = false
	mutex.Unlock()
	say(0, 0, "DeepSpeed compiles its operations for this processor: once, some minutes")
	d.Wait("what takes its time here", func() bool {
		return d.Shows("preparing tiny") && d.Shows("DeepSpeed compiles its operations for this") && !d.Shows("fetching")
	})
	say(0, 0, "")
	d.Wait("what comes then", func() bool { return d.Shows("preparing: data, model and adapters") })
}

func TestARunThatFailsBeforeItsFirstStepSaysWhy(t *testing.T) {
	dir := folder(t, doneRun)
	c := control(dir)
	reason := `MODEL.BASE = "someone/small": someone/small cannot be fetched from https://huggingface.co ` +
		`(no such host): try again with a network that reaches it, ` + strings.Repeat("or do something else ", 20)
	c.Start = func(context.Context, string) (*run.Run, []dataset.Finding, error) {
		m := fetchingRun
		m.end, m.reason = run.Failed, reason
		r, err := run.Open(m.make(t, dir))
		return r, nil, err
	}
	_, d := open(t, c, 80, 24)
	d.Press("n").Press("enter")
	said(t, d, "0002-large has failed: "+reason)
	d.Wait("the state", func() bool { return d.Shows("✗ failed") && d.Shows("r resumes it") })
	if !d.Shows("someone/small cannot be") {
		t.Errorf("the reason is not seen:\n%s", d.Screen())
	}
}

func TestStopAndResumeAreOfferedWhereTheyCanBe(t *testing.T) {
	for _, c := range []struct {
		run          made
		stop, resume bool
	}{{runningRun, true, false}, {killedRun, false, true}, {doneRun, false, false}} {
		p, _ := open(t, control(folder(t, c.run)), 120, 30)
		if p.canStop() != c.stop || p.canResume() != c.resume {
			t.Errorf("%s: stop %v, resume %v", c.run.end, p.canStop(), p.canResume())
		}
	}
}

func TestResumeSaysWhyItFails(t *testing.T) {
	c := control(folder(t, killedRun))
	var resumed string
	c.Resume = func(_ context.Context, r *run.Run) error {
		resumed = r.Label()
		return errors.New("the data set has changed")
	}
	_, d := open(t, c, 120, 30)
	d.Press("r")
	said(t, d, "the data set has changed")
	if resumed != "0001-enhanced" {
		t.Errorf("resumed %q", resumed)
	}
}

func TestNewRunIsNamedCheckedStartedAndSelected(t *testing.T) {
	dir := folder(t, doneRun)
	c := control(dir)
	name := ""
	c.Start = func(_ context.Context, n string) (*run.Run, []dataset.Finding, error) {
		name = n
		m := runningRun
		m.name, m.done = n, 0
		r, err := run.Open(m.make(t, dir))
		return r, nil, err
	}
	p, d := open(t, c, 120, 30)
	d.Press("n")
	if !p.Capturing() || !d.Shows("✓ the check finds nothing wrong") {
		t.Fatalf("the question:\n%s", d.Screen())
	}
	d.Type("quick run").Press("enter")
	said(t, d, "0002-quick-run has begun")
	d.Wait("the new run", func() bool { return d.Shows("▸0002-quick-run") })
	if name != "quick run" || p.Capturing() {
		t.Errorf("started %q; the question is open: %v", name, p.Capturing())
	}
	d.Wait("its reading", func() bool { return d.Shows("no loss has been reported yet") })
}

func TestARefusedRunShowsWhyAndKeepsTheName(t *testing.T) {
	c := control(folder(t))
	c.Lint = func(context.Context) ([]dataset.Finding, error) { return nil, errors.New("data/train is missing") }
	c.Start = func(context.Context, string) (*run.Run, []dataset.Finding, error) {
		return nil, []dataset.Finding{{Level: level.Error, Text: "the answer is in the prompt",
			Do: "change it"}}, errors.New("1 finding stops it")
	}
	p, d := open(t, c, 100, 30)
	d.Press("n").Type("a")
	if !d.Shows("✗ the check did not come to its end") || !d.Shows("✗ data/train is missing") {
		t.Errorf("the check failed:\n%s", d.Screen())
	}
	d.Press("enter")
	for _, want := range []string{"✗ 1 error: a run with errors in its recipe is refused", "✗ 1 finding stops it",
		"✗ the answer is in the prompt", "→ change it", "name a"} {
		if !d.Shows(want) {
			t.Errorf("%q is not on\n%s", want, d.Screen())
		}
	}
	if d.Press("esc"); p.Capturing() || !d.Shows("No runs yet") {
		t.Errorf("after esc:\n%s", d.Screen())
	}
}

func TestARunIsCalledAsTheVerbWouldCallIt(t *testing.T) {
	c := control(folder(t))
	c.Start = func(_ context.Context, name string) (*run.Run, []dataset.Finding, error) {
		return nil, nil, errors.New("started as " + name)
	}
	for _, bad := range []string{"base", "a/b", "TRAIN.EPOCHS=3"} {
		_, d := open(t, c, 100, 30)
		if d.Press("n").Type(bad).Press("enter"); !d.Shows("a run cannot be called") || d.Shows("started as") {
			t.Errorf("%q is on\n%s", bad, d.Screen())
		}
	}
	_, d := open(t, c, 100, 30)
	d.Press("n").Type(" quick run ").Press("enter").Wait("the start",
		func() bool { return d.Shows("started as quick run") })
}

func TestErrorsOfTheDataAloneDoNotStopAStart(t *testing.T) {
	c := control(t.TempDir())
	c.Lint = func(context.Context) ([]dataset.Finding, error) {
		return []dataset.Finding{{Code: dataset.ClassOutOfRange, Level: level.Error, Text: "id 9 of 2 names",
			Do: "use an id of the list"}}, nil
	}
	_, d := open(t, c, 100, 30)
	d.Press("n")
	if !d.Shows("✗ 1 error: it can be started, without what cannot be used") || !d.Shows("id 9 of 2 names") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestLeavingTheQuestionDoesNotStopAStart(t *testing.T) {
	c := control(folder(t, doneRun))
	begin := make(chan struct{})
	c.Start = func(ctx context.Context, _ string) (*run.Run, []dataset.Finding, error) {
		<-begin
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, errors.New("late refusal")
	}
	p, d := open(t, c, 120, 30)
	d.Press("n", "enter")
	if !d.Shows("starting it …") {
		t.Fatalf("not starting:\n%s", d.Screen())
	}
	d.Press("esc")
	if p.Capturing() {
		t.Fatal("esc did not leave")
	}
	d.Press("n")
	said(t, d, "the run before is still being started")
	close(begin)
	said(t, d, "late refusal")
}

func TestPauseHoldsTheDisplayAndSpaceShowsWhatCame(t *testing.T) {
	dir := folder(t, runningRun)
	p, d := open(t, control(dir), 120, 30)
	d.Press("P")
	before := d.Screen()
	grow(t, filepath.Join(dir, "0001-enhanced"), 415, 9.99)
	d.Wait("the row", func() bool { return p.follows[0].latest.history.Step() == 415 && p.newest.runs[0].step == 415 })
	if got := d.Screen(); got != before {
		t.Errorf("the paused display changed:\n%s", got)
	}
	if !strings.Contains(p.Status(), "‖ display paused") {
		t.Errorf("status %q", p.Status())
	}
	if d.Press("P"); !d.Shows("415/1455") || !d.Shows("raw 9.99") {
		t.Errorf("after space:\n%s", d.Screen())
	}
}

// grow appends a train row to a run as its writer would.
func grow(t testing.TB, dir string, step int, loss float64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, `{"kind":"train","step":%d,"time":%d,"loss":%g,"loss_plain":%g}`+"\n", step,
		noon.Unix(), loss, loss); err != nil {
		t.Fatal(err)
	}
}

func TestALiveRunIsFollowedAndALaterRowWins(t *testing.T) {
	dir := folder(t, runningRun)
	p, d := open(t, control(dir), 120, 30)
	path := filepath.Join(dir, "0001-enhanced")
	grow(t, path, 415, 7.77)
	d.Wait("the row", func() bool { return d.Shows("raw 7.77") })
	grow(t, path, 390, 6.66) // resumed from a checkpoint before
	d.Wait("the later row", func() bool { return d.Shows("raw 6.66") })
	if got := p.current().history.Step(); got > 400 {
		t.Errorf("the repeated steps are still there: %d", got)
	}
}

func TestMarksOfAnotherTimeAreTakenUpWhereTheirRunsStillAre(t *testing.T) {
	p := New(control(folder(t, doneRun, killedRun)))
	p.Mark([]string{"0099-gone", "0001-basic"})
	d := viewtest.Open(t, p, 120, 30)
	d.Wait("the runs", func() bool { return p.list != nil })
	if marked := p.Marked(); !slices.Equal(marked, []string{"0001-basic"}) {
		t.Errorf("marked %q", marked)
	}
}

func TestMarksComeWithLettersAndCompareTakesTheSelectedRunIn(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun, killedRun)), 120, 30)
	d.Press("c")
	said(t, d, "comparing takes two runs")
	d.Press("space", "down", "c").Wait("both runs", p.allRead)
	if !p.views.Is(compareView) || !d.Shows("A 0002-enhanced") || !d.Shows("B 0001-basic") {
		t.Fatalf("the comparison:\n%s", d.Screen())
	}
	for _, want := range []string{"RECIPE.PRESET", "RECIPE.SAMPLING      square_root  instance", "Toe drain"} {
		if !d.Shows(want) {
			t.Errorf("%q is not on\n%s", want, d.Screen())
		}
	}
	if d.Press("esc"); !p.views.Is(overviewView) {
		t.Error("esc did not lead back")
	}
	if d.Press("up", "space"); len(p.marks) != 0 {
		t.Errorf("marks %v", p.marks)
	}
}

func TestKeysChangeHowCurvesAreDrawn(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun)), 120, 30)
	d.Press(".", ".")
	if !d.Shows("smoothing 0.85 (") {
		t.Errorf("smoother:\n%s", d.Screen())
	}
	for range 12 {
		d.Press(",")
	}
	if !d.Shows("smoothing 0 (") || d.Shows("━ smooth") {
		t.Errorf("not smoothed:\n%s", d.Screen())
	}
	if d.Press("X"); !d.Shows("time 09:10:45") {
		t.Errorf("by the clock:\n%s", d.Screen())
	}
	if d.Press("X"); !d.Shows("at work 10 m 38 s") {
		t.Errorf("by time at work:\n%s", d.Screen())
	}
	if d.Press("L"); !d.Shows("· log") || !p.plot.log {
		t.Errorf("log:\n%s", d.Screen())
	}
	if d.Press("w"); !d.Shows("Loss · 0001") {
		t.Errorf("plain:\n%s", d.Screen())
	}
	if d.Press("v", "o"); !d.Shows("9 class recalls · commonest first · n of valid") {
		t.Errorf("recall:\n%s", d.Screen())
	}
}

func TestRunsAreJumpedToByName(t *testing.T) {
	p, _ := open(t, control(folder(t, doneRun, killedRun, runningRun)), 120, 30)
	for _, jump := range p.Jumps() {
		if strings.HasPrefix(jump.Text, "run 0001") {
			jump.Go()
		}
	}
	if e := p.selected(); !strings.HasPrefix(e.run.Label(), "0001") {
		t.Errorf("%s is selected", e.run.Label())
	}
}

func TestFilterListsOnlyWhatFits(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun, killedRun, runningRun)), 120, 30)
	d.Press("/").Type("KILLED").Press("enter")
	if !d.Shows("Runs · 1 of 3") || d.Shows("0001-basic") {
		t.Errorf("filtered:\n%s", d.Screen())
	}
	if d.Press("esc"); !d.Shows("Runs · 3") || p.filter.Text() != "" {
		t.Errorf("after esc:\n%s", d.Screen())
	}
}

func TestExportHoldsEverySeries(t *testing.T) {
	m := runningRun
	m.gpus = 1
	c := control(folder(t, m))
	var data []byte
	c.Save = func(name string, d []byte) (string, error) { data = d; return "runs/" + name, nil }
	_, d := open(t, c, 120, 30)
	d.Press("e")
	said(t, d, "wrote the series to runs/0001-enhanced-series.csv")
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, row := range rows[1:] {
		counts[row[1]]++
	}
	for series, want := range map[string]int{"loss": 82, "loss_smoothed_0.756": 82, "lr": 82, "seconds_data": 82,
		"valid_loss": 8, "class_loss/Toe drain": 82, "recall/Toe drain": 8, "cpu": 82, "gpu0_power": 82} {
		if counts[series] != want {
			t.Errorf("%s has %d values, want %d", series, counts[series], want)
		}
	}
	c.Save = func(string, []byte) (string, error) { return "", errors.New("no space left on device") }
	_, d = open(t, c, 120, 30)
	d.Press("e")
	said(t, d, "the series were not written: the disk is full")
}

func TestDetailsTellWhatARunWasStartedFrom(t *testing.T) {
	m := doneRun
	m.constants = append(m.constants, "LORA.R=3", "TRAIN.EPOCHS=6")
	p, d := open(t, control(folder(t, m)), 200, 58)
	d.Press("enter")
	for _, want := range []string{"tiny  5f0c3e9d8b7a", "98,304", "created      2025-06-18 08:59:58",
		"begun        2025-06-18 09:00:00", "≠ R                 3",
		"at work      10 m 45 s", "/home/someone/drains", "train: 1129 samples of 9 classes", "not evaluated yet",
		"★ best", "valid loss", "0.344"} {
		if !d.Shows(want) {
			t.Errorf("%q is not on\n%s", want, d.Screen())
		}
	}
	if d.Press("tab", "tab", "tab", "G"); p.views.Board().Focused() != "constants" || !d.Shows("MAX_LENGTH") {
		t.Errorf("the end of the constants:\n%s", d.Screen())
	}
	if d.Press("esc"); !p.views.Is(overviewView) {
		t.Error("esc did not lead back")
	}
}

func TestCopyTakesThePathOfTheRun(t *testing.T) {
	dir := folder(t, doneRun)
	_, d := open(t, control(dir), 120, 30)
	d.Press("y")
	want := views.Clipboard{Text: filepath.Join(dir, "0001-basic")}
	d.Wait("the copy", func() bool { return slices.Contains(d.Seen(), tea.Msg(want)) })
}

func TestTheRootIsToldOfTheRunAndTheMachine(t *testing.T) {
	figures := func(c Control) (machine, going string) {
		p, d := open(t, c, 120, 30)
		d.Wait("figures", func() bool { return p.title.machine != "" || p.title.going != "" })
		d.Send(views.Redraws(4))
		for _, msg := range d.Seen() {
			if f, ok := msg.(views.Figures); ok {
				machine, going = *f.Machine, *f.Run
			}
		}
		return machine, going
	}
	dir := folder(t, doneRun, runningRun)
	c := control(dir)
	p, d := open(t, c, 120, 30)
	d.Wait("the process's figures", func() bool { return strings.HasPrefix(p.title.machine, "CPU ") })
	if want := "● 0002-enhanced 410/1455"; p.title.going != want {
		t.Errorf("the run is %q, want %q", p.title.going, want)
	}
	util, used, total, heat := 87.0, uint64(61<<30), uint64(80<<30), 71.0
	c.GPUs = func() ([]gpu.Device, error) {
		return []gpu.Device{{Name: "NVIDIA H100", Util: &util, MemoryUsed: &used, MemoryTotal: &total,
			Temperature: &heat}}, nil
	}
	if machine, going := figures(c); strings.Replace(machine, "▇▇", "▇", 5) != "H100 ▇ 87 % 61/80 GiB 71 °C" ||
		going != "● 0002-enhanced 410/1455" {
		t.Errorf("machine %q, run %q", machine, going)
	}
	c.GPUs = func() ([]gpu.Device, error) { return []gpu.Device{{}, {}}, nil }
	if machine, _ := figures(c); machine != "2×GPU" {
		t.Errorf("GPUs that tell nothing: %q", machine)
	}
}

func TestTheTitleLineKeepsTheStepsOfARunWithALongNameAndSaysThatOnePrepares(t *testing.T) {
	long := runningRun
	long.name = strings.Repeat("斜坡-enhanced-", 6)
	for want, m := range map[string]made{"● 0001-large prepares": fetchingRun,
		"● 0001-斜坡-enhanced-斜坡… 410/1455": long} {
		p, d := open(t, control(folder(t, m)), 120, 30)
		if d.Wait("the figures", func() bool { return p.title.going != "" }); p.title.going != want {
			t.Errorf("the run is %q, want %q", p.title.going, want)
		}
	}
}

func TestUnknownFiguresAreNeverZero(t *testing.T) {
	m := runningRun
	m.change = func(rows []run.Row) {
		for _, row := range rows {
			if s, ok := row.(*run.System); ok {
				s.CPU, s.RSS = nil, nil
				s.GPUs = []run.GPU{{Index: 3}}
			}
		}
	}
	_, d := open(t, control(folder(t, m)), 200, 50)
	if !d.Shows("GPU 3") || d.Shows("0 W") || d.Shows("0/0 GiB") {
		t.Errorf("overview:\n%s", d.Screen())
	}
	if d.Press("]", "]", "]"); !d.Shows("not known: the driver does not tell it") ||
		!d.Shows("not known: the trainer has not reported it") {
		t.Errorf("machine:\n%s", d.Screen())
	}
}

func TestAlertsStandWithTheRunAndAmongTheEvents(t *testing.T) {
	m := runningRun
	m.change = func(rows []run.Row) {
		for _, row := range rows {
			if tr, ok := row.(*run.Train); ok && tr.Step == 300 {
				tr.Loss = 9
			}
		}
	}
	m.events = []run.Event{{Head: run.Head{Step: 200, Time: float64(noon.Unix()) - 300}, Level: level.Error,
		Text: "checkpoint of step 200 was not written: no space left on device"}}
	_, d := open(t, control(folder(t, m)), 120, 30)
	for _, want := range []string{"! spike: loss 9.00 is", "✗ step 200 checkpoint of step 200 was not", "! 2 "} {
		if !d.Shows(want) {
			t.Errorf("%q is not on\n%s", want, d.Screen())
		}
	}
}

func TestAnotherFolderIsReadWhenTheConstantsChange(t *testing.T) {
	first, second := folder(t, doneRun), folder(t, killedRun)
	c := control(first)
	dir := first
	c.Runs = func() string { return dir }
	_, d := open(t, c, 120, 30)
	dir = second
	d.Send(views.ConfigChanged{File: &config.File{}})
	d.Wait("the other folder", func() bool { return d.Shows("† killed") && !d.Shows("0001-basic") })
}

func TestRunsThatVanishAreLetGo(t *testing.T) {
	dir := folder(t, doneRun, killedRun)
	p, d := open(t, control(dir), 120, 30)
	d.Press("space")
	if err := os.RemoveAll(filepath.Join(dir, "0002-enhanced")); err != nil {
		t.Fatal(err)
	}
	p.scanNow()
	d.Wait("the run that is left", func() bool { return d.Shows("Runs · 1") && d.Shows("▸0001-basic") })
	if len(p.marks) != 0 || len(p.follows) != 1 {
		t.Errorf("marks %v, %d followed", p.marks, len(p.follows))
	}
}

func TestABrokenLineIsCountedAndTheRestIsShown(t *testing.T) {
	dir := folder(t, runningRun)
	f, err := os.OpenFile(filepath.Join(dir, "0001-enhanced", "metrics.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, `{"kind":"train","step":`)
	f.Close()
	grow(t, filepath.Join(dir, "0001-enhanced"), 415, 5.55)
	_, d := open(t, control(dir), 120, 30)
	d.Wait("the rows", func() bool { return d.Shows("raw 5.55") })
	if !d.Shows("1 lines of metrics.jsonl cannot be read") {
		t.Errorf("screen:\n%s", d.Screen())
	}
}

func TestWithoutAFolderOfRunsThePaneSaysWhy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "runs")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, d := open(t, control(file), 100, 24)
	if !d.Shows("✗ The runs cannot be read") || !d.Shows("not a") {
		t.Errorf("a file in its place:\n%s", d.Screen())
	}
	p := New(Control{})
	d = viewtest.Open(t, p, 100, 24)
	if !d.Shows("No project is open") {
		t.Errorf("no project:\n%s", d.Screen())
	}
	for _, action := range p.Actions() {
		if action.On() {
			t.Errorf("%s is offered", action.Name)
		}
	}
}
