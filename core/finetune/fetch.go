package finetune

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
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
	Hub   bool   `json:"hub"`  // it fetches the base, which may take hours
}

// Preparing is what a live run is at before its first step; false where it is past that, or has not said.
func Preparing(r *run.Run) (p Preparation, ok bool) {
	text, err := wholefile.Read(filepath.Join(r.Dir, preparingFile), 1<<16)
	if err != nil {
		return p, false
	}
	return p, json.Unmarshal(text, &p) == nil
}

// announcer keeps preparingFile, and now and then a line of the log, by which machines that share the folder see that
// the run lives: one at once where the hub is asked or nobody knows how long it takes, others as long as it takes.
type announcer struct {
	w      *run.Writer
	logged time.Time
	said   Preparation // what was logged then
	failed bool        // to write, which was said

	mutex      sync.Mutex
	now, shown Preparation
}

// logEvery is the time between two lines of the log.
const logEvery = 30 * time.Second

// report takes how far it is; show writes it down.
func (a *announcer) report(done, total int, what string) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	hub := a.now.Hub || strings.HasPrefix(what, "asking the hub")
	a.now = Preparation{done, total, what, hub}
}

// show writes down the newest report, unless that has been done. Where
// it cannot be written, the log says so and the run goes on.
func (a *announcer) show() {
	a.mutex.Lock()
	p, same := a.now, a.now == a.shown
	a.shown = p
	a.mutex.Unlock()
	if !same {
		a.write(p)
	}
	begins := p.Hub != a.said.Hub || p.Total == 0 && p.What != a.said.What
	if p.What == "" || !begins && time.Since(a.logged) < logEvery {
		return
	}
	a.said, a.logged = p, time.Now()
	if p.Total > 0 {
		p.What = fmt.Sprintf("%d of %d %s", p.Done, p.Total, p.What)
	}
	a.w.Logf("%s", p.What)
}

func (a *announcer) write(p Preparation) {
	text, err := json.Marshal(p)
	if err == nil {
		err = wholefile.Write(filepath.Join(a.w.Dir(), preparingFile), text)
	}
	if err != nil && !a.failed {
		a.failed = true
		a.w.Logf("how far the run is cannot be shown: %v", err)
	}
}

// end takes the file away: also the one that a killed process has left.
func (a *announcer) end() {
	if err := wholefile.RemoveAll(filepath.Join(a.w.Dir(), preparingFile)); err != nil {
		a.w.Logf("%s is still there: %v", preparingFile, err)
	}
}

// errAskedToStop is why a run ended before its first step.
var errAskedToStop = errors.New("stopped on request before its first step")

// watchForStop lets work go on until it is done or somebody asks the run to
// stop, which ends it at once: there is nothing to be saved.
func (j *job) watchForStop(ctx context.Context, work func(ctx context.Context) error) error {
	a := &announcer{w: j.w, logged: time.Now()}
	a.end()
	j.announce = a.report
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
	err := work(ctx)
	if err != nil && context.Cause(ctx) == errAskedToStop {
		if err = errAskedToStop; a.now.Hub {
			err = fmt.Errorf("%w, while the base was being fetched; what has come is kept", errAskedToStop)
		}
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
