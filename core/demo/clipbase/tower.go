package clipbase

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"finetui/core/demo/draw"
	"finetui/core/demo/exercise"
	"finetui/ml/blas"
	"finetui/ml/clip"
	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/train"
	"finetui/ml/videomamba"
)

// The maps that the heads read from every token: which parts of the body are in it.
var (
	imageMaps = [][][2]int{
		{{exercise.Neck, exercise.Head}}, {{exercise.Hip, exercise.Neck}},
		{{exercise.Shoulder0, exercise.Elbow0}, {exercise.Shoulder1, exercise.Elbow1}},
		{{exercise.Elbow0, exercise.Hand0}, {exercise.Elbow1, exercise.Hand1}},
		{{exercise.Hip, exercise.Knee0}, {exercise.Hip, exercise.Knee1}},
		{{exercise.Knee0, exercise.Foot0}, {exercise.Knee1, exercise.Foot1}},
		{{exercise.Hand0, exercise.Hand0}, {exercise.Hand1, exercise.Hand1}},
		{{exercise.Elbow0, exercise.Elbow0}, {exercise.Elbow1, exercise.Elbow1}},
		{{exercise.Knee0, exercise.Knee0}, {exercise.Knee1, exercise.Knee1}},
		{{exercise.Foot0, exercise.Foot0}, {exercise.Foot1, exercise.Foot1}}, {{exercise.Hip, exercise.Hip}},
	}
	videoMaps = [][][2]int{imageMaps[0], imageMaps[1], append(slices.Clone(imageMaps[2]), imageMaps[3]...),
		append(slices.Clone(imageMaps[4]), imageMaps[5]...)}
)

// videoMeasures are the numbers that a clip as a whole is asked for: the range of each measure, and what moves between
// each two of the frames.
const videoMeasures = 2*measures + videoFrames - 1

// imageMeasures are those of a picture.
const imageMeasures = int(measures)

// drawn marks the cells of a side×side grid that parts of a body reach.
func drawn(set []bool, j exercise.Joints, parts [][][2]int, side int) {
	for k, pairs := range parts {
		for _, p := range pairs {
			a, b := j[p[0]], j[p[1]]
			steps := 1 + int(math.Hypot(a.X-b.X, a.Y-b.Y)*float64(side)*2)
			for s := range steps + 1 {
				t := float64(s) / float64(steps)
				x, y := int((a.X+(b.X-a.X)*t)*float64(side)), int((a.Y+(b.Y-a.Y)*t)*float64(side))
				if x >= 0 && y >= 0 && x < side && y < side {
					set[(y*side+x)*len(parts)+k] = true
				}
			}
		}
	}
}

// floats are measures as the heads give them: in tenths of a picture.
func floats(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(10 * x)
	}
	return out
}

// pictureTarget is what the heads should say of frame i.
func (s scene) pictureTarget(i, side int) target {
	t := target{set: make([]bool, side*side*len(imageMaps))}
	drawn(t.set, s.film.Joints[i], imageMaps, side)
	m := s.measure(i)
	t.whole = floats(m[:])
	return t
}

// clipTarget is what the heads should say of the frames: vectors are the movement, to the next frame that is shown, of
// the joints in a cell.
func (s scene) clipTarget(frames []int, side int) target {
	cells, n := side*side, len(frames)
	t := target{set: make([]bool, n*cells*len(videoMaps)), vector: make([]float32, n*cells*2),
		whole: floats(s.ranges(frames))}
	for i := range t.vector {
		t.vector[i] = float32(math.NaN())
	}
	for f, at := range frames {
		j := s.film.Joints[at]
		drawn(t.set[f*cells*len(videoMaps):(f+1)*cells*len(videoMaps)], j, videoMaps, side)
		from, to, sign := at, at, 1.
		if f+1 < n {
			to = frames[f+1]
		} else {
			from = frames[f-1]
		}
		for k := range j {
			x, y := int(j[k].X*float64(side)), int(j[k].Y*float64(side))
			if x < 0 || y < 0 || x >= side || y >= side {
				continue
			}
			a, b := s.film.Joints[from][k], s.film.Joints[to][k]
			v := t.vector[(f*cells+y*side+x)*2:]
			v[0], v[1] = float32(10*sign*(b.X-a.X)), float32(10*sign*(b.Y-a.Y))
		}
	}
	return t
}

// lesson is one group of a batch: the rows that a tower reads, and what its heads should say.
type lesson struct {
	rows []float32
	target
}

// tutor trains one tower with its heads.
type tutor struct {
	name       string
	batch      int // groups of a step
	rate       float64
	parameters []train.Parameters
	heads      *headWeights
	width      int // of the rows
	stack      func(e *nn.Exec) (blocks []nn.Block, load func(groups int))
	draw       func(rng *rand.Rand) []lesson // some groups, from one scene
	each       int                           // how many of them
}

// pupil is one core's tower.
type pupil struct {
	chain *graph.Chain
	loss  *headLoss
	load  func(int)
	rows  []float32
	value float64
}

// train takes steps and leaves the weights in the tutor's model.
func (t *tutor) train(ctx context.Context, o Options, steps int) error {
	t.parameters = append(t.parameters, train.Parameters{Name: "heads", Value: t.heads.value, Layout: t.heads.layout})
	solver, err := train.NewAdamW(t.parameters, []train.Group{{LearningRate: t.rate, WeightDecay: .02}}, nil)
	if err != nil {
		return err
	}
	solver.Beta2, solver.MaxGradNorm = .98, 1
	schedule := train.Schedule{Kind: "cosine", Warmup: min(60, steps/4), Steps: steps}
	var pupils []*pupil
	for range o.Threads {
		p := &pupil{loss: newHeadLoss(t.heads)}
		var blocks []nn.Block
		blocks, p.load = t.stack(nn.NewExec(1))
		p.chain, err = graph.NewChain(func() ([]float32, int, int) { return p.rows, len(p.rows) / t.width, t.width },
			t.width, blocks, p.loss, graph.Options{})
		if err != nil {
			return err
		}
		pupils = append(pupils, p)
	}
	values, began := pupils[0].chain.ValueGrads(), time.Now()
	recent := 0.
	for step := range steps {
		loss, err := t.step(ctx, pupils, o.Seed, step, true)
		if err != nil {
			return err
		}
		for _, p := range pupils[1:] {
			for i, q := range p.chain.Params() {
				blas.Add(pupils[0].chain.Params()[i].Grad, q.Grad)
				clear(q.Grad)
			}
		}
		solver.SetFactor(schedule.Factor(step))
		if err := solver.Step(values); err != nil {
			return err
		}
		recent = recent*.95 + loss*.05
		if done := step + 1; done%100 == 0 || done == steps {
			if _, err := t.step(ctx, pupils, o.Seed, -1, false); err != nil {
				return err
			}
			var told score
			for _, p := range pupils {
				told.add(p.loss.told)
			}
			o.Log("%s: step %d of %d, %.0f s, loss %.3f, held out: %s", t.name, done, steps,
				time.Since(began).Seconds(), recent/(1-math.Pow(.95, float64(done))), told)
		}
	}
	return nil
}

// step deals a batch out to the pupils. Step −1 is what no other one is about.
func (t *tutor) step(ctx context.Context, pupils []*pupil, seed uint64, step int, learn bool) (loss float64,
	err error) {
	errs := make([]error, len(pupils))
	var wait sync.WaitGroup
	for k, p := range pupils {
		wait.Go(func() {
			p.rows, p.loss.targets, p.loss.share = p.rows[:0], p.loss.targets[:0], 1/float64(t.batch)
			for i := k; i < t.batch/t.each; i += len(pupils) {
				rng := rand.New(rand.NewPCG(seed*0x9e3779b97f4a7c15+uint64(len(t.name)), uint64(step+1)<<16|uint64(i)))
				for _, l := range t.draw(rng) {
					p.rows, p.loss.targets = append(p.rows, l.rows...), append(p.loss.targets, l.target)
				}
			}
			p.load(len(p.loss.targets))
			p.loss.learn = learn
			if learn {
				p.value, errs[k] = p.chain.Run(ctx)
			} else {
				p.value, errs[k] = p.chain.Loss(ctx)
			}
		})
	}
	wait.Wait()
	for k, p := range pupils {
		if errs[k] != nil {
			return 0, errs[k]
		}
		loss += p.value
	}
	return loss, ctx.Err()
}

func rgb(c *draw.Canvas) *picture.RGB { return &picture.RGB{W: c.W, H: c.H, Pix: c.Pix} }

// trainImage teaches the image tower where the parts of a body are in a frame.
func trainImage(ctx context.Context, c clip.Config, o Options) (*clip.Model, error) {
	m, err := clip.NewTrained(c, initial{o.Seed}, "clip.")
	if err != nil {
		return nil, err
	}
	side := c.Side / c.Patch
	const frames = 4
	t := &tutor{name: "image tower", batch: 32, rate: 2e-3, parameters: m.Parameters(), width: c.PatchWidth(),
		heads: newHeadWeights(c.Hidden, c.Patches(), len(imageMaps), 0, imageMeasures, o.Seed), each: frames}
	t.stack = func(e *nn.Exec) ([]nn.Block, func(int)) {
		tower := m.NewTower(e)
		return tower.Stack(), tower.Load
	}
	t.draw = func(rng *rand.Rand) (out []lesson) {
		s := newScene(rng, frames, c.Side)
		for i := range frames {
			out = append(out, lesson{c.Rows(nil, rgb(s.film.Frames[i])), s.pictureTarget(i, side)})
		}
		return out
	}
	return m, t.train(ctx, o, o.ImageSteps)
}

// trainVideo teaches the video encoder what moves where, and how far.
func trainVideo(ctx context.Context, c videomamba.Config, o Options) (*videomamba.Model, error) {
	m, err := videomamba.NewTrained(c, initial{o.Seed}, "videomamba.")
	if err != nil {
		return nil, err
	}
	side := c.Side / c.Patch
	t := &tutor{name: "video encoder", batch: 8, rate: 2e-3, parameters: m.Parameters(), width: c.PatchWidth(),
		heads: newHeadWeights(c.Hidden, c.Frames*c.Patches(), len(videoMaps), 2, videoMeasures, o.Seed), each: 1}
	t.stack = func(e *nn.Exec) ([]nn.Block, func(int)) {
		encoder := m.NewEncoder(e)
		return encoder.Stack(), encoder.Load
	}
	t.draw = func(rng *rand.Rand) []lesson {
		s := newScene(rng, 2*c.Frames, c.Side)
		var frames []int
		for chunk := range 2 { // half of each half, as they are chosen later
			some := rng.Perm(c.Frames)[:c.Frames/2]
			slices.Sort(some)
			for _, i := range some {
				frames = append(frames, chunk*c.Frames+i)
			}
		}
		l := lesson{target: s.clipTarget(frames, side)}
		for _, i := range frames {
			l.rows = c.Rows(l.rows, rgb(s.film.Frames[i]))
		}
		return []lesson{l}
	}
	return m, t.train(ctx, o, o.VideoSteps)
}
