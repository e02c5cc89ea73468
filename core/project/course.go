package project

import (
	"slices"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/ml/train"
)

// Course is the order of a run: which epoch each step belongs to and which samples it takes. What cannot be shown is
// left out, so that who counts steps counts those of the run.
type Course struct {
	Batch  int // samples of a step
	Hidden int // samples of train that are left out

	plan   *recipe.Plan
	left   []bool // of each sample: it is left out
	starts []int  // first step of each epoch, and the number of all steps
}

// Course is that of a run with these constants. Its indices are into Recipe.Samples("train").
func (p *Project) Course() Course {
	t := p.Config.Train
	c := Course{plan: p.Recipe.Plan(), Batch: t.BatchSize * t.GradAccum, starts: []int{0},
		left: make([]bool, 0, p.objects("train"))}
	for i := range p.Data.Items {
		it := &p.Data.Items[i]
		if it.Split != "train" {
			continue
		}
		for o := range it.Objects {
			hidden := p.Hides(recipe.Sample{Item: it, Object: o})
			c.left = append(c.left, hidden)
			if hidden {
				c.Hidden++
			}
		}
	}
	alike := c.Hidden == 0 && c.plan.Alike()
	steps := 0
	for e := range t.Epochs {
		if e == 0 || !alike {
			steps = (len(c.Epoch(e)) + c.Batch - 1) / c.Batch
		}
		c.starts = append(c.starts, c.starts[e]+steps)
	}
	return c
}

// Epoch is the plan's, without what is left out.
func (c Course) Epoch(e int) []int {
	return slices.DeleteFunc(c.plan.Epoch(e), func(i int) bool { return c.left[i] })
}

// Steps is the number of steps of the whole run.
func (c Course) Steps() int { return c.starts[len(c.starts)-1] }

// At returns the samples of a step, the place of the first in its epoch, and the epochs done after it.
func (c Course) At(step int) (samples []int, first int, epochs float64) {
	e := 0
	for step >= c.starts[e+1] {
		e++
	}
	order := c.Epoch(e)
	first = (step - c.starts[e]) * c.Batch
	last := min(first+c.Batch, len(order))
	return order[first:last], first, float64(e) + float64(last)/float64(len(order))
}

// Plan is what the course comes to with the constants of TRAIN.
func (c Course) Plan(t config.Train) config.Plan {
	plan := config.PlanSteps(t, len(c.Epoch(0)))
	plan.Total, plan.Warmup = c.Steps(), t.WarmupSteps
	if plan.Warmup == 0 {
		plan.Warmup = train.WarmupSteps(t.WarmupRatio, plan.Total)
	}
	return plan
}
