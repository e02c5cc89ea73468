package base

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"finetui/core/demo/draw"
	"finetui/core/demo/generic"
	"finetui/ml/cores"
	"finetui/ml/qwen2vl"
	"finetui/ml/qwen2vl/chat"
	"finetui/ml/tokenizer"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// What stage 2 talks about: shares of crops of one thing, of scenes, of text alone.
const (
	shareCopy     = .16
	shareScene    = .22
	copyInTalk    = .2 // of the crops' conversations also hold a turn of copying
	turns         = 2
	sceneSide     = 168 // a scene is shown at half its size
	outlineWidth  = 1.5
	outlineMargin = 1.5
)

// trainTalk is stage 2: the tower's blocks are src's and stay as they are.
func trainTalk(ctx context.Context, c qwen2vl.Config, src weights.Source, tok *tokenizer.Tokenizer,
	o Options) (*qwen2vl.Model, error) {
	all := weights.Tuning{All: true}
	m, err := qwen2vl.New(c, src, qwen2vl.Tuning{Text: all, Merger: all})
	if err != nil {
		return nil, err
	}
	network := qwen2vl.Network{Model: m, Tower: true}
	solver, err := train.NewAdamW(network.Parameters(), []train.Group{{LearningRate: talkRate, WeightDecay: .05}}, nil)
	if err != nil {
		return nil, err
	}
	solver.Beta2, solver.MaxGradNorm = .98, 1
	threads := o.Threads
	if threads <= 0 {
		threads = cores.Count()
	}
	trainer, err := train.New(network, solver, train.Schedule{Kind: "cosine", Warmup: 100, Steps: o.TalkSteps},
		train.Options{Replicas: threads, Threads: threads, Seed: o.Seed})
	if err != nil {
		return nil, err
	}
	w := &writer{config: c, tok: tok}
	start, recent := time.Now(), 0.
	for step := range o.TalkSteps {
		samples, err := w.batch(o.Seed, 2, step, talkBatch, threads)
		if err != nil {
			return nil, err
		}
		r, err := trainer.Step(ctx, samples)
		if err != nil {
			return nil, err
		}
		recent = recent*.98 + r.LossPlain*.02
		if done := step + 1; done%250 == 0 || done == o.TalkSteps {
			held, err := w.batch(o.Seed, 8, 0, o.heldOut, threads)
			if err != nil {
				return nil, err
			}
			h, err := trainer.Evaluate(ctx, held)
			if err != nil {
				return nil, err
			}
			o.Log("stage 2: step %d of %d, %d conversations, %.0f s, loss %.3f, held out: %s", done, o.TalkSteps,
				done*talkBatch,
				time.Since(start).Seconds(), recent, w.score(h))
		}
	}
	return m, nil
}

// kind is what a conversation is about.
type kind int

const (
	aboutThing kind = iota
	aboutScene
	aboutWords
	kinds
)

// writer makes conversations into samples.
type writer struct {
	config qwen2vl.Config
	tok    *tokenizer.Tokenizer
	last   []kind // of the last batch
}

// batch writes n conversations, on as many cores as there are threads.
func (w *writer) batch(seed uint64, stage, step, n, threads int) ([]train.Sample, error) {
	samples, errs := make([]train.Sample, n), make([]error, n)
	w.last = make([]kind, n)
	var wait sync.WaitGroup
	for t := range threads {
		wait.Go(func() {
			for i := t; i < n; i += threads {
				samples[i], w.last[i], errs[i] = w.conversation(stream(seed, stage, step, i))
				samples[i].Key = uint64(i)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return samples, nil
}

// score says what share of the answers' tokens was right, by kind.
func (w *writer) score(r *train.Result) string {
	var right, tokens [kinds]int
	for i, s := range r.Samples {
		right[w.last[i]] += s.Right
		tokens[w.last[i]] += s.Tokens
	}
	share := func(k kind) float64 { return float64(right[k]) / float64(max(1, tokens[k])) }
	return fmt.Sprintf("loss %.3f, answer tokens right: things %.3f scenes %.3f copying %.3f", r.LossPlain,
		share(aboutThing), share(aboutScene), share(aboutWords))
}

// conversation draws one.
func (w *writer) conversation(rng *rand.Rand) (train.Sample, kind, error) {
	u := rng.Float64()
	switch {
	case u < shareCopy:
		s, err := w.sample(nil, "", append(generic.Copy(rng), generic.Copy(rng)...))
		return s, aboutWords, err
	case u < shareCopy+shareScene:
		s, err := w.scene(rng)
		return s, aboutScene, err
	}
	thing := generic.Sample(rng, pictureSide)
	talk := generic.Talk(&thing, rng, turns)
	if rng.Float64() < copyInTalk {
		talk[rng.IntN(len(talk))] = generic.Copy(rng)[0]
	}
	s, err := w.sample([]*draw.Canvas{thing.Picture}, "", talk)
	return s, aboutThing, err
}

// scene asks about one thing of a scene, which is told apart by an outline, by its coordinates, or by an outline and a
// close-up.
func (w *writer) scene(rng *rand.Rand) (train.Sample, error) {
	scene := generic.NewScene(rng)
	j := rng.IntN(len(scene.Things))
	box := scene.Things[j].Box
	whole := scene.Picture.Resize(sceneSide, sceneSide)
	talk := generic.TalkScene(&scene, j, rng, turns)
	before := ""
	mode := draw.Weighted(rng, .3, .15, .55)
	if mode == 1 {
		before = generic.Coordinates(box, generic.SceneSize, generic.SceneSize) + " "
	} else {
		outline(whole, box, float64(sceneSide)/generic.SceneSize)
	}
	pictures := []*draw.Canvas{whole}
	if mode == 2 {
		pictures = append(pictures, closeUp(scene.Picture, box))
	}
	return w.sample(pictures, before, talk)
}

// outline draws a red frame around a box given in the unshrunk picture's pixels.
func outline(c *draw.Canvas, box [4]float64, scale float64) {
	x0, y0 := int(box[0]*scale-outlineMargin), int(box[1]*scale-outlineMargin)
	x1, y1 := int(box[2]*scale+outlineMargin), int(box[3]*scale+outlineMargin)
	set := func(x, y int) {
		if x >= 0 && y >= 0 && x < c.W && y < c.H {
			copy(c.Pix[(y*c.W+x)*3:], []uint8{255, 40, 40})
		}
	}
	for k := range 2 {
		for x := x0; x <= x1; x++ {
			set(x, y0+k)
			set(x, y1-k)
		}
		for y := y0; y <= y1; y++ {
			set(x0+k, y)
			set(x1-k, y)
		}
	}
}

// closeUp cuts a box out with a tenth around it, the shorter side at least half the longer.
func closeUp(c *draw.Canvas, box [4]float64) *draw.Canvas {
	x0, y0, x1, y1 := box[0], box[1], box[2], box[3]
	w, h := (x1-x0)*1.2, (y1-y0)*1.2
	w, h = max(w, h/2), max(h, w/2)
	cx, cy := (x0+x1)/2, (y0+y1)/2
	return c.View(cx-w/2, cy-h/2, cx+w/2, cy+h/2, pictureSide, pictureSide)
}

// sample puts a conversation into tokens: the pictures come in the first turn.
func (w *writer) sample(pictures []*draw.Canvas, before string, talk []generic.QA) (train.Sample, error) {
	var s train.Sample
	var seen qwen2vl.Patches
	var messages []chat.Message
	for i, qa := range talk {
		m := chat.Message{Role: chat.User}
		if i == 0 {
			for _, p := range pictures {
				var g qwen2vl.Grid
				var err error
				if seen.Pixels, g, err = appendRows(seen.Pixels, p); err != nil {
					return s, err
				}
				seen.Grids = append(seen.Grids, g)
				m.Parts = append(m.Parts, chat.Part{Kind: chat.Image, Tokens: g.Tokens(w.config.Vision.Merge)})
			}
			m.Parts = append(m.Parts, chat.Part{Text: before + qa.Question})
		} else {
			m.Parts = []chat.Part{{Text: qa.Question}}
		}
		messages = append(messages, m, chat.Say(chat.Assistant, qa.Answer))
	}
	ids, labels, err := chat.Encode(w.tok, messages, chat.Options{})
	if err != nil {
		return s, err
	}
	pos, features, err := w.config.Positions(ids, seen.Grids)
	if err != nil {
		return s, err
	}
	s.IDs, s.Pos, s.Visual = ids, pos, seen
	for t, f := range features {
		if f >= 0 {
			s.Places = append(s.Places, int32(t))
		}
	}
	s.Targets, s.Weights = train.Shift(labels)
	return s, nil
}
