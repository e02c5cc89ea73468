package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"finetui/core/run"
	"finetui/ml/wholefile"
)

// preparingFile is how far a run's process is with what comes before its first step. It is there while that lasts.
const preparingFile = "preparing.json"

// Preparation is how far a run is before its first step: of Total where that is known, in what What says.
type Preparation struct {
	Done  int    `json:"done"`
	Total int    `json:"total"`
	What  string `json:"what"` // "MB, model-00001-of-00002.safetensors"
}

// Preparing is what a live run is at before its first step; false where it is past that, or has not said.
func Preparing(r *run.Run) (p Preparation, ok bool) {
	text, err := os.ReadFile(filepath.Join(r.Dir, preparingFile))
	if err != nil {
		return p, false
	}
	return p, json.Unmarshal(text, &p) == nil
}

// announcer keeps preparingFile, and now and then a line of the log, by which machines that share the folder see that the
// run lives.
type announcer struct {
	w      *run.Writer
	logged time.Time

	mutex      sync.Mutex
	now, shown Preparation
}

// logEvery is the time between two lines of the log.
const logEvery = 30 * time.Second

// report takes how far it is; show writes it down.
func (a *announcer) report(done, total int, what string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.now = Preparation{done, total, what}
}

// show writes down the newest report, unless that has been done. Where it cannot be written, the run goes on all the same.
func (a *announcer) show() {
	a.mutex.Lock()
	p, same := a.now, a.now == a.shown
	a.shown = p
	a.mutex.Unlock()
	if same {
		return
	}
	if text, err := json.Marshal(p); err == nil {
		wholefile.Write(filepath.Join(a.w.Dir(), preparingFile), text)
	}
	if time.Since(a.logged) < logEvery {
		return
	}
	a.logged = time.Now()
	if p.Total > 0 {
		p.What = fmt.Sprintf("%d of %d %s", p.Done, p.Total, p.What)
	}
	a.w.Logf("%s", p.What)
}

// end takes the file away: also the one that a killed process has left.
func (a *announcer) end() { os.Remove(filepath.Join(a.w.Dir(), preparingFile)) }

// errAskedToStop is why fetching ended early.
var errAskedToStop = errors.New("stopped on request while the base was being fetched; what has come is kept")

// openBase opens the base, which is fetched where it is not on this machine, and finds out which one it is. A stop request ends that at once: there is
// nothing to be saved, and what has come of the files is kept.
func (j *job) openBase(ctx context.Context) error {
	a := &announcer{w: j.w}
	ctx, cancel := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				a.show()
				if stop, _ := j.w.StopRequested(); stop {
					cancel(errAskedToStop)
				}
			}
		}
	})
	err := j.p.OpenBase(ctx, a.report)
	if err == nil {
		j.fingerprint, err = j.p.Base.Fingerprint(ctx, a.report)
	}
	if err != nil && context.Cause(ctx) == errAskedToStop {
		err = errAskedToStop
	}
	cancel(nil)
	watch.Wait()
	a.end()
	return err
}

// checkLate does for a run that was started before its base was here what Start could not do: it checks the recipe with
// the base's own tokens, and writes down which base it is.
func (j *job) checkLate(ctx context.Context) error {
	findings, err := j.p.Lint(ctx, nil)
	if err != nil {
		return err
	}
	for _, f := range findings {
		j.w.Logf("%s %s: %s – %s", f.Level, f.Code, f.Text, f.Do)
	}
	if err := refusal(j.p.Config, findings); err != nil {
		return err
	}
	return j.w.Update(func(i *run.Info) { i.BaseFingerprint = j.fingerprint })
}
