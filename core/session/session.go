// Package session is one configuration opened for questions: who can be asked by name, their answers, and the
// evaluations that are kept beside the runs. It trains nothing and draws nothing.
//
// A run is asked with the constants of its own snapshot (RECIPE, MODEL: the prompts and pictures that it was trained
// on), but with DATASET, EVAL, INFER and TRAIN.THREADS as they are now, so that all subjects are asked about the same
// objects. The base is asked with the constants as they are now.
package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/run"
)

// Base is the name of the subject that is no run: MODEL.BASE without an adapter.
const Base = "base"

// Progress is told how far long work is; it may be nil.
type Progress = func(done, total int, what string)

// Session is an open configuration and the models that were loaded for it. Any number of goroutines may use it. It
// shows the constants as they were at Open: after a change another one is opened.
type Session struct {
	Project *project.Project // the data set, and the recipe of the current constants

	file *config.Snapshot
	set  *dataset.Dataset // that Project.Data begins with
	pool *pool
	seen *seen
}

// Open reads the data set of a configuration. Models are loaded when they are asked for.
func Open(ctx context.Context, file *config.Snapshot, report Progress) (*Session, error) {
	set, err := project.ReadShared(ctx, file.Config.Dataset, file.Root, false, report)
	if err != nil {
		return nil, err
	}
	return OpenOn(ctx, file, set, report)
}

// OpenOn is Open on the configuration's data set, which was read already; nobody may change it.
func OpenOn(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, report Progress) (*Session, error) {
	return open(ctx, file, set, newPool(), report)
}

func open(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, models *pool, report Progress) (*Session,
	error) {
	p, err := project.OpenOn(ctx, file, set, report)
	if err != nil {
		return nil, err
	}
	return &Session{Project: p, file: file, pool: models, set: set, seen: newSeen(p.Data)}, nil
}

// Reopen is the session of changed constants on their data set. It shares the models that are loaded, and EVAL.DATA
// unless that, or the set, is another one.
func (s *Session) Reopen(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, report Progress) (*Session,
	error) {
	before, now := s.Project.Config, file.Config
	if set != s.set || !reflect.DeepEqual(before.Dataset, now.Dataset) || before.Eval.Data != now.Eval.Data ||
		s.file.Path != file.Path {
		return open(ctx, file, set, s.pool, report)
	}
	built, err := recipe.Build(s.Project.Data, now)
	if err != nil {
		return nil, err
	}
	return &Session{Project: &project.Project{File: file, Config: now, Data: s.Project.Data, Recipe: built},
		file: file, pool: s.pool, set: set, seen: s.seen}, nil
}

// Close gives the models' files back, those of all sessions that were reopened from this one, too.
func (s *Session) Close() error { return errors.Join(s.pool.close(), s.Project.Close()) }

// Splits are those of the data set that hold an object.
func (s *Session) Splits() []string {
	return slices.DeleteFunc(slices.Clone(s.Project.Data.Splits), func(split string) bool {
		for i := range s.Project.Data.Items {
			if item := &s.Project.Data.Items[i]; item.Split == split && len(item.Objects) > 0 {
				return false
			}
		}
		return true
	})
}

// RunsDir is the folder PROJECT.RUNS.
func (s *Session) RunsDir() string { return s.file.Abs(s.Project.Config.Project.Runs) }

// Candidate is somebody who may be asked.
type Candidate struct {
	Name    string
	Run     *run.Run  // nil: the base, or Tool
	Adapter run.Saved // the checkpoint that would answer
	Tool    string    // the trainer of an adapter that was trained elsewhere, in a run that PROJECT.WATCH names
	State   string    // of the run; of Tool's the name of its folder
	Why     string    // why it cannot be asked; empty: it can
}

// Candidates are the base, the adapters of other trainers' runs, and all runs by number.
func (s *Session) Candidates() ([]Candidate, error) {
	list := []Candidate{{Name: Base}}
	for _, log := range s.watched() {
		dir := log.Adapter()
		list = append(list, Candidate{Name: run.AdapterLabel(dir), Adapter: run.Saved{Path: dir}, Tool: log.Tool,
			State: filepath.Base(log.Dir)})
	}
	runs, err := run.List(s.RunsDir())
	for _, r := range runs {
		c := Candidate{Name: r.Label(), Run: r}
		if r.Fault != nil {
			c.Why = r.Fault.Error()
			list = append(list, c)
			continue
		}
		c.State = r.Status().State
		saved, ok := r.Best()
		if c.Adapter = saved; !ok {
			c.Why = "it has written no checkpoint yet"
		}
		list = append(list, c)
	}
	return list, err
}

// find is the run of a name, number or path.
func (s *Session) find(name string) (*run.Run, error) {
	if name != filepath.Base(name) && !filepath.IsAbs(name) {
		if r, err := run.Open(s.file.Abs(name)); err == nil {
			return r, answers(r)
		}
	}
	r, err := run.Find(s.RunsDir(), name)
	if err == nil {
		err = answers(r)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; the base without an adapter is called %q, and an adapter's folder can be named too",
			err, Base)
	}
	return r, nil
}

// answers says why a run of another trainer cannot be asked: what it saved as an adapter is asked as one.
func answers(r *run.Run) error {
	if r.Tool() == "" {
		return nil
	}
	return printable.Missing("%s, a run of %s, has saved no adapter in PEFT's format", r.Label(), r.Tool())
}
