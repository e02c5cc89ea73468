package project

import (
	"slices"
	"sync"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/ml/train"
)

// Batches is the order of a run: which epoch each step belongs to and which samples it takes. What cannot be shown is
// left out, so that who counts steps counts those of the run.
type Batches struct {
	Batch  int // samples of a step
	Hidden int // samples of train that are left out

	plan   *recipe.Plan
	left   []bool // of each sample: it is left out
	starts []int  // first step of each epoch, and the number of all steps
	kept   *keptEpoch
}

// keptEpoch is the epoch that was drawn last: it is asked for again and again, and of a million samples takes long.
type keptEpoch struct {
	mutex sync.Mutex
	epoch int
	order []int // nil: none
}

// Batches is that of a run with these constants. Its indices are into Recipe.Samples("train").
func (p *Project) Batches() Batches {
	t := p.Config.Train
	b := Batches{plan: p.Recipe.Plan(), Batch: t.BatchSize * t.GradAccum, starts: []int{0}, kept: &keptEpoch{},
		left: make([]bool, 0, p.objects("train"))}
	ruler := p.Encoder().Ruler()
	for i := range p.Data.Items {
		it := &p.Data.Items[i]
		if it.Split != "train" {
			continue
		}
		for o := range it.Objects {
			hidden := ruler.Hides(recipe.Sample{Item: it, Object: o})
			b.left = append(b.left, hidden)
			if hidden {
				b.Hidden++
			}
		}
	}
	alike := b.Hidden == 0 && b.plan.Alike()
	steps := 0
	for e := range t.Epochs {
		if e == 0 || !alike {
			steps = (len(b.Epoch(e)) + b.Batch - 1) / b.Batch
		}
		b.starts = append(b.starts, b.starts[e]+steps)
	}
	return b
}

// Epoch is the plan's, without what is left out. Nobody may change it.
func (b Batches) Epoch(e int) []int {
	d := b.kept
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.order == nil || d.epoch != e {
		d.epoch, d.order = e, slices.DeleteFunc(b.plan.Epoch(e), func(i int) bool { return b.left[i] })
	}
	return d.order
}

// Steps is the number of steps of the whole run.
func (b Batches) Steps() int { return b.starts[len(b.starts)-1] }

// FirstEpoch is the number of steps of the first epoch; 0 where there is none.
func (b Batches) FirstEpoch() int { return b.starts[min(1, len(b.starts)-1)] }

// At returns the samples of a step, the place of the first in its epoch, and the epochs done after it.
func (b Batches) At(step int) (samples []int, first int, epochs float64) {
	e := 0
	for step >= b.starts[e+1] {
		e++
	}
	order := b.Epoch(e)
	first = (step - b.starts[e]) * b.Batch
	last := min(first+b.Batch, len(order))
	return order[first:last], first, float64(e) + float64(last)/float64(len(order))
}

// Plan is what the order comes to with the constants of TRAIN.
func (b Batches) Plan(t config.Train) config.Plan {
	plan := config.PlanSteps(t, len(b.Epoch(0)))
	plan.Total, plan.Warmup = b.Steps(), t.WarmupSteps
	if plan.Warmup == 0 {
		plan.Warmup = train.WarmupSteps(t.WarmupRatio, plan.Total)
	}
	return plan
}
