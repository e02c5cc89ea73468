package project

import (
	"context"
	"fmt"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/recipe"
)

// ReadShared is dataset.Read for those who look at one data set in one process: it is read once, and whoever asks
// meanwhile or later gets the same set, which nobody may change. again asks for another look at the files. Progress is
// told to all who wait; the reading stops when none of them wants it any more. It leaves a core to the screen.
func ReadShared(ctx context.Context, cfg config.Dataset, root string, again bool, report Progress) (*dataset.Dataset,
	error) {
	return shared.read(ctx, cfg, root, again, report)
}

// OpenOn is Open on a set that was read already: for who neither checks its pictures nor changes it otherwise.
func OpenOn(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, report Progress) (*Project, error) {
	data := *set // EVAL.DATA is appended to the copy
	fault, err := readFurther(ctx, &data, file, report)
	if err != nil {
		return nil, err
	}
	p := &Project{File: file, Config: file.Config, Data: &data, furtherFault: fault}
	p.keepFrames()
	p.Recipe, err = recipe.Build(p.Data, p.Config)
	return p, err
}

var shared = &sets{reader: func(ctx context.Context, cfg config.Dataset, root string,
	report Progress) (*dataset.Dataset, error) {
	return ReadSet(dataset.Beside(ctx), cfg, root, report)
}}

// sets keeps the sets that were asked for last: one, and a second while constants are tried.
type sets struct {
	reader func(ctx context.Context, cfg config.Dataset, root string, report Progress) (*dataset.Dataset, error)

	mutex sync.Mutex
	kept  []*reading // the one that was asked for last first
}

const mostShared = 2

// reading is a set being read, or read.
type reading struct {
	key     string
	stop    context.CancelFunc
	done    chan struct{}
	data    *dataset.Dataset // once done is closed, as err
	err     error
	waiting map[*Progress]bool // guarded by sets.mutex
}

// sharedKey is everything that reading a set depends on beside its files.
func sharedKey(c config.Dataset, root string) string {
	return fmt.Sprintf("%q", []string{root, c.Path, string(c.Format), c.Media, c.DefaultCondition, string(c.SplitBy),
		fmt.Sprintf("%q", c.Conditions), fmt.Sprintf("%q", c.Splits), fmt.Sprintf("%q", c.Sets)})
}

func (s *sets) read(ctx context.Context, cfg config.Dataset, root string, again bool,
	report Progress) (*dataset.Dataset, error) {
	r, mine := s.join(cfg, root, again, report)
	defer s.leave(r, mine)
	select {
	case <-r.done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join finds or begins a reading, and waits for it under the pointer that is returned.
func (s *sets) join(cfg config.Dataset, root string, again bool, report Progress) (*reading, *Progress) {
	key, mine := sharedKey(cfg, root), &report
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for i, r := range s.kept {
		if r.key != key || again {
			continue
		}
		copy(s.kept[1:i+1], s.kept[:i])
		s.kept[0] = r
		r.waiting[mine] = true
		return r, mine
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &reading{key: key, stop: stop, done: make(chan struct{}),
		waiting: map[*Progress]bool{mine: true}}
	kept := []*reading{r}
	for _, old := range s.kept {
		if old.key != key && len(kept) < mostShared {
			kept = append(kept, old)
		}
	}
	s.kept = kept
	go func() {
		defer stop()
		r.data, r.err = s.reader(ctx, cfg, root, func(done, total int, what string) { s.tell(r, done, total, what) })
		if r.err != nil { // who asks later tries again
			s.forget(r)
		}
		close(r.done)
	}()
	return r, mine
}

// tell reports to all who wait.
func (s *sets) tell(r *reading, done, total int, what string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for report := range r.waiting {
		if *report != nil {
			(*report)(done, total, what)
		}
	}
}

// leave ends waiting for a reading; the last one who leaves before its end stops it.
func (s *sets) leave(r *reading, mine *Progress) {
	s.mutex.Lock()
	delete(r.waiting, mine)
	last := len(r.waiting) == 0
	s.mutex.Unlock()
	select {
	case <-r.done:
	default:
		if last {
			s.forget(r)
			r.stop()
		}
	}
}

func (s *sets) forget(r *reading) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for i, other := range s.kept {
		if other == r {
			s.kept = append(s.kept[:i:i], s.kept[i+1:]...)
			return
		}
	}
}
