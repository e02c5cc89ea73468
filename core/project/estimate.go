package project

import (
	"context"
	"fmt"
	"sync"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/ml/lora"
)

// Estimate is what a set of constants comes to, before anything is trained. A zero is something that is not known.
type Estimate struct {
	TrainSamples          int // an epoch, after sampling
	Plan                  config.Plan
	Trainable             int    // parameters of the adapters
	VisualTokens          [2]int // least and most of a sample's pictures, or of its clip
	Frames                [2]int // least and most that are shown of a clip; of pictures none
	Cost                  Cost
	MassBefore, MassAfter float64  // largest over smallest loss mass of a class
	Notes                 []string // one sentence each
}

// Estimator works out estimates. It keeps the base between calls; the data set is the one that others read, too.
type Estimator struct {
	mutex sync.Mutex
	file  *config.Snapshot // root only
	base  *model.Base
}

// NewEstimator returns an estimator of configurations whose relative paths start from root.
func NewEstimator(root string) *Estimator {
	return &Estimator{file: &config.Snapshot{Root: root}}
}

// Estimate works out what cfg comes to.
func (e *Estimator) Estimate(ctx context.Context, cfg *config.Config) (Estimate, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	p, err := e.open(ctx, cfg)
	if err != nil {
		return Estimate{}, err
	}
	var out Estimate
	batches := p.Batches()
	out.TrainSamples = len(batches.Epoch(0))
	out.Plan = batches.Plan(cfg.Train)
	table := recipe.Mass(p.Recipe, nil)
	out.MassBefore, out.MassAfter = table.ImbalanceBefore, table.ImbalanceAfter
	if inversion, ok := table.Inverted(max(1, cfg.Dataset.ModerateAbove)); ok {
		out.Notes = append(out.Notes, fmt.Sprintf("%s, the rarer class, weighs %.1f× as much as %s",
			inversion.Rarer.Class, inversion.Ratio, inversion.Commoner.Class))
	}
	for _, problem := range config.ValidateSteps(cfg.Train, out.TrainSamples) {
		out.Notes = append(out.Notes, problem.Key+" "+problem.Text)
	}
	if cfg.Model.Engine == config.EngineTorch {
		if _, err := Python(ctx, p.File); err != nil && ctx.Err() == nil {
			out.Notes = append(out.Notes, err.Error())
		}
	}
	away, err := e.openBase(cfg)
	if err != nil {
		out.Notes = append(out.Notes, err.Error())
		return out, nil
	}
	if !away {
		p.Base = e.base
	}
	p.size(ctx, &out, batches)
	if away {
		out.Notes = append(out.Notes, out.Cost.Away(cfg.Model.Base).Text)
	}
	return out, ctx.Err()
}

// open builds the recipe of cfg on its data set.
func (e *Estimator) open(ctx context.Context, cfg *config.Config) (*Project, error) {
	data, err := ReadShared(ctx, cfg.Dataset, e.file.Root, false, nil)
	if err != nil {
		return nil, err
	}
	r, err := recipe.Build(data, cfg)
	file := &config.Snapshot{Root: e.file.Root, Config: cfg}
	return &Project{File: file, Config: cfg, Data: data, Recipe: r}, err
}

// openBase opens MODEL.BASE unless it is open; away says that it is not on this machine yet.
func (e *Estimator) openBase(cfg *config.Config) (away bool, err error) {
	if e.base != nil && e.base.Name == cfg.Model.Base {
		return false, nil
	}
	b, away, err := model.OpenPresent(cfg.Model.Base, e.file.Root)
	if err != nil || away {
		return away, err
	}
	if e.base != nil {
		e.base.Close()
	}
	e.base = b
	return false, nil
}

// size adds what follows from the base: parameters, frames, tokens, memory, time.
func (p *Project) size(ctx context.Context, out *Estimate, batches Batches) {
	o, ok := p.outlook(ctx)
	if ctx.Err() != nil {
		return
	}
	if !ok {
		out.Cost = Cost{Hint: true, BaseAway: true}
		return
	}
	c := p.Config
	out.Trainable = Trainable(o.kind, c)
	longest := 0
	for _, w := range o.all {
		if w.tokens == 0 {
			continue // it cannot be shown
		}
		widen(&out.VisualTokens, w.features)
		widen(&out.Frames, w.frames)
		longest = max(longest, w.tokens)
	}
	if longest > c.Model.MaxLength {
		about := ""
		if o.away {
			about = "about "
		}
		out.Notes = append(out.Notes, fmt.Sprintf("the longest sample has %s%d tokens, MODEL.MAX_LENGTH is %d", about,
			longest, c.Model.MaxLength))
	}
	out.Cost = p.cost(ctx, p.demand(o, batches), p.Data.Fingerprint)
	for _, f := range out.Cost.Findings(c.Model.Base) {
		out.Notes = append(out.Notes, f.Text)
	}
}

// widen lets a range of positive numbers hold n, too.
func widen(r *[2]int, n int) {
	if n > 0 && (r[0] == 0 || n < r[0]) {
		r[0] = n
	}
	r[1] = max(r[1], n)
}

// Trainable counts the parameters of the adapters, and of the projectors where they are trained.
func Trainable(k model.Kind, c *config.Config) (n int) {
	l := c.LoRA
	if c.Train.ProjectorLR > 0 {
		n = k.Sizes().Projectors
	}
	adapter := lora.Config{R: l.R, Targets: l.Targets}
	for _, p := range k.Products() {
		if adapter.Matches(p.Module) {
			n += l.R * (p.In + p.Out)
		}
	}
	return n
}

// Mass is the loss mass of the recipe in tokens of the base, which is open.
func (p *Project) Mass() recipe.Table { return recipe.Mass(p.Recipe, p.Base.AnswerTokens) }
