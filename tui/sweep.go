package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/sweep"
	"finetui/ml/wholefile"
)

// runSweep plans a queue of experiments, shows one, or steers it.
func runSweep(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	if c.plan != nil {
		return c.newSweep(file)
	}
	if len(c.words) == 0 {
		return c.listSweeps(file)
	}
	name, words := c.words[0], c.words[1:]
	s, err := sweep.Find(file.Snapshot, name)
	if err != nil {
		return c.unusable(err)
	}
	if len(words) == 0 {
		return c.showSweep(s)
	}
	return c.steerSweep(s, words)
}

func (c call) listSweeps(file *config.File) int {
	list, err := sweep.List(file.Snapshot)
	if err != nil {
		c.note("%v", err)
	}
	var lines []string
	for _, s := range list {
		st, err := s.Status()
		if err != nil {
			c.note("%v", err)
		}
		lines = append(lines, s.Title(st))
	}
	if c.json {
		return c.printJSON(struct {
			Schema int      `json:"schema"`
			Sweeps []string `json:"sweeps"`
		}{sweep.Schema, lines})
	}
	for _, line := range lines {
		c.print("%s", printable.Line(line))
	}
	if len(list) == 0 {
		c.note("there is no sweep yet: finetui sweep NAME SEEDS=3 RECIPE.SAMPLING=instance,square_root plans one")
	}
	return exitDone
}

// newSweep plans a sweep and starts its queue.
func (c call) newSweep(file *config.File) int {
	if len(c.words) > 0 {
		return c.fail(exitCall, "%q is no part of a plan: call it as finetui sweep %s", printable.Line(c.words[0]),
			sweep.Usage)
	}
	o, err := sweep.Foresee(c.ctx, project.NewEstimator(file.Root), file.Snapshot, *c.plan)
	if err != nil {
		return c.fail(exitCall, "%w", err)
	}
	for _, line := range o.Lines() {
		c.note("%s", line)
	}
	s, err := sweep.Create(file.Snapshot, o.Plan)
	switch {
	case errors.As(err, new(*fs.PathError)): // the plan is right, the disk is not
		return c.failure(err)
	case err != nil:
		return c.fail(exitCall, "%w", err)
	}
	return c.goOn(s)
}

func (c call) goOn(s *sweep.Sweep) int {
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	if err := s.GoOn(c.ctx, exe); err != nil {
		return c.failure(err)
	}
	return c.showSweep(s)
}

// showSweep prints how far a sweep has come, and what may be said.
func (c call) showSweep(s *sweep.Sweep) int {
	st, compared, code := c.sweepState(s)
	if code != exitDone {
		return code
	}
	if c.json {
		rows := s.Table(st, compared)
		return c.printJSON(struct {
			Schema  int                    `json:"schema"`
			Plan    sweep.Plan             `json:"plan"`
			Live    bool                   `json:"live"`
			Paused  bool                   `json:"paused"`
			Table   [][]string             `json:"table"`
			Verdict *eval.RecipeComparison `json:"verdict"`
		}{sweep.Schema, s.Plan, st.Live, st.Paused, rows, compared})
	}
	fmt.Fprint(c.stdout, s.Text(st, compared))
	return exitDone
}

func (c call) sweepState(s *sweep.Sweep) (sweep.Status, *eval.RecipeComparison, int) {
	st, err := s.Status()
	if err != nil {
		c.note("%v", err)
	}
	compared, err := s.Compare(c.ctx, st)
	if err != nil {
		return st, nil, c.failure(err)
	}
	return st, compared, exitDone
}

// steerSweep does what is asked of a sweep that is there.
func (c call) steerSweep(s *sweep.Sweep, words []string) int {
	var err error
	switch rest := words[1:]; {
	case words[0] == "go" && len(rest) == 0:
		return c.goOn(s)
	case words[0] == "pause" && len(rest) == 0:
		err = s.Pause()
	case words[0] == "stop" && len(rest) == 0:
		err = s.Stop()
	case words[0] == "seeds" && len(rest) == 1:
		return c.addSeeds(s, rest[0])
	case words[0] == "skip" && (len(rest) == 1 || len(rest) == 2):
		var seed *int
		if len(rest) == 2 {
			n, wrong := strconv.Atoi(rest[1])
			if wrong != nil {
				return c.fail(exitCall, "%q is no seed", printable.Line(rest[1]))
			}
			seed = &n
		}
		if _, err = s.Skip(rest[0], seed); err != nil {
			return c.fail(exitCall, "%w", err)
		}
	case words[0] == "export" && len(rest) == 1:
		return c.exportSweep(s, rest[0])
	default:
		return c.fail(exitCall, "%q is nothing that a sweep does: pause, go, stop, skip VARIANT [SEED], seeds N, "+
			"export FILE.md, FILE.csv or FILE.png; constants with several values plan a new one",
			printable.Line(strings.Join(words, " ")))
	}
	if err != nil {
		return c.failure(err)
	}
	return c.showSweep(s)
}

// addSeeds adds seeds to a sweep, and says first what they come to.
func (c call) addSeeds(s *sweep.Sweep, text string) int {
	n, err := sweep.MoreSeeds(text)
	if err != nil {
		return c.fail(exitCall, "%w", err)
	}
	constants, err := s.Constants()
	if err != nil {
		return c.failure(err)
	}
	o, err := s.ForeseeSeeds(c.ctx, project.NewEstimator(constants.Root), n)
	if err != nil {
		return c.failure(err)
	}
	for _, line := range o.Lines() {
		c.note("%s", line)
	}
	exe, err := executable()
	if err == nil {
		_, err = s.AddSeeds(c.ctx, n, exe)
	}
	if err != nil {
		return c.failure(err)
	}
	return c.showSweep(s)
}

func (c call) exportSweep(s *sweep.Sweep, path string) int {
	st, compared, code := c.sweepState(s)
	if code != exitDone {
		return code
	}
	if ending := filepath.Ext(path); !slices.Contains(sweep.Endings, ending) {
		return c.fail(exitCall, "a sweep is exported to a file that ends with %s, not to %s",
			strings.Join(sweep.Endings, ", "), printable.Line(path))
	}
	data, err := s.Export(filepath.Ext(path), st, compared)
	if err == nil {
		if _, there := os.Lstat(path); there == nil {
			return c.fail(exitCall, "%s is there already: name another file, or remove it", printable.Line(path))
		}
		err = wholefile.Write(path, data)
	}
	if err != nil {
		return c.failure(err)
	}
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			File   string `json:"file"`
		}{sweep.Schema, path})
	}
	c.print("%s", printable.Line(path))
	return exitDone
}

// runQueue is the process of a sweep.
func runQueue(c call) int {
	ctx, stop := finetune.Until(context.WithoutCancel(c.ctx))
	defer stop()
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	if err := sweep.Work(ctx, c.words[0], exe, version()); err != nil {
		return c.fail(exitFailed, "%w", err)
	}
	return exitDone
}

// beginSweep plans a sweep by a line of words, and starts it.
func beginSweep(ctx context.Context, file *config.Snapshot, line string) (string, error) {
	plan, file, err := sweep.Read(file, line)
	if err != nil {
		return "", err
	}
	s, err := sweep.Create(file, plan)
	if err != nil {
		return "", err
	}
	exe, err := executable()
	if err != nil {
		return "", err
	}
	return s.Plan.Name, s.GoOn(ctx, exe)
}
