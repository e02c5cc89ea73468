package finetune

import (
	"context"
	"fmt"
	"time"

	"finetui/core/level"
	"finetui/core/project"
	"finetui/core/run"
)

// Progress is the last step that a run's metrics report, as far as they can be read.
func Progress(r *run.Run) int {
	reader := r.BriefReader()
	reader.Read(time.Time{})
	return reader.History.Step()
}

// Wait returns when a run is done, or with the reason why it never will be. Leaving does not stop the run.
func Wait(ctx context.Context, r *run.Run, report project.Progress) error {
	reader := r.BriefReader()
	return attend(ctx, r, 250*time.Millisecond, func(s run.Status) (bool, error) {
		if s.Live() && report != nil {
			if _, _, err := reader.Read(time.Time{}); err != nil {
				return false, err
			}
			report(reader.History.Step(), r.Info.Steps, "steps of "+r.Label())
		}
		if !s.Live() && s.State != run.Done {
			return false, fmt.Errorf("%s is %s: %s", r.Label(), s.State, s.Reason)
		}
		return !s.Live(), nil
	})
}

// Underway returns when a run's process, which has just taken it up, has got through what may still keep it from going
// on: the data set, the base and the checkpoint are those of then, and its constants fit. Where the base is being
// fetched, which may take hours, it does not wait. The error is the reason why the run does not go on.
func Underway(ctx context.Context, r *run.Run, report project.Progress) error {
	return attend(ctx, r, 50*time.Millisecond, func(s run.Status) (bool, error) {
		switch {
		case !s.Live() && (s.State == run.Done || s.State == run.Stopped):
			return true, nil // it was quick
		case !s.Live():
			return false, fmt.Errorf("%s is %s: %s", r.Label(), s.State, s.Reason)
		case r.Info.Ready > 0:
			return true, nil
		}
		p, ok := Preparing(r)
		if ok && !p.Hub && report != nil {
			report(p.Done, p.Total, p.What)
		}
		return ok && p.Hub, nil
	})
}

// lifeEvery is how often a run is looked at whose folder tells of every change: it does not tell that its process died.
const lifeEvery = time.Second

// attend looks at a run until it has come to what is waited for: whenever something has changed in its folder, at most
// once in a pace, and at every pace where changes are not reported.
func attend(ctx context.Context, r *run.Run, pace time.Duration, there func(run.Status) (bool, error)) error {
	changes := run.NewChanges()
	defer changes.Close()
	for {
		most := pace
		if changes.Watch(r.Folders()...) { // before it is read: no change is missed
			most = max(pace, lifeEvery)
		}
		s := r.Status()
		if err := r.Refresh(); err != nil {
			return err
		}
		if done, err := there(s); done || err != nil {
			return err
		}
		if err := changes.Wait(ctx, nil, pace, most); err != nil {
			return fmt.Errorf("%s goes on without this program: %w", r.Label(), err)
		}
	}
}

// Words are the events above mere information that have been put down since metrics had so many bytes (run.Written).
func Words(r *run.Run, written int64) (words []string, err error) {
	reader := r.Rows(written, func(row run.Row) {
		if e, ok := row.(*run.Event); ok && e.Level != level.Info {
			words = append(words, e.Text)
		}
	})
	_, _, err = reader.Read(time.Time{})
	return words, err
}
