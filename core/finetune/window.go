package finetune

import (
	"maps"
	"slices"
	"time"

	"finetui/core/recipe"
	"finetui/core/run"
	"finetui/ml/torch"
)

// window adds up the steps between two rows.
type window struct {
	steps                         int
	loss, plain                   float64       // sums over steps
	epochs, rate, norm            float64       // of the last step
	tokens                        int           // of the steps whose time is in wall
	wall                          time.Duration // of this process
	data, forward, back, optimize time.Duration
	classes                       map[string]classSum
	ranks                         []torch.Share
}

type classSum struct {
	samples int
	nll     float64
	tokens  int
}

func (w *window) add(r *Result, samples []recipe.Sample, wall time.Duration, epochs float64) {
	w.steps++
	w.loss, w.plain = w.loss+r.Loss, w.plain+r.LossPlain
	w.epochs, w.rate, w.norm = epochs, r.LearningRate, r.GradNorm
	w.tokens, w.wall = w.tokens+r.Tokens, w.wall+wall
	w.data, w.forward = w.data+r.Making+r.Times.Load, w.forward+r.Times.Forward
	w.back, w.optimize = w.back+r.Times.Backward, w.optimize+r.Times.Optimizer
	if len(w.ranks) != len(r.Ranks) { // also where a run goes on with others
		w.ranks = make([]torch.Share, len(r.Ranks))
	}
	for i, s := range r.Ranks {
		w.ranks[i].NLL, w.ranks[i].Tokens = w.ranks[i].NLL+s.NLL, w.ranks[i].Tokens+s.Tokens
		w.ranks[i].Busy += s.Busy
	}
	if w.classes == nil {
		w.classes = map[string]classSum{}
	}
	for i, s := range samples {
		c := w.classes[s.Answer]
		c.samples++
		c.nll += r.Samples[i].NLL
		c.tokens += r.Samples[i].Tokens
		w.classes[s.Answer] = c
	}
}

// rows are the means of the window, at a step.
func (w *window) rows(step, tokens, samples int) (*run.Train, *run.Class) {
	n := float64(w.steps)
	head := run.Head{Step: step}
	t := &run.Train{Head: head, Epoch: run.Float(w.epochs), Loss: run.Float(w.loss / n),
		LossPlain: run.Float(w.plain / n),
		LR:        run.Float(w.rate), GradNorm: run.Float(w.norm), Tokens: tokens, Samples: samples,
		TokensPerSecond: run.Float(float64(w.tokens) / w.wall.Seconds()),
		Seconds: run.StepTimes{Data: run.Float(w.data.Seconds()), Forward: run.Float(w.forward.Seconds()),
			Backward: run.Float(w.back.Seconds()), Optimizer: run.Float(w.optimize.Seconds())}}
	for _, s := range w.ranks {
		t.Ranks = append(t.Ranks, run.Rank{Loss: run.Float(s.NLL / float64(s.Tokens)),
			Seconds: run.Float(s.Busy.Seconds())})
	}
	c := &run.Class{Head: head}
	for _, name := range slices.Sorted(maps.Keys(w.classes)) {
		sum := w.classes[name]
		c.Losses = append(c.Losses, run.ClassLoss{Name: name, N: sum.samples,
			Loss: run.Float(sum.nll / float64(max(1, sum.tokens)))})
	}
	return t, c
}

// part is what a checkpoint keeps of a window: all but the times, which are those of one process.
type part struct {
	Steps   int             `json:"steps"`
	Loss    float64         `json:"loss"`
	Plain   float64         `json:"loss_plain"`
	Epochs  float64         `json:"epochs"`
	Rate    float64         `json:"lr"`
	Norm    float64         `json:"grad_norm"`
	Classes map[string]lost `json:"classes"`
	Ranks   []torch.Share   `json:"ranks,omitempty"`
}

// lost is a class's share of it.
type lost struct {
	Samples int     `json:"samples"`
	NLL     float64 `json:"nll"`
	Tokens  int     `json:"tokens"`
}

func (w *window) part() part {
	p := part{w.steps, w.loss, w.plain, w.epochs, w.rate, w.norm, map[string]lost{}, slices.Clone(w.ranks)}
	for name, c := range w.classes {
		p.Classes[name] = lost{c.samples, c.nll, c.tokens}
	}
	return p
}

func (p part) window() window {
	w := window{steps: p.Steps, loss: p.Loss, plain: p.Plain, epochs: p.Epochs, rate: p.Rate, norm: p.Norm,
		classes: map[string]classSum{}, ranks: p.Ranks}
	for name, c := range p.Classes {
		w.classes[name] = classSum{c.Samples, c.NLL, c.Tokens}
	}
	return w
}
