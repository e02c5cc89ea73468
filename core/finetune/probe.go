package finetune

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/doctor"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/torch"
)

// A probe takes a few steps as a run would take them, in a process of its own, and keeps what they took (project.Probe)
// and nothing else: no run, no checkpoint. The process ends when the one that asked for it does.

// ProbeVerb is the word by which the program calls itself to be a probe's process.
const ProbeVerb = "probing"

// ProbeSteps are the steps of a probe. The first ones are the step with the longest sample, twice: then it is known
// whether that fits, with the optimizer's state there, and everything has been touched once. Others follow whose
// samples are new, and these again. A few samples of valid are checked, and checked again.
const (
	ProbeSteps  = 20
	probeWarm   = 2
	probeFresh  = (ProbeSteps - probeWarm) / 2
	probeChecks = 4
)

// asked is what a probe's process is told on its standard input, which then stays open while somebody waits.
type asked struct {
	Path, Root string
	Text       []byte // config.toml with the constants of the call
	Dir        string // a folder of its own
}

// answered is a line of what it says.
type answered struct {
	Done  int            `json:"done,omitempty"`
	Total int            `json:"total,omitempty"`
	What  string         `json:"what,omitempty"`
	Probe *project.Probe `json:"probe,omitempty"`
	Error string         `json:"error,omitempty"`
	Call  bool           `json:"call,omitempty"` // the error is one of the configuration
}

// MeasureSteps takes the steps of a probe (o.Exe, o.Env, o.Report), and keeps and returns what they took. When ctx ends
// the steps end, too. Two probes of one project at a time are refused: each would measure the other as well.
func MeasureSteps(ctx context.Context, file *config.Snapshot, o Options) (*project.Probe, error) {
	if err := checkEngine(ctx, file); err != nil {
		return nil, err
	}
	folder := filepath.Join(file.Abs(file.Config.Project.Runs), ".finetui")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	lock, err := disk.Lock(filepath.Join(folder, "probe.lock"), false)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.New("another probe of this project is under way: two would measure each other")
	} else if err != nil {
		return nil, err
	}
	defer lock.Close()
	work := filepath.Join(folder, "probing")
	if err := os.RemoveAll(work); err != nil { // of one that was killed
		return nil, err
	}
	defer os.RemoveAll(work)
	if err := os.Mkdir(work, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(work, "run-")
	if err != nil {
		return nil, err
	}
	return probeIn(ctx, file, o, dir)
}

// probeIn lets a process take the steps, whose files lie in dir.
func probeIn(ctx context.Context, file *config.Snapshot, o Options, dir string) (*project.Probe, error) {
	said, err := os.Create(filepath.Join(dir, "log.txt"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	c := exec.CommandContext(ctx, o.Exe, ProbeVerb)
	c.Env, c.Stderr = append(os.Environ(), o.Env...), said
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ctrl+c is ours to pass on
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.Cancel = in.Close
	c.WaitDelay = 2 * probePatience
	if err := c.Start(); err != nil {
		return nil, err
	}
	line, err := json.Marshal(asked{file.Path, file.Root, file.Raw(), dir})
	if err == nil {
		_, err = in.Write(append(line, '\n'))
	}
	probe, hearErr := hear(out, o.Report)
	in.Close()
	err = errors.Join(err, c.Wait())
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case hearErr != nil:
		return nil, hearErr
	case probe == nil:
		text, _ := os.ReadFile(said.Name())
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		return nil, fmt.Errorf("the probe's process ended before its steps were done (%w); it said last: %.300q", err,
			lines[len(lines)-1])
	}
	return probe, nil
}

// hear takes what a probe's process says until it ends.
func hear(out io.Reader, report project.Progress) (probe *project.Probe, err error) {
	lines := json.NewDecoder(out)
	for {
		var a answered
		switch fault := lines.Decode(&a); {
		case fault != nil:
			return probe, err
		case a.Error != "":
			if err = errors.New(a.Error); a.Call {
				err = &config.Unusable{Cause: err}
			}
		case a.Probe != nil:
			probe = a.Probe
		case report != nil:
			report(a.Done, a.Total, a.What)
		}
	}
}

// probePatience is how long a probe's process may take to end when nobody waits any more: a step of a large model takes
// longer, and is broken off.
const probePatience = 5 * time.Second

// TakeProbe is the process of a probe.
func TakeProbe(ctx context.Context, in io.Reader, out io.Writer) error {
	project.Lean() // as the run will be
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	var a asked
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		return fmt.Errorf("%s is called by the program itself: finetui probe measures (%w)", ProbeVerb, err)
	}
	defer os.RemoveAll(a.Dir) // who asked may be gone
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		io.Copy(io.Discard, lines)
		cancel()
		time.Sleep(probePatience)
		os.RemoveAll(a.Dir)
		os.Exit(1)
	}()
	say := json.NewEncoder(out)
	probe, err := take(ctx, a, func(done, total int, what string) {
		say.Encode(answered{Done: done, Total: total, What: what})
	})
	if err != nil {
		return errors.Join(err, say.Encode(answered{Error: err.Error(), Call: errors.As(err, new(*config.Unusable))}))
	}
	return say.Encode(answered{Probe: probe})
}

func take(ctx context.Context, a asked, report project.Progress) (*project.Probe, error) {
	f, err := config.Parse(a.Path, a.Text)
	if err != nil {
		return nil, err
	}
	f.Move(a.Path, a.Root)
	file, err := f.With(config.Change{Key: "EVAL.DATA"}) // nothing but scoring sees it
	if err != nil {
		return nil, err
	}
	p, err := project.Open(ctx, file, report)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := p.CheckPictures(ctx, report); err != nil {
		return nil, err
	}
	base, away, err := model.OpenPresent(p.Config.Model.Base, file.Root)
	if err != nil {
		return nil, err
	}
	if away {
		return nil, fmt.Errorf("MODEL.BASE = %q is not on this machine yet, so that no step can be taken: a run fetches it",
			p.Config.Model.Base)
	}
	p.Base = base
	project.Remember(base, file.Root, p.Config)
	fingerprint, err := p.ProbeFingerprint(ctx)
	if err != nil {
		return nil, err
	}
	m := &meter{p: p, report: report, probe: &project.Probe{Schema: project.ProbeSchema, Fingerprint: fingerprint}}
	if err := m.measure(ctx, a.Dir); err != nil {
		return nil, err
	}
	return m.probe, p.KeepProbe(m.probe)
}

// meter takes the steps of a probe.
type meter struct {
	p       *project.Project
	engine  Engine
	batches project.Batches
	all     []recipe.Sample
	report  project.Progress
	probe   *project.Probe
	taken   int
}

func (m *meter) measure(ctx context.Context, dir string) (err error) {
	m.all, m.batches = m.p.Recipe.Samples("train"), m.p.Batches()
	ruler := m.p.Encoder().Ruler()
	valid := slices.DeleteFunc(m.p.Recipe.Samples("valid"), ruler.Hides)
	perEpoch := m.batches.FirstEpoch()
	if perEpoch == 0 {
		return errors.New("the data set has nothing to train on: there is no step to take")
	}
	m.report(0, ProbeSteps, "steps: the engine starts")
	m.engine, err = engines[m.p.Config.Model.Engine](ctx, Task{Project: m.p, Dir: dir, Steps: m.batches.Steps(),
		Say: m.report, SampleWeight: m.p.Mass().SampleWeight})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.engine.Close()) }()
	longest := m.p.LongestStep(ctx, m.batches)
	if _, err := m.steps(ctx, slices.Repeat([]int{longest}, probeWarm)); err != nil {
		return err
	}
	var fresh []int
	for step := 0; step < perEpoch && len(fresh) < probeFresh; step++ {
		if step != longest || perEpoch == 1 {
			fresh = append(fresh, step)
		}
	}
	first, err := m.steps(ctx, fresh)
	if err != nil {
		return err
	}
	var again []int
	for len(again) < ProbeSteps-probeWarm-len(fresh) {
		again = append(again, fresh[len(again)%len(fresh)])
	}
	known, err := m.steps(ctx, again)
	if err != nil {
		return err
	}
	b := m.probe
	b.Steps, b.Step, b.FirstStep = m.taken, known.mean(len(again)), first.mean(len(fresh))
	b.TokensPerS = float64(known.tokens) / known.took.Seconds()
	if err := m.checks(ctx, valid[:min(len(valid), probeChecks)]); err != nil {
		return err
	}
	b.Time = float64(time.Now().UnixMilli()) / 1000
	return m.held()
}

// spell is what some steps took together.
type spell struct {
	took   time.Duration
	tokens int
}

func (s spell) mean(n int) float64 { return s.took.Seconds() / float64(n) }

func (m *meter) steps(ctx context.Context, list []int) (s spell, err error) {
	for _, step := range list {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		m.report(m.taken, ProbeSteps, "steps")
		indices, first, _ := m.batches.At(step)
		wanted := make([]recipe.Sample, len(indices))
		for i, k := range indices {
			wanted[i] = m.all[k]
		}
		start := time.Now()
		res, err := m.engine.Step(ctx, wanted, first)
		if err != nil {
			return s, err
		}
		s.took, s.tokens = s.took+time.Since(start), s.tokens+res.Tokens
		m.taken++
	}
	return s, nil
}

// checks measures what a sample of valid takes, at first and then.
func (m *meter) checks(ctx context.Context, valid []recipe.Sample) error {
	if len(valid) == 0 {
		return nil
	}
	for _, to := range []*float64{&m.probe.FirstCheck, &m.probe.Check} {
		m.report(m.taken, ProbeSteps, "steps: checking valid")
		start := time.Now()
		if _, _, err := m.engine.Check(ctx, valid); err != nil {
			return err
		}
		*to = time.Since(start).Seconds() / float64(len(valid))
	}
	return nil
}

// held notes the memory of this process and of the engine's.
func (m *meter) held() error {
	m.probe.Held = []project.Held{{What: "finetui", Held: torch.Held{Host: doctor.PeakMemory()}}}
	e, ok := m.engine.(interface{ Held() ([]torch.Held, error) })
	if !ok {
		return nil
	}
	list, err := e.Held()
	m.probe.Ranks = make([]project.Held, 0, len(list))
	for i, h := range list {
		m.probe.Ranks = append(m.probe.Ranks, project.Held{What: fmt.Sprintf("rank %d", i), Held: h})
	}
	return err
}

// ProbeLine says in a line what a probe measured.
func ProbeLine(b *project.Probe) string {
	var held []string
	for _, h := range slices.Concat(b.Held, b.Ranks) {
		text := h.What + " " + cmp.Or(known(h.Host), "unknown")
		if h.GPU > 0 {
			text += ", GPU " + known(h.GPU)
		}
		held = append(held, text)
	}
	return fmt.Sprintf("measured by %d steps on %s: %.3g s a step (%.3g s where its pictures are new), %.0f tokens/s; "+
		"memory at most: %s", b.Steps, b.When(), b.Step, b.FirstStep, b.TokensPerS, strings.Join(held, "; "))
}

// known is a number of bytes in words; "" where it is not known.
func known(bytes int64) string {
	if bytes == 0 {
		return ""
	}
	return printable.Bytes(bytes)
}
