package clipbase

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"finetui/core/demo/draw"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/safetensors"
	"finetui/ml/tokenizer"
	"finetui/ml/train"
	"finetui/ml/weights"
	"finetui/ml/wholefile"
)

const (
	clipBatch    = 8
	pictureBatch = 32 // a picture has a sixteenth of a clip's tokens
	talkRate     = 2e-3
	filmSide     = 192
)

// specials are the tokens that a template needs.
var specials = []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|image_pad|>"}

// encoders is stage 1 as a Source of the towers' tensors.
type encoders struct{ image, video *weights.Checkpoint }

// The names that the encoders' tensors begin with in a model.
const (
	imagePrefix = "image_tower."
	videoPrefix = "video_tower."
)

// openEncoders opens the weights in two folders.
func openEncoders(image, video string) (e encoders, err error) {
	if e.image, err = weights.OpenCheckpoint(image); err != nil {
		return e, err
	}
	if e.video, err = weights.OpenCheckpoint(video); err != nil {
		return e, errors.Join(err, e.image.Close())
	}
	return e, nil
}

// Close ends the use of the files.
func (e encoders) Close() error { return errors.Join(e.image.Close(), e.video.Close()) }

func (e encoders) at(name string) (weights.Source, string) {
	if rest, ok := strings.CutPrefix(name, imagePrefix); ok {
		return e.image, "vision_model." + rest
	}
	return e.video, "vision_encoder." + strings.TrimPrefix(name, videoPrefix)
}

func (e encoders) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	from, stored := e.at(name)
	return from.Matrix(stored, rows, cols)
}

func (e encoders) Vector(name string, n int) ([]float32, error) {
	from, stored := e.at(name)
	return from.Vector(stored, n)
}

// talk is stage 2, and writes the base.
func talk(ctx context.Context, dir string, o Options) error {
	tok, err := tokenizer.Train(corpus(rand.New(rand.NewPCG(o.Seed, 1)), o.corpus), vocab, specials)
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	text, err := settings(tok)
	if err != nil {
		return err
	}
	c, err := mobilevideogpt.ParseConfig(text)
	if err != nil {
		return err
	}
	c.Image, c.Video = sizes()
	towers, err := openEncoders(filepath.Join(dir, "clip"), filepath.Join(dir, "videomamba"))
	if err != nil {
		return err
	}
	defer towers.Close()
	m, err := mobilevideogpt.New(c, initial{o.Seed}, towers, mobilevideogpt.Tuning{Text: weights.Tuning{All: true},
		Projectors: true})
	if err != nil {
		return err
	}
	if err := trainTalk(ctx, m, tok, o); err != nil {
		return fmt.Errorf("stage 2: %w", err)
	}
	return writeBase(dir, m, text, tok)
}

// writeBase puts language model and projectors beside the encoders.
func writeBase(dir string, m *mobilevideogpt.Model, config []byte, tok *tokenizer.Tokenizer) error {
	if err := writeTensors(filepath.Join(dir, safetensors.SingleName), m.Tensors(), safetensors.FromFloat32AsBF16,
		""); err != nil {
		return err
	}
	if err := wholefile.Write(filepath.Join(dir, "tokenizer.json"), tok.Marshal()); err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, "config.json"), config)
}

// narrator makes clips into samples.
type narrator struct {
	model *mobilevideogpt.Model
	tok   *tokenizer.Tokenizer
	eyes  []*mobilevideogpt.Eye
}

func newNarrator(m *mobilevideogpt.Model, tok *tokenizer.Tokenizer, threads int) (*narrator, error) {
	n := &narrator{model: m, tok: tok}
	for range threads {
		eye, err := m.NewEye(nn.NewExec(1))
		if err != nil {
			return nil, err
		}
		n.eyes = append(n.eyes, eye)
	}
	return n, nil
}

// lecture is a part of stage 2: steps about pictures, or about clips.
type lecture struct {
	name         string
	clip         bool
	steps, batch int
}

// batch talks about so many clips or pictures. first numbers them.
func (n *narrator) batch(ctx context.Context, seed uint64, l lecture, first, count int) ([]train.Sample, error) {
	samples, errs := make([]train.Sample, count), make([]error, len(n.eyes))
	var wait sync.WaitGroup
	for k, eye := range n.eyes {
		wait.Go(func() {
			for i := k; i < count && errs[k] == nil; i += len(n.eyes) {
				rng := rand.New(rand.NewPCG(seed*0x9e3779b97f4a7c15+uint64(len(l.name)), uint64(first+i)))
				samples[i], errs[k] = n.sample(ctx, eye, rng, l.clip)
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

// sample films a clip or takes a picture, looks at it as a run would, and talks about it.
func (n *narrator) sample(ctx context.Context, eye *mobilevideogpt.Eye, rng *rand.Rand, clip bool) (s train.Sample,
	err error) {
	shown := mobilevideogpt.Shown{Clip: clip}
	var what scene
	if clip {
		frames := draw.Between(rng, mobilevideogpt.Frames, 24)
		what = newScene(rng, frames, filmSide)
		for i := range mobilevideogpt.Frames { // spread as a clip's frames are
			shown.Frames = append(shown.Frames, rgb(what.film.Frames[i*(frames-1)/(mobilevideogpt.Frames-1)]))
		}
	} else {
		what = newPicture(rng, filmSide)
		shown.Frames = append(shown.Frames, rgb(what.film.Frames[0]))
	}
	shots, err := n.model.Config.Prepare([]mobilevideogpt.Shown{shown})
	if err != nil {
		return s, err
	}
	seen, err := eye.See(ctx, shots)
	if err != nil {
		return s, err
	}
	var turns []mobilevideogpt.Turn
	for i, t := range what.talk(rng) {
		q := mobilevideogpt.Turn{Text: t.question}
		if i == 0 {
			q.Shown = []int{n.model.Config.Tokens(clip)}
		}
		turns = append(turns, q, mobilevideogpt.Turn{Answer: true, Text: t.answer})
	}
	e, err := mobilevideogpt.Encode(n.tok, "", turns)
	if err != nil {
		return s, err
	}
	s.IDs, s.Places, s.Visual = e.IDs, e.Places, seen
	s.Targets, s.Weights = train.Shift(e.Labels)
	return s, nil
}

// trainTalk talks about pictures first, which are many for their cost, then about clips.
func trainTalk(ctx context.Context, m *mobilevideogpt.Model, tok *tokenizer.Tokenizer, o Options) error {
	n, err := newNarrator(m, tok, o.Threads)
	if err != nil {
		return err
	}
	for _, l := range []lecture{{"pictures", false, o.PictureSteps, pictureBatch}, {"clips", true, o.TalkSteps,
		clipBatch}} {
		if err := n.lecture(ctx, l, o); err != nil {
			return err
		}
	}
	return nil
}

// lecture takes the steps of one part.
func (n *narrator) lecture(ctx context.Context, l lecture, o Options) error {
	solver, err := train.NewAdamW(n.model.Parameters(), []train.Group{{LearningRate: talkRate, WeightDecay: .02}}, nil)
	if err != nil {
		return err
	}
	solver.Beta2, solver.MaxGradNorm = .98, 1
	trainer, err := train.New(n.model, solver, train.Schedule{Kind: "cosine", Warmup: min(20, l.steps/4),
		Steps: l.steps},
		train.Options{Replicas: o.Threads, Threads: o.Threads, Seed: o.Seed, Limits: train.Limits{Sequences: 1}})
	if err != nil {
		return err
	}
	held, err := n.batch(ctx, o.Seed, l, 1<<30, o.heldOut)
	if err != nil {
		return err
	}
	began, recent := time.Now(), 0.
	for step := range l.steps {
		samples, err := n.batch(ctx, o.Seed, l, step*l.batch, l.batch)
		if err != nil {
			return err
		}
		r, err := trainer.Step(ctx, samples)
		if err != nil {
			return err
		}
		recent = recent*.9 + r.LossPlain*.1
		if done := step + 1; done%50 == 0 || done == l.steps {
			h, err := trainer.Evaluate(ctx, held)
			if err != nil {
				return err
			}
			right, tokens := 0, 0
			for _, s := range h.Samples {
				right, tokens = right+s.Right, tokens+s.Tokens
			}
			o.Log("%s: step %d of %d, %d seen, %.0f s, loss %.3f, held out: loss %.3f, answer tokens right %.3f",
				l.name, done, l.steps, done*l.batch, time.Since(began).Seconds(),
				recent/(1-math.Pow(.9, float64(done))),
				h.LossPlain, float64(right)/float64(max(1, tokens)))
		}
	}
	return nil
}
