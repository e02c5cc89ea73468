package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"finetui/core/config"
	"finetui/core/finetune"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/views/widget"
)

// executable is the program itself, to be started as a run's process.
func executable() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("the program cannot find its own file to start a run with: %w", err)
	}
	return filepath.EvalSymlinks(exe)
}

// runTrain lints and starts a run, and follows it where somebody is looking.
func runTrain(c call) int {
	if len(c.words) == 1 {
		if err := run.CheckName(c.words[0]); err != nil {
			return c.fail(exitCall, "%w", err)
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
	options := finetune.Options{Exe: exe, Version: version(), Report: report}
	if len(c.words) == 1 {
		options.Name = c.words[0]
	}
	r, findings, err := finetune.Start(c.ctx, file.Snapshot, options)
	done()
	printFindings(c.note, findings)
	var faults finetune.Faults
	switch {
	case errors.As(err, &faults):
		return c.fail(exitFindings, "%w", err)
	case err != nil:
		return c.failure(err)
	}
	return c.afterStart(r, file.Config, 0)
}

// runProbe measures a few steps.
func runProbe(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	report, done := c.progress()
	probe, err := finetune.MeasureSteps(c.ctx, file.Snapshot, finetune.Options{Exe: exe, Report: report})
	done()
	switch {
	case err != nil:
		return c.failure(err)
	case c.json:
		return c.printJSON(probe)
	}
	c.print("%s", finetune.ProbeLine(probe))
	return exitDone
}

// runProbing is the process of a probe.
func runProbing(c call) int {
	ctx, stop := finetune.Until(context.WithoutCancel(c.ctx))
	defer stop()
	if err := finetune.TakeProbe(ctx, os.Stdin, c.stdout); err != nil {
		return c.fail(exitFailed, "%w", err)
	}
	return exitDone
}

// afterStart waits until a run's process is under way, says what it had to say meanwhile, prints the run, and follows
// it where somebody looks. written is how many bytes of metrics there were before.
func (c call) afterStart(r *run.Run, constants *config.Config, written int64) int {
	report, done := c.progress()
	err := finetune.Underway(c.ctx, r, report)
	done()
	words, wordsErr := finetune.Words(r, written)
	for _, w := range words {
		c.note("%s", w)
	}
	switch {
	case err != nil && c.ctx.Err() != nil:
		c.note("%s goes on; finetui follow %d watches it", r.Label(), r.Info.Number)
		return exitInterrupted
	case err != nil:
		return c.failure(err)
	case wordsErr != nil:
		return c.failure(wordsErr)
	}
	watched := constants.Train.Follow || c.stdout.terminal()
	switch {
	case c.json && watched:
		return c.follow(r) // its first object is the run
	case c.json:
		return c.printJSON(describe(r))
	}
	c.print("%s", r.Dir)
	if !watched {
		return exitDone
	}
	return c.follow(r)
}

// runWork is the process of a run.
func runWork(c call) int {
	ctx, stop := finetune.Until(context.WithoutCancel(c.ctx))
	defer stop()
	if err := finetune.Work(ctx, c.words[0], c.overrides...); err != nil {
		return c.fail(exitFailed, "%w", err)
	}
	return exitDone
}

// find returns the run that a call's first word names, in the configuration's folder of runs.
func (c call) find() (*run.Run, *config.File, int) {
	file, ok := c.configuration()
	if !ok {
		return nil, nil, exitCall
	}
	r, err := run.Find(file.Abs(file.Config.Project.Runs), c.words[0])
	if err != nil {
		return nil, nil, c.unusable(err)
	}
	return r, file, exitDone
}

// runStop asks a run to stop.
func runStop(c call) int {
	now := len(c.words) == 2
	if now && c.words[1] != "now" {
		return c.fail(exitCall, "%q is not now: call it as finetui stop RUN [now]", c.words[1])
	}
	r, _, code := c.find()
	if code != exitDone {
		return code
	}
	if err := run.RequestStop(r.Dir, now); err != nil {
		return c.failure(err)
	}
	s := r.Status() // what is so now: an earlier request may go further than this one
	what := cmp.Or(s.Reason, "is "+s.State)
	if c.json {
		return c.printJSON(struct {
			Schema int    `json:"schema"`
			Run    string `json:"run"`
			Stops  string `json:"stops"`
		}{run.Schema, r.Label(), what})
	}
	c.print("%s %s", r.Label(), what)
	return exitDone
}

// runResume goes on with a run.
func runResume(c call) int {
	if len(c.words) > 1 {
		return c.fail(exitCall, "call it as finetui resume RUN [SECTION.KEY=value …]")
	}
	r, file, code := c.find()
	if code != exitDone {
		return code
	}
	if err := r.Refuse("resumed"); err != nil {
		return c.failure(err)
	}
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	written := r.Written()
	err = finetune.Resume(c.ctx, r, finetune.Options{Exe: exe}, c.overrides...)
	var fixed *finetune.Fixed
	switch {
	case errors.As(err, &fixed):
		return c.fail(exitCall, "%w", err)
	case err != nil:
		return c.failure(err)
	}
	return c.afterStart(r, file.Config, written)
}

// runFollow watches a run.
func runFollow(c call) int {
	r, _, code := c.find()
	if code != exitDone {
		return code
	}
	return c.follow(r)
}

// follow prints a run's rows as they come until it has ended. Leaving does not stop the run.
func (c call) follow(r *run.Run) int {
	report, done := c.progress()
	defer done()
	if c.json {
		c.printRow(followed{"run", describe(r)})
	}
	checked := false
	reader := r.Rows(0, func(row run.Row) {
		if _, check := row.(*run.Eval); check {
			checked = true
		}
		if c.json {
			c.printRow(row)
		} else if line := rowText(row, r.Info.Steps); line != "" {
			c.print("%s", printable.Line(line))
		}
	})
	told := map[string]bool{}
	stalled := false // said of another trainer's run, which may yet go on
	changes := run.NewChanges()
	defer changes.Close()
	for {
		const pace = 300 * time.Millisecond
		most := pace
		if changes.Watch(r.Folders()...) { // before it is read: no change is missed
			most = time.Second // whether its process lives is not reported
		}
		status := r.Status()
		checked = false
		if p, ok := finetune.Preparing(r); ok && status.Live() {
			report(p.Done, p.Total, p.What)
		} else {
			done()
		}
		if _, _, err := reader.Read(time.Time{}); err != nil {
			return c.failure(err)
		}
		var alerts []run.Alert
		switch {
		case !status.Live():
			alerts = r.Alerts(&reader.History)
		case checked:
			alerts = r.Judge(&reader.History)
		}
		for _, a := range alerts {
			if !told[a.Text] {
				told[a.Text] = true
				c.note("step %d  %s: %s", a.Step, a.Level, printable.Line(a.Text))
			}
		}
		if status.State == run.Stalled && !stalled {
			c.note("%s", headline(printable.Line(r.Label()), status.State, status.Reason))
		}
		if stalled = status.State == run.Stalled; !status.Live() && !stalled {
			r.Refresh()
			if c.json {
				c.printRow(followed{"end", describe(r)})
			}
			c.note("%s", headline(printable.Line(r.Label()), status.State, status.Reason))
			if status.State == run.Failed || status.State == run.Killed {
				return exitFailed
			}
			return exitDone
		}
		r.Refresh()
		if err := changes.Wait(c.ctx, nil, pace, most); err != nil {
			done()
			again := fmt.Sprint(r.Info.Number)
			if r.Tool() != "" {
				again = printable.Line(r.Dir)
			}
			c.note("%s goes on; finetui follow %s watches it again", printable.Line(r.Label()), again)
			return c.failure(err)
		}
	}
}

// followed is what follow prints in JSON before the rows of a run (kind "run") and after them ("end").
type followed struct {
	Kind string `json:"kind"`
	description
}

// headline says what a run has come to.
func headline(label, state, reason string) string {
	if reason == "" {
		return label + " is " + state
	}
	return label + " is " + state + ": " + printable.Plain(reason)
}

// rowText is a row of metrics as a line; "" for one that a follower need not see.
func rowText(row run.Row, steps int) string {
	switch row := row.(type) {
	case *run.Metrics:
		return adoptedText(row.Head, steps, row.Values...)
	case *run.Train:
		if math.IsNaN(float64(row.Seconds.Forward)) { // another trainer's
			return adoptedText(row.Head, steps, run.NamedValue{Name: "epoch", Y: row.Epoch},
				run.NamedValue{Name: "loss", Y: row.Loss}, run.NamedValue{Name: "lr", Y: row.LR},
				run.NamedValue{Name: "norm", Y: row.GradNorm}, run.NamedValue{Name: "tokens/s", Y: row.TokensPerSecond})
		}
		return fmt.Sprintf("step %d/%d  epoch %.2f  loss %.4f  plain %.4f  lr %.2e  norm %.2f  %.0f tokens/s", row.Step,
			steps, row.Epoch, row.Loss, row.LossPlain, row.LR, row.GradNorm, row.TokensPerSecond)
	case *run.Eval:
		if math.IsNaN(float64(row.Accuracy)) {
			return adoptedText(row.Head, steps, run.NamedValue{Name: row.Split + ": loss", Y: row.Loss})
		}
		return fmt.Sprintf("step %d/%d  %s: loss %.4f  accuracy %.1f %%  macro-F1 %.3f", row.Step, steps, row.Split,
			row.Loss, 100*row.Accuracy, row.MacroF1)
	case *run.Checkpoint:
		return fmt.Sprintf("step %d/%d  checkpoint %s", row.Step, steps, row.Path)
	case *run.Event:
		return fmt.Sprintf("step %d/%d  %s: %s", row.Step, steps, row.Level, row.Text)
	}
	return ""
}

// adoptedText is what another trainer said of a step; what it did not say is left out.
func adoptedText(h run.Head, steps int, values ...run.NamedValue) string {
	line := "step " + stepOf(h.Step, steps)
	for _, v := range values {
		if !math.IsNaN(float64(v.Y)) || v.Name == "loss" {
			line += fmt.Sprintf("  %s %.5g", v.Name, v.Y)
		}
	}
	return line
}

// showAdopted shows what is known of another trainer's run.
func (c call) showAdopted(r *run.Run, d description) int {
	fmt.Fprintf(c.stdout, "folder     %s\ntrainer    %s\nbase       %s\nstarted    %s\nsteps      %s\n",
		printable.Line(r.Dir), d.Trainer, printable.Line(cmp.Or(d.Base, "-")), begun(d.Created), stepOf(d.Step, d.Steps))
	saved, err := r.Checkpoints()
	if err != nil {
		return c.failure(err)
	}
	for _, s := range saved {
		mark := ""
		if s.Best {
			mark = " best"
		}
		if s.Latest {
			mark += " latest"
		}
		fmt.Fprintf(c.stdout, "checkpoint %s%s\n", printable.Line(filepath.Base(s.Path)), mark)
	}
	c.judge(r)
	settings, width := r.Settings(), 10
	for _, s := range settings {
		width = min(max(width, len(s.Key)), 32)
	}
	for _, s := range settings {
		fmt.Fprintf(c.stdout, "%-*s %s\n", width, printable.Line(s.Key), printable.Line(s.Value))
	}
	return exitDone
}

// description is a run as runs prints it in JSON.
type description struct {
	run.Info
	State   string  `json:"state"`
	Reason  string  `json:"reason,omitempty"`
	Dir     string  `json:"dir"`
	Seconds float64 `json:"seconds"`
	Step    int     `json:"step"`
	Trainer string  `json:"trainer,omitempty"` // another one than this program
}

func describe(r *run.Run) description {
	s := r.Status()
	return description{Info: r.Info, State: s.State, Reason: s.Reason, Dir: r.Dir, Seconds: s.Elapsed.Seconds(),
		Step: finetune.Progress(r), Trainer: r.Tool()}
}

// adoptable looks for runs of other trainers in a folder as somebody wrote it. It returns the folder as PROJECT.WATCH
// names it, from the project's folder where it lies there, and how many runs there are.
func adoptable(s *config.Snapshot, folder string) (name string, runs int, err error) {
	dir := s.Abs(filepath.Clean(session.ExpandHome(folder)))
	if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "", 0, printable.Missing("%s is not there: name the folder that the trainer wrote to, or one above", dir)
	} else if err != nil {
		return "", 0, err
	} else if !info.IsDir() {
		return "", 0, fmt.Errorf("%s is no folder: name the one that the trainer wrote to, or one above", dir)
	}
	if strings.ContainsAny(dir, ",\"") {
		return "", 0, fmt.Errorf("%s has a comma or a quotation mark in its name: write it into PROJECT.WATCH in "+
			"config.toml", dir)
	}
	if runs = len(run.Adopted("", dir)); runs == 0 {
		return "", 0, fmt.Errorf("no run of another trainer is in %s or below it, as far as its files tell", dir)
	}
	if within, err := filepath.Rel(s.Root, dir); err == nil && filepath.IsLocal(within) {
		return within, runs, nil
	}
	return dir, runs, nil
}

// watchedFolders are those of PROJECT.WATCH, absolute.
func watchedFolders(s *config.Snapshot) []string {
	var folders []string
	for _, folder := range s.Config.Project.Watch {
		folders = append(folders, s.Abs(folder))
	}
	return folders
}

// runRuns lists the runs, those in a folder of other trainers' runs, or shows one in full.
func runRuns(c call) int {
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	if len(c.words) > 0 {
		r, err := run.Find(file.Abs(file.Config.Project.Runs), c.words[0])
		if err == nil {
			return c.showRun(r, file)
		}
		if found := run.Adopted(file.Abs(file.Config.Project.Runs), c.words[0]); len(found) > 0 {
			return c.listRuns(found)
		}
		return c.unusable(err)
	}
	list, err := run.List(file.Abs(file.Config.Project.Runs))
	if err != nil {
		return c.failure(err)
	}
	watched := run.Adopted(file.Abs(file.Config.Project.Runs), watchedFolders(file.Snapshot)...)
	return c.listRuns(append(list, watched...))
}

// listRuns prints a line for each run.
func (c call) listRuns(list []*run.Run) int {
	if c.json {
		out := struct {
			Schema int           `json:"schema"`
			Runs   []description `json:"runs"`
		}{run.Schema, []description{}}
		for _, r := range list {
			out.Runs = append(out.Runs, describe(r))
		}
		return c.printJSON(out)
	}
	t := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "run\tstate\tstep\trecipe\tbase\tstarted\ttime")
	for _, r := range list {
		if r.Fault != nil {
			fmt.Fprintf(t, "%s\tunreadable\t%s\n", printable.Line(filepath.Base(r.Dir)),
				printable.Line(printable.Error(r.Fault)))
			continue
		}
		d := describe(r)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable.Line(r.Label()), d.State, stepOf(d.Step, d.Steps),
			d.Recipe, printable.Line(cmp.Or(d.Base, "-")), begun(d.Created),
			widget.Duration(time.Duration(d.Seconds*float64(time.Second)).Round(time.Second)))
	}
	t.Flush()
	return exitDone
}

// stepOf is how far a run is, of how many steps where that is known.
func stepOf(step, steps int) string {
	if steps == 0 {
		return fmt.Sprint(step)
	}
	return fmt.Sprintf("%d/%d", step, steps)
}

// begun is when a run was; "-" where that is not known.
func begun(unix float64) string {
	if unix == 0 {
		return "-"
	}
	return time.Unix(int64(unix), 0).Format("2006-01-02 15:04")
}

// judge prints what a run's figures give reason to say: what takes its time, and its alerts.
func (c call) judge(r *run.Run) {
	reader := r.Reader()
	if _, _, err := reader.Read(time.Time{}); err != nil {
		c.note("the metrics of %s cannot be read: %s", r.Label(), printable.Error(err))
		return
	}
	h := &reader.History
	if spent := run.TimeOf(h, run.NewClock(h)); spent.Within() > 0 {
		verdict, _ := spent.Verdict(h.Machine())
		fmt.Fprintf(c.stdout, "time       %s\n", verdict)
	}
	for _, a := range r.Alerts(h) {
		fmt.Fprintf(c.stdout, "%-10s step %d: %s\n", a.Level, a.Step, printable.Line(a.Text))
	}
}

func (c call) showRun(r *run.Run, file *config.File) int {
	d := describe(r)
	if c.json {
		return c.printJSON(d)
	}
	c.print("%s", headline(printable.Line(r.Label()), d.State, d.Reason))
	if r.Tool() != "" {
		return c.showAdopted(r, d)
	}
	fmt.Fprintf(c.stdout, "folder     %s\nrecipe     %s\nbase       %s\ndata       %s\nprogram    %s on "+
		"%s\nsteps      %d of %d, %d samples an epoch, %d trained parameters\n",
		r.Dir, d.Recipe, strings.TrimSpace(d.Base+" "+d.BaseFingerprint), d.DataFingerprint, d.Version, d.Machine, d.Step,
		d.Steps, d.Samples, d.Trainable)
	saved, err := r.Checkpoints()
	if err != nil {
		return c.failure(err)
	}
	for _, s := range saved {
		var marks []string
		if s.Best {
			marks = append(marks, "best")
		}
		if s.Latest {
			marks = append(marks, "latest")
		}
		fmt.Fprintf(c.stdout, "checkpoint %s %s\n", filepath.Base(s.Path), strings.Join(marks, " "))
	}
	c.judge(r)
	if snapshot, err := r.Config(); err == nil {
		for _, change := range config.Diff(file.Config, snapshot.Config) {
			if change.Key == "PROJECT.WATCH" {
				continue // it is no part of a run
			}
			fmt.Fprintf(c.stdout, "differs    %s = %s (config.toml: %s)\n", change.Key, change.New, change.Old)
		}
	}
	return exitDone
}
