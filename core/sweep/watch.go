package sweep

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"finetui/core/config"
	"finetui/core/eval"
)

// Report is a sweep with what has become of it, and what may be said.
type Report struct {
	*Sweep
	Status   Status
	Compared *eval.RecipeComparison // nil: nothing can be compared yet
	// Comparing: what is scored is still being compared, and Compared is not of all of it yet.
	Comparing bool
	Fault     error // what of it cannot be read, or compared
}

// Watcher remembers what was compared, so that nothing is compared twice. Its zero value is ready; it is for one
// goroutine.
type Watcher struct {
	compared map[string]Report // by folder, split and evaluations
	last     map[string]Report // the newest of a folder
	results  map[string]result // by path
}

// result is an evaluation as its file held it.
type result struct {
	*eval.Result
	written time.Time
}

// read reads an evaluation where it has changed.
func (w *Watcher) read(path string) (*eval.Result, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if known, ok := w.results[path]; ok && known.written.Equal(info.ModTime()) {
		return known.Result, nil
	}
	r, err := eval.Read(path)
	if err == nil {
		w.results[path] = result{r, info.ModTime()}
	}
	return r, err
}

// with is a report with what was compared.
func (r Report) with(known Report) Report {
	if r.Compared = known.Compared; r.Fault == nil {
		r.Fault = known.Fault
	}
	return r
}

// Status is a sweep's, without reading again what has not changed.
func (w *Watcher) Status(s *Sweep) (Status, error) {
	w.begin()
	return s.status(w.read)
}

func (w *Watcher) begin() {
	if w.compared == nil {
		w.compared, w.last, w.results = map[string]Report{}, map[string]Report{}, map[string]result{}
	}
}

// Watch reports a project's sweeps, the newest first, now and whenever something of them has changed, until none is at
// work.
func (w *Watcher) Watch(ctx context.Context, file *config.Snapshot, emit func([]Report)) error {
	w.begin()
	before := ""
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		list, err := List(file)
		live, now := false, fmt.Sprint(err)
		var out []Report
		var keys []string
		for _, s := range list {
			r := Report{Sweep: s}
			r.Status, r.Fault = s.status(w.read)
			live = live || r.Status.Live
			key := s.Dir + fmt.Sprint(s.Plan.Split)
			for _, c := range r.Status.Cells {
				now += fmt.Sprintf("%s %s %d %p;", c.State, c.Reason, c.Step, c.Result)
				if c.State == Scored {
					key += fmt.Sprintf(" %s %p", c.Run.Dir, c.Result)
				}
			}
			now += fmt.Sprintf("%s %v %v %v\n", s.Dir, r.Status.Live, r.Status.Paused, s.Plan)
			known, ok := w.compared[key]
			if !ok {
				known, r.Comparing = Report{Compared: w.last[s.Dir].Compared}, true
			}
			out, keys = append(out, r.with(known)), append(keys, key)
		}
		if now != before {
			before = now
			emit(slices.Clone(out))
		}
		for i, r := range out { // it takes a while
			if !r.Comparing {
				continue
			}
			var known Report
			if known.Compared, known.Fault = r.Compare(ctx, r.Status); ctx.Err() != nil {
				return ctx.Err()
			}
			w.compared[keys[i]], w.last[r.Dir] = known, known
			r.Comparing = false
			out[i] = r.with(known)
			emit(slices.Clone(out))
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
