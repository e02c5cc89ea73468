package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"finetui/ml/blas"
	"finetui/ml/cores"
	"finetui/ml/generate"
	"finetui/ml/lora"
	"finetui/ml/mapped"
	"finetui/ml/nn"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// Subject is a model that can be asked: a base, or a base with an adapter.
type Subject struct {
	Base    *Base
	Adapter string // its folder; empty: the base alone
	Network Network

	threads int
	sight   bool // the adapter replaces parts of what sees
}

// Load builds a base with the adapter in a folder, or alone where that is empty. threads 0 means all cores.
func Load(b *Base, adapter string, threads int) (*Subject, error) {
	var tune Tuning
	var adapters []lora.Adapter
	var changes lora.Changes
	if adapter != "" {
		cfg, read, err := lora.Read(adapter)
		if err != nil {
			return nil, err
		}
		if changes, adapters, err = cfg.Changes(read, b.Kind.Sizes().Tied); err != nil {
			return nil, fmt.Errorf("adapter %s on base %s: %w", adapter, b.Name, err)
		}
		tune.Adapt = held(adapters)
	}
	n, err := b.newWith(adapter, changes, tune)
	if err != nil && adapter != "" {
		err = fmt.Errorf("adapter %s on base %s: %w", adapter, b.Name, err)
	}
	if err != nil {
		return nil, err
	}
	if err := Fill(n, adapters); err != nil {
		return nil, fmt.Errorf("adapter %s on base %s: %w", adapter, b.Name, err)
	}
	return &Subject{Base: b, Adapter: adapter, Network: n, threads: threads, sight: changes.Sight}, nil
}

// NewSubject makes a subject of a network in training: it answers with the adapters as they are at the moment.
func NewSubject(b *Base, n Network, threads int) *Subject {
	return &Subject{Base: b, Network: n, threads: threads}
}

// Adapt is a tuning of the products that a LoRA configuration names.
func Adapt(c *lora.Config) Tuning {
	return Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: c.Rank(module), Scale: c.Scale(module), Dropout: c.Dropout}, c.Matches(module)
	}}
}

// held adapts the modules that an adapter's file holds.
func held(adapters []lora.Adapter) func(string) (weights.Adapter, bool) {
	have := map[string]lora.Adapter{}
	for _, a := range adapters {
		have[a.Module] = a
	}
	return func(module string) (weights.Adapter, bool) {
		a, ok := have[module]
		return weights.Adapter{R: a.R, Scale: a.Scale}, ok
	}
}

// The ends of the names of an adapter's two tensors.
const (
	downName = ".lora_A.weight"
	upName   = ".lora_B.weight"
)

// Fill puts adapters into the network's trained tensors. Each must have its place.
func Fill(n Network, adapters []lora.Adapter) error {
	tensors := map[string]weights.Parameter{}
	for _, p := range n.Trained() {
		tensors[p.Name] = p
	}
	for _, a := range adapters {
		for suffix, values := range map[string][]float32{downName: a.A, upName: a.B} {
			p, ok := tensors[a.Module+suffix]
			if !ok {
				return fmt.Errorf("the model has no product %s", a.Module)
			}
			if len(p.Value) != len(values) {
				return fmt.Errorf("%s%s holds %d values, the model has room for %d", a.Module, suffix, len(values),
					len(p.Value))
			}
			copy(p.Value, values)
		}
	}
	return nil
}

// Adapters are the network's adapters as they are at the moment, in memory of their own.
func Adapters(n Network, c *lora.Config) (out []lora.Adapter) {
	trained := n.Trained()
	for i, down := range trained {
		module, ok := strings.CutSuffix(down.Name, downName)
		if !ok {
			continue
		}
		up := trained[i+1] // they are laid out together
		out = append(out, lora.Adapter{Module: module, In: down.Shape[1], Out: up.Shape[0], R: down.Shape[0],
			Scale: c.Scale(module), A: slices.Clone(down.Value), B: slices.Clone(up.Value)})
	}
	return out
}

// Question is what a subject is asked, and shown.
type Question struct {
	Scene
	Prompt string
}

// Reply is what it said.
type Reply struct {
	Text    string
	Tokens  int
	Seconds float64 // its share of the time of the questions that were answered together
}

// Asking says how questions are answered.
type Asking struct {
	View        View
	MaxNew      int
	Temperature float64
	TopP        float64 // 0, 1: draw from all tokens
	Repetition  float64 // penalty; 0, 1: none
	Seed        uint64
	// each piece of an answer as it comes; may be nil; calls do not overlap
	OnText func(question int, text string)
	// how closely the model looks at the frames of a question's clips, where it chooses among them, before it answers;
	// may be nil; calls do not overlap
	Looked   func(question int, list []Attention)
	Progress func(done, total int, what string) // may be nil
}

// together is how many questions are answered at once.
const together = 16

// Ask answers the questions. get makes a question when its turn comes, so that not all pictures are in memory. With a
// cancelled context the error comes with the replies so far.
func (s *Subject) Ask(ctx context.Context, n int, get func(i int) (Question, error), a Asking) ([]Reply, error) {
	replies := make([]Reply, n)
	var mutex sync.Mutex
	onText := func(q int, text string) {
		mutex.Lock()
		defer mutex.Unlock()
		if a.OnText != nil && text != "" {
			a.OnText(q, text)
		}
	}
	if looked := a.Looked; looked != nil {
		a.Looked = func(q int, list []Attention) {
			mutex.Lock()
			defer mutex.Unlock()
			looked(q, list)
		}
	}
	return replies, s.each(ctx, n, together, a.Progress, "answers", func(ctx context.Context, w *worker, first,
		last int) error {
		return w.answer(ctx, first, last, get, a, replies, onText)
	})
}

// each deals n questions out to workers, so many at a time, and waits for them. The first error stops all.
func (s *Subject) each(ctx context.Context, n, together int, progress func(done, total int, what string), what string,
	do func(ctx context.Context, w *worker, first, last int) error) error {
	workers, team := 1, blas.NewTeam(s.threads).Size()
	if s.Base.Kind.Sizes().Small() {
		workers, team = team, 1
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mutex sync.Mutex
	done, next := 0, make(chan int)
	var wait sync.WaitGroup
	for range min(workers, (n+together-1)/together) {
		wait.Go(func() {
			w := s.worker(team)
			for first := range next {
				last := min(first+together, n)
				if err := mapped.Guard(func() error { return do(ctx, w, first, last) }); err != nil {
					cancel(err)
					continue
				}
				mutex.Lock()
				done += last - first
				if progress != nil {
					progress(done, n, what)
				}
				mutex.Unlock()
			}
		})
	}
	for first := 0; first < n && ctx.Err() == nil; first += together {
		select {
		case next <- first:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

// worker is one core's or one team's share of a subject.
type worker struct {
	base    *Base
	eye     Eye
	frozen  bool // the eye is the base's
	session Session
}

func (s *Subject) worker(threads int) *worker {
	e := nn.NewExec(min(threads, cores.Count()))
	return &worker{base: s.Base, frozen: s.Network.Frozen() && !s.sight, eye: s.Network.NewEye(e),
		session: s.Network.NewSession(e)}
}

// questions makes questions ready: what they show is seen.
func (w *worker) questions(ctx context.Context, first, last int, get func(int) (Question, error), a Asking) (
	[]train.Sample, error) {
	questions := make([]train.Sample, 0, last-first)
	for i := first; i < last; i++ {
		q, err := get(i)
		if err != nil {
			return nil, err
		}
		seen, shapes, err := w.base.See(ctx, w.eye, w.frozen, a.View, q.Scene)
		if err != nil {
			return nil, err
		}
		t, err := w.base.Question(shapes, q.Prompt)
		if err != nil {
			return nil, fmt.Errorf("question %d: %w", i, err)
		}
		t.Visual = seen
		if choosing, ok := w.base.Kind.(Choosing); ok && a.Looked != nil {
			a.Looked(i, choosing.Attention(seen))
		}
		questions = append(questions, t)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return questions, nil
}

func (w *worker) answer(ctx context.Context, first, last int, get func(int) (Question, error), a Asking,
	replies []Reply, onText func(int, string)) error {
	start := time.Now()
	questions, err := w.questions(ctx, first, last, get, a)
	if err != nil {
		return err
	}
	logits, err := w.session.Prompt(ctx, questions)
	if err != nil {
		return err
	}
	streams := make([]*answerStream, len(questions))
	for i := range streams {
		streams[i] = newAnswerStream(w.base.Tokenizer)
	}
	options := generate.Options{MaxNew: a.MaxNew, Temperature: a.Temperature, TopP: a.TopP,
		RepetitionPenalty: a.Repetition, Stop: w.base.Stop, Seed: a.Seed + uint64(first)}
	for _, q := range questions {
		options.Prompts = append(options.Prompts, q.IDs)
	}
	_, err = generate.Run(ctx, w.session, logits, options,
		func(i int, id int32) { onText(first+i, streams[i].push(id)) })
	seconds := time.Since(start).Seconds() / float64(last-first)
	for i, e := range streams {
		onText(first+i, e.flush())
		replies[first+i] = Reply{Text: e.text, Tokens: e.tokens, Seconds: seconds}
	}
	return err
}
