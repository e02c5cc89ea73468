package finetune

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/ml/train"
)

// Work is the process of a run: it trains from where the run stands until it is done, is asked to
// stop, or fails. What happened is in the run directory; the error is the failure's. words are
// constants, SECTION.KEY=value, that the run goes on with.
func Work(ctx context.Context, dir string, words ...string) error {
	project.Lean()
	w, err := run.Attach(dir)
	if err != nil {
		return err
	}
	j := &job{w: w, words: words}
	state, reason, err := j.train(ctx)
	if err != nil && ctx.Err() != nil { // nothing was lost: what was under way begins anew
		state, reason, err = run.Stopped, toldToEnd(ctx), nil
	}
	if errors.Is(err, errAskedToStop) {
		state, reason, err = run.Stopped, err.Error(), nil
	}
	if err != nil {
		state, reason = run.Failed, printable.Error(err)
		err = errors.Join(err, w.Append(&run.Event{Head: run.Head{Step: j.step}, Level: level.Error, Text: reason}))
	}
	return errors.Join(err, w.Finish(state, reason))
}

// job is a run being worked on.
type job struct {
	w       *run.Writer
	words   []string // constants that it goes on with
	changes []config.Change
	file    *config.Snapshot // the snapshot
	p       *project.Project
	engine  Engine
	all     []recipe.Sample // of train
	valid   []recipe.Sample
	batches project.Batches

	announce project.Progress // of what comes before the first step

	step   int        // optimizer steps done
	saved  int        // step of the newest checkpoint
	score  *run.Score // of this step; nil: not measured
	rated  bool       // its checkpoint knows it
	told   string     // the signal that told a process of the engine to end
	seen   struct{ tokens, samples int }
	window window
	mutex  sync.Mutex // guards step for the system sampler

	fingerprint string // of the base
	troubled    bool   // it has been said that features are not kept
}

// train prepares and runs the job.
func (j *job) train(ctx context.Context) (state, reason string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			j.w.Logf("%v\n%s", fault, debug.Stack())
			err = fmt.Errorf("the program itself has a fault (%v): log.txt has where; please report it", fault)
		}
	}()
	if err := j.begin(ctx); err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	stop := j.watchSystem()
	defer func() { err = errors.Join(err, stop()) }()
	if err := j.owed(ctx); err != nil {
		return "", "", err
	}
	for j.step < j.batches.Steps() {
		if err := j.advance(ctx); err != nil {
			if ctx.Err() != nil {
				return run.Stopped, toldToEnd(ctx), j.checkpoint()
			}
			return "", "", j.brokeDown(err)
		}
		if j.told != "" && j.step < j.batches.Steps() {
			return run.Stopped, "a process of the engine was told to end by " + j.told, j.checkpoint()
		}
		halt, err := j.after(ctx)
		if err != nil && ctx.Err() == nil {
			return "", "", err
		}
		if ctx.Err() != nil {
			return run.Stopped, toldToEnd(ctx), j.checkpoint()
		}
		if halt {
			return run.Stopped, fmt.Sprintf("stopped on request after step %d", j.step), j.checkpoint()
		}
	}
	if err := j.flush(); err != nil {
		return "", "", err
	}
	if err := j.checkpoint(); err != nil {
		return "", "", err
	}
	if j.score == nil {
		if err := j.check(ctx); err != nil {
			return "", "", err
		}
	}
	if err := j.rate(); err != nil {
		return "", "", err
	}
	return run.Done, "all epochs are done", nil
}

// brokeDown says what to do about a step that could not be taken.
func (j *job) brokeDown(err error) error {
	if !errors.Is(err, train.ErrNotFinite) {
		return err
	}
	intact := "There is no checkpoint yet"
	if s, ok := j.w.Latest(); ok {
		intact = fmt.Sprintf("The checkpoint of step %d is intact", s.Step)
	}
	return fmt.Errorf("training broke down in step %d of %d: the loss or its gradient is no finite number any more, "+
		"which comes of a learning rate "+
		"that is too high. %s; to train on, start a new run with a lower TRAIN.LEARNING_RATE (it is %g) or more "+
		"TRAIN.WARMUP_STEPS (%w)",
		j.step+1, j.batches.Steps(), intact, j.p.Config.Train.LearningRate, err)
}

// owed makes up for a check on valid that was broken off: its step has a checkpoint, and no score.
func (j *job) owed(ctx context.Context) error {
	every := j.p.Config.Train.EvalEvery
	if every == 0 || j.step == 0 || j.step%every != 0 || j.score != nil || j.step == j.batches.Steps() {
		return nil
	}
	if err := j.check(ctx); err != nil {
		return err
	}
	return j.rate()
}

// begin opens everything that the run needs, goes back to where it stands, and says that it is under way.
func (j *job) begin(ctx context.Context) (err error) {
	if err := j.watchForStop(ctx, j.prepare); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close())
		}
	}()
	if err := j.restore(); err != nil {
		return err
	}
	j.sayBeginnings()
	if len(j.changes) > 0 {
		if err := j.w.Snapshot(j.file.Raw()); err != nil {
			return err
		}
		if err := j.w.Append(&run.Event{Head: run.Head{Step: j.step}, Level: level.Info,
			Text: describe(j.changes)}); err != nil {
			return err
		}
	}
	return j.w.Ready()
}

// sayBeginnings says in the log where the values of the projectors come from, where the base has some: a run that does
// not train them takes the base's, and one that goes on its checkpoint's.
func (j *job) sayBeginnings() {
	kind, is := j.p.Base.Kind.(model.Projected)
	if !is {
		return
	}
	adapter := ""
	if last, there := j.w.Latest(); there && j.p.Config.Train.ProjectorLR > 0 {
		adapter = last.Path
	}
	for _, text := range kind.Beginnings(adapter) {
		j.w.Logf("%s", text)
	}
}

// prepare opens everything that the run needs.
func (j *job) prepare(ctx context.Context) error {
	r, err := run.Open(j.w.Dir())
	if err != nil {
		return err
	}
	was, err := r.Config()
	if err != nil {
		return err
	}
	if j.file, j.changes, err = change(r.Label(), was, j.words); err != nil {
		return err
	}
	if j.p, err = j.open(ctx, r, was); err != nil {
		return err
	}
	if err = j.prepareIn(ctx); err != nil {
		err = errors.Join(err, j.close())
	}
	return err
}

// open reads the data set that the run was started on. EVAL.DATA is not among it: nothing but scoring sees it. was is
// the run's config.toml before the constants that it goes on with.
func (j *job) open(ctx context.Context, r *run.Run, was *config.Snapshot) (*project.Project, error) {
	file, err := j.file.With(config.Change{Key: "EVAL.DATA"})
	if err != nil {
		return nil, err
	}
	j.w.Logf("reading %s", file.Config.Dataset.Path)
	ctx = dataset.SetsFrom(ctx, r.Info.SetsFrom)
	p, err := project.Open(ctx, file, nil)
	if err != nil {
		return nil, err
	}
	if err := p.CheckPictures(ctx, nil); err != nil { // known from the start, unless a picture was changed since
		return nil, err
	}
	for _, set := range p.Data.Sets {
		j.w.Logf("the set %s joined, %d samples of %s", set.Entry(), set.Samples, set.Path)
	}
	then, now := r.Info.DataFingerprint, p.Data.Fingerprint()
	if then != now && j.oldFingerprint(ctx, file, was.Config.Eval.Data) == then { // as it was counted once
		return p, j.w.Update(func(i *run.Info) { i.DataFingerprint = now })
	}
	if then != now {
		return nil, fmt.Errorf("the data set has changed since this run was started (fingerprint %s, then %s): put "+
			"it back, or start a new run", now, then)
	}
	return p, nil
}

// oldFingerprint is what an older program wrote down for a data set and EVAL.DATA together.
func (j *job) oldFingerprint(ctx context.Context, file *config.Snapshot, evalData string) string {
	if evalData == "" {
		return ""
	}
	both, err := file.With(config.Change{Key: "EVAL.DATA", New: evalData})
	if err != nil {
		return ""
	}
	p, err := project.Open(ctx, both, nil)
	if err != nil {
		return ""
	}
	return p.Data.FingerprintOfAll()
}

// prepareIn opens what the run needs besides the data set.
func (j *job) prepareIn(ctx context.Context) error {
	err := j.p.OpenBase(ctx, j.announce)
	if err == nil {
		j.fingerprint, err = j.p.Base.Fingerprint(ctx, j.announce)
	}
	if err != nil {
		return err
	}
	if j.w.Info().BaseFingerprint == "" {
		if err := j.checkLate(ctx); err != nil {
			return err
		}
	}
	note, err := j.p.Base.Check(ctx, j.w.Info().BaseFingerprint, "this run", nil)
	if err != nil {
		return err
	}
	if note != "" {
		if err := j.w.Append(&run.Event{Level: level.Warn, Text: note}); err != nil {
			return err
		}
		if err := j.w.Update(func(i *run.Info) { i.BaseFingerprint = j.fingerprint }); err != nil {
			return err
		}
	}
	if err := j.sayTrouble(); err != nil {
		return err
	}
	if err := j.checkPictures(ctx); err != nil {
		return err
	}
	c := j.p.Config
	j.w.Keep = c.Train.Keep
	j.all, j.valid = j.p.Recipe.Samples("train"), slices.DeleteFunc(j.p.Recipe.Samples("valid"),
		j.p.Encoder().Ruler().Hides)
	j.batches = j.p.Batches()
	hidden := j.batches.Hidden
	if hidden == len(j.all) {
		one, _ := j.p.Data.Words()
		return fmt.Errorf("the data set has nothing to train on: no object with a %s in a split called train", one)
	}
	if hidden > 0 {
		_, more := j.p.Data.Words()
		left := fmt.Sprintf("%d of %d training samples are left out: their %s are missing, broken or of a shape that "+
			"the model refuses (finetui lint names them)", hidden, len(j.all), more)
		if err := j.w.Append(&run.Event{Level: level.Warn, Text: left}); err != nil {
			return err
		}
	}
	return j.build(ctx)
}

// build opens the engine.
func (j *job) build(ctx context.Context) error {
	c := j.p.Config
	j.announce(0, 0, "") // what was announced last is over
	if err := checkEngine(ctx, j.p.File); err != nil {
		return err
	}
	weight := j.w.Info().SampleWeight
	if j.w.Info().Steps == 0 { // a run goes on as it began
		weight = j.p.Mass().SampleWeight
	}
	var err error
	if j.engine, err = engines[c.Model.Engine](ctx, Task{Project: j.p, Dir: j.w.Dir(), Steps: j.batches.Steps(),
		Say: j.announce, SampleWeight: weight}); err != nil {
		return err
	}
	about := j.engine.About()
	j.w.Logf("base %s (%s), %d trained parameters, %d training samples, %d steps of %d, %s", j.p.Base.Name,
		model.Short(j.fingerprint), about.Trainable, len(j.all), j.batches.Steps(), j.batches.Batch, about.Text)
	return j.w.Update(func(i *run.Info) {
		i.Steps, i.Samples, i.Trainable, i.BestBy = j.batches.Steps(), len(j.all), about.Trainable, c.Train.BestBy
		i.SampleWeight = weight
	})
}

// close ends the engine, and the use of data set and base.
func (j *job) close() (err error) {
	if j.engine != nil {
		err = j.engine.Close()
	}
	return errors.Join(err, j.p.Close())
}

// advance takes one optimizer step.
func (j *job) advance(ctx context.Context) error {
	start := time.Now()
	indices, first, epochs := j.batches.At(j.step)
	wanted := make([]recipe.Sample, len(indices))
	for i, k := range indices {
		wanted[i] = j.all[k]
	}
	res, err := j.engine.Step(ctx, wanted, first)
	if err != nil {
		return err
	}
	j.mutex.Lock()
	j.step++
	j.mutex.Unlock()
	j.score, j.rated = nil, false
	j.seen.tokens += res.Tokens
	j.seen.samples += len(wanted)
	j.window.add(res, wanted, time.Since(start), epochs)
	j.told = res.Told
	return nil
}

// sayTrouble says once that features cannot be kept, without which the run goes on all the same.
func (j *job) sayTrouble() error {
	text := j.p.Base.Trouble()
	if text == "" || j.troubled {
		return nil
	}
	j.troubled = true
	return j.w.Append(&run.Event{Head: run.Head{Step: j.step}, Level: level.Warn, Text: text})
}

// after does what falls due between two steps, and says whether the run
// is to halt. A full disk is recorded, and the run goes on.
func (j *job) after(ctx context.Context) (halt bool, err error) {
	if err := j.sayTrouble(); err != nil {
		return false, err
	}
	c := j.p.Config.Train
	last := j.step == j.batches.Steps()
	if j.step%c.LogEvery == 0 || last {
		if err := j.flush(); err != nil {
			return false, err
		}
	}
	if c.EvalEvery > 0 && j.step%c.EvalEvery == 0 {
		if err := j.check(ctx); err != nil {
			return false, err
		}
	}
	due := c.SaveEvery > 0 && j.step%c.SaveEvery == 0
	if due && !last || j.better() {
		if err := j.checkpoint(); err != nil && !run.IsDiskFull(err) {
			return false, err
		}
	}
	stop, now := j.w.StopRequested()
	return !last && stop && (now || due || c.SaveEvery == 0), nil
}

// flush writes the rows of the steps since the last ones.
func (j *job) flush() error {
	if j.window.steps == 0 {
		return nil
	}
	train, class := j.window.rows(j.step, j.seen.tokens, j.seen.samples)
	j.window = window{}
	return j.w.Append(train, class)
}

// watchSystem writes a row of the machine's figures every few seconds until it is stopped.
// Stopping returns the error of a row that could not be kept.
func (j *job) watchSystem() (stop func() error) {
	const every = 3 * time.Second
	quit, gone := make(chan struct{}), make(chan error, 1)
	go func() {
		var fault error
		defer func() { gone <- fault }()
		sampler, tick := run.NewSampler(), time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				j.mutex.Lock()
				step := j.step
				j.mutex.Unlock()
				fault = j.w.Append(sampler.SampleSystem(step))
			}
		}
	}()
	return func() error { close(quit); return <-gone }
}
