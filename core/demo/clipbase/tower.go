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

// drawn marks the cells of a side×side grid that parts of a body reach.
func drawn(set []bool, j exercise.Joints, parts [][][2]int, side int) {
	for k, pairs := range parts {
		for _, p := range pairs {
			reached(j[p[0]], j[p[1]], side, func(cell int) { set[cell*len(parts)+k] = true })
		}
	}
}

// reached tells the cells of a side×side grid that the line from a to b goes through, some of them several times.
func reached(a, b draw.Point, side int, tell func(cell int)) {
	steps := 1 + int(math.Hypot(a.X-b.X, a.Y-b.Y)*float64(side)*2)
	for s := range steps + 1 {
		t := float64(s) / float64(steps)
		x, y := int((a.X+(b.X-a.X)*t)*float64(side)), int((a.Y+(b.Y-a.Y)*t)*float64(side))
		if x >= 0 && y >= 0 && x < side && y < side {
			tell(y*side + x)
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

// unsaid is a target of n frames of which nothing is to be said yet.
func unsaid(n, side int) target {
	nothing := func(n int) []float32 { return slices.Repeat([]float32{float32(math.NaN())}, n) }
	tokens := n * side * side
	return target{set: make([]bool, tokens*len(videoMaps)), vector: nothing(tokens * 2), phase: nothing(tokens * 2),
		frame: nothing(n * 2 * measures), whole: nothing(videoMeasures)}
}

// stand says which parts are where in frame at of the film, the target's frame f.
func (s scene) stand(t target, f, at, side int) {
	maps := side * side * len(videoMaps)
	drawn(t.set[f*maps:(f+1)*maps], s.film.Joints[at], videoMaps, side)
	place, _ := usual()
	m := s.measure(at)
	for k := range measures {
		t.frame[f*2*measures+k] = float32((m[k] - place.mean[k]) / place.deviation[k])
	}
}

// stillTarget is what the heads should say of some pictures as frames of one clip: nothing of movement.
func stillTarget(pictures []scene, side int) target {
	t := unsaid(len(pictures), side)
	for f, s := range pictures {
		s.stand(t, f, 0, side)
	}
	return t
}

// clipTarget is what the heads should say of the frames: vectors are the movement, to the next frame that is shown, of
// the joints in a cell, and phases where in its cycle what moves in it is.
func (s scene) clipTarget(frames []int, side int) target {
	cells, n := side*side, len(frames)
	t := unsaid(n, side)
	t.whole = floats(s.ranges(frames))
	cycles := s.cycles()
	_, change := usual()
	for f, at := range frames {
		s.stand(t, f, at, side)
		from, to := at, at // the last frame's movement is that from the one before
		if f+1 < n {
			to = frames[f+1]
		} else {
			from = frames[f-1]
		}
		a, b := s.measure(from), s.measure(to)
		for k := range measures {
			t.frame[(f*2+1)*measures+k] = float32((b[k] - a[k]) / change.deviation[k])
		}
		for k, j := range s.film.Joints[at] {
			x, y := int(j.X*float64(side)), int(j.Y*float64(side))
			if x < 0 || y < 0 || x >= side || y >= side {
				continue
			}
			a, b := s.film.Joints[from][k], s.film.Joints[to][k]
			v := t.vector[(f*cells+y*side+x)*2:]
			v[0], v[1] = float32(10*(b.X-a.X)), float32(10*(b.Y-a.Y))
		}
		if s.moves(at) {
			phases(t.phase[f*cells*2:(f+1)*cells*2], cycles, s.film.Joints[at], s.film.Phase[at], side)
		}
	}
	return t
}

// phases sets the phase, as cosine and sine, of the cells that something goes through which moves: of what goes farthest,
// if several things do.
func phases(out []float32, cycles [exercise.JointCount]cycle, j exercise.Joints, phase float64, side int) {
	farthest := make([]float64, side*side)
	for _, pairs := range videoMaps {
		for _, p := range pairs {
			c := cycles[p[0]]
			if other := cycles[p[1]]; other.distance > c.distance {
				c = other
			}
			sin, cos := math.Sincos(2 * math.Pi * (phase - c.start))
			reached(j[p[0]], j[p[1]], side, func(cell int) {
				if c.distance > max(leastCycle, farthest[cell]) {
					farthest[cell] = c.distance
					out[2*cell], out[2*cell+1] = float32(cos), float32(sin)
				}
			})
		}
	}
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
	parameters := append(slices.Clone(t.parameters), train.Parameters{Name: "heads", Value: t.heads.value,
		Layout: t.heads.layout})
	solver, err := train.NewAdamW(parameters, []train.Group{{LearningRate: t.rate, WeightDecay: .02}}, nil)
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

// heldOutGroups are as many as are scored, at least.
const heldOutGroups = 32

// step deals a batch out to the pupils. Step −1 is what no other one is about.
func (t *tutor) step(ctx context.Context, pupils []*pupil, seed uint64, step int, learn bool) (loss float64,
	err error) {
	errs := make([]error, len(pupils))
	var wait sync.WaitGroup
	for k, p := range pupils {
		wait.Go(func() {
			p.rows, p.loss.targets, p.loss.share = p.rows[:0], p.loss.targets[:0], 1/float64(t.batch)
			n := t.batch
			if !learn {
				n = max(n, heldOutGroups)
			}
			for i := k; i < n/t.each; i += len(pupils) {
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
		heads: newHeadWeights(c.Hidden, c.Patches(), headSizes{maps: len(imageMaps), whole: measures}, o.Seed),
		each:  frames}
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

// trainVideo teaches the video encoder where the parts of a body are, from pictures that have nothing to do with each
// other, and then from clips what moves where, how far, and where in its cycle that is. Pictures first, since eight of
// them show eight bodies: before it knows where a hand is, no encoder can learn where it goes.
func trainVideo(ctx context.Context, c videomamba.Config, o Options) (*videomamba.Model, error) {
	m, err := videomamba.NewTrained(c, initial{o.Seed}, "videomamba.")
	if err != nil {
		return nil, err
	}
	side := c.Side / c.Patch
	pictures := &tutor{name: "video encoder, pictures", batch: 8, rate: 4e-3, parameters: m.Parameters(),
		width: c.PatchWidth(), each: 1,
		heads: newHeadWeights(c.Hidden, c.Frames*c.Patches(), headSizes{maps: len(videoMaps), vectors: 2, phases: 1,
			frames: c.Frames, places: measures, moves: measures, whole: videoMeasures}, o.Seed)}
	pictures.stack = func(e *nn.Exec) ([]nn.Block, func(int)) {
		encoder := m.NewEncoder(e)
		return encoder.Stack(), encoder.Load
	}
	pictures.draw = func(rng *rand.Rand) []lesson {
		var l lesson
		var shown []scene
		for range c.Frames {
			s := newPicture(rng, c.Side)
			shown, l.rows = append(shown, s), c.Rows(l.rows, rgb(s.film.Frames[0]))
		}
		l.target = stillTarget(shown, side)
		return []lesson{l}
	}
	if err := pictures.train(ctx, o, o.StillSteps); err != nil {
		return nil, err
	}
	clips := *pictures
	clips.name, clips.rate = "video encoder, clips", 3e-3
	clips.draw = func(rng *rand.Rand) []lesson {
		if rng.IntN(4) == 0 { // what was learnt stays
			return pictures.draw(rng)
		}
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
	return m, clips.train(ctx, o, o.VideoSteps)
}
