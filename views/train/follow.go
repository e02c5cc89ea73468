package train

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/finetune"
	"finetui/core/run"
	"finetui/core/trainerlog"
)

// reading is everything that is known of one run at one moment. It is not changed afterwards; its rows are shared with
// later readings, which only add to them.
type reading struct {
	run     *run.Run
	status  run.Status
	history run.History
	bad     error // why the metrics or the log could not be read

	preparing finetune.Preparation // of a live run; without words where it is past that, or has not said
	saved     []run.Saved
	log       []string
	config    *config.Config // nil: the snapshot cannot be read
	configErr error
	settings  []trainerlog.Setting // of another trainer's run
	results   []*eval.Result       // evaluations after training, by split

	clock    run.Clock
	weighted bool        // some loss as the recipe weighs it is another one than the plain loss
	classes  []run.Curve // of the loss, most samples first
	recalls  []run.Curve // of the answers on valid, likewise
	alerts   []run.Alert

	curves map[curveKey]*curve // that have been looked at
}

const (
	quietEvery = 2 * time.Second // looks at a run that has ended, where the system does not report changes
	logLines   = 500
)

// follower reads one run as it grows. It is for one goroutine.
type follower struct {
	run     *run.Run
	ask     func(*run.Run) (finetune.Preparation, bool) // Control.Preparing; may be nil
	pace    time.Duration                               // between two messages
	reader  *run.Reader
	evalErr error  // why one cannot be read
	evals   string // how the files of evaluations were when they were read
	last    reading
}

// follow emits a reading whenever the run has changed, at most one in a pace, until ctx ends.
func (f *follower) follow(ctx context.Context, emit func(*reading)) error {
	f.reader = f.run.Reader()
	f.last.settings = f.run.Settings()
	if file, err := f.run.Config(); err != nil {
		f.last.configErr = err
	} else {
		f.last.config = file.Config
	}
	changes := run.NewChanges()
	defer changes.Close()
	first := true
	for {
		reported := changes.Watch(f.run.Folders()...) // before it is read: no change is missed
		changed, more, err := f.read()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if changed = f.readFiles(err) || changed; changed || first {
			now := f.last
			emit(&now)
			first = false
		}
		if more {
			continue // a pace has gone by
		}
		most := f.pace
		switch live := f.last.status.Live(); {
		case reported && live:
			most = max(f.pace, scanEvery) // whether its process lives is not reported
		case reported:
			most = stillEvery
		case !live && !changed:
			most = max(f.pace, quietEvery)
		}
		if err := changes.Wait(ctx, nil, f.pace, most); err != nil {
			return err
		}
	}
}

// read takes in what the metrics have more, for at most a pace, and says whether there was anything and is more.
func (f *follower) read() (changed, more bool, err error) {
	changed, more, err = f.reader.Read(time.Now().Add(f.pace))
	if changed {
		f.derive()
	}
	return changed, more, err
}

// derive works out what follows from the rows.
func (f *follower) derive() {
	h := &f.reader.History
	f.last.history = *h
	f.last.clock = run.NewClock(h)
	f.last.weighted = slices.ContainsFunc(h.Train, func(row *run.Train) bool {
		return row.Loss != row.LossPlain && run.Finite(float64(row.LossPlain))
	})
	f.last.classes = run.LossCurves(h.Classes)
	f.last.recalls = run.RecallCurves(h.Evals)
	f.last.alerts = f.planned().Judge(h, f.last.results...)
}

// planned is the run as it was read last: it knows how many steps it is to take.
func (f *follower) planned() *run.Run {
	if f.last.run != nil {
		return f.last.run
	}
	return f.run
}

// readFiles reads the small files beside the metrics and says whether one of them has changed. bad is what reading the
// metrics came to.
func (f *follower) readFiles(bad error) (changed bool) {
	r := *f.run
	if err := r.Refresh(); err != nil {
		r.Fault = err
	}
	now, before := &f.last, f.last
	now.run, now.status = &r, r.Status()
	now.preparing = finetune.Preparation{}
	if f.ask != nil && now.status.Live() {
		now.preparing, _ = f.ask(&r)
	}
	if now.settings = r.Settings(); slices.Equal(before.settings, now.settings) {
		now.settings = before.settings
	}
	saved, savedErr := r.Checkpoints()
	log, logErr := r.LogTail(logLines)
	now.saved, now.log = saved, log
	if evals := f.evalFiles(&r); evals != f.evals || before.run == nil {
		f.evals = evals
		var results []*eval.Result
		results, f.evalErr = r.Results(run.EvalSplits(now.config)...)
		if !slices.EqualFunc(before.results, results, sameResult) {
			now.results = results // else the ones that others may hold
			now.alerts = f.planned().Judge(&now.history, results...)
		}
	}
	now.bad = errors.Join(bad, savedErr, logErr, f.evalErr)
	return before.run == nil || before.run.Info.Steps != r.Info.Steps ||
		(before.run.Fault == nil) != (r.Fault == nil) ||
		!slices.Equal(before.settings, now.settings) ||
		before.status.State != now.status.State || before.status.Reason != now.status.Reason ||
		(before.bad == nil) != (now.bad == nil) || before.preparing != now.preparing ||
		!slices.Equal(before.saved, saved) || !slices.Equal(before.log, log) ||
		!slices.Equal(before.results, now.results)
}

// by is what makes a checkpoint the best in the run.
func (r *reading) by() config.BestBy {
	if r.config == nil {
		return config.BestByLoss
	}
	return r.config.Train.BestBy
}

// sameResult says whether two evaluations are of the same answers, which all their figures follow from.
func sameResult(a, b *eval.Result) bool {
	return a.Subject == b.Subject && a.Split == b.Split && slices.Equal(a.Items, b.Items)
}

// evalFiles is how the files of evaluations are now: other words mean that one is to be read anew.
func (f *follower) evalFiles(r *run.Run) string {
	now := ""
	for _, split := range run.EvalSplits(f.last.config) {
		if info, err := os.Stat(r.EvalPath(split, "json")); err == nil {
			now += fmt.Sprintln(split, info.Size(), info.ModTime().UnixNano())
		}
	}
	return now
}
