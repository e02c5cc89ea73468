package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/finetune"
	"finetui/core/level"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/recipe"
)

const configFile = "config.toml"

// configuration reads ./config.toml with the call's overrides, and says what is wrong with them.
func (c call) configuration() (*config.File, bool) {
	file, err := config.Load(configFile)
	if errors.Is(err, os.ErrNotExist) {
		c.fail(exitCall, "there is no %s here; finetui new demo starts a project (others: %s)", configFile,
			strings.Join(config.Presets(), ", "))
		return nil, false
	}
	if err == nil {
		err = applyOverrides(file, c.overrides)
	}
	if err != nil {
		c.fail(exitCall, "%w", err)
		return nil, false
	}
	for _, p := range config.Validate(file.Config) {
		if p.Level == level.Error {
			c.fail(exitCall, "%s: %s", p.Key, p.Text)
			return nil, false
		}
		c.note("finetui: %s: %s", p.Key, p.Text)
	}
	return file, true
}

// applyOverrides sets the constants of a command line, and what goes with them.
func applyOverrides(file *config.File, overrides []string) error {
	changes, err := config.Overrides(overrides)
	if err != nil {
		return err
	}
	after, err := recipe.Changed(file.Config, changes...)
	if err != nil {
		return err
	}
	if err := file.Apply(changes); err != nil {
		return err
	}
	return file.Apply(config.Diff(file.Config, after))
}

// runNew starts a project: its config.toml and, for a demo, its data sets.
func runNew(c call) int {
	file, err := config.Preset(c.words[0])
	if err != nil {
		return c.fail(exitCall, "%w", err)
	}
	folder := "."
	if len(c.words) == 2 {
		folder = c.words[1]
	}
	root, err := filepath.Abs(folder)
	if err != nil {
		return c.failure(err)
	}
	file.Move(filepath.Join(folder, configFile), root)
	if err := applyOverrides(file, c.overrides); err != nil {
		return c.fail(exitCall, "%w", err)
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
	made := []string{file.Path}
	listed := func(format string, args ...any) { made = append(made, fmt.Sprintf(format, args...)) }
	if err := makeDemoData(c, file, listed); err != nil {
		return c.failure(err)
	}
	next := nextStep(c.words[0], folder, c.overrides)
	if file.Config.View.Format == config.OutputJSON {
		return c.printJSON(struct {
			Schema int      `json:"schema"`
			Made   []string `json:"made"`
			Next   string   `json:"next"`
		}{1, made, next})
	}
	c.print("%s", strings.Join(made, "\n"))
	c.note("next: %s", next)
	return exitDone
}

// nextStep is what to do with a new project that was made with such overrides.
func nextStep(preset, folder string, overrides []string) string {
	enter := ""
	if filepath.Clean(folder) != "." {
		enter = fmt.Sprintf("cd %s, then ", folder)
	}
	switch preset {
	case "demo":
		return enter + "finetui opens the workbench: 3 and n start the first run; finetui demo runs the whole chain " +
			"without one"
	case demoQVED:
		return enter + "finetui opens the workbench; finetui demo qved runs the chain of clips without one"
	}
	missing := slices.DeleteFunc([]string{"DATASET.PATH", "MODEL.BASE"}, func(name string) bool {
		return slices.ContainsFunc(overrides, func(o string) bool { return strings.HasPrefix(o, name+"=") })
	})
	if len(missing) > 0 {
		enter += "set " + strings.Join(missing, " and ") + " in " + configFile + "; "
	}
	return enter + "finetui analyze and finetui lint say what is wrong, finetui opens the workbench"
}

// openProject opens the configuration's data set and recipe.
func (c call) openProject(file *config.File) (*project.Project, int) {
	report, done := c.progress()
	defer done()
	p, err := project.Open(c.ctx, file.Snapshot, report)
	if err != nil {
		return nil, c.failure(err)
	}
	return p, exitDone
}

// runAnalyze writes the statistics of the data set.
func runAnalyze(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	report, done := c.progress()
	a, err := project.Analyze(c.ctx, file.Config.Dataset, file.Root, report)
	done()
	if err != nil {
		return c.failure(err)
	}
	path := file.Abs(file.Config.Dataset.Analysis)
	if err := a.WriteJSON(path); err != nil {
		return c.failure(err)
	}
	if c.json {
		if code := c.printJSON(a); code != exitDone {
			return code
		}
	} else {
		fmt.Fprint(c.stdout, a.Text())
		printCauses(c.print, a.Causes)
	}
	c.note("written to %s", path)
	return causesCode(a.Causes)
}

// runLint checks recipe, data and model before any training.
func runLint(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	report, done := c.progress()
	v, err := project.Lint(c.ctx, file.Snapshot, report)
	done()
	if err != nil {
		return c.failure(err)
	}
	if v.Trouble != "" {
		c.note("%s", v.Trouble)
	}
	if c.json {
		if code := c.printJSON(struct {
			Schema   int               `json:"schema"`
			Findings []dataset.Finding `json:"findings"`
			Mass     recipe.Table      `json:"mass"`
			Cost     []string          `json:"cost"`
		}{1, v.Findings, v.Mass, costLines(v.Cost, v.Steps)}); code != exitDone {
			return code
		}
		return findingsCode(v.Findings)
	}
	printFindings(c.print, v.Findings)
	fmt.Fprint(c.stdout, v.Mass.Text())
	for _, line := range costLines(v.Cost, v.Steps) {
		c.print("%s", line)
	}
	return findingsCode(v.Findings)
}

// costLines are what a run of so many steps comes to.
func costLines(cost project.Cost, steps int) []string {
	lines := cost.Lines(steps)
	if cost.Measurable() {
		lines = append(lines, fmt.Sprintf("finetui probe measures it by %d steps, and keeps nothing else",
			finetune.ProbeSteps))
	}
	return lines
}

// printFindings prints findings, one line a cause.
func printFindings(print func(format string, args ...any), findings []dataset.Finding) {
	printCauses(print, dataset.Causes(findings))
}

// printCauses prints a line for each cause, with the first row that breaks it and a few others.
func printCauses(print func(format string, args ...any), causes []dataset.Cause) {
	for _, f := range causes {
		place := dataset.Place{File: f.File, Line: f.Line}.String()
		if place != "" {
			place += ": "
		}
		also := f.Also()
		if also != "" {
			also = "; also " + also
		}
		print("%s %s: %s", f.Level, f.Code, printable.Line(place+f.Text+also+" – "+f.Do))
	}
}

func causesCode(causes []dataset.Cause) int {
	for _, f := range causes {
		if f.Level == level.Error {
			return exitFindings
		}
	}
	return exitDone
}

func findingsCode(findings []dataset.Finding) int {
	for _, f := range findings {
		if f.Level == level.Error {
			return exitFindings
		}
	}
	return exitDone
}
