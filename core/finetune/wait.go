package finetune

import (
	"context"
	"fmt"
	"time"

	"finetui/core/project"
	"finetui/core/run"
)

// Progress is the last step that a run's metrics report.
func Progress(r *run.Run) int {
	var h run.History
	tail := r.Tail()
	for {
		batch, err := tail.Read()
		if err != nil {
			return h.Step()
		}
		h.Add(batch)
		if !batch.More {
			return h.Step()
		}
	}
}

// Wait returns when a run is done, or with the reason why it never will be. Leaving does not stop the run.
func Wait(ctx context.Context, r *run.Run, report project.Progress) error {
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
			report(Progress(r), r.Info.Steps, "steps of "+r.Label())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s goes on without this program: %w", r.Label(), ctx.Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}
