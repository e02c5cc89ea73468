package project

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/ml/lora"
	"finetui/ml/qwen2vl"
)

// Estimate is what a set of constants comes to, before anything is trained. A zero is something that is not known.
type Estimate struct {
	TrainSamples          int // an epoch, after sampling
	Plan                  config.Plan
	Trainable             int      // parameters of the adapters
	VisualTokens          [2]int   // least and most of a sample's pictures
	Memory                int64    // bytes, roughly
	MassBefore, MassAfter float64  // largest over smallest loss mass of a class
	Notes                 []string // one sentence each
}

// Estimator works out estimates. It keeps the data set and the base between calls.
type Estimator struct {
	mutex sync.Mutex
	file  *config.File // path and root only
	from  config.Dataset
	data  *dataset.Dataset
	base  *model.Base
}

// NewEstimator returns an estimator of configurations whose relative paths start from the file's root.
func NewEstimator(file *config.File) *Estimator {
	return &Estimator{file: &config.File{Path: file.Path, Root: file.Root}}
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
	order := p.Recipe.Plan().Epoch(0)
	out.TrainSamples = len(order)
	out.Plan = config.PlanSteps(cfg.Train, len(order))
	table := recipe.Mass(p.Recipe)
	out.MassBefore, out.MassAfter = table.ImbalanceBefore, table.ImbalanceAfter
	if inversion, ok := table.Inverted(max(1, cfg.Dataset.ModerateAbove)); ok {
		out.Notes = append(out.Notes, fmt.Sprintf("%s, the rarer class, weighs %.1f× as much as %s", inversion.Rarer.Class, inversion.Ratio, inversion.Commoner.Class))
	}
	for _, problem := range config.ValidateSteps(cfg.Train, len(order)) {
		out.Notes = append(out.Notes, problem.Key+" "+problem.Text)
	}
	if err := e.openBase(cfg); err != nil {
		out.Notes = append(out.Notes, err.Error())
		return out, nil
	}
	p.Base = e.base
	p.size(&out)
	return out, nil
}

// open builds the recipe of cfg on the data set, which is read when DATASET has changed.
func (e *Estimator) open(ctx context.Context, cfg *config.Config) (*Project, error) {
	if e.data == nil || !sameData(e.from, cfg.Dataset) {
		data, err := dataset.Read(ctx, cfg.Dataset, e.file.Root, nil)
		if err != nil {
			return nil, err
		}
		e.data, e.from = data, cfg.Dataset
	}
	r, err := recipe.Build(e.data, cfg)
	return &Project{File: e.file, Config: cfg, Data: e.data, Recipe: r}, err
}

// sameData says whether two sets of constants read the same data.
func sameData(a, b config.Dataset) bool {
	return a.Path == b.Path && a.Format == b.Format && a.Media == b.Media && a.DefaultCondition == b.DefaultCondition &&
		slices.Equal(a.Conditions, b.Conditions) && slices.Equal(a.Sets, b.Sets)
}

func (e *Estimator) openBase(cfg *config.Config) error {
	if e.base != nil && e.base.Name == cfg.Model.Base {
		return nil
	}
	b, err := model.OpenLocal(cfg.Model.Base, e.file.Root)
	if err != nil {
		return err
	}
	if e.base != nil {
		e.base.Close()
	}
	e.base = b
	return nil
}

// size adds what follows from the base: parameters, tokens, memory.
func (p *Project) size(out *Estimate) {
	c := p.Config
	out.Trainable = Trainable(p.Base.Config, c.LoRA)
	longest := 0
	for _, s := range p.Recipe.Samples("train") {
		t, err := p.Sample(s)
		if err != nil {
			continue
		}
		n := len(t.FeatureTokens)
		if out.VisualTokens[0] == 0 || n < out.VisualTokens[0] {
			out.VisualTokens[0] = n
		}
		out.VisualTokens[1] = max(out.VisualTokens[1], n)
		longest = max(longest, len(t.IDs))
	}
	if longest > c.Model.MaxLength {
		out.Notes = append(out.Notes, fmt.Sprintf("the longest sample has %d tokens, MODEL.MAX_LENGTH is %d", longest, c.Model.MaxLength))
	}
	out.Memory = memory(p.Base.Config, longest*c.Train.BatchSize, out.Trainable)
}

// product is a product that LoRA can adapt.
type product struct {
	module  string
	in, out int
}

// products are those of a model that LoRA can adapt.
func products(c qwen2vl.Config) (list []product) {
	t, v := c.Text, c.Vision
	q, kv, wide := t.Heads*t.HeadDim, t.KVHeads*t.HeadDim, v.Embed*v.Merge*v.Merge
	for i := range t.Layers {
		at := fmt.Sprintf("model.layers.%d.", i)
		list = append(list,
			product{at + "self_attn.q_proj", t.Hidden, q}, product{at + "self_attn.k_proj", t.Hidden, kv},
			product{at + "self_attn.v_proj", t.Hidden, kv}, product{at + "self_attn.o_proj", q, t.Hidden},
			product{at + "mlp.gate_proj", t.Hidden, t.Inner}, product{at + "mlp.up_proj", t.Hidden, t.Inner},
			product{at + "mlp.down_proj", t.Inner, t.Hidden})
	}
	for i := range v.Depth {
		at := fmt.Sprintf("visual.blocks.%d.", i)
		list = append(list, product{at + "attn.qkv", v.Embed, 3 * v.Embed}, product{at + "attn.proj", v.Embed, v.Embed},
			product{at + "mlp.fc1", v.Embed, v.Inner()}, product{at + "mlp.fc2", v.Inner(), v.Embed})
	}
	return append(list, product{"visual.merger.mlp.0", wide, wide}, product{"visual.merger.mlp.2", wide, v.Hidden})
}

// Trainable counts the parameters of the adapters.
func Trainable(c qwen2vl.Config, l config.LoRA) (n int) {
	adapter := lora.Config{R: l.R, Targets: l.Targets}
	for _, p := range products(c) {
		if adapter.Matches(p.module) {
			n += l.R * (p.in + p.out)
		}
	}
	return n
}

// memory is a rough estimate of the trainer's bytes for a pass of so many tokens: the frozen weights laid out twice (for
// the forward and the backward pass, two bytes each), the adapters with gradients and two moments, the activations that
// each layer keeps, and the tower.
func memory(c qwen2vl.Config, tokens, trainable int) int64 {
	t, v := c.Text, c.Vision
	q, kv := t.Heads*t.HeadDim, t.KVHeads*t.HeadDim
	layer := t.Hidden*(q+2*kv) + q*t.Hidden + 3*t.Hidden*t.Inner
	weights := t.Layers*layer*2*2 + t.Vocab*t.Hidden*2
	tower := v.Depth*(4*v.Embed*v.Embed+2*v.Embed*v.Inner())*2 + v.PatchWidth()*v.Embed*2
	kept := tokens * t.Layers * (6*t.Hidden + q + (q + 2*kv) + 3*t.Inner) * 4
	return int64(weights) + int64(tower) + int64(kept) + int64(trainable)*16
}
