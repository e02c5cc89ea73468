package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"finetui/core/config"
	"finetui/core/finetune"
	"finetui/core/printable"
	"finetui/core/run"
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
	exe, err := executable()
	if err != nil {
		return c.failure(err)
	}
	written := r.Written()
	err = finetune.Resume(c.ctx, r, exe, c.overrides...)
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
			alerts = reader.History.Alerts(r.Info.Steps)
		}
		for _, a := range alerts {
			if !told[a.Text] {
				told[a.Text] = true
				c.note("step %d  %s: %s", a.Step, a.Level, printable.Line(a.Text))
			}
		}
		if !status.Live() {
			r.Refresh()
			if c.json {
				c.printRow(followed{"end", describe(r)})
			}
			c.note("%s", headline(r.Label(), status.State, status.Reason))
			if status.State == run.Failed || status.State == run.Killed {
				return exitFailed
			}
			return exitDone
		}
		r.Refresh()
		if err := changes.Wait(c.ctx, nil, pace, most); err != nil {
			done()
			c.note("%s goes on; finetui follow %d watches it again", r.Label(), r.Info.Number)
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
	case *run.Train:
		return fmt.Sprintf("step %d/%d  epoch %.2f  loss %.4f  plain %.4f  lr %.2e  norm %.2f  %.0f tokens/s", row.Step,
			steps, row.Epoch, row.Loss, row.LossPlain, row.LR, row.GradNorm, row.TokensPerSecond)
	case *run.Eval:
		return fmt.Sprintf("step %d/%d  %s: loss %.4f  accuracy %.1f %%  macro-F1 %.3f", row.Step, steps, row.Split,
			row.Loss, 100*row.Accuracy, row.MacroF1)
	case *run.Checkpoint:
		return fmt.Sprintf("step %d/%d  checkpoint %s", row.Step, steps, row.Path)
	case *run.Event:
		return fmt.Sprintf("step %d/%d  %s: %s", row.Step, steps, row.Level, row.Text)
	}
	return ""
}

// description is a run as runs prints it in JSON.
type description struct {
	run.Info
	State   string  `json:"state"`
	Reason  string  `json:"reason,omitempty"`
	Dir     string  `json:"dir"`
	Seconds float64 `json:"seconds"`
	Step    int     `json:"step"`
}

func describe(r *run.Run) description {
	s := r.Status()
	return description{Info: r.Info, State: s.State, Reason: s.Reason, Dir: r.Dir, Seconds: s.Elapsed.Seconds(),
		Step: finetune.Progress(r)}
}

// runRuns lists the runs, or shows one in full.
func runRuns(c call) int {
	if len(c.words) > 0 {
		r, file, code := c.find()
		if code != exitDone {
			return code
		}
		return c.showRun(r, file)
	}
	file, ok := c.configuration()
	if !ok {
		return exitCall
	}
	list, err := run.List(file.Abs(file.Config.Project.Runs))
	if err != nil {
		return c.failure(err)
	}
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
		fmt.Fprintf(t, "%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\n", r.Label(), d.State, d.Step, d.Steps, d.Recipe, d.Base,
			time.Unix(int64(d.Created), 0).Format("2006-01-02 15:04"),
			time.Duration(d.Seconds*float64(time.Second)).Round(time.Second))
	}
	t.Flush()
	return exitDone
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
	c.print("%s", headline(r.Label(), d.State, d.Reason))
	fmt.Fprintf(c.stdout, "folder     %s\nrecipe     %s\nbase       %s (%s)\ndata       %s\nprogram    %s on "+
		"%s\nsteps      %d of %d, %d samples an epoch, %d trained parameters\n",
		r.Dir, d.Recipe, d.Base, d.BaseFingerprint, d.DataFingerprint, d.Version, d.Machine, d.Step, d.Steps, d.Samples,
		d.Trainable)
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
			fmt.Fprintf(c.stdout, "differs    %s = %s (config.toml: %s)\n", change.Key, change.New, change.Old)
		}
	}
	return exitDone
}
