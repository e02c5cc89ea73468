package run

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"finetui/core/filehash"
	"finetui/core/printable"
	"finetui/core/trainerlog"
	"finetui/ml/lora"
)

// An adopted run is one of another trainer: its folder is read (trainerlog) and never written. It has the same Status,
// History, checkpoints and log as a run of this program's own; its adapter's evaluations stand in the folder of runs
// of the project that made them; constants of config.toml it has none, and what would write is refused (Refuse).

// Adopted finds the runs of other trainers in some folders and below them, the newest first. Names that several have
// are told apart by the folder that they lie in. What this project has evaluated of them is kept in its folder of runs
// ("": there is none).
func Adopted(project string, folders ...string) []*Run {
	var runs []*Run
	names := map[string]int{}
	for _, log := range trainerlog.Search(folders...) {
		runs = append(runs, adopt(project, log))
		names[filepath.Base(log.Dir)]++
	}
	for _, r := range runs {
		if names[filepath.Base(r.Dir)] > 1 {
			r.label = filepath.Join(filepath.Base(filepath.Dir(r.Dir)), filepath.Base(r.Dir))
		}
	}
	slices.SortStableFunc(runs, func(a, b *Run) int { return cmp.Compare(b.Info.Created, a.Info.Created) })
	return runs
}

func adopt(project string, log *trainerlog.Log) *Run {
	r := &Run{Dir: log.Dir, log: log, project: project}
	r.describe()
	return r
}

// describe makes an adopted run's Info of what its files tell.
func (r *Run) describe() {
	g := r.log.Glance()
	r.Info = Info{Schema: Schema, Name: filepath.Base(r.Dir), Created: g.Began, Began: g.Began, Steps: g.Total,
		Meta: Meta{Recipe: r.log.Tool, Base: r.log.Base()}}
	r.Info.State = r.adoptedStatus(g, time.Now()).State
}

// Tool is the trainer that an adopted run is of; "" for a run of this program's own.
func (r *Run) Tool() string {
	if r.log == nil {
		return ""
	}
	return r.log.Tool
}

// Settings are what the trainer of an adopted run was told; none for a run of this program's own, which has Config.
func (r *Run) Settings() []trainerlog.Setting {
	if r.log == nil {
		return nil
	}
	return r.log.Settings()
}

// Adapter is the folder of the adapter in PEFT's format that an adopted run has saved last, or best; "" where there is
// none, and for a run of this program's own, which has Checkpoints.
func (r *Run) Adapter() string {
	if r.log == nil {
		return ""
	}
	return r.log.Adapter()
}

// adaptersFolder holds, in a project's folder of runs, the evaluations of adapters that no run of the project made.
const adaptersFolder = "adapters"

// AdapterLabel names such an adapter by its folder, and by where that lies: many are called checkpoint-500.
func AdapterLabel(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Base(dir) + "-" + hex.EncodeToString(sum[:3])
}

// AdapterEval is where the evaluation of such an adapter is kept, below the project's folder of runs.
func AdapterEval(runs, label, split, ext string) string {
	return filepath.Join(runs, adaptersFolder, label, "eval", split+"."+ext)
}

// adapterEval is where the evaluation of an adopted run's adapter as it is now is kept; "" where there is none.
func (r *Run) adapterEval(split string) string {
	dir := r.Adapter()
	if dir == "" || r.project == "" {
		return ""
	}
	path := AdapterEval(r.project, AdapterLabel(dir), split, "json")
	result, err := os.Stat(path)
	if err != nil {
		return ""
	}
	if AdapterChanged(dir, result.ModTime()) {
		return ""
	}
	return path
}

// AdapterChanged says whether another adapter came to lie in a folder after that time: what was evaluated then was not
// this one. A copy that keeps the times of its files is noticed, too.
func AdapterChanged(dir string, since time.Time) bool {
	for _, name := range []string{lora.ConfigFile, lora.WeightsFile} {
		if stat, err := filehash.Look(filepath.Join(dir, name)); err == nil &&
			max(stat.Modified, stat.Changed) > since.UnixNano() {
			return true
		}
	}
	return false
}

// Refuse is the reason why an adopted run cannot be stopped, resumed, renamed or deleted; nil for a run of this
// program's own.
func (r *Run) Refuse(what string) error {
	if r.log == nil {
		return nil
	}
	return fmt.Errorf("%s is a run of %s in %s: it is only read and cannot be %s from here", printable.Line(r.Label()),
		r.log.Tool, printable.Line(r.Dir), what)
}

// adoptedStatus is what the ends of the run's files, and how long they have been silent, tell. Its process is not
// known.
func (r *Run) adoptedStatus(g trainerlog.Glance, now time.Time) Status {
	s := Status{State: Running, Elapsed: seconds(g.Elapsed), adopted: true}
	silent, quiet, gone := r.log.Silence(g, now)
	words := "silent for " + coarse(silent)
	if pace := g.Pace(); pace != "" {
		words += ", where it wrote " + pace
	}
	if g.Total > 0 {
		words += fmt.Sprintf("; it stands at step %d of %d", g.Step, g.Total)
	}
	switch {
	case g.Over != "":
		s.State, s.Reason = Done, g.Over
	case g.Failure != "":
		s.State, s.Reason = Failed, g.Failure
	case gone && g.Total > g.Step:
		s.State, s.Reason = Killed, words
	case gone:
		s.State, s.Reason = Stopped, words+"; how many steps it was to take is not known"
	case quiet:
		s.State, s.Reason = Stalled, words
	default:
		if g.Began > 0 {
			s.Elapsed = now.Sub(time.UnixMilli(int64(g.Began * 1000)))
		}
	}
	return s
}

// coarse is a time in its largest unit, so that it changes seldom.
func coarse(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// adoptedCheckpoints are those of an adopted run.
func (r *Run) adoptedCheckpoints() []Saved {
	var list []Saved
	for _, c := range r.log.Checkpoints() {
		list = append(list, Saved{Step: c.Step, Path: c.Path, Best: c.Best})
	}
	latest := -1
	for i, s := range list {
		if latest < 0 || s.Step >= list[latest].Step {
			latest = i
		}
	}
	if latest >= 0 {
		list[latest].Latest = true
	}
	return list
}

// adoptedTail makes rows of what another trainer's files say.
type adoptedTail struct{ log *trainerlog.Reader }

// adoptedTail reads all rows of an adopted run. The folder is looked at anew as it grows, apart from what others see.
func (r *Run) adoptedTail() *adoptedTail {
	log := *r.log
	return &adoptedTail{log.Reader()}
}

func (t *adoptedTail) Read() (b Batch, err error) {
	got, err := t.log.Read(func(row trainerlog.Row) { b.Rows = appendRows(b.Rows, row) })
	if err != nil {
		return b, err
	}
	b.Bad, b.Reset, b.More = got.Bad, got.Reset, got.More
	return b, nil
}

// appendRows makes a train row of a row with a loss, an eval row of one with a loss on valid, and keeps every other
// figure by its name.
func appendRows(rows []Row, row trainerlog.Row) []Row {
	unknown := Float(math.NaN())
	var train *Train
	var check *Eval
	others := 0
	head := func(kind string) Head { return Head{Kind: kind, Step: row.Step, Time: row.Time} }
	for _, v := range row.Values {
		switch v.Name {
		case trainerlog.Loss:
			train = &Train{Head: head("train"), Epoch: unknown, Loss: Float(v.V), LossPlain: Float(v.V), LR: unknown,
				GradNorm: unknown, TokensPerSecond: unknown, Seconds: StepTimes{unknown, unknown, unknown, unknown}}
			if row.Epoch >= 0 {
				train.Epoch = Float(row.Epoch)
			}
		case trainerlog.CheckLoss:
			check = &Eval{Head: head("eval"), Split: ValidSplit, Loss: Float(v.V), Accuracy: unknown, MacroF1: unknown}
		default:
			others++
		}
	}
	if train != nil {
		rows = append(rows, train)
		for _, v := range row.Values {
			if to := train.place(v.Name); to != nil {
				*to = Float(v.V)
				others--
			}
		}
	}
	if check != nil {
		rows = append(rows, check)
	}
	if others > 0 || len(row.Values) == 0 {
		m := &Metrics{Head: head("metrics"), Values: make(NamedValues, 0, others)}
		for _, v := range row.Values {
			if v.Name != trainerlog.Loss && v.Name != trainerlog.CheckLoss && (train == nil || train.place(v.Name) == nil) {
				m.Values = append(m.Values, NamedValue{v.Name, Float(v.V)})
			}
		}
		rows = append(rows, m)
	}
	return rows
}

// foreign says whether a row is another trainer's: none but ours tell where a step's time goes.
func (t *Train) foreign() bool { return math.IsNaN(float64(t.Seconds.Forward)) }

// place is where a train row keeps a figure of that name; nil: nowhere.
func (t *Train) place(name string) *Float {
	switch name {
	case trainerlog.Rate:
		return &t.LR
	case trainerlog.Norm:
		return &t.GradNorm
	case trainerlog.Speed:
		return &t.TokensPerSecond
	}
	return nil
}
