package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/ml/lora"
	"finetui/ml/wholefile"
)

// Evaluate asks a subject about every object of a split ("": EVAL.SPLIT), scores the answers and keeps them:
// eval/SPLIT.json and .csv, SPLIT.text.json and .csv of answers in free words, and SPLIT.timed.json of feedback that
// has its time, in the run's folder, in PROJECT.RUNS/base or in PROJECT.RUNS/adapters, with the constants it was asked
// with in SPLIT.toml. A result that cannot be written comes back with the error.
func (s *Session) Evaluate(ctx context.Context, name, split string, report Progress) (*eval.Result, error) {
	subject, err := s.Subject(ctx, name, report)
	if err != nil {
		return nil, err
	}
	if split == "" {
		split = s.Project.Config.Eval.Split
	}
	result, err := subject.Project.Evaluate(ctx, subject.Model, subject.Name, split, eval.DefaultResamples, report)
	if err != nil {
		return nil, err
	}
	return result.Result, s.keep(subject.Setting, result)
}

// freeText and timed stand before the endings of the files of answers in free words, and of feedback that has its time.
const (
	freeText = "text."
	timed    = "timed."
)

// FreeText is what a subject's answers in free words came to, kept beside its Result; nil where the data set has none.
func (k Kept) FreeText() (*eval.FreeTextResult, error) {
	r, err := eval.ReadFreeText(strings.TrimSuffix(k.Path, "json") + freeText + "json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r, err
}

// Timed is what a subject's feedback that has its time came to,
// kept beside its Result; nil where the data set has none.
func (k Kept) Timed() (*eval.TimedResult, error) {
	r, err := eval.ReadTimed(strings.TrimSuffix(k.Path, "json") + timed + "json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return r, err
}

// Texts are what the answers in free words of several evaluations came to, in their order, and the comparisons of the
// first with each of the others.
type Texts struct {
	Results []*eval.FreeTextResult
	Timed   []*eval.TimedResult // of feedback that has its time; empty: not every evaluation has some
	Pairs   []*eval.FreeTextComparison
}

// CompareTexts compares answers in free words: those of the first evaluation with each other's, with the constants in
// which the two differ. It is empty where one has no answers in free words. seed is that of the bootstrap.
func CompareTexts(list []Kept, seed uint64) (Texts, error) {
	var t Texts
	for _, k := range list {
		r, err := k.FreeText()
		if err != nil || r == nil {
			return Texts{}, err
		}
		timed, err := k.Timed()
		if err != nil {
			return Texts{}, err
		}
		t.Results = append(t.Results, r)
		if timed != nil {
			t.Timed = append(t.Timed, timed)
		}
	}
	if len(t.Timed) < len(t.Results) {
		t.Timed = nil
	}
	for i := 1; i < len(t.Results); i++ {
		pair, err := eval.CompareFreeText(t.Results[0], t.Results[i], Differences(list[0], list[i]), seed)
		if err != nil {
			return Texts{}, err
		}
		if t.Timed != nil {
			pair.AddTimed(t.Timed[0], t.Timed[i], seed)
		}
		t.Pairs = append(t.Pairs, pair)
	}
	return t, nil
}

// keep writes an evaluation's files, and takes away those of an earlier one that it has no like of.
func (s *Session) keep(t *Setting, r project.Evaluation) error {
	path := func(ext string) string { return s.evalPath(t, r.Split, ext) }
	constants := append([]byte("# The constants with which "+t.Title()+" was asked about the split "+r.Split+".\n\n"),
		config.Render(t.Project.Config)...)
	err := os.MkdirAll(filepath.Dir(path("json")), 0o755)
	if err == nil {
		err = wholefile.Write(path("toml"), constants)
	}
	if err == nil {
		err = r.WriteCSV(path("csv"))
	}
	if err == nil && r.FreeText != nil {
		if err = r.FreeText.WriteCSV(path(freeText + "csv")); err == nil {
			err = r.FreeText.WriteJSON(path(freeText + "json"))
		}
	} else if err == nil {
		err = gone(path(freeText+"csv"), path(freeText+"json"))
	}
	if err == nil && r.Timed != nil {
		err = r.Timed.WriteJSON(path(timed + "json"))
	} else if err == nil {
		err = gone(path(timed + "json"))
	}
	if err == nil {
		r.Constants = disk.Sum(constants)
		err = r.WriteJSON(path("json"))
	}
	if err != nil {
		return fmt.Errorf("the evaluation was made and could not be kept: %w", err)
	}
	return nil
}

// gone takes files away, where they are there.
func gone(paths ...string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *Session) evalPath(t *Setting, split, ext string) string {
	if t.Run != nil {
		return t.Run.EvalPath(split, ext)
	}
	if t.Adapter.Path != "" {
		return s.adapterEval(t.Name, split, ext)
	}
	return s.baseEval(split, ext)
}

// IntegrationPath is where the results of integrate belong: integrate/SPLIT/integration_results.json
// beside the subject's evaluations.
func (s *Session) IntegrationPath(t *Setting, split string) string {
	subject := filepath.Dir(filepath.Dir(s.evalPath(t, split, "json")))
	return filepath.Join(subject, "integrate", split, "integration_results.json")
}

func (s *Session) baseEval(split, ext string) string {
	return filepath.Join(s.RunsDir(), Base, "eval", split+"."+ext)
}

// Kept is an evaluation that was made earlier.
type Kept struct {
	Name   string
	Path   string
	When   time.Time
	Older  bool           // the run has a better checkpoint since
	Result *eval.Result   // nil: Fault
	Fault  error          // why the file cannot be read
	Asked  *config.Config // the constants it was asked with; nil: not known
	Run    *run.Run       // nil: no run
}

// Results are the evaluations of a split that the candidates have, in their order.
func (s *Session) Results(split string) ([]Kept, error) {
	candidates, err := s.Candidates()
	var list []Kept
	for _, c := range candidates {
		path := s.baseEval(split, "json")
		switch {
		case c.Run != nil:
			path = c.Run.EvalPath(split, "json")
		case c.Tool != "":
			path = s.adapterEval(c.Name, split, "json")
		}
		k, there := read(c.Name, path)
		if !there {
			continue
		}
		if c.Tool != "" {
			k.Older = run.AdapterChanged(c.Adapter.Path, k.When)
		} else if info, err := os.Stat(filepath.Join(c.Adapter.Path, lora.WeightsFile)); err == nil &&
			c.Adapter.Path != "" {
			k.Older = info.ModTime().After(k.When)
		}
		k.Run = c.Run
		list = append(list, k)
	}
	return list, err
}

// Result is the evaluation of one subject, or an error that says how to make it.
func (s *Session) Result(name, split string) (Kept, error) {
	path, label := s.baseEval(split, "json"), Base
	var of *run.Run
	if dir, ok := s.adapterFolder(name); ok && name != Base {
		label = run.AdapterLabel(dir)
		path = s.adapterEval(label, split, "json")
	} else if name != Base {
		r, err := s.find(name)
		if err != nil {
			return Kept{}, err
		}
		path, label, of = r.EvalPath(split, "json"), r.Label(), r
	}
	k, there := read(label, path)
	k.Run = of
	if !there {
		return k, printable.Missing("%s has not been evaluated on %s: call finetui eval %s EVAL.SPLIT=%s", label, split,
			label, split)
	}
	return k, k.Fault
}

func read(name, path string) (k Kept, there bool) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, false
	}
	k = Kept{Name: name, Path: path}
	if k.Fault = err; err == nil {
		k.When = info.ModTime()
		k.Result, k.Fault = eval.Read(path)
	}
	asked, err := config.Load(strings.TrimSuffix(path, ".json") + ".toml")
	if err == nil && (k.Result == nil || k.Result.Constants == "" || k.Result.Constants == disk.Sum(asked.Raw())) {
		k.Asked = asked.Config // else it is that of an evaluation which was broken off, or damaged
	}
	return k, true
}

// Board puts evaluations side by side and compares every pair, with the constants in which the two differ.
func (s *Session) Board(list []Kept) (*eval.Board, error) {
	var results []*eval.Result
	for _, k := range list {
		if k.Fault != nil {
			return nil, k.Fault
		}
		results = append(results, k.Result)
	}
	return eval.CompareAll(results, func(a, b int) []string { return Differences(list[a], list[b]) },
		uint64(s.Project.Config.Project.Seed))
}

// idle are constants that make no difference to an answer: how often a run reports, how it is shown.
var idle = []string{"RECIPE.PRESET", "TRAIN.LOG_EVERY", "TRAIN.SAVE_EVERY", "TRAIN.KEEP", "TRAIN.THREADS",
	"TRAIN.FOLLOW"}

// asking are the sections and constants that matter to somebody who was not trained.
var asking = []string{"MODEL.", "RECIPE.PROMPT", "RECIPE.POSITION_WORDS", "RECIPE.CONTEXT", "RECIPE.CROP_",
	"RECIPE.FACTS_FROM", "EVAL.MAX_NEW_TOKENS"}

// trained are those that matter to a run besides.
var trained = []string{"RECIPE.", "LORA.", "TRAIN."}

// Differences names the constants in which two evaluations differ and that can make a difference:
// "RECIPE.PROMPT basic → short". Between the base and a run the adapter is named first, and where one was
// trained elsewhere; between runs the data that they were trained on, too. nil where nothing is known of one
// of the two, or both are the same evaluation; empty where they differ by chance alone.
func Differences(a, b Kept) []string {
	if a.Asked == nil || b.Asked == nil || a.Path == b.Path {
		return nil
	}
	matters := asking
	out := []string{}
	one, other := a.Name == Base, b.Name == Base
	switch foreign := append(a.foreign(), b.foreign()...); {
	case one != other:
		out = append(out, "the adapter ("+adapterOf(a)+" → "+adapterOf(b)+")")
	case len(foreign) == 0 && !one:
		matters = append(slices.Clone(asking), trained...)
	case a.Name != b.Name:
		out = append(out, fmt.Sprintf("the adapter (%s → %s; what %s was trained with, its own trainer knows)", a.Name,
			b.Name, strings.Join(foreign, " and ")))
	}
	if a.Run != nil && b.Run != nil && a.Run.Info.DataFingerprint != b.Run.Info.DataFingerprint {
		out = append(out, fmt.Sprintf("the data that they were trained on (%s → %s)", a.Run.Info.DataFingerprint,
			b.Run.Info.DataFingerprint))
	}
	for _, change := range config.Diff(a.Asked, b.Asked) {
		begins := func(prefix string) bool { return strings.HasPrefix(change.Key, prefix) }
		if slices.ContainsFunc(matters, begins) && !slices.Contains(idle, change.Key) {
			out = append(out, fmt.Sprintf("%s %s → %s", change.Key, strings.Trim(change.Old, `"`),
				strings.Trim(change.New, `"`)))
		}
	}
	return out
}

// Changed names the constants that are others now than when the subject was evaluated, and that can make a difference.
func (t *Setting) Changed(k Kept) []string {
	return Differences(k, Kept{Name: t.Name, Asked: t.Project.Config, Run: t.Run})
}

// foreign is the name of an adapter that was trained elsewhere: the constants that it was asked with tell nothing of
// how. Else it is empty.
func (k Kept) foreign() []string {
	if k.Run == nil && k.Name != Base {
		return []string{k.Name}
	}
	return nil
}

func adapterOf(k Kept) string {
	if k.Name == Base {
		return "none"
	}
	return k.Name
}
