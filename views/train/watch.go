package train

import (
	"context"
	"math"
	"slices"
	"time"

	"finetui/core/config"
	"finetui/core/gpu"
	"finetui/core/run"
)

// listing is the folder of runs at one moment. It is not changed afterwards.
type listing struct {
	folder string
	others []string // folders in which runs of other trainers are looked for
	runs   []entry  // newest first, then those of other trainers likewise
	at     time.Time
	more   bool         // there are metrics that have not been read yet
	gpus   []gpu.Device // of this machine; nil: none, or not known
	err    error        // why the folder cannot be read
}

// entry is one run of a listing.
type entry struct {
	run    *run.Run
	status run.Status
	read   bool  // its metrics have been read, at least in part
	step   int   // optimizer steps done, as far as has been read
	best   score // the best check on valid, likewise
}

// score is a check on valid by what makes a checkpoint the best in that run.
type score struct {
	by    config.BestBy // loss, accuracy or macro_f1; empty: there was no check
	value float64
	step  int
}

const (
	scanEvery   = time.Second            // the least between two scans
	scanShare   = 20                     // a scan may take one part in so many of the time
	searchShare = 200                    // looking for runs of other trainers, likewise
	scanBudget  = 100 * time.Millisecond // of reading metrics in one scan
	// the same listing again, so that ages go on; and a look at what should report changes
	stillEvery = 20 * time.Second
	moreSoon   = 100 * time.Millisecond // until the next scan while metrics are left to read
)

// watcher scans a folder of runs again and again: while one of them goes on, or where the system does not report
// changes, every second; else when something has changed there. It is for one goroutine.
type watcher struct {
	folder  string
	others  []string
	adopted []*run.Run // the runs in others, as they were found
	due     time.Time  // when they are looked for again
	now     func() time.Time
	gpus    func() ([]gpu.Device, error)
	wake    <-chan struct{} // scan at once
	digests map[string]*digest
	changes *run.Changes
	watched int // folders that were watched at the last scan
}

// watch emits the listing of a folder whenever it has changed, until ctx ends.
func (w *watcher) watch(ctx context.Context, emit func(listing)) error {
	w.digests = map[string]*digest{}
	w.changes = run.NewChanges()
	defer w.changes.Close()
	var last *listing
	for {
		start := time.Now()
		now := w.scan()
		if last == nil || !now.same(last) || now.at.Sub(last.at) >= stillEvery {
			emit(now)
			last = &now
		}
		least := max(scanEvery, scanShare*time.Since(start))
		most := least
		live, _ := now.live()
		watched, reported := w.watchAll(&now)
		switch {
		case now.more || watched: // what changed just before it was watched was not reported
			least, most = moreSoon, moreSoon
		case reported && live == nil:
			most = stillEvery
		}
		if err := w.changes.Wait(ctx, w.wake, least, most); err != nil {
			return err
		}
	}
}

// watchAll watches the folder and its runs; it says whether there
// are more than before, and whether all changes are reported.
func (w *watcher) watchAll(l *listing) (more, reported bool) {
	folders := []string{w.folder}
	for _, e := range l.runs {
		if e.run.Tool() != "" {
			folders = append(folders, e.run.Folders()...)
		} else {
			folders = append(folders, e.run.Dir)
		}
	}
	more = len(folders) > w.watched
	w.watched = len(folders)
	return more, w.changes.Watch(folders...)
}

// scan reads the folder, the state of every run, and for a while what their metrics have more than the last time.
func (w *watcher) scan() listing {
	now := listing{folder: w.folder, others: w.others, at: w.now()}
	runs, err := run.List(w.folder)
	if now.err = err; err != nil {
		return now
	}
	slices.Reverse(runs)
	runs = append(runs, w.foreign()...)
	limit := time.Now().Add(scanBudget)
	for _, r := range runs {
		d := w.digests[r.Dir]
		if d == nil {
			d = &digest{reader: r.BriefReader()}
			w.digests[r.Dir] = d
		}
		if time.Now().Before(limit) {
			now.more = d.read(r, limit) || now.more
		} else {
			now.more = true
		}
		now.runs = append(now.runs, entry{run: r, status: r.Status(), read: d.by != "", step: d.reader.History.Step(),
			best: d.best()})
	}
	if w.gpus != nil {
		if now.gpus, err = w.gpus(); err != nil {
			w.gpus = nil // the driver gives the same reason each time
		}
	}
	return now
}

// foreign are the runs of other trainers. They are looked for now and then; how those stand that are known is looked at
// every time.
func (w *watcher) foreign() []*run.Run {
	if start := time.Now(); len(w.others) > 0 && start.After(w.due) {
		w.adopted = run.Adopted(w.folder, w.others...)
		w.due = time.Now().Add(max(stillEvery, searchShare*time.Since(start)))
	}
	var runs []*run.Run
	for i, r := range w.adopted {
		now := *r // the listing before keeps its own
		if now.Refresh() == nil {
			runs, w.adopted[i] = append(runs, &now), &now
		}
	}
	return runs
}

// bestBy is what makes a checkpoint the best in a run; loss where its constants cannot be read.
func bestBy(r *run.Run) config.BestBy {
	file, err := r.Config()
	if err != nil {
		return config.BestByLoss
	}
	return file.Config.Train.BestBy
}

// same says whether nothing that is drawn differs. GPUs are compared as they are read, and a live run's time goes on.
func (l *listing) same(m *listing) bool {
	if (l.err == nil) != (m.err == nil) || l.more != m.more || len(l.runs) != len(m.runs) ||
		len(l.gpus)+len(m.gpus) > 0 {
		return false
	}
	for i, a := range l.runs {
		b := m.runs[i]
		if a.status.Live() || a.run.Dir != b.run.Dir || a.read != b.read || a.step != b.step || a.best != b.best ||
			a.status.State != b.status.State || a.status.Reason != b.status.Reason ||
			(a.run.Fault == nil) != (b.run.Fault == nil) {
			return false
		}
	}
	return true
}

// find is the run of a directory, or nil.
func (l *listing) find(dir string) *entry {
	for i := range l.runs {
		if l.runs[i].run.Dir == dir {
			return &l.runs[i]
		}
	}
	return nil
}

// live is the newest run that is going on, or nil, and how many are.
func (l *listing) live() (newest *entry, n int) {
	for i := range l.runs {
		if l.runs[i].status.Live() {
			if n++; newest == nil {
				newest = &l.runs[i]
			}
		}
	}
	return newest, n
}

// digest is what the list shows of a run's metrics: how far it is and its best check.
type digest struct {
	reader *run.Reader
	by     config.BestBy // TRAIN.BEST_BY of the run; empty: not looked up yet
}

// read takes in new rows until a time, and says whether there are more. What
// keeps them from being read, the follower of the run says.
func (d *digest) read(r *run.Run, limit time.Time) (more bool) {
	if d.by == "" {
		d.by = bestBy(r)
	}
	_, more, _ = d.reader.Read(limit)
	return more
}

func (d *digest) best() score { return bestOf(d.reader.History.Checks(), d.by) }

// bestOf is the best of some checks by what a run is scored by.
func bestOf(checks []*run.Eval, by config.BestBy) (best score) {
	for _, e := range checks {
		v := checked(e, by)
		if !math.IsNaN(v) && (best.by == "" || by == config.BestByLast || better(by, v, best.value)) {
			best = score{by, v, e.Step}
		}
	}
	return best
}

// checked is a check's value by TRAIN.BEST_BY; by the last step it is macro-F1.
func checked(r *run.Eval, by config.BestBy) float64 {
	switch by {
	case config.BestByAccuracy:
		return float64(r.Accuracy)
	case config.BestByMacroF1, config.BestByLast:
		return float64(r.MacroF1)
	}
	return float64(r.Loss)
}

// better says whether a is better than b: the lower loss, the higher of anything else.
func better(by config.BestBy, a, b float64) bool {
	if by == "loss" {
		return a < b
	}
	return a > b
}
