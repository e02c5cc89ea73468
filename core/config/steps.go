package config

import (
	"fmt"
	"math"

	"finetui/core/level"
)

// Plan is what a number of training samples comes to.
type Plan struct {
	Batch    int // samples of one optimizer step: BATCH_SIZE × GRAD_ACCUM
	PerEpoch int // optimizer steps of one epoch; the last may hold fewer samples
	Total    int // optimizer steps of the run
	Warmup   int // steps in which the learning rate rises
}

// PlanSteps counts steps as transformers' Trainer does: batches are rounded up, then the steps they make.
func PlanSteps(t Train, samples int) Plan {
	batches := (samples + t.BatchSize - 1) / t.BatchSize
	per := max(1, (batches+t.GradAccum-1)/t.GradAccum)
	p := Plan{Batch: t.BatchSize * t.GradAccum, PerEpoch: per, Total: per * t.Epochs, Warmup: t.WarmupSteps}
	if p.Warmup == 0 {
		p.Warmup = int(math.Ceil(float64(p.Total) * t.WarmupRatio))
	}
	return p
}

// ValidateSteps notes what does not fit a run of so many samples.
func ValidateSteps(t Train, samples int) []Problem {
	plan := PlanSteps(t, samples)
	var out []Problem
	if plan.Warmup >= plan.Total {
		out = append(out, Problem{"TRAIN.WARMUP_STEPS", level.Info,
			fmt.Sprintf("is %d, and the run has only %d steps: the learning rate never reaches its value", plan.Warmup,
				plan.Total)})
	}
	if plan.Batch > samples {
		out = append(out, Problem{"TRAIN.BATCH_SIZE", level.Info,
			fmt.Sprintf("times GRAD_ACCUM is %d, and there are only %d samples", plan.Batch, samples)})
	}
	return out
}
