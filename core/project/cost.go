package project

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"finetui/core/dataset"
	"finetui/core/doctor"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/ml/blas"
)

// Cost is what a run takes of this machine. A zero is not known.
type Cost struct {
	Download int64         // bytes that are fetched first
	Memory   int64         // most bytes that its process holds
	Free     int64         // bytes that a program can have now
	Time     time.Duration // of all steps and checks
	// the base is known by its name alone: Download, Memory and Time follow from the size that stands there
	Hint bool
}

// Cost works out what a run takes. The base need not be open, nor on this machine: then its configuration in the hub's
// cache tells its shape, or the size that its name gives.
func (p *Project) Cost() Cost {
	if p.Base != nil {
		return p.cost(p.Base.Kind, p.Base.WeightBytes(), p.weigh("train", nil),
			p.weigh("valid", p.Encoder().Ruler().Hides))
	}
	samples := p.Recipe.Samples("train")
	valid := slices.DeleteFunc(p.Recipe.Samples("valid"), p.Encoder().Ruler().Hides)
	k, known := model.Away(p.Config.Model.Base)
	if !known {
		k = model.Usual()
	}
	all, checked := p.guess(samples, k), p.guess(valid, k)
	if known {
		cost := p.cost(k, 2, all, checked)
		cost.Download = 2 * k.Sizes().Parameters
		return cost
	}
	n := model.NamedSize(p.Config.Model.Base)
	cost := Cost{Hint: true, Download: 2 * n, Memory: 4 * n} // bfloat16, laid out for both directions
	cost.Free, _ = doctor.FreeMemory()
	cost.Time = p.duration(p.Batches(), all, checked, func(w weight, back bool) float64 {
		if back {
			return 4 * float64(n) * float64(w.tokens)
		}
		return 2 * float64(n) * float64(w.tokens)
	})
	return cost
}

func (p *Project) cost(k model.Kind, bytes int, all, valid []*weight) (cost Cost) {
	batches := p.Batches()
	s := newProcess(p, batches, k, bytes, all, valid)
	cost.Memory = s.most()
	cost.Free, _ = doctor.FreeMemory()
	cost.Time = p.duration(batches, all, valid, func(w weight, back bool) float64 {
		text, tower := s.model.Operations(w.tokens, w.supervised, w.patches)
		if !back {
			return text / 2
		}
		if s.trains {
			text += 2 * tower
		}
		if p.Config.Train.Checkpointing { // most of the way there once more
			text *= 4.0 / 3
		}
		return text
	})
	if !s.trains { // once for each picture
		cost.Time += seconds(float64(len(all)) * func() float64 {
			_, tower := s.model.Operations(0, 0,
				mean(all).patches)
			return tower
		}())
	}
	return cost
}

// duration is how long the steps and checks of a run take, with the operations of a sample's pass.
func (p *Project) duration(batches Batches, all, valid []*weight,
	operations func(w weight, back bool) float64) time.Duration {
	samples := 0
	for e := range p.Config.Train.Epochs {
		if e > 0 && batches.plan.Alike() {
			samples += samples / e
			continue
		}
		samples += len(batches.Epoch(e))
	}
	checks := 1
	if every := p.Config.Train.EvalEvery; every > 0 {
		checks += (batches.Steps() - 1) / every
	}
	work := float64(samples) * operations(mean(all), true)
	work += 2 * float64(checks*len(valid)) * operations(mean(valid), false) // the loss, and the answers
	return seconds(work)
}

func mean(list []*weight) (m weight) {
	n := max(1, len(list))
	for _, w := range list {
		m.tokens, m.supervised, m.patches = m.tokens+w.tokens, m.supervised+w.supervised, m.patches+w.patches
	}
	return weight{tokens: m.tokens / n, supervised: m.supervised / n, patches: m.patches / n}
}

// effective is the share of the speed of bare products that a run as a whole reaches.
const effective = 0.6

func seconds(operations float64) time.Duration {
	return time.Duration(operations / (effective * speed()) * float64(time.Second))
}

// speed is how many operations a second this machine's cores do together in products such as a model's. It is measured
// once, in some milliseconds.
var speed = sync.OnceValue(func() float64 {
	const m, n, k = 128, 2048, 1024
	a, c := make([]float32, m*k), make([]float32, m*n)
	panels := blas.PackBF16(true, n, k, make([]uint16, n*k), k)
	team := blas.NewTeam(0)
	best := time.Duration(0)
	for range 4 { // the first warms up
		start := time.Now()
		team.Mul(m, a, k, panels, false, c, n)
		if took := time.Since(start); best == 0 || took < best {
			best = took
		}
	}
	return 2 * m * n * k / max(best, time.Microsecond).Seconds()
})

// guess measures samples for a base whose tokenizer is not here: pictures
// as the processor cuts them, and words by their letters.
func (p *Project) guess(samples []recipe.Sample, k model.Kind) []*weight {
	const lettersOfToken, template = 4, 20
	out := make([]*weight, len(samples))
	encoder := p.Encoder()
	for i, s := range samples {
		w := weight{supervised: 2 + len(s.Answer)/lettersOfToken, pixels: s.Item.Width * s.Item.Height}
		shapes, _ := k.Measure(encoder.View(), encoder.Sizes(s)) // what cannot be shown has its finding
		for _, shape := range shapes {
			w.patches += shape.Rows
			w.features += shape.Tokens
		}
		w.prompt = template + w.features + len(s.Prompt)/lettersOfToken
		w.tokens = w.prompt + w.supervised
		out[i] = &w
	}
	return out
}

// Findings are what a person should know before such a run is started: that it does not fit, or that it takes long.
func (c Cost) Findings(base string) (out []dataset.Finding) {
	about := ""
	if c.Hint {
		about = " (by the size in its name; its files tell more once they are fetched)"
	}
	if c.Free > 0 && c.Memory > c.Free {
		out = append(out, dataset.Finding{Code: "memory_short", Level: level.Warn,
			Text: fmt.Sprintf("MODEL.BASE = %q: a run takes about %s of memory%s, and %s are free now", base,
				Gigabytes(c.Memory), about, Gigabytes(c.Free)),
			Do: "choose a smaller base, or close other programs; TRAIN.BATCH_SIZE, MODEL.MAX_PIXELS and " +
				"TRAIN.CHECKPOINTING = true lower what is added to the weights"})
	}
	const long = 6 * time.Hour
	if c.Time > long {
		out = append(out, dataset.Finding{Code: "takes_long", Level: level.Warn,
			Text: fmt.Sprintf("MODEL.BASE = %q: all steps take about %s on %s%s", base, Roughly(c.Time),
				dataset.Counted(runtime.GOMAXPROCS(0), "core", "cores"), about),
			Do: "choose a smaller base, fewer TRAIN.EPOCHS, or smaller pictures (MODEL.MAX_PIXELS)"})
	}
	return out
}

// Away is the finding for a base that is not on this machine yet.
func (c Cost) Away(base string) dataset.Finding {
	size := "how large it is, is not known before"
	if c.Download > 0 {
		size = "about " + Gigabytes(c.Download)
		if c.Hint {
			size += " by the size in its name"
		}
	}
	return dataset.Finding{Code: "base_away", Level: level.Info,
		Text: fmt.Sprintf("MODEL.BASE = %q is not on this machine yet: the run fetches it from the hub before its "+
			"first step (%s), and checks then what takes the base's own tokens", base, size),
		Do: "leave it to the run, which can be stopped meanwhile and goes on where it stood when it is resumed"}
}

// Gigabytes writes bytes as the sizes of models and machines are given: "16.6 GB".
func Gigabytes(n int64) string {
	if n < 1e9 {
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// Roughly writes how long something takes in one unit: "40 s", "12 min", "55 hours", "9 days".
func Roughly(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 72*time.Hour:
		return fmt.Sprintf("%.0f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
