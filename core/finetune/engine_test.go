package finetune

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/train"
)

const (
	// a worker's engine is a child process; it leaves its pid in the file named
	childEngine = "FINETUI_TEST_CHILD_ENGINE"
	asEngine    = "FINETUI_TEST_AS_ENGINE" // the process is that child
)

// call is what an engine's parent asks, and answer what comes back, a line of JSON each.
type call struct {
	Do       string // "open", "step", "check", "save", "restore"
	Config   string // open: the text of config.toml
	Root     string
	Steps    int
	Samples  []string // step, check: their IDs
	First    int
	Dir      string // save, restore
	Counters map[string]uint64
}

type answer struct {
	Fault     string
	Other     bool // train.ErrOther
	NotFinite bool
	Result    *Result
	Replies   []model.Reply
	State     State
	About     About
}

// child is an engine on the other end of a pipe.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	about About
}

func openChild(_ context.Context, task Task) (Engine, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(exe)}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); name != asWorker && name != killAt && name != stepsTo {
			c.cmd.Env = append(c.cmd.Env, v)
		}
	}
	c.cmd.Env = append(c.cmd.Env, asEngine+"=1")
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = json.NewDecoder(bufio.NewReader(out))
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	pid := strconv.Itoa(c.cmd.Process.Pid)
	if err := os.WriteFile(os.Getenv(childEngine), []byte(pid), 0o644); err != nil {
		return nil, err
	}
	f := task.Project.File
	a, err := c.ask(call{Do: "open", Config: string(f.Raw()), Root: f.Root, Steps: task.Steps})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.about = a.About
	c.about.Text += ", in process " + pid
	return c, nil
}

func (c *child) ask(q call) (answer, error) {
	var a answer
	err := json.NewEncoder(c.in).Encode(q)
	if err == nil {
		err = c.out.Decode(&a)
	}
	switch {
	case err != nil:
		return a, fmt.Errorf("the engine's process: %w", err)
	case a.Other:
		return a, fmt.Errorf("%s: %w", a.Fault, train.ErrOther)
	case a.NotFinite:
		return a, fmt.Errorf("%s: %w", a.Fault, train.ErrNotFinite)
	case a.Fault != "":
		return a, errors.New(a.Fault)
	}
	return a, nil
}

func ids(samples []recipe.Sample) (list []string) {
	for _, s := range samples {
		list = append(list, s.ID)
	}
	return list
}

func (c *child) Step(_ context.Context, samples []recipe.Sample, first int) (*Result, error) {
	a, err := c.ask(call{Do: "step", Samples: ids(samples), First: first})
	return a.Result, err
}

func (c *child) Check(_ context.Context, samples []recipe.Sample) (*Result, []model.Reply, error) {
	a, err := c.ask(call{Do: "check", Samples: ids(samples)})
	return a.Result, a.Replies, err
}

func (c *child) Save(dir string, counters map[string]uint64) error {
	_, err := c.ask(call{Do: "save", Dir: dir, Counters: counters})
	return err
}

func (c *child) Restore(dir string) (State, error) {
	a, err := c.ask(call{Do: "restore", Dir: dir})
	return a.State, err
}

func (c *child) About() About { return c.about }

func (c *child) Close() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }

// beEngine serves the program's own engine on a pipe until that is closed.
func beEngine() int {
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	var s served
	for {
		var q call
		if err := in.Decode(&q); err != nil {
			return 0 // its parent is gone, or has done with it
		}
		a, err := s.do(q)
		if err != nil {
			a.Fault, a.Other, a.NotFinite = err.Error(), errors.Is(err, train.ErrOther),
				errors.Is(err, train.ErrNotFinite)
		}
		if err := out.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

type served struct {
	engine  Engine
	samples map[string]recipe.Sample
}

func (s *served) do(q call) (a answer, err error) {
	ctx := context.Background()
	var samples []recipe.Sample
	for _, id := range q.Samples {
		samples = append(samples, s.samples[id])
	}
	switch q.Do {
	case "open":
		return s.open(ctx, q)
	case "step":
		a.Result, err = s.engine.Step(ctx, samples, q.First)
	case "check":
		a.Result, a.Replies, err = s.engine.Check(ctx, samples)
	case "save":
		err = s.engine.Save(q.Dir, q.Counters)
	case "restore":
		a.State, err = s.engine.Restore(q.Dir)
	}
	return a, err
}

func (s *served) open(ctx context.Context, q call) (a answer, err error) {
	f, err := config.Parse("", []byte(q.Config))
	if err != nil {
		return a, err
	}
	p, err := project.Open(ctx, f.At("", q.Root), nil)
	if err == nil {
		err = p.OpenBase(ctx, nil)
	}
	if err != nil {
		return a, err
	}
	s.samples = map[string]recipe.Sample{}
	for _, split := range []string{"train", "valid"} {
		for _, x := range p.Recipe.Samples(split) {
			s.samples[x.ID] = x
		}
	}
	if s.engine, err = openNative(ctx, Task{Project: p, Steps: q.Steps}); err != nil {
		return a, err
	}
	a.About = s.engine.About()
	return a, nil
}

// A run whose steps are taken by another process is the same run: its rows, checks and checkpoints are those of an
// engine in its own process, also when it is killed and resumed, and no process of the engine is left behind.
func TestARunOnAnotherEngineIsTheSameRun(t *testing.T) {
	f := killProject(t)
	here := start(t, f, "here")
	wait(t, here)
	want := outcomeOf(t, here)
	pid := filepath.Join(t.TempDir(), "pid")
	t.Setenv(childEngine, pid)
	there := start(t, f, "there")
	wait(t, there)
	for _, d := range want.differences(outcomeOf(t, there)) {
		t.Error("unbroken: ", d)
	}
	if lines, err := there.LogTail(40); err != nil || !strings.Contains(strings.Join(lines, "\n"), ", in process ") {
		t.Errorf("the log does not tell of the other process: %v, %q", err, lines)
	}
	for _, d := range want.differences(outcomeOf(t, killedAtRandom(t, f, 3, 7))) {
		t.Error("killed: ", d)
	}
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	last, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 { // of 10 ms, for which nothing else has to be done
		if syscall.Kill(last, 0) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d of the engine is still there", last)
}

func TestEveryEngineThatCanBeChosenIsThere(t *testing.T) {
	constant, err := config.Lookup("MODEL.ENGINE")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range constant.Choices {
		if engines[config.Engine(name)] == nil {
			t.Errorf("MODEL.ENGINE = %q leads nowhere", name)
		}
	}
	f := smallProject(t)
	f.Config.Model.Engine = "steam"
	var unusable *config.Unusable
	if _, _, err := Start(context.Background(), f.Snapshot, Options{}); !errors.As(err, &unusable) ||
		!strings.Contains(err.Error(), string(native)) {
		t.Errorf("an engine that is not there: %v", err)
	}
}
