package sweep

import (
	"context"
	"fmt"
	"time"

	"finetui/core/config"
	"finetui/core/eval"
)

// Report is a sweep with what has become of it, and what may be said.
type Report struct {
	*Sweep
	Status   Status
	Compared *eval.RecipeComparison // nil: nothing can be compared yet
	Fault    error                  // what of it cannot be read, or compared
}

// Watcher remembers what was compared, so that nothing is compared twice. Its zero value is ready; it is for one
// goroutine.
type Watcher struct{ compared map[string]Report } // by folder, split and runs that are scored

// Watch reports a project's sweeps, the newest first, now and whenever something of them has changed, until none is at
// work.
func (w *Watcher) Watch(ctx context.Context, file *config.Snapshot, emit func([]Report)) error {
	if w.compared == nil {
		w.compared = map[string]Report{}
	}
	before := ""
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		list, err := List(file)
		live, now := false, fmt.Sprint(err)
		var out []Report
		for _, s := range list {
			r := Report{Sweep: s}
			r.Status, r.Fault = s.Status()
			live = live || r.Status.Live
			key := s.Dir + fmt.Sprint(s.Plan.Split)
			for _, c := range r.Status.Cells {
				now += fmt.Sprintf("%s %s %d;", c.State, c.Reason, c.Step)
				if c.State == Scored {
					key += " " + c.Run.Dir
				}
			}
			now += fmt.Sprintf("%s %v %v %v\n", s.Dir, r.Status.Live, r.Status.Paused, s.Plan)
			known, ok := w.compared[key]
			if !ok {
				if known.Compared, known.Fault = s.Compare(ctx, r.Status); ctx.Err() != nil {
					return ctx.Err()
				}
				w.compared[key] = known
			}
			if r.Compared = known.Compared; r.Fault == nil {
				r.Fault = known.Fault
			}
			out = append(out, r)
		}
		if now != before {
			before = now
			emit(out)
		}
		if !live {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
