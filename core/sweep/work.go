package sweep

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"finetui/core/config"
	"finetui/core/disk"
	"finetui/core/finetune"
	"finetui/core/gpu"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/run"
	"finetui/core/session"
	"finetui/ml/cores"
	"finetui/ml/wholefile"
)

// mostTries is how often a run that was killed or has failed is taken up again by the queue.
const mostTries = 3

// worker is the queue's process.
type worker struct {
	dir, exe, version string
	constants         *config.Snapshot
	runs              string

	mutex  sync.Mutex // of queue, and of the file
	queue  queue
	share  Share
	cards  *cards
	making sync.Mutex // one run at a time is looked for and made, so that none is made twice
	asking sync.Mutex // one large model at a time is asked: small ones leave each other room
}

// Work is the process of a sweep: it trains and scores what the plan holds until nothing is left, ctx ends, or somebody
// asks it to stop. Only one works on a sweep; with ctx its runs go on, in processes of their own.
func Work(ctx context.Context, dir, exe, version string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	s, err := Open(dir)
	if err != nil {
		return err
	}
	held, err := disk.Lock(filepath.Join(dir, lockFile), false)
	if err != nil {
		return fmt.Errorf("another process works on the sweep %s (%w)", s.Plan.Name, err)
	}
	defer held.Close()
	wholefile.SweepFiles(dir) // what a killed one was at
	w := &worker{dir: dir, exe: exe, version: version, runs: s.runs()}
	if w.queue, err = s.readQueue(); err != nil {
		log.Printf("%v", err)
	}
	if w.constants, err = s.Constants(); err != nil {
		return err
	}
	self, err := run.Self()
	if err != nil {
		return err
	}
	w.share = s.Plan.share(w.constants.Config, s.Plan.small(w.constants), cores.Count(), gpu.Visible)
	w.cards = newCards(w.share.GPUs)
	if err := w.change(func(q *queue) { q.Schema, q.Process, q.Share = Schema, &self, w.share }); err != nil {
		return err
	}
	err = w.work(ctx)
	return errors.Join(err, w.change(func(q *queue) { q.Process = nil }))
}

// change edits queue.json.
func (w *worker) change(edit func(q *queue)) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	edit(&w.queue)
	text, err := disk.Seal(w.queue, " ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(w.dir, queueFile), text)
}

// note edits the record of an experiment.
func (w *worker) note(variant string, seed int, edit func(r *record)) error {
	return w.change(func(q *queue) {
		for i := range q.Cells {
			if q.Cells[i].Variant == variant && q.Cells[i].Seed == seed {
				edit(&q.Cells[i])
				return
			}
		}
		r := record{Variant: variant, Seed: seed}
		edit(&r)
		q.Cells = append(q.Cells, r)
	})
}

func (w *worker) record(variant string, seed int) record {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, r := range w.queue.Cells {
		if r.Variant == variant && r.Seed == seed {
			return r
		}
	}
	return record{Variant: variant, Seed: seed}
}

// made are the project's runs; one that cannot be read is not among those that are known.
func (w *worker) made() []*run.Run {
	list, err := run.List(w.runs)
	if err != nil {
		log.Printf("%v", err)
	}
	return list
}

// job is an experiment that is to be made.
type job struct {
	variant Variant
	seed    int
}

func (j job) key() string { return fmt.Sprintf("%s/%d", j.variant.Name, j.seed) }

// work gives experiments out until nothing is left.
func (w *worker) work(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	busy := map[string]bool{}
	ended := make(chan string)
	var wait sync.WaitGroup
	defer wait.Wait()
	pace := time.NewTicker(500 * time.Millisecond)
	defer pace.Stop()
	for {
		s, err := Open(w.dir)
		if err != nil {
			cancel(err)
			return err
		}
		next, left := w.next(s, busy)
		switch {
		case w.stopped():
			cancel(errStop)
			return nil
		case left == 0 && len(busy) == 0:
			return nil
		case next != nil && len(busy) < w.share.Together && !s.Paused():
			j := *next
			busy[j.key()] = true
			wait.Go(func() {
				w.take(ctx, j, s.Plan)
				select {
				case ended <- j.key():
				case <-ctx.Done():
				}
			})
			continue
		}
		select {
		case key := <-ended:
			delete(busy, key)
		case <-pace.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

var errStop = errors.New("the sweep was asked to stop")

func (w *worker) stopped() bool {
	_, err := os.Lstat(filepath.Join(w.dir, stopFile))
	return err == nil
}

// next is the first experiment that is to be made, and how many are. All variants get a seed before any gets the next:
// what can be said early is said of all.
func (w *worker) next(s *Sweep, busy map[string]bool) (first *job, left int) {
	made := w.made()
	for _, seed := range s.Plan.Seeds {
		for _, v := range s.Plan.Variants() {
			j := job{v, seed}
			r := w.record(v.Name, seed)
			if s.Plan.Skips(v.Name, seed) || busy[j.key()] || r.Fault != "" || r.Scored && r.find(made) != nil {
				continue
			}
			if left++; first == nil {
				first = &j
			}
		}
	}
	return first, left
}

// take makes one experiment; what keeps it from being made is noted, and stops no other.
func (w *worker) take(ctx context.Context, j job, plan Plan) {
	log.Printf("%s", j.key())
	err := w.experiment(ctx, j, plan)
	if errors.Is(context.Cause(ctx), errStop) {
		r := w.record(j.variant.Name, j.seed)
		if of := r.find(w.made()); of != nil && !r.Found && of.Status().Live() {
			err = run.RequestStop(of.Dir, false)
		}
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.Printf("%s: %v", j.key(), err)
		if err := w.note(j.variant.Name, j.seed, func(r *record) { r.Fault = err.Error() }); err != nil {
			log.Printf("%s: %v", j.key(), err)
		}
	default:
		log.Printf("%s: scored", j.key())
	}
}

// experiment trains a variant under a seed and scores it.
func (w *worker) experiment(ctx context.Context, j job, plan Plan) error {
	file, err := Vary(w.constants, append(slices.Clone(j.variant.Words), fmt.Sprintf("PROJECT.SEED=%d", j.seed))...)
	if err == nil && w.share.Together > 1 && file.Config.Train.Threads == 0 {
		file, err = file.With(config.Change{Key: "TRAIN.THREADS", New: strconv.Itoa(w.share.Threads)})
	}
	if err != nil {
		return err
	}
	file = file.At(filepath.Join(file.Root, filepath.Base(file.Path)), file.Root)
	var env []string
	if file.Config.Model.Engine == config.EngineTorch {
		if card := w.cards.take(w.share.Each, w.cardOf(j)); card != "" {
			defer w.cards.giveBack(card)
			if err := w.note(j.variant.Name, j.seed, func(c *record) { c.GPU = card }); err != nil {
				return err
			}
			env = []string{gpu.VisibleVariable + "=" + card}
		}
	}
	r, err := w.find(ctx, j, file, plan, env)
	if err != nil {
		return err
	}
	if err := w.finish(ctx, j, r, env); err != nil {
		return err
	}
	if err := w.score(ctx, r, file, plan.Split); err != nil {
		return err
	}
	return w.note(j.variant.Name, j.seed, func(c *record) { c.Scored = true })
}

// cardOf is the GPU on which the experiment's run is already, "" where it is not at work.
func (w *worker) cardOf(j job) string {
	r := w.record(j.variant.Name, j.seed)
	if of := r.find(w.made()); of == nil || !of.Status().Live() {
		return ""
	}
	return r.GPU
}

// find is the run of an experiment: the one that it has, one that was made under the same constants, data, base and
// program, or a new one, whose process gets env.
func (w *worker) find(ctx context.Context, j job, file *config.Snapshot, plan Plan, env []string) (*run.Run, error) {
	w.making.Lock()
	defer w.making.Unlock()
	list, err := run.List(w.runs)
	if err != nil {
		return nil, err
	}
	if r := w.record(j.variant.Name, j.seed).find(list); r != nil {
		return r, nil
	}
	meta, err := identity(ctx, file, w.version)
	if err != nil {
		return nil, err
	}
	name := strings.Join(strings.FieldsFunc(plan.Name+" "+j.variant.Name+" "+fmt.Sprint(j.seed), func(r rune) bool {
		return strings.ContainsRune(" +=/\\[]|\"'", r)
	}), "-")
	for _, r := range list {
		if s := r.Status(); s.State != run.Done && !s.Live() && !s.Resumable() || !same(r, meta, file.Config) {
			continue
		}
		log.Printf("%s: %s was made under the same constants", j.key(), r.Label())
		return r, w.note(j.variant.Name, j.seed, func(c *record) {
			// one of that name is the queue's own, which was killed before it noted it down
			c.Run, c.Created, c.Found = r.Info.Number, r.Info.Created, r.Info.Name != run.CleanName(name)
		})
	}
	r, _, err := finetune.Start(ctx, file, finetune.Options{Name: name, Exe: w.exe, Env: env, Version: w.version})
	if r == nil {
		return nil, err
	}
	if fault := w.note(j.variant.Name, j.seed, func(c *record) {
		c.Run, c.Created = r.Info.Number, r.Info.Created
	}); fault != nil {
		return nil, fault
	}
	if err != nil { // its process has ended at once: finish takes it up again
		log.Printf("%s: %v", j.key(), err)
		err = r.Refresh()
	}
	return r, err
}

// finish waits until a run is done. One that was stopped, killed or has failed is taken up again.
func (w *worker) finish(ctx context.Context, j job, r *run.Run, env []string) error {
	for {
		if s := r.Status(); s.State == run.Done {
			return nil
		} else if s.Resumable() {
			c := w.record(j.variant.Name, j.seed)
			if c.Tries >= mostTries {
				return fmt.Errorf("%s is %s for the %d. time: %s", r.Label(), s.State, c.Tries+1, s.Reason)
			}
			log.Printf("%s: %s is %s, and goes on", j.key(), r.Label(), s.State)
			err := w.note(j.variant.Name, j.seed, func(c *record) { c.Tries++ })
			if err == nil {
				err = finetune.Resume(ctx, r, finetune.Options{Exe: w.exe, Env: env})
			}
			if err == nil {
				err = finetune.Underway(ctx, r, nil)
			}
			if err != nil && ctx.Err() == nil {
				log.Printf("%s: %v", r.Label(), err)
			}
		}
		_ = finetune.Wait(ctx, r, nil) // its end, whatever it is, is seen above
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// score asks a run about the split. One that was there before is asked again: what it was asked then may have been
// something else.
func (w *worker) score(ctx context.Context, r *run.Run, file *config.Snapshot, split string) error {
	if small, err := smallBase(file); err != nil {
		return err
	} else if !small {
		w.asking.Lock()
		defer w.asking.Unlock()
	}
	s, err := session.Open(ctx, file, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Evaluate(ctx, r.Label(), split, nil)
	return err
}

// identity is what a run under these constants would be started from.
func identity(ctx context.Context, file *config.Snapshot, version string) (run.Meta, error) {
	p, err := project.Open(ctx, file, nil)
	if err != nil {
		return run.Meta{}, err
	}
	defer p.Close()
	meta := run.Meta{Base: file.Config.Model.Base, DataFingerprint: p.Data.Fingerprint(), Version: version}
	base, away, err := model.OpenPresent(file.Config.Model.Base, file.Root)
	if err != nil || away {
		return meta, err // nothing that was made of it can be told from another base's
	}
	p.Base = base
	meta.BaseFingerprint, err = base.Fingerprint(ctx, nil)
	return meta, err
}

// same says whether a run was started under the same constants, data, base and program.
func same(r *run.Run, meta run.Meta, c *config.Config) bool {
	if r.Fault != nil || !sameSource(r, meta) {
		return false
	}
	of, err := r.Config()
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(config.Diff(of.Config, c), func(d config.Change) bool { return matters(d.Key) })
}

// sameSource says whether a run was made of the same data, base and program.
func sameSource(r *run.Run, meta run.Meta) bool {
	i := &r.Info
	return meta.BaseFingerprint != "" && i.Base == meta.Base && i.Version == meta.Version &&
		i.BaseFingerprint == meta.BaseFingerprint && i.DataFingerprint == meta.DataFingerprint
}

// matters says whether a constant makes another run: all do that one is trained under, but for those of its reports,
// and those that say where the data are, which the data's fingerprint says better.
func matters(key string) bool {
	section, _, _ := strings.Cut(key, ".")
	switch section {
	case "VIEW", "KEYS", "INFER", "CONVERT":
		return false
	case "TORCH": // the others change last digits at most
		return key == "TORCH.DTYPE" || key == "TORCH.QUANTIZATION"
	case "EVAL":
		return key == "EVAL.MAX_NEW_TOKENS"
	case "PROJECT":
		return key == "PROJECT.SEED"
	}
	return !slices.Contains([]string{"RECIPE.PRESET", "TRAIN.LOG_EVERY", "TRAIN.SAVE_EVERY", "TRAIN.KEEP",
		"TRAIN.THREADS", "TRAIN.FOLLOW", "DATASET.ANALYSIS", "DATASET.PATH", "DATASET.SETS"}, key)
}
