package finetune

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/recipe"
	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// nativeEngine trains in this process, on ml/train.
type nativeEngine struct {
	p       *project.Project
	adapter *lora.Config
	network model.Network
	trainer *train.Trainer
	samples *samples
	// the network, where its projectors are trained, else nil
	projecting model.Projecting
	subject    *model.Subject
	about      About
}

// openNative builds network, adapters and trainer.
func openNative(_ context.Context, task Task) (Engine, error) {
	p, c := task.Project, task.Project.Config
	e := &nativeEngine{p: p, adapter: adapterOf(p)}
	tune := model.Adapt(e.adapter)
	if c.Recipe.Loss == config.LossFocal {
		tune.Gamma = c.Recipe.FocalGamma
	}
	tune.Projectors, tune.Recompute = c.Train.ProjectorLR > 0, c.Train.Checkpointing
	if fault := p.CheckProjectors(); fault != nil {
		return nil, fault
	}
	var err error
	if e.network, err = p.Base.New(tune); err != nil {
		return nil, err
	}
	seed := uint64(c.Project.Seed)
	var fresh []lora.Adapter
	for _, a := range model.Adapters(e.network, e.adapter) {
		fresh = append(fresh, lora.New(a.Module, a.In, a.Out, e.adapter, seed))
		e.about.Trainable += len(a.A) + len(a.B)
	}
	if tune.Projectors {
		e.projecting, _ = e.network.(model.Projecting)
		e.about.Trainable += p.Base.Kind.Sizes().Projectors
	}
	if len(fresh) == 0 {
		return nil, fmt.Errorf("LORA.TARGETS = %v matches no product of the base", c.LoRA.Targets)
	}
	if err := model.Fill(e.network, fresh); err != nil {
		return nil, err
	}
	solver, err := e.solver(c.Train)
	if err != nil {
		return nil, err
	}
	solver.MaxGradNorm = c.Train.MaxGradNorm
	schedule := scheduleOf(c.Train, task.Steps)
	team := blas.NewTeam(c.Train.Threads).Size()
	workers, cores := 1, team
	if p.Base.Kind.Sizes().Small() {
		workers, cores = team, 1
	}
	e.trainer, err = train.New(e.network, solver, schedule, train.Options{Replicas: workers, Threads: team, Seed: seed,
		SampleWeight: task.SampleWeight, Limits: train.Limits{Sequences: max(1, c.Train.BatchSize)}})
	if err != nil {
		return nil, err
	}
	e.samples = newSamples(p.Encoder(), e.network, workers, cores)
	e.subject = model.NewSubject(p.Base, e.network, c.Train.Threads)
	e.about.Text = fmt.Sprintf("%d workers on %d cores, kernels %s", workers, team, blas.Kernels())
	return e, nil
}

// solver is AdamW with the groups of parameters that the constants ask for.
func (e *nativeEngine) solver(c config.Train) (*train.AdamW, error) {
	groups := []train.Group{{LearningRate: c.LearningRate, WeightDecay: c.WeightDecay}}
	var groupOf func(block, tensor string) int
	if e.projecting != nil {
		groups, groupOf = e.projecting.Groups(c.LearningRate, c.ProjectorLR, c.WeightDecay)
	}
	return train.NewAdamW(e.network.Parameters(), groups, groupOf)
}

// adapterOf is the adapter that a configuration asks for. It is spelled as other programs call
// the model's modules: those of a model with a tower of its own lie deeper since transformers
// 5, those of other language models where they were.
func adapterOf(p *project.Project) *lora.Config {
	c, naming := p.Config.LoRA, lora.Classic
	if slices.ContainsFunc(p.Base.Kind.Products(), func(x weights.Product) bool {
		return strings.HasPrefix(x.Module, "visual.")
	}) {
		naming = lora.Nested
	}
	return &lora.Config{Base: p.Base.Name, R: c.R, Alpha: c.Alpha, Dropout: c.Dropout, RSLoRA: c.RSLoRA,
		Targets: c.Targets, Naming: naming}
}

// scheduleOf is the course of the learning rate over so many steps.
func scheduleOf(c config.Train, steps int) train.Schedule {
	s := train.Schedule{Kind: string(c.Schedule), Warmup: c.WarmupSteps, Steps: steps}
	if s.Warmup == 0 {
		s.Warmup = train.WarmupSteps(c.WarmupRatio, steps)
	}
	return s
}

func (e *nativeEngine) About() About { return e.about }
func (e *nativeEngine) Close() error { return nil }

func (e *nativeEngine) Step(ctx context.Context, wanted []recipe.Sample, first int) (*Result, error) {
	start := time.Now()
	batch, err := e.samples.get(ctx, wanted)
	if err != nil {
		return nil, err
	}
	for i := range batch {
		batch[i].Key = uint64(first + i)
	}
	making := time.Since(start)
	res, err := e.trainer.Step(ctx, batch)
	if err != nil {
		return nil, err
	}
	return &Result{Result: *res, Making: making}, nil
}

func (e *nativeEngine) Check(ctx context.Context, wanted []recipe.Sample) (*Result, []model.Reply, error) {
	start := time.Now()
	batch, err := e.samples.get(ctx, wanted)
	if err != nil {
		return nil, nil, err
	}
	making := time.Since(start)
	res, err := e.trainer.Evaluate(ctx, batch)
	if err != nil {
		return nil, nil, err
	}
	replies, err := e.replies(ctx, wanted, batch, res)
	return &Result{Result: *res, Making: making}, replies, err
}

// replies are the answers to samples that were measured. Where each token of the right answer, and the one that ends
// it, was the likeliest after those before it, that is the answer: nobody need be asked.
func (e *nativeEngine) replies(ctx context.Context, wanted []recipe.Sample, batch []train.Sample,
	res *train.Result) ([]model.Reply, error) {
	replies := make([]model.Reply, len(wanted))
	var open []int
	var ask []recipe.Sample
	for i, s := range batch {
		ids := s.Supervised()
		if l := res.Samples[i]; l.Right < l.Tokens || l.Tokens < len(ids) || len(ids)-1 > e.p.Config.Eval.MaxNewTokens {
			open, ask = append(open, i), append(ask, wanted[i])
			continue
		}
		replies[i] = e.p.Base.Reply(ids)
	}
	if len(ask) == 0 {
		return replies, nil
	}
	asked, err := e.p.Ask(ctx, e.subject, ask, nil)
	for i, r := range asked {
		replies[open[i]] = r
	}
	return replies, err
}

func (e *nativeEngine) Save(dir string, counters map[string]uint64) error {
	if err := lora.Write(dir, e.adapter, model.Adapters(e.network, e.adapter)); err != nil {
		return err
	}
	if e.projecting != nil {
		if err := e.projecting.WriteProjectors(dir, e.p.Config.Train.ProjectorLR); err != nil {
			return err
		}
	}
	return e.trainer.Save(dir, counters)
}

func (e *nativeEngine) Restore(dir string) (s State, err error) {
	cfg, adapters, err := lora.Read(dir)
	if err != nil {
		return s, err
	}
	if cfg.R != e.adapter.R || cfg.Alpha != e.adapter.Alpha || cfg.RSLoRA != e.adapter.RSLoRA {
		return s, fmt.Errorf("%s has other LoRA constants than the run's config.toml: %w", dir, train.ErrOther)
	}
	if err := model.Fill(e.network, adapters); err != nil {
		return s, fmt.Errorf("%s: %w", dir, err)
	}
	if e.projecting != nil {
		if err := e.projecting.ReadProjectors(dir); err != nil {
			return s, fmt.Errorf("%s: %w", dir, err)
		}
	}
	state, err := e.trainer.Restore(dir)
	if err != nil {
		return s, err
	}
	rate := e.trainer.Schedule.Factor(state.Step) * e.p.Config.Train.LearningRate
	return State{state.Step, state.Schedule.Total(), rate, state.Counters}, nil
}
