package project

import (
	"math"
	"slices"
	"sync"
	"time"

	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/ml/blas"
	"finetui/ml/weights"
)

// What a run's time goes to is counted in operations, and the machine's speed at products is measured. All else is held
// against these: how many operations of a product take as long. Fitted to the processor time of steps and checks of the
// tiny base, of 0.5B and of 2B shapes on two cores with AVX-512; the other terms are counted.
const (
	perAdapter   = 1.3  // an operation with an adapter's A or B, which are narrow
	perAttention = 2.5  // one of attention, with the softmax that belongs to it
	perValue     = 75   // a number that norms, activations, rotations and sums write
	perTrained   = 500  // a trained value, in the optimizer
	perStep      = 25e6 // a step, whatever it consists of
	perPixel     = 5000 // a pixel of a picture that is decoded, cut out and scaled
	perFilm      = 1e10 // a clip, before its first pixel: FFmpeg is started for each
	perFilmed    = 1250 // a pixel of a clip that goes through FFmpeg
	streamed     = 1.15 // an operation with weights that do not stay in the cache
	streamedRows = 12   // and each pass through those costs as if it had so many rows more
	fresh        = 1.4  // an operation in reading a question, since who answers begins with new buffers
	perQuestion  = 2e8  // a question, whatever it is: its picture's features are found and read
)

// clock works out how long a run's process is busy.
type clock struct {
	*process
	cores float64
	known map[effortOf]float64
}

// effortOf is what the effort of a pass depends on.
type effortOf struct {
	tokens, supervised, patches, pairs int
	vision, back                       bool
}

func newClock(s *process) *clock {
	return &clock{process: s, known: map[effortOf]float64{},
		cores: float64(blas.NewTeam(s.p.Config.Train.Threads).Size())}
}

// took is how long operations of products take on a core of this machine.
func took(operations float64) time.Duration {
	const most = math.MaxInt64 / 4 // 73 years: so that the sum of three is a time
	return time.Duration(min(operations/speed()*float64(time.Second), most))
}

// operations are those of products that take as long as an effort.
func (c *clock) operations(e weights.Effort) float64 {
	products := e.Products
	if !c.sizes.Small() {
		products *= streamed
	}
	return products + perAdapter*e.Adapters + perAttention*e.Attention + perValue*e.Values
}

// pass is that of a sample.
func (c *clock) pass(of effortOf) float64 {
	n, ok := c.known[of]
	if ok {
		return n
	}
	if of.tokens > 0 {
		n = c.operations(c.model.TextEffort(of.tokens, of.supervised, of.back))
		if of.back && c.p.Config.Train.Checkpointing { // each layer's way there once more
			n += c.operations(c.model.TextEffort(of.tokens, 0, false))
		}
	}
	if of.vision && of.patches > 0 {
		n += c.operations(c.model.VisionEffort(of.patches, of.pairs, of.back)) + c.reading(false, of.back)
	}
	c.known[of] = n
	return n
}

// reading is what a pass costs beside its rows where the weights do not stay in the cache.
func (c *clock) reading(text, back bool) float64 {
	if c.sizes.Small() {
		return 0
	}
	var e weights.Effort
	if text {
		e.Products = c.model.TextEffort(1+streamedRows, 1+streamedRows, back).Products -
			c.model.TextEffort(1, 1, back).Products
	} else {
		const unit = 16 // patches, of which a merger makes whole tokens
		e.Products = c.model.VisionEffort(unit+streamedRows, 0, back).Products - c.model.VisionEffort(unit, 0,
			back).Products
	}
	return c.operations(e)
}

// sample is a sample's part of a step or a check.
func (c *clock) sample(w *weight, back bool) float64 {
	if w.tokens == 0 {
		return 0 // it cannot be shown
	}
	return c.pass(effortOf{w.tokens, w.supervised, w.patches, w.pairs, c.trains, back})
}

// spread is the part of the work on n samples that the busiest core has. A small model's sequences are dealt out
// to the cores, a large one's products are.
func (c *clock) spread(n int) float64 {
	if workers := float64(c.workers); c.sizes.Small() && n > 0 {
		return math.Ceil(float64(n)/workers) / float64(n)
	}
	return 1 / c.cores
}

// stepping are the operations of all steps, those of the busiest core.
func (c *clock) stepping() float64 {
	batches, t := c.batches, c.p.Config.Train
	epoch := func(e int) (samples int, work float64) {
		order := batches.Epoch(e)
		for _, i := range order {
			work += c.sample(c.all[i], true)
		}
		return len(order), work
	}
	samples, work := epoch(0)
	if samples == 0 {
		return 0
	}
	alike := batches.Hidden == 0 && batches.plan.Alike()
	all := work
	const walked = 8 // epochs that are counted through; the further ones are like them
	for e := 1; e < t.Epochs; e++ {
		if !alike && e < walked {
			_, work = epoch(e)
		}
		all += work
	}
	steps := float64(batches.Steps())
	sequences := min(batches.Batch, max(1, t.BatchSize))
	passes := math.Ceil(float64(batches.Batch) / float64(sequences))
	values, _ := c.model.Adapters()
	return all*c.spread(min(batches.Batch, samples)) + steps*passes*c.reading(true, true)/c.cores +
		steps*(perStep+perTrained*float64(values)/c.cores)
}

// looking are the operations of opening what is shown, once each, and of what a frozen tower sees there.
func (c *clock) looking() (n float64) {
	for _, list := range [][]*weight{c.all, c.valid} {
		for _, w := range list {
			if w.tokens == 0 {
				continue
			}
			n += c.opening(w) / float64(c.workers)
			if !c.trains {
				n += c.pass(effortOf{patches: w.patches, pairs: w.pairs, vision: true}) / c.cores
			}
		}
	}
	return n
}

// opening is that of what is shown of a sample.
func (c *clock) opening(w *weight) float64 {
	if w.filmed > 0 {
		return perFilm + perFilmed*float64(w.filmed)
	}
	return perPixel * float64(w.pixels)
}

// checking are the operations of all checks on valid.
func (c *clock) checking() (n float64) {
	t := c.p.Config.Train
	checks := 1
	if every := t.EvalEvery; every > 0 {
		checks += (c.batches.Steps() - 1) / every
	}
	var opening float64
	for _, w := range c.valid {
		if w.tokens == 0 {
			continue
		}
		answer := min(c.p.Config.Eval.MaxNewTokens, w.supervised)
		n += c.sample(w, false) + float64(answer)*c.pass(effortOf{tokens: 1, supervised: 1})
		n += perQuestion + fresh*c.pass(effortOf{w.prompt, 1, w.patches, w.pairs, c.looks(), false})
		if c.looks() && (w.filmed == 0 || c.p.Config.Model.Cache == 0) { // frames of clips are kept
			opening += c.opening(w)
		}
	}
	groups := float64((len(c.valid) + together - 1) / together)
	longest := 0
	for _, w := range c.valid {
		longest = max(longest, w.supervised)
	}
	passes := float64(len(c.valid))/float64(max(1, t.BatchSize)) + groups*float64(1+min(longest,
		c.p.Config.Eval.MaxNewTokens))
	n = n*c.spread(len(c.valid)) + opening*c.spread(len(c.valid)) + passes*c.reading(true, false)/c.cores
	return float64(checks) * n
}

// speed is how many operations a second one core does in products such as a model's. It is measured once, in products
// so short that hardly one in some dozens is interrupted where others work on the machine, and the fastest counts.
var speed = sync.OnceValue(func() float64 {
	const m, n, k, tries = 64, 512, 512, 100
	a, c := make([]float32, m*k), make([]float32, m*n)
	panels := blas.PackBF16(true, n, k, make([]uint16, n*k), k)
	team := blas.NewTeam(1)
	times := make([]time.Duration, tries)
	for i := range times {
		start := time.Now()
		team.Mul(m, a, k, panels, false, c, n)
		times[i] = time.Since(start)
	}
	return 2 * m * n * k / max(slices.Min(times), time.Microsecond).Seconds()
})

// of notes the size of what a sample is about.
func (w *weight) of(s recipe.Sample) {
	w.pixels = int(s.Item.Width) * int(s.Item.Height)
	if clip := s.Item.Clip; clip != nil {
		w.filmed = w.pixels * clip.Frames
	}
}

// show adds what is shown of a sample, as the model cuts it; nothing where a part of it cannot be shown, which has its
// finding.
func (w *weight) show(shown []sample.Measured) {
	if slices.ContainsFunc(shown, func(m sample.Measured) bool { return m.Err != nil }) {
		return
	}
	for _, m := range shown {
		w.frames += m.Size.Frames
		w.patches += m.Shape.Rows
		w.features += m.Shape.Tokens
		w.pairs += max(1, m.Shape.T) * m.Shape.H * m.Shape.W * m.Shape.H * m.Shape.W
	}
}
