package project

import (
	"context"
	"fmt"
	"time"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/doctor"
	"finetui/core/gpu"
	"finetui/core/level"
	"finetui/core/model"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/ml/cores"
)

// Cost is what a run takes of this machine. A zero is not known.
type Cost struct {
	Download int64         // bytes that are fetched first
	BaseAway bool          // the base is not on this machine yet
	Listed   bool          // Download is what the hub lists, not what follows from the base's shape
	Memory   int64         // most bytes that its process holds
	Free     int64         // bytes that a program can have now
	Time     time.Duration // of everything: Looks, Steps and Checks
	Looks    time.Duration // the pictures, or clips, once each, and what a frozen tower sees in them
	Steps    time.Duration // all steps of the optimizer
	Checks   time.Duration // all checks on valid: the loss, and the answers
	// the base is known by its name alone: Download, Memory and Time follow from the size that stands there
	Hint bool

	GPUs  []GPURoom // that its processes compute on; none where they compute on this machine's cores
	Probe *Probe    // that measured it; nil: it is worked out
}

// Cost works out what a run takes. The base need not be open, nor on this machine: then its configuration in the hub's
// cache tells its shape, or the size that its name gives. One rule counts them all; where there is no tokenizer, words
// are counted by their letters.
func (p *Project) Cost() Cost {
	if p.linted != nil {
		return p.linted.Cost
	}
	o, ok := p.outlook(context.Background())
	if !ok {
		return Cost{Hint: true, BaseAway: true}
	}
	return p.cost(context.Background(), p.demand(o, p.Batches()), p.Data.Fingerprint)
}

// outlook is what can be known of a run before it is started: the kind of its base, and its samples in rows.
type outlook struct {
	kind       model.Kind
	bytes      int // of a weight as it is laid out
	all, valid []*weight
	hint       bool // the kind is that of the size in the base's name
	away       bool // the base is not on this machine, so that there is no tokenizer
}

// Kind is what MODEL.BASE is a model of. The base need not be open, nor on this machine: then its configuration in the
// hub's cache tells it, or, as hint says, its name; nil where that tells nothing.
func (p *Project) Kind() (k model.Kind, hint bool) {
	if p.Base != nil {
		return p.Base.Kind, false
	}
	if k, known := model.Away(p.Config.Model.Base); known {
		return k, false
	}
	return model.Likely(p.Config.Model.Base), true
}

// outlook opens nothing, and is worth nothing once ctx has ended. It is false of a base that is not here and whose name
// tells no size.
func (p *Project) outlook(ctx context.Context) (o outlook, ok bool) {
	if p.Base != nil {
		measure := newRuler(p)
		return outlook{p.Base.Kind, p.Base.WeightBytes(), p.weigh(ctx, "train", nil, measure.weight),
			p.weigh(ctx, "valid", measure.sizes.Hides, measure.weight), false, false}, true
	}
	k, hint := p.Kind()
	if k == nil {
		return o, false
	}
	const bytes = 2 // of a weight, in bfloat16
	encoder := p.Encoder()
	encoder.Kind = k
	guess := guesser{encoder.Ruler()}
	return outlook{k, bytes, p.weigh(ctx, "train", nil, guess.weight),
		p.weigh(ctx, "valid", p.Encoder().Ruler().Hides, guess.weight), hint, true}, true
}

// demand is what a run asks of a machine, whatever is free there: it follows from the constants, the data, the base and
// the cores alone.
type demand struct {
	Looks, Steps, Checks float64 // operations of products that take as long
	Memory               int64   // bytes
	Processes            int     // of PyTorch
	Device               int64   // bytes that each of them takes of a GPU

	AllSteps, FirstEpoch, Valid int // steps, those of the first epoch, and samples that a check looks at
	Hint, Away                  bool
	Weights                     int64 // bytes of the base's, where it is not on this machine
}

func (p *Project) demand(o outlook, batches Batches) *demand {
	s := newProcess(p, batches, o.kind, o.bytes, o.all, o.valid)
	c := newClock(s)
	d := &demand{Looks: c.looking(), Steps: c.stepping(), Checks: c.checking(), AllSteps: batches.Steps(),
		FirstEpoch: batches.FirstEpoch(), Valid: len(o.valid), Hint: o.hint, Away: o.away}
	if p.Config.Model.Engine == config.EngineTorch {
		s.onTorch(d, len(gpu.Visible()) > 0)
	} else {
		d.Memory = s.most()
	}
	if o.away {
		d.Weights = int64(o.bytes) * o.kind.Sizes().Parameters
	}
	return d
}

// cost is what a demand comes to on this machine now. data is the fingerprint of the data set, of which a probe may
// have been made.
func (p *Project) cost(ctx context.Context, d *demand, data func() string) (cost Cost) {
	cost.Free, _ = doctor.FreeMemory()
	cost.Looks, cost.Steps, cost.Checks = took(d.Looks), took(d.Steps), took(d.Checks)
	cost.Time = cost.Looks + cost.Steps + cost.Checks
	cost.Memory = d.Memory
	if p.Config.Model.Engine == config.EngineTorch {
		cost.onGPUs(d, gpu.Visible(), gpu.Snapshot)
	}
	if probe := p.probed(ctx, data); probe != nil {
		cost.take(probe, p, d)
	}
	if cost.Hint, cost.BaseAway = d.Hint, d.Away; !d.Away {
		return cost
	}
	if cost.Download, cost.Listed = model.Listed(p.Config.Model.Base); !cost.Listed {
		cost.Download = d.Weights
	}
	return cost
}

// guesser measures samples for a base whose tokenizer is not here: pictures and clips as it cuts them, and words by
// their letters.
type guesser struct{ sizes *sample.Ruler }

func (g guesser) weight(s recipe.Sample) weight {
	const lettersOfToken, template = 4, 20
	w := weight{supervised: 2 + len(s.Answer)/lettersOfToken}
	w.of(s)
	w.show(g.sizes.Shown(s))
	w.prompt = template + w.features + len(s.Prompt)/lettersOfToken
	w.tokens = w.prompt + w.supervised
	return w
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
				printable.Bytes(c.Memory), about, printable.Bytes(c.Free)),
			Do: "choose a smaller base, or close other programs; TRAIN.BATCH_SIZE, MODEL.MAX_PIXELS and " +
				"TRAIN.CHECKPOINTING = true lower what is added to the weights"})
	}
	out = append(out, roomFindings(c.GPUs)...)
	const long = 6 * time.Hour
	if c.Time > long {
		out = append(out, dataset.Finding{Code: "takes_long", Level: level.Warn,
			Text: fmt.Sprintf("MODEL.BASE = %q: all steps take about %s on %s%s", base, Roughly(c.Time), c.on(), about),
			Do:   "choose a smaller base, fewer TRAIN.EPOCHS, or smaller pictures (MODEL.MAX_PIXELS)"})
	}
	return out
}

// Measurable says whether a probe would tell more: none was made, and the base is here.
func (c Cost) Measurable() bool { return c.Probe == nil && !c.BaseAway }

// on is what a run computes on.
func (c Cost) on() string {
	if len(c.GPUs) > 0 {
		return dataset.Counted(len(c.GPUs), "GPU", "GPUs")
	}
	return dataset.Counted(cores.Count(), "core", "cores")
}

// Lines say what a run of so many steps comes to, in a line each: its time, its memory, and each GPU's. What
// does not fit begins with "! ".
func (c Cost) Lines(steps int) (lines []string) {
	text := dataset.Counted(steps, "step", "steps")
	switch {
	case c.Time == 0 && len(c.GPUs) > 0:
		text += ": how long they take on a GPU is not known before it is measured"
	case c.Time == 0:
		text += ": how long they take is not known before"
	default:
		text += fmt.Sprintf(" on %s: about %s (%s)", c.on(), Roughly(c.Time), c.Parts())
	}
	if b := c.Probe; b != nil {
		text += fmt.Sprintf(", measured by %d steps on %s: %s a step, %.0f tokens/s", b.Steps, b.When(),
			short(b.Step), b.TokensPerS)
	} else if c.Time > 0 {
		text += ", worked out"
	}
	if c.BaseAway {
		away := "the base is not on this machine yet: the run fetches it first"
		if c.Download > 0 {
			away += ", about " + printable.Gigabytes(c.Download)
		}
		lines = append(lines, away)
	}
	lines = append(lines, text)
	if c.Memory > 0 {
		text = "memory: about " + printable.Bytes(c.Memory)
		if c.Probe != nil {
			text += ", " + printable.Bytes(c.Probe.host()) + " in those steps"
			if n := len(c.Probe.Held) + len(c.Probe.Ranks); n > 1 {
				text += fmt.Sprintf(" of %d processes", n)
			}
		}
		if c.Free > 0 {
			text += ", " + printable.Bytes(c.Free) + " are free now"
			if c.Memory > c.Free {
				text = "! " + text + ": it does not fit"
			}
		}
		lines = append(lines, text)
	}
	for _, g := range c.GPUs {
		text = g.String()
		if !g.Fits() {
			text = "! " + text
		}
		lines = append(lines, text)
	}
	return lines
}

// short is a step's time: "85 ms", "2.41 s".
func short(seconds float64) string {
	if seconds < 1 {
		return fmt.Sprintf("%.0f ms", seconds*1000)
	}
	return fmt.Sprintf("%.3g s", seconds)
}

// Away is the finding for a base that is not on this machine yet.
func (c Cost) Away(base string) dataset.Finding {
	size := "how large it is, is not known before"
	if c.Download > 0 {
		size = "about " + printable.Gigabytes(c.Download)
		switch {
		case c.Listed:
			size += " by the hub's own list of its weights"
		case c.Hint:
			size += " by the size in its name"
		default:
			size += " by the shape of its configuration"
		}
	}
	return dataset.Finding{Code: "base_away", Level: level.Info,
		Text: fmt.Sprintf("MODEL.BASE = %q is not on this machine yet: the run fetches it from the hub before its "+
			"first step (%s), and checks then what takes the base's own tokens", base, size),
		Do: "leave it to the run, which can be stopped meanwhile and goes on where it stood when it is resumed"}
}

// Parts are what the time goes to, in words: "first look 4 s, steps 20 min, checks 3 min".
func (c Cost) Parts() string {
	if c.Time == 0 {
		return ""
	}
	return fmt.Sprintf("first look %s, steps %s, checks %s", Roughly(c.Looks), Roughly(c.Steps), Roughly(c.Checks))
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
	const year = 8766 // hours
	if d >= 70*year*time.Hour {
		return "70 years or more"
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
