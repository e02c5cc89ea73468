package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/demo/base"
	"finetui/core/demo/chain"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/stats"
)

const configFile = "config.toml"

// configuration reads ./config.toml with the call's overrides, and says what is wrong with them.
func (c call) configuration() (*config.File, bool) {
	file, err := config.Load(configFile)
	if errors.Is(err, os.ErrNotExist) {
		c.fail(exitCall, "there is no %s here; finetui new demo starts a project (others: %s)", configFile, strings.Join(config.Presets(), ", "))
		return nil, false
	}
	if err == nil {
		err = applyOverrides(file, c.overrides)
	}
	if err != nil {
		c.fail(exitCall, "%v", err)
		return nil, false
	}
	for _, p := range config.Validate(file.Config) {
		if p.Level == dataset.LevelError {
			c.fail(exitCall, "%s: %s", p.Key, p.Text)
			return nil, false
		}
		fmt.Fprintf(c.stderr, "finetui: %s: %s\n", p.Key, p.Text)
	}
	return file, true
}

// applyOverrides sets the constants of a command line. A preset of the recipe brings its constants with it, and those
// that are named beside it win.
func applyOverrides(file *config.File, overrides []string) error {
	if err := file.Override(overrides); err != nil {
		return err
	}
	if !slices.ContainsFunc(overrides, func(o string) bool { return strings.HasPrefix(o, "RECIPE.PRESET=") }) {
		return nil
	}
	with := *file.Config
	if err := recipe.Apply(&with, with.Recipe.Preset); err != nil {
		return err
	}
	if err := file.Apply(config.Diff(file.Config, &with)); err != nil {
		return err
	}
	return file.Override(overrides)
}

// json says whether the verb is to print one JSON object.
func wantsJSON(c *config.Config) bool { return c.View.Format == "json" }

// printJSON prints v as one object with a schema number.
func (c call) printJSON(v any) int {
	e := json.NewEncoder(c.stdout)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return c.fail(exitFailed, "%v", err)
	}
	return exitDone
}

// failure is the exit code for an error that stopped a verb.
func (c call) failure(err error) int {
	if c.ctx.Err() != nil {
		return c.fail(exitInterrupted, "interrupted")
	}
	return c.fail(exitFailed, "%v", err)
}

// runNew starts a project: its config.toml and, for the demo, its data sets.
func runNew(c call) int {
	if len(c.words) < 1 || len(c.words) > 2 {
		return c.fail(exitCall, "call it as finetui new %s [FOLDER]", strings.Join(config.Presets(), "|"))
	}
	file, err := config.Preset(c.words[0])
	if err != nil {
		return c.fail(exitCall, "%v", err)
	}
	folder := "."
	if len(c.words) == 2 {
		folder = c.words[1]
	}
	if file.Root, err = filepath.Abs(folder); err != nil {
		return c.failure(err)
	}
	file.Path = filepath.Join(folder, configFile)
	if err := applyOverrides(file, c.overrides); err != nil {
		return c.fail(exitCall, "%v", err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return c.failure(err)
	}
	if _, err := os.Stat(file.Path); err == nil {
		return c.fail(exitCall, "%s is there already; it is not overwritten", file.Path)
	}
	if err := file.Save(); err != nil {
		return c.failure(err)
	}
	fmt.Fprintf(c.stdout, "%s\n", file.Path)
	if c.words[0] == "demo" {
		if err := makeDemoData(c, file); err != nil {
			return c.failure(err)
		}
	}
	return exitDone
}

// makeDemoData draws the demo's data sets.
func makeDemoData(c call, file *config.File) error {
	report, done := c.progress()
	defer done()
	return chain.Data(c.ctx, file, chain.Options{Report: report, Log: c.print})
}

// print prints a line of results.
func (c call) print(format string, args ...any) { fmt.Fprintf(c.stdout, format+"\n", args...) }

// runDemo runs the whole chain on the demo project, or makes the base that the program carries.
func runDemo(c call) int {
	if len(c.words) > 0 {
		return runDemoBase(c)
	}
	if _, err := os.Stat(configFile); errors.Is(err, os.ErrNotExist) {
		if code := runNew(call{ctx: c.ctx, words: []string{"demo"}, stdout: c.stdout, stderr: c.stderr}); code != exitDone {
			return code
		}
	}
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	report, done := c.progress()
	path, err := chain.Run(c.ctx, file, chain.Options{Exe: exe, Version: version(), Report: report, Log: c.print})
	done()
	if err != nil {
		return c.failure(err)
	}
	c.print("%s", path)
	return exitDone
}

// runDemoBase pretrains the built-in base anew.
func runDemoBase(c call) int {
	if len(c.words) != 2 || c.words[0] != "base" {
		return c.fail(exitCall, "call it as finetui demo, or finetui demo base FOLDER")
	}
	began := time.Now()
	log := func(format string, args ...any) {
		fmt.Fprintf(c.stderr, "%6.0f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	if err := base.Make(c.ctx, c.words[1], base.Options{Seed: base.Seed, Log: log}); err != nil {
		return c.failure(err)
	}
	c.print("%s", c.words[1])
	return exitDone
}

// openProject opens the configuration's data set and recipe.
func (c call) openProject(file *config.File) (*project.Project, bool) {
	report, done := c.progress()
	defer done()
	p, err := project.Open(c.ctx, file, report)
	if err != nil {
		c.failure(err)
		return nil, false
	}
	return p, true
}

// runAnalyze writes the statistics of the data set.
func runAnalyze(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	report, done := c.progress()
	data, err := dataset.Read(c.ctx, file.Config.Dataset, file.Root, report)
	done()
	if err != nil {
		return c.failure(err)
	}
	a := stats.Analyze(data, file.Config.Dataset)
	path := file.Abs(file.Config.Dataset.Analysis)
	if err := a.WriteJSON(path); err != nil {
		return c.failure(err)
	}
	if wantsJSON(file.Config) {
		if code := c.printJSON(a); code != exitDone {
			return code
		}
	} else {
		fmt.Fprint(c.stdout, a.Text())
		printCauses(c, a.Causes)
	}
	fmt.Fprintf(c.stderr, "written to %s\n", path)
	return causesCode(a.Causes)
}

// runLint checks recipe, data and model before any training.
func runLint(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	p, ok := c.openProject(file)
	if !ok {
		return exitFailed
	}
	defer p.Close()
	report, done := c.progress()
	findings, err := p.Lint(c.ctx, report)
	done()
	if err != nil {
		return c.failure(err)
	}
	if text := p.Base.Trouble(); text != "" {
		fmt.Fprintln(c.stderr, text)
	}
	table := recipe.Mass(p.Recipe)
	if wantsJSON(file.Config) {
		if code := c.printJSON(struct {
			Schema   int               `json:"schema"`
			Findings []dataset.Finding `json:"findings"`
			Mass     recipe.Table      `json:"mass"`
		}{1, findings, table}); code != exitDone {
			return code
		}
		return findingsCode(findings)
	}
	printFindings(c, findings)
	fmt.Fprint(c.stderr, table.Text())
	return findingsCode(findings)
}

// printFindings prints findings, one line a cause.
func printFindings(c call, findings []dataset.Finding) { printCauses(c, dataset.Causes(findings)) }

// printCauses prints a line for each cause, with the first row that breaks it and a few others.
func printCauses(c call, causes []dataset.Cause) {
	for _, f := range causes {
		place := dataset.Place{File: f.File, Line: f.Line}.String()
		if place != "" {
			place += ": "
		}
		also := f.Also()
		if also != "" {
			also = "; also " + also
		}
		fmt.Fprintf(c.stdout, "%s %s: %s%s%s – %s\n", f.Level, f.Code, place, f.Text, also, f.Do)
	}
}

func causesCode(causes []dataset.Cause) int {
	for _, f := range causes {
		if f.Level == dataset.LevelError {
			return exitFindings
		}
	}
	return exitDone
}

func findingsCode(findings []dataset.Finding) int {
	for _, f := range findings {
		if f.Level == dataset.LevelError {
			return exitFindings
		}
	}
	return exitDone
}
