package finetune

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/qwen2vl"
	"finetui/ml/train"
)

// Work is the process of a run: it trains from where the run stands until it is done, is asked to stop, or fails. What
// happened is in the run directory; the error is the failure's.
func Work(ctx context.Context, dir string) error {
	w, err := run.Attach(dir)
	if err != nil {
		return err
	}
	j := &job{w: w, started: time.Now()}
	state, reason, err := j.train(ctx)
	if err != nil && ctx.Err() != nil { // nothing was lost: what was under way begins anew
		state, reason, err = run.Stopped, toldToEnd, nil
	}
	if err == errAskedToStop {
		state, reason, err = run.Stopped, err.Error(), nil
	}
	if err != nil {
		state, reason = run.Failed, err.Error()
		w.Append(&run.Event{Head: run.Head{Step: j.step}, Level: run.LevelError, Text: reason})
	}
	return errors.Join(err, w.Finish(state, reason))
}

const toldToEnd = "the process was told to end"

// job is a run being worked on.
type job struct {
	w       *run.Writer
	p       *project.Project
	model   *qwen2vl.Model
	adapter *lora.Config
	trainer *train.Trainer
	samples *samples
	subject *model.Subject
	all     []recipe.Sample // of train
	valid   []recipe.Sample
	course  project.Course
	started time.Time

	step    int // optimizer steps done
	saved   int // step of the newest checkpoint
	best    float64
	seen    struct{ tokens, samples int }
	window  window
	mutex   sync.Mutex // guards step for the system sampler
	checked int        // step of the newest check on valid

	fingerprint string // of the base
	troubled    bool   // it has been said that features are not kept
}

// train prepares and runs the job.
func (j *job) train(ctx context.Context) (state, reason string, err error) {
	if err := j.prepare(ctx); err != nil {
		return "", "", err
	}
	defer j.p.Close()
	if err := j.restore(); err != nil {
		return "", "", err
	}
	stop := j.watchSystem()
	defer stop()
	for j.step < j.course.Steps() {
		if err := j.advance(ctx); err != nil {
			if ctx.Err() != nil {
				return run.Stopped, toldToEnd, j.checkpoint()
			}
			return "", "", err
		}
		halt, err := j.after(ctx)
		if err != nil && ctx.Err() == nil {
			return "", "", err
		}
		if halt || ctx.Err() != nil {
			return run.Stopped, fmt.Sprintf("stopped on request after step %d", j.step), j.checkpoint()
		}
	}
	j.flush()
	if err := j.checkpoint(); err != nil {
		return "", "", err
	}
	if j.checked < j.step {
		if err := j.check(ctx); err != nil {
			return "", "", err
		}
	}
	return run.Done, "all epochs are done", nil
}

// prepare opens everything that the run needs.
func (j *job) prepare(ctx context.Context) error {
	r, err := run.Open(j.w.Dir())
	if err != nil {
		return err
	}
	file, err := r.Config()
	if err != nil {
		return err
	}
	(&announcer{w: j.w}).end()
	j.w.Logf("reading %s", file.Config.Dataset.Path)
	if j.p, err = project.Open(ctx, file, nil); err != nil {
		return err
	}
	if err := j.openBase(ctx); err != nil {
		return err
	}
	if j.w.Info().BaseFingerprint == "" {
		if err := j.checkLate(ctx); err != nil {
			return err
		}
	}
	info := j.w.Info()
	note, err := j.p.Base.Check(ctx, info.BaseFingerprint, "this run", nil)
	if err != nil {
		return err
	}
	if note != "" {
		j.w.Append(&run.Event{Level: run.LevelWarn, Text: note})
		if err := j.w.Update(func(i *run.Info) { i.BaseFingerprint = j.fingerprint }); err != nil {
			return err
		}
	}
	j.sayTrouble()
	if now := j.p.Data.Fingerprint(); info.DataFingerprint != now {
		return fmt.Errorf("the data set has changed since this run was started (fingerprint %s, then %s): start a new run", now, info.DataFingerprint)
	}
	c := j.p.Config
	j.w.Keep = c.Train.Keep
	j.all, j.valid = j.p.Recipe.Samples("train"), slices.DeleteFunc(j.p.Recipe.Samples("valid"), project.Hidden)
	j.course = j.p.Course()
	hidden := j.course.Hidden
	if hidden == len(j.all) {
		return fmt.Errorf("the data set has nothing to train on: no object with a picture in a split called train")
	}
	if hidden > 0 {
		j.w.Append(&run.Event{Level: run.LevelWarn, Text: fmt.Sprintf("%d of %d training samples are left out: their pictures are missing or broken (finetui analyze names them)", hidden, len(j.all))})
	}
	return j.build()
}

// build makes model, adapters and trainer.
func (j *job) build() error {
	c := j.p.Config
	j.adapter = &lora.Config{Base: j.p.Base.Name, R: c.LoRA.R, Alpha: c.LoRA.Alpha, Dropout: c.LoRA.Dropout, RSLoRA: c.LoRA.RSLoRA,
		Targets: c.LoRA.Targets, Naming: lora.Nested}
	tune := model.Tuning(j.adapter)
	if c.Recipe.Loss == "focal" {
		tune.Text.Gamma = c.Recipe.FocalGamma
	}
	var err error
	if j.model, err = j.p.Base.New(tune); err != nil {
		return err
	}
	seed := uint64(c.Project.Seed)
	var fresh []lora.Adapter
	trainable := 0
	for _, a := range model.Adapters(j.model, j.adapter) {
		fresh = append(fresh, lora.New(a.Module, a.In, a.Out, j.adapter, seed))
		trainable += len(a.A) + len(a.B)
	}
	if trainable == 0 {
		return fmt.Errorf("LORA.TARGETS = %v matches no product of the base", c.LoRA.Targets)
	}
	if err := model.Fill(j.model, fresh); err != nil {
		return err
	}
	network := qwen2vl.Network{Model: j.model, Tower: !j.model.TowerFrozen()}
	solver, err := train.NewAdamW(network.Parameters(), []train.Group{{LearningRate: c.Train.LearningRate, WeightDecay: c.Train.WeightDecay}}, nil)
	if err != nil {
		return err
	}
	solver.MaxGradNorm = c.Train.MaxGradNorm
	schedule := train.Schedule{Kind: c.Train.Schedule, Warmup: c.Train.WarmupSteps, Steps: j.course.Steps()}
	if schedule.Warmup == 0 {
		schedule.Warmup = train.WarmupSteps(c.Train.WarmupRatio, schedule.Steps)
	}
	team := blas.NewTeam(c.Train.Threads).Size()
	workers, cores := 1, team
	if model.Small(j.p.Base.Config) {
		workers, cores = team, 1
	}
	j.trainer, err = train.New(network, solver, schedule, train.Options{Replicas: workers, Threads: team, Seed: seed,
		Limits: train.Limits{Sequences: max(1, c.Train.BatchSize)}})
	if err != nil {
		return err
	}
	j.samples = newSamples(j.p, j.model, workers, cores)
	j.subject = model.Of(j.p.Base, j.model, c.Train.Threads)
	j.best = math.Inf(-1)
	j.w.Logf("base %s (%s), %d trained parameters, %d training samples, %d steps of %d, %d workers on %d cores, kernels %s", j.p.Base.Name, model.Short(j.fingerprint),
		trainable, len(j.all), j.course.Steps(), j.course.Batch, workers, team, blas.Kernels())
	return j.w.Update(func(i *run.Info) { i.Steps, i.Samples, i.Trainable = j.course.Steps(), len(j.all), trainable })
}

// advance takes one optimizer step.
func (j *job) advance(ctx context.Context) error {
	start := time.Now()
	indices, first, epochs := j.course.At(j.step)
	wanted := make([]recipe.Sample, len(indices))
	for i, k := range indices {
		wanted[i] = j.all[k]
	}
	batch, err := j.samples.get(ctx, wanted)
	if err != nil {
		return err
	}
	for i := range batch {
		batch[i].Key = uint64(first + i)
	}
	data := time.Since(start)
	res, err := j.trainer.Step(ctx, batch)
	if err != nil {
		return err
	}
	j.mutex.Lock()
	j.step++
	j.mutex.Unlock()
	j.seen.tokens += res.Tokens
	j.seen.samples += len(batch)
	j.window.add(res, wanted, data+res.Times.Load, time.Since(start), epochs)
	return nil
}

// sayTrouble says once that features cannot be kept, without which the run goes on all the same.
func (j *job) sayTrouble() {
	if text := j.p.Base.Trouble(); text != "" && !j.troubled {
		j.troubled = true
		j.w.Append(&run.Event{Head: run.Head{Step: j.step}, Level: run.LevelWarn, Text: text})
	}
}

// after does what falls due between two steps, and says whether the run is to halt.
func (j *job) after(ctx context.Context) (halt bool, err error) {
	j.sayTrouble()
	c := j.p.Config.Train
	last := j.step == j.course.Steps()
	if j.step%c.LogEvery == 0 || last {
		j.flush()
	}
	if c.EvalEvery > 0 && j.step%c.EvalEvery == 0 {
		if err := j.check(ctx); err != nil {
			return false, err
		}
	}
	due := c.SaveEvery > 0 && j.step%c.SaveEvery == 0
	if due && !last {
		if err := j.checkpoint(); err != nil && !run.IsDiskFull(err) {
			return false, err
		}
	}
	stop, now := j.w.StopRequested()
	return !last && stop && (now || due || c.SaveEvery == 0), nil
}

// flush writes the rows of the steps since the last ones.
func (j *job) flush() {
	if j.window.steps == 0 {
		return
	}
	train, class := j.window.rows(j.step, j.seen.tokens, j.seen.samples)
	j.w.Append(train, class)
	j.window = window{}
}

// watchSystem writes a row of the machine's figures every few seconds until it is stopped.
func (j *job) watchSystem() (stop func()) {
	const every = 3 * time.Second
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
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
				j.w.Append(sampler.SampleSystem(step))
			}
		}
	}()
	return func() { close(quit); <-gone }
}
