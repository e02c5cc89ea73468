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
