package model

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"finetui/ml/blas"
	"finetui/ml/generate"
	"finetui/ml/lora"
	"finetui/ml/mapped"
	"finetui/ml/nn"
	"finetui/ml/picture"
	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
	"finetui/ml/weights"
)

// Subject is a model that can be asked: a base, or a base with an adapter.
type Subject struct {
	Base    *Base
	Adapter string // its folder; empty: the base alone
	Model   *qwen2vl.Model

	threads int
	sight   bool // the adapter holds parts of the vision tower as a whole
}

// Load builds a base with the adapter in a folder, or alone where that is empty. threads 0 means all cores.
func Load(b *Base, adapter string, threads int) (*Subject, error) {
	var tune qwen2vl.Tuning
	var adapters []lora.Adapter
	var changes lora.Changes
	if adapter != "" {
		cfg, read, err := lora.Read(adapter)
		if err != nil {
			return nil, err
		}
		if changes, adapters, err = cfg.Changes(read, b.Config.Text.Tied); err != nil {
			return nil, fmt.Errorf("adapter %s on base %s: %w", adapter, b.Name, err)
		}
		tune = Tuning(cfg)
		tune.Text.Adapt = held(tune.Text.Adapt, adapters)
		tune.Tower.Adapt = held(tune.Tower.Adapt, adapters)
		tune.Merger.Adapt = held(tune.Merger.Adapt, adapters)
	}
	m, err := b.newWith(changes, tune)
	if err != nil && adapter != "" {
		err = fmt.Errorf("adapter %s on base %s: %w", adapter, b.Name, err)
	}
	if err != nil {
		return nil, err
	}
	if err := Fill(m, adapters); err != nil {
		return nil, fmt.Errorf("adapter %s on base %s: %w", adapter, b.Name, err)
	}
	return &Subject{Base: b, Adapter: adapter, Model: m, threads: threads, sight: changes.Sight}, nil
}

// Of makes a subject of a model in training: it answers with the adapters as they are at the moment.
func Of(b *Base, m *qwen2vl.Model, threads int) *Subject {
	return &Subject{Base: b, Model: m, threads: threads}
}

// Tuning is what a LoRA configuration trains: the products that it names, in the language model and in the tower.
func Tuning(c *lora.Config) qwen2vl.Tuning {
	adapt := weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return weights.Adapter{R: c.Rank(module), Scale: c.Scale(module), Dropout: c.Dropout}, c.Matches(module)
	}}
	return qwen2vl.Tuning{Text: adapt, Tower: adapt, Merger: adapt}
}

// held narrows what is adapted to the modules that an adapter's file holds.
func held(adapt func(string) (weights.Adapter, bool), adapters []lora.Adapter) func(string) (weights.Adapter, bool) {
	have := map[string]lora.Adapter{}
	for _, a := range adapters {
		have[a.Module] = a
	}
	return func(module string) (weights.Adapter, bool) {
		a, ok := have[module]
		return weights.Adapter{R: a.R, Scale: a.Scale}, ok
	}
}

// Fill puts adapters into the model's trained tensors. Each must have its place.
func Fill(m *qwen2vl.Model, adapters []lora.Adapter) error {
	tensors := map[string]weights.Parameter{}
	for _, p := range m.Parameters() {
		tensors[p.Name] = p
	}
	for _, a := range adapters {
		for suffix, values := range map[string][]float32{".lora_A.weight": a.A, ".lora_B.weight": a.B} {
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

// Adapters are the model's adapters as they are at the moment, in memory of their own.
func Adapters(m *qwen2vl.Model, c *lora.Config) []lora.Adapter {
	var out []lora.Adapter
	params := m.Parameters()
	for i := 0; i+1 < len(params); i += 2 {
		a, b := params[i], params[i+1]
		module := a.Name[:len(a.Name)-len(".lora_A.weight")]
		out = append(out, lora.Adapter{Module: module, In: a.Shape[1], Out: b.Shape[0], R: a.Shape[0],
			Scale: c.Scale(module),
			A:     append([]float32(nil), a.Value...), B: append([]float32(nil), b.Value...)})
	}
	return out
}

// Small says whether a model is so small that its products are not worth splitting: then each core gets sequences of
// its own.
func Small(c qwen2vl.Config) bool { return c.Text.Hidden <= 512 }

// Question is what a subject is asked: pictures, and words.
type Question struct {
	Pictures []*picture.RGB
	Prompt   string

	// See takes the place of Pictures: it returns their features and grids, made by the tower or kept from earlier,
	// which it may be only where the tower is frozen.
	See func(tower *qwen2vl.Tower, frozen bool) ([]float32, []qwen2vl.Grid, error)
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
	Heard    func(question int, text string)
	Progress func(done, total int, what string) // may be nil
}

// together is how many questions are answered at once.
const together = 16

// Ask answers the questions. get makes a question when its turn comes, so that not all pictures are in memory. With a
// cancelled context the error comes with the replies so far.
func (s *Subject) Ask(ctx context.Context, n int, get func(i int) (Question, error), a Asking) ([]Reply, error) {
	replies := make([]Reply, n)
	workers, team := 1, blas.NewTeam(s.threads).Size()
	if Small(s.Base.Config) {
		workers, team = team, 1
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mutex sync.Mutex
	heard := func(q int, text string) {
		mutex.Lock()
		defer mutex.Unlock()
		if a.Heard != nil && text != "" {
			a.Heard(q, text)
		}
	}
	done, next := 0, make(chan int)
	var wait sync.WaitGroup
	for range min(workers, (n+together-1)/together) {
		wait.Go(func() {
			w := s.worker(team)
			for first := range next {
				last := min(first+together, n)
				if err := mapped.Guard(func() error {
					return w.answer(ctx, first, last, get, a, replies,
						heard)
				}); err != nil {
					cancel(err)
					continue
				}
				mutex.Lock()
				done += last - first
				if a.Progress != nil {
					a.Progress(done, n, "answers")
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
	if ctx.Err() != nil {
		return replies, context.Cause(ctx)
	}
	return replies, nil
}

// worker is one core's or one team's share of a subject.
type worker struct {
	base    *Base
	tower   *qwen2vl.Tower // nil: it sees nothing
	frozen  bool           // the tower is the base's
	session *qwen2.Session
}

func (s *Subject) worker(cores int) *worker {
	e := nn.NewExec(min(cores, runtime.GOMAXPROCS(0)))
	w := &worker{base: s.Base, frozen: s.Model.TowerFrozen() && !s.sight, session: s.Model.Text.NewSession(e)}
	if s.Base.Sees() {
		w.tower = s.Model.NewTower(e)
	}
	return w
}

// see returns the features of a question's pictures.
func (w *worker) see(q Question, v View) ([]float32, []qwen2vl.Grid, error) {
	if q.See != nil {
		return q.See(w.tower, w.frozen)
	}
	rows, grids, err := w.base.Rows(v, q.Pictures)
	if err != nil || len(grids) == 0 {
		return nil, nil, err
	}
	features, err := w.tower.Features(rows, grids)
	return features, grids, err
}

func (w *worker) answer(ctx context.Context, first, last int, get func(int) (Question, error), a Asking,
	replies []Reply, heard func(int, string)) error {
	start := time.Now()
	w.session.Check = ctx.Err
	if w.tower != nil { // a base without one answers without pictures
		w.tower.Check = ctx.Err
	}
	var questions []open
	var features []float32
	for i := first; i < last; i++ {
		q, err := get(i)
		if err != nil {
			return err
		}
		f, grids, err := w.see(q, a.View)
		if err != nil {
			return err
		}
		features = append(features, f...)
		questions = append(questions, open{grids, q.Prompt})
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	batch, err := w.base.prompts(questions)
	if err != nil {
		return err
	}
	logits, err := w.session.Prompt(batch, features)
	if err != nil {
		return err
	}
	ears := make([]*ear, len(questions))
	for i := range ears {
		ears[i] = newEar(w.base.Tokenizer)
	}
	options := generate.Options{MaxNew: a.MaxNew, Temperature: a.Temperature, TopP: a.TopP,
		RepetitionPenalty: a.Repetition,
		Stop:              w.base.Stop, Seed: a.Seed + uint64(first)}
	for q := range questions {
		options.Prompts = append(options.Prompts, batch.IDs[batch.Starts[q]:batch.Starts[q+1]])
	}
	_, err = generate.Run(ctx, w.session, logits, options,
		func(i int, id int32) { heard(first+i, ears[i].hear(id)) })
	seconds := time.Since(start).Seconds() / float64(last-first)
	for i, e := range ears {
		heard(first+i, e.flush())
		replies[first+i] = Reply{Text: e.text, Tokens: e.tokens, Seconds: seconds}
	}
	return err
}
