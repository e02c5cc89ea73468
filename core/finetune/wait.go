package finetune

import (
	"context"
	"fmt"
	"time"

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
	for {
		s := r.Status()
		if err := r.Refresh(); err != nil {
			return err
		}
		if !s.Live() {
			if s.State == run.Done {
				return nil
			}
			return fmt.Errorf("%s is %s: %s", r.Label(), s.State, s.Reason)
		}
		if report != nil {
			reader.Read(time.Time{})
			report(reader.History.Step(), r.Info.Steps, "steps of "+r.Label())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s goes on without this program: %w", r.Label(), ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// Underway returns when a run's process, which has just taken it up, has got through what may still keep it from going
// on: the data set, the base and the checkpoint are those of then, and its constants fit. Where the base is being
// fetched, which may take hours, it does not wait. The error is the reason why the run does not go on.
func Underway(ctx context.Context, r *run.Run, report project.Progress) error {
	for {
		s := r.Status()
		if err := r.Refresh(); err != nil {
			return err
		}
		switch {
		case !s.Live() && (s.State == run.Done || s.State == run.Stopped):
			return nil // it was quick
		case !s.Live():
			return fmt.Errorf("%s is %s: %s", r.Label(), s.State, s.Reason)
		case r.Info.Ready > 0:
			return nil
		}
		p, ok := Preparing(r)
		if ok && p.Hub {
			return nil
		}
		if ok && report != nil {
			report(p.Done, p.Total, p.What)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s goes on without this program: %w", r.Label(), ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Words are the events above mere information that have been put down since metrics had so many bytes (run.Written).
func Words(r *run.Run, written int64) (words []string, err error) {
	tail := r.TailFrom(written)
	for {
		batch, err := tail.Read()
		if err != nil {
			return nil, err
		}
		for _, row := range batch.Rows {
			if e, ok := row.(*run.Event); ok && e.Level != run.LevelInfo {
				words = append(words, e.Text)
			}
		}
		if !batch.More {
			return words, nil
		}
	}
}
