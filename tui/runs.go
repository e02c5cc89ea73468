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

	"github.com/charmbracelet/x/term"

	"finetui/core/config"
	"finetui/core/finetune"
	"finetui/core/run"
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
	if len(c.words) > 1 {
		return c.fail(exitCall, "call it as finetui train [NAME]")
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
	r, findings, err := finetune.Start(c.ctx, file, options)
	done()
	warnings := c
	warnings.stdout = c.stderr
	printFindings(warnings, findings)
	var faults finetune.Faults
	switch {
	case errors.As(err, &faults):
		return c.fail(exitFindings, "%v", err)
	case err != nil:
		return c.failure(err)
	}
	return c.afterStart(r, file.Config, 0)
}

// afterStart waits until a run's process is under way, says what it had to say meanwhile, prints the run, and follows it
// where somebody looks. written is how many bytes of metrics there were before.
func (c call) afterStart(r *run.Run, constants *config.Config, written int64) int {
	report, done := c.progress()
	err := finetune.Underway(c.ctx, r, report)
	done()
	words, wordsErr := finetune.Words(r, written)
	for _, w := range words {
		fmt.Fprintln(c.stderr, widget.Clean(w))
	}
	switch {
	case err != nil && c.ctx.Err() != nil:
		fmt.Fprintf(c.stderr, "%s goes on; finetui follow %d watches it\n", r.Label(), r.Info.Number)
		return exitInterrupted
	case err != nil:
		return c.failure(err)
	case wordsErr != nil:
		return c.failure(wordsErr)
	}
	if wantsJSON(constants) {
		c.printJSON(describe(r))
	} else {
		fmt.Fprintln(c.stdout, r.Dir)
	}
	if !constants.Train.Follow && !c.looking() {
		return exitDone
	}
	return c.follow(r)
}

// looking says whether a person reads stdout.
func (c call) looking() bool {
	f, ok := c.stdout.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

// runWork is the process of a run.
func runWork(c call) int {
	if len(c.words) != 1 {
		return c.fail(exitCall, "call it as finetui %s DIR; finetui train and resume do", finetune.Verb)
	}
	ctx, stop := finetune.Until(context.WithoutCancel(c.ctx))
	defer stop()
	if err := finetune.Work(ctx, c.words[0], c.overrides...); err != nil {
		return c.fail(exitFailed, "%v", err)
	}
	return exitDone
}

// find returns the run that a call's first word names, in the configuration's folder of runs.
func (c call) find() (*run.Run, *config.File, int) {
	file, ok := c.configuration()
	if !ok {
		return nil, nil, exitCall
	}
	if len(c.words) == 0 {
		return nil, nil, c.fail(exitCall, "say which run: its number, name or folder; finetui runs lists them")
	}
	r, err := run.Find(file.Abs(file.Config.Project.Runs), c.words[0])
	if err != nil {
		return nil, nil, c.fail(exitCall, "%v", err)
	}
	return r, file, exitDone
}

// runStop asks a run to stop.
func runStop(c call) int {
	now := len(c.words) == 2 && c.words[1] == "now"
	if len(c.words) > 1 && !now {
		return c.fail(exitCall, "call it as finetui stop RUN [now]")
	}
	r, _, code := c.find()
	if code != exitDone {
		return code
	}
	if err := run.RequestStop(r.Dir, now); err != nil {
		return c.failure(err)
	}
	s := r.Status() // what is so now: an earlier request may go further than this one
	fmt.Fprintf(c.stdout, "%s %s\n", r.Label(), cmp.Or(s.Reason, "is "+s.State))
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
		return c.fail(exitCall, "%v", err)
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
	tail := r.Tail()
	report, done := c.progress()
	defer done()
	for {
		status := r.Status()
		if p, ok := finetune.Preparing(r); ok && status.Live() {
			report(p.Done, p.Total, p.What)
		} else {
			done()
		}
		for {
			batch, err := tail.Read()
			if err != nil {
				return c.failure(err)
			}
			for _, row := range batch.Rows {
				if line := rowText(row, r.Info.Steps); line != "" {
					fmt.Fprintln(c.stdout, line)
				}
			}
			if !batch.More {
				break
			}
		}
		if !status.Live() {
			r.Refresh()
			fmt.Fprintf(c.stderr, "%s is %s: %s\n", r.Label(), status.State, status.Reason)
			if status.State == run.Failed || status.State == run.Killed {
				return exitFailed
			}
			return exitDone
		}
		r.Refresh()
		select {
		case <-c.ctx.Done():
			done()
			fmt.Fprintf(c.stderr, "%s goes on; finetui follow %d watches it again\n", r.Label(), r.Info.Number)
			return exitInterrupted
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// rowText is a row of metrics as a line; "" for one that a follower need not see.
func rowText(row run.Row, steps int) string {
	switch row := row.(type) {
	case *run.Train:
		return fmt.Sprintf("step %d/%d  epoch %.2f  loss %.4f  plain %.4f  lr %.2e  norm %.2f  %.0f tokens/s", row.Step, steps, row.Epoch, row.Loss, row.LossPlain, row.LR, row.GradNorm, row.TokensPerSecond)
	case *run.Eval:
		return fmt.Sprintf("step %d/%d  %s: loss %.4f  accuracy %.1f %%  macro-F1 %.3f", row.Step, steps, row.Split, row.Loss, 100*row.Accuracy, row.MacroF1)
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
	return description{Info: r.Info, State: s.State, Reason: s.Reason, Dir: r.Dir, Seconds: s.Elapsed.Seconds(), Step: finetune.Progress(r)}
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
	if wantsJSON(file.Config) {
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
			fmt.Fprintf(t, "%s\tunreadable\t%v\n", filepath.Base(r.Dir), r.Fault)
			continue
		}
		d := describe(r)
		fmt.Fprintf(t, "%s\t%s\t%d/%d\t%s\t%s\t%s\t%s\n", r.Label(), d.State, d.Step, d.Steps, d.Recipe, d.Base,
			time.Unix(int64(d.Created), 0).Format("2006-01-02 15:04"), time.Duration(d.Seconds*float64(time.Second)).Round(time.Second))
	}
	t.Flush()
	return exitDone
}

func (c call) showRun(r *run.Run, file *config.File) int {
	d := describe(r)
	if wantsJSON(file.Config) {
		return c.printJSON(d)
	}
	fmt.Fprintf(c.stdout, "%s is %s", r.Label(), d.State)
	if d.Reason != "" {
		fmt.Fprintf(c.stdout, ": %s", d.Reason)
	}
	fmt.Fprintf(c.stdout, "\nfolder     %s\nrecipe     %s\nbase       %s (%s)\ndata       %s\nprogram    %s on %s\nsteps      %d of %d, %d samples an epoch, %d trained parameters\n",
		r.Dir, d.Recipe, d.Base, d.BaseFingerprint, d.DataFingerprint, d.Version, d.Machine, d.Step, d.Steps, d.Samples, d.Trainable)
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
	if snapshot, err := r.Config(); err == nil {
		for _, change := range config.Diff(file.Config, snapshot.Config) {
			fmt.Fprintf(c.stdout, "differs    %s = %s (config.toml: %s)\n", change.Key, change.New, change.Old)
		}
	}
	return exitDone
}
