package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"finetui/core/disk"
	"finetui/core/eval"
	"finetui/core/run"
	"finetui/ml/wholefile"
)

// Verb is the word by which the program calls itself to be a queue's process: "finetui queue DIR".
const Verb = "queue"

// queue is queue.json: what the queue's process has done. Its runs tell the rest.
type queue struct {
	Schema  int          `json:"schema"`
	Process *run.Process `json:"process,omitempty"`
	Share   Share        `json:"share"` // how that process divides the machine, or the last one did
	Cells   []record     `json:"cells"`
}

// record is what is known of one experiment beside its run.
type record struct {
	Variant string  `json:"variant"`
	Seed    int     `json:"seed"`
	Run     int     `json:"run,omitempty"`     // its number, 0 before it is made
	Created float64 `json:"created,omitempty"` // of the run: the number of one that was deleted may be given again
	Found   bool    `json:"found,omitempty"`   // it was there before
	Tries   int     `json:"tries,omitempty"`   // how often it was taken up again
	GPU     string  `json:"gpu,omitempty"`     // that its run was given, as CUDA_VISIBLE_DEVICES names it
	Scored  bool    `json:"scored,omitempty"`
	Fault   string  `json:"fault,omitempty"` // why it is given up
}

func (s *Sweep) readQueue() (queue, error) {
	var q queue
	path := filepath.Join(s.Dir, queueFile)
	text, err := wholefile.Read(path, wholefile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return q, nil
	}
	if err == nil {
		object, _, broken := disk.Unseal(text)
		err = errors.Join(broken, json.Unmarshal(object, &q))
	}
	if err != nil {
		return queue{}, fmt.Errorf("%s is damaged (%w): remove it, and the sweep finds its runs again", path, err)
	}
	return q, nil
}

// Live says whether the queue's process is at work.
func (s *Sweep) Live() bool {
	q, err := s.readQueue()
	return err == nil && q.Process != nil && q.Process.Alive()
}

// Paused says whether nothing new is started.
func (s *Sweep) Paused() bool {
	_, err := os.Lstat(filepath.Join(s.Dir, pauseFile))
	return err == nil
}

// Pause starts nothing new until GoOn; what is under way goes on.
func (s *Sweep) Pause() error { return wholefile.Write(filepath.Join(s.Dir, pauseFile), nil) }

// Stop ends the queue, and asks its runs to stop at their next checkpoint.
func (s *Sweep) Stop() error {
	if !s.Live() {
		return fmt.Errorf("%s is not at work: nothing of it is under way", s.Plan.Name)
	}
	return wholefile.Write(filepath.Join(s.Dir, stopFile), nil)
}

// GoOn takes back a pause and a stop, and starts the queue's process unless it is at work: in a session of its own, so
// that it outlives the terminal. exe is the program itself.
func (s *Sweep) GoOn(ctx context.Context, exe string) error {
	for _, request := range []string{pauseFile, stopFile} {
		if err := wholefile.Remove(filepath.Join(s.Dir, request)); err != nil {
			return err
		}
	}
	if s.Live() {
		return nil
	}
	pid, ended, err := run.Spawn(exe, []string{Verb, s.Dir}, filepath.Join(s.Dir, logFile))
	if err != nil {
		return fmt.Errorf("the queue cannot be started: %w", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if q, fault := s.readQueue(); err == nil || fault == nil && q.Process != nil && q.Process.PID == pid {
				return nil // it was quick, or has said itself how it ended
			}
			return fmt.Errorf("the queue's process ended at once: %s", s.lastWords())
		case <-tick.C:
			if s.Live() {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lastWords is the last line of the log.
func (s *Sweep) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(s.Dir, logFile))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// runs is the folder of the project's runs.
func (s *Sweep) runs() string { return filepath.Dir(filepath.Dir(s.Dir)) }

// The states of an experiment; while its run is at work or has ended otherwise, the run's own.
const (
	Waiting = "waiting"
	Skipped = "skipped"
	Scoring = "scoring"
	Scored  = "scored"
	GivenUp = "given up"
)

// Cell is one experiment: a variant under a seed.
type Cell struct {
	Variant string
	Seed    int
	State   string // one of those above, or a run's
	Reason  string // why it is given up, or the run's
	Run     *run.Run
	Step    int    // of Run
	GPU     string // that Run was given; "": none
	Found   bool   // the run was there before, and is used
	// of what is scored; nil where it cannot be read
	Result *eval.Result
}

// Status is what has become of a sweep.
type Status struct {
	Live, Paused bool
	Share        Share  // how the queue divides the machine; zero before it has begun
	Cells        []Cell // variant by variant, in the order of the plan
}

// Done counts the experiments that are scored, of those that are not left out.
func (s Status) Done() (done, of int) {
	for _, c := range s.Cells {
		if c.State != Skipped {
			of++
		}
		if c.State == Scored {
			done++
		}
	}
	return done, of
}

// Status finds out what has become of a sweep from its files and those of its runs.
func (s *Sweep) Status() (Status, error) {
	return s.status(func(path string) (*eval.Result, error) { return eval.Read(path) })
}

// status is Status with a way to read evaluations.
func (s *Sweep) status(read func(path string) (*eval.Result, error)) (Status, error) {
	q, err := s.readQueue()
	out := Status{Live: q.Process != nil && q.Process.Alive(), Paused: s.Paused(), Share: q.Share}
	runs, fault := run.List(s.runs())
	err = errors.Join(err, fault)
	for _, v := range s.Plan.Variants() {
		for _, seed := range s.Plan.Seeds {
			c := Cell{Variant: v.Name, Seed: seed, State: Waiting}
			for _, r := range q.Cells {
				if r.Variant == v.Name && r.Seed == seed {
					c.take(r, runs, out.Live)
				}
			}
			if s.Plan.Skips(v.Name, seed) && c.State == Waiting {
				c.State = Skipped
			}
			if c.State == Scored {
				c.Result, fault = read(c.Run.EvalPath(s.Plan.Split, "json"))
				err = errors.Join(err, fault)
			}
			out.Cells = append(out.Cells, c)
		}
	}
	return out, err
}

// find is a record's run among those of the project; nil where it is gone.
func (r record) find(runs []*run.Run) *run.Run {
	for _, of := range runs {
		if r.Run > 0 && of.Info.Number == r.Run && of.Info.Created == r.Created && of.Fault == nil {
			return of
		}
	}
	return nil
}

// take says of a cell what its record and its run say.
func (c *Cell) take(r record, runs []*run.Run, live bool) {
	c.Found, c.GPU = r.Found, r.GPU
	if of := r.find(runs); of != nil {
		c.Run = of
		status := of.Status()
		c.State, c.Reason = status.State, status.Reason
		if c.State == run.Done {
			if c.State = Scoring; !live {
				c.State = Waiting
			}
		} else if status.Live() {
			reader := of.BriefReader()
			_, _, _ = reader.Read(time.Time{}) // as far as it can be read
			c.Step = reader.History.Step()
		}
	}
	switch {
	case r.Fault != "":
		c.State, c.Reason = GivenUp, r.Fault
	case r.Scored && c.Run != nil:
		c.State, c.Step = Scored, c.Run.Info.Steps
	}
}
