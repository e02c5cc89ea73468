package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"finetui/core/run"
	"finetui/ml/wholefile"
)

// Verb is the word by which the program calls itself to be a queue's process: "finetui queue DIR".
const Verb = "queue"

// queue is queue.json: what the queue's process has done. Its runs tell the rest.
type queue struct {
	Schema  int          `json:"schema"`
	Process *run.Process `json:"process,omitempty"`
	Cells   []record     `json:"cells"`
}

// record is what is known of one experiment beside its run.
type record struct {
	Variant string  `json:"variant"`
	Seed    int     `json:"seed"`
	Run     string  `json:"run,omitempty"`     // the folder's name, as it was then
	Created float64 `json:"created,omitempty"` // of the run: it is known by that and its number when it is renamed
	Found   bool    `json:"found,omitempty"`   // it was there before
	Tries   int     `json:"tries,omitempty"`   // how often it was taken up again
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
		err = json.Unmarshal(text, &q)
	}
	if err != nil {
		return queue{}, fmt.Errorf("%s is damaged (%w): remove it, and the sweep finds its runs again", path, err)
	}
	return q, nil
}

// lock takes a lock that the kernel drops when the process ends. Without wait the error of a lock that another process
// has is syscall.EWOULDBLOCK.
func lock(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		if err = syscall.Flock(int(f.Fd()), how); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
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
		if err := os.Remove(filepath.Join(s.Dir, request)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if s.Live() {
		return nil
	}
	log, err := os.OpenFile(filepath.Join(s.Dir, logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("the queue cannot be started: %w", err)
	}
	defer log.Close() // the child has its own copy
	cmd := exec.Command(exe, Verb, s.Dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("the queue cannot be started: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if q, fault := s.readQueue(); err == nil || fault == nil && q.Process != nil &&
				q.Process.PID == cmd.Process.Pid {
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
	Step    int  // of Run
	Found   bool // the run was there before, and is used
}

// Status is what has become of a sweep.
type Status struct {
	Live, Paused bool
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
	q, err := s.readQueue()
	out := Status{Live: q.Process != nil && q.Process.Alive(), Paused: s.Paused()}
	runs := filepath.Dir(filepath.Dir(s.Dir))
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
			out.Cells = append(out.Cells, c)
		}
	}
	return out, err
}

// find is a record's run, whatever it is called now; nil where it is gone.
func (r record) find(runs string) *run.Run {
	if r.Run == "" {
		return nil
	}
	number, _, _ := strings.Cut(r.Run, "-")
	folders, _ := filepath.Glob(filepath.Join(runs, number+"-*"))
	for _, dir := range folders {
		if of, err := run.Open(dir); err == nil && of.Info.Created == r.Created {
			return of
		}
	}
	return nil
}

// take says of a cell what its record and its run say.
func (c *Cell) take(r record, runs string, live bool) {
	c.Found = r.Found
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
