package project

import (
	"context"
	"math"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/recipe"
	"finetui/core/sample"
	"finetui/ml/blas"
	"finetui/ml/lora"
	"finetui/ml/train"
)

// What a run's process holds beside what its constants ask for, measured on Linux with Go
// 1.26 (VmHWM, which counts pages of mapped files as well).
const (
	programPages = 29 << 20 // of the program's own file: code, tables, the tiny base
	runtimePages = 8 << 20  // of Go's runtime beside the heap
	startHeap    = 2 << 20  // on the heap before anything is read
	perItem      = 800      // a picture's record, with its names and paths
	perObject    = 500      // an object's label, and its sample with the prompt
	perToken     = 130      // an entry of the tokenizer's vocabulary, with the merges
	together     = 16       // questions that are answered at once
)

// weight is what a sample takes part with, in rows.
type weight struct {
	tokens, prompt, supervised, patches int
	features                            int // rows that stand in the place of tokens
	pairs                               int // of patches that see each other
	pixels                              int // of the whole picture, or of a frame
	filmed                              int // of all frames of a clip
	frames                              int // that are shown of it
}

// process follows the heap of a run's process through what it does, and so finds the most that it holds. Go's collector
// lets the heap grow by a part of what was alive when it last ran: how much of that is reached depends on what becomes
// garbage.
type process struct {
	p       *Project
	batches Batches
	kind    model.Kind
	sizes   model.Sizes
	model   model.Footprint
	rank    func(module string) int // of an adapter there; 0: none
	all     []*weight               // of train, in the recipe's order
	valid   []*weight
	longest int // tokens

	heap          heap
	workers       int
	trains        bool  // the tower
	adapted       int64 // bytes of all adapters' values, once
	visionAdapted int64 // and of those in what sees
	replica       []replica
	tower         []room // that each worker of a frozen tower has for patches
	kept          []bool // of all, then of valid: what a sample shows was seen
	checked       bool   // valid was measured: buffers have grown to its passes
}

// replica is the room that a worker has in rows.
type replica struct{ tokens, back, patches, backPatches room }

// heap is Go's: what is alive on it, and several courses that its size may take. When it is collected is a matter of
// chance, and each time decides about the next: what is foretold is the mean of courses that begin at other sizes.
type heap struct {
	live    int64
	courses [5]heapCourse
}

type heapCourse struct{ size, goal, peak int64 }

// leastHeap is from where on Go collects.
const leastHeap = 4 << 20 * heapGrowth / 100

func newHeap() (h heap) {
	for i := range h.courses {
		h.courses[i].goal = int64(leastHeap * math.Pow(1+heapGrowth/100., float64(i)/float64(len(h.courses))))
	}
	return h
}

// take puts n bytes on the heap that stay until they are dropped.
func (h *heap) take(n int64) {
	for i := range h.courses {
		h.courses[i].put(n, h.live, true)
	}
	h.live += n
}

// churn puts n bytes there that nothing refers to soon after.
func (h *heap) churn(n int64) {
	for i := range h.courses {
		h.courses[i].put(n, h.live, false)
	}
}

func (h *heap) drop(n int64) { h.live -= n }

func (h *heap) peak() (mean int64) {
	for _, c := range h.courses {
		mean += c.peak / int64(len(h.courses))
	}
	return mean
}

func (c *heapCourse) put(n, live int64, keep bool) {
	for n > 0 {
		step := min(n, c.goal-c.size)
		n, c.size = n-step, c.size+step
		if keep {
			live += step
		}
		c.peak = max(c.peak, c.size)
		if c.size >= c.goal {
			c.size, c.goal = live, max(leastHeap, live+live*heapGrowth/100)
		}
	}
}

// room is a buffer that grows as nn's do: an eighth more than what is asked for.
type room struct{ held int }

// grow says how many rows are new, and how many of the old ones become garbage.
func (r *room) grow(n int) (more, gone int) {
	if n <= r.held {
		return 0, 0
	}
	gone, r.held = r.held, n+n/8
	return r.held, gone
}

// most is the most that the process of a run is going to hold, in bytes, as the system counts what is resident: the
// program's own pages, weights laid out for the kernels, and Go's heap.
func (s *process) most() int64 {
	s.open()
	t, batches := s.p.Config.Train, s.batches
	const walked, drawn, checked = 96, 1 << 15, 4 // steps, samples and checks, after which nothing new comes
	checks, every := 0, t.EvalEvery
	for e, steps, draws := 0, 0, 0; e < t.Epochs && draws < drawn; e++ {
		for order := batches.Epoch(e); len(order) > 0; steps++ {
			n := min(batches.Batch, len(order))
			s.step(order[:n], steps < walked)
			order, draws = order[n:], draws+n
			if every > 0 && (steps+1)%every == 0 && checks < checked {
				s.check()
				checks++
			}
		}
	}
	s.check()
	return programPages + runtimePages + s.model.Panels() + s.heap.peak()*33/32
}

func newProcess(p *Project, batches Batches, k model.Kind, bytes int, all, valid []*weight) *process {
	l := p.Config.LoRA
	adapter := lora.Config{R: l.R, Targets: l.Targets}
	s := &process{p: p, batches: batches, kind: k, sizes: k.Sizes(), all: all, valid: valid,
		kept: make([]bool, len(all)+len(valid)), workers: 1, heap: newHeap()}
	s.rank = func(module string) int {
		if adapter.Matches(module) {
			return l.R
		}
		return 0
	}
	s.model = k.Footprint(model.Work{Dropout: l.Dropout > 0, Weight: bytes, Projectors: p.Config.Train.ProjectorLR > 0,
		Recompute: p.Config.Train.Checkpointing, Rank: s.rank})
	if s.sizes.Small() {
		s.workers = blas.NewTeam(p.Config.Train.Threads).Size()
	}
	s.trains = s.model.TrainsVision()
	values, vision := s.model.Adapters()
	s.adapted, s.visionAdapted = 4*int64(values), 4*int64(vision)
	s.replica, s.tower = make([]replica, s.workers), make([]room, s.workers)
	for _, list := range [][]*weight{all, valid} {
		for _, w := range list {
			s.longest = max(s.longest, w.tokens)
		}
	}
	return s
}

// open reads the data set and the base, and builds the model: its adapters' values, which are drawn apart and copied,
// the moments of the optimizer, and gradients for each replica.
func (s *process) open() {
	h := &s.heap
	h.take(startHeap + perItem*int64(len(s.p.Data.Items)) + perObject*int64(len(s.all)+len(s.valid)))
	h.churn(2 * perToken * int64(s.sizes.Vocab)) // the tokenizer's file, and what reads it
	h.take(perToken * int64(s.sizes.Vocab))
	h.take(s.adapted)
	h.churn(2 * s.adapted)
	h.take(2 * s.adapted)
	h.take(int64(s.workers) * (s.adapted + s.visionAdapted))
	h.take(s.model.Joined())
	h.drop(s.model.Joined())
}

// see makes samples: the tower looks at their pictures, and what comes of it stays.
func (s *process) see(samples []*weight, first int) {
	h := &s.heap
	for i, w := range samples {
		if s.kept[first+i] {
			continue
		}
		s.kept[first+i] = true
		h.churn(s.look(*w))
		stays := 250 + 24*int64(w.tokens)
		if s.trains {
			stays += 4 * int64(w.patches*s.sizes.VisionRow)
		} else {
			s.extend(&s.tower[i%s.workers], w.patches, s.model.EyeWorker)
			stays += 4 * int64(w.features*s.sizes.Hidden)
		}
		h.take(stays)
	}
}

// look is what opening a sample's picture leaves behind: what its file
// is decoded to, copies of it, and its patches, put together.
func (s *process) look(w weight) int64 {
	bytes := 7 * int64(w.pixels)
	if c := s.p.Config.Recipe.Context; c == config.ContextMarked || c == config.ContextFullCrop {
		bytes *= 2
	}
	return bytes + 2*4*int64(w.patches*s.sizes.VisionRow)
}

// extend lets a buffer grow to n rows, which take bytes.
func (s *process) extend(r *room, n int, bytes func(rows int) int64) {
	before := r.held
	if now, _ := r.grow(n); now > 0 {
		s.heap.take(bytes(now))
		if before > 0 {
			s.heap.drop(bytes(before))
		}
	}
}

// patches is a sample's picture of which only the number of patches is known.
type patches int

func (p patches) Rows() int   { return int(p) }
func (p patches) Values() int { return 0 }

// run lets each replica run its share of samples, with back also backward.
func (s *process) run(samples []*weight, back bool) {
	list := make([]train.Sample, len(samples))
	zeros := make([]int32, s.longest)
	for i, w := range samples {
		list[i].IDs = zeros[:w.tokens]
		if s.trains {
			list[i].Visual = patches(w.patches)
		}
	}
	for r, passes := range train.Shares(list, s.workers, train.Limits{Sequences: max(1, s.p.Config.Train.BatchSize)}) {
		for _, pass := range passes {
			var sum weight
			for _, i := range pass {
				sum.tokens, sum.supervised, sum.patches = sum.tokens+samples[i].tokens,
					sum.supervised+samples[i].supervised, sum.patches+samples[i].patches
			}
			s.pass(&s.replica[r], sum, back)
		}
	}
	s.heap.churn(perRun * int64(len(samples)))
}

// perRun is what is left of a sample that ran.
const perRun = 256

func (s *process) pass(r *replica, sum weight, back bool) {
	text := func(rows, back int) int64 { return s.model.TextWorker(rows, back, sum.supervised, s.longest) }
	s.extend(&r.tokens, sum.tokens, func(n int) int64 { return text(n, 0) })
	if back {
		s.extend(&r.back, sum.tokens, func(n int) int64 { return text(0, n) - text(0, 0) })
	}
	if !s.trains {
		return
	}
	s.extend(&r.patches, sum.patches, func(n int) int64 { return s.model.VisionWorker(n, 0) })
	if back {
		s.extend(&r.backPatches, sum.patches, func(n int) int64 {
			return s.model.VisionWorker(0, n) -
				s.model.VisionWorker(0, 0)
		})
	}
}

// step is one of the optimizer's; without run its samples are only made.
func (s *process) step(order []int, run bool) {
	samples := make([]*weight, len(order))
	for k, i := range order {
		samples[k] = s.all[i]
		s.see(samples[k:k+1], i)
	}
	if run {
		s.run(samples, true)
	}
}

// check measures valid and asks about it: each worker that answers has buffers of its own for as long, keys and values
// of its sequences, and logits anew for each token.
func (s *process) check() {
	h := &s.heap
	h.churn(3 * s.adapted) // of a checkpoint
	if len(s.valid) == 0 {
		return
	}
	s.see(s.valid, len(s.all))
	if s.checked {
		s.heap.churn(perRun * int64(len(s.valid))) // the passes are those of before
	} else {
		s.run(s.valid, false)
		s.checked = true
	}
	groups := (len(s.valid) + together - 1) / together
	took := make([]struct {
		rows  room
		bytes int64
	}, min(s.workers, groups))
	for g := range groups {
		ask, mine := s.valid[g*together:min(len(s.valid), (g+1)*together)], &took[g%len(took)]
		var prompts, patches int
		for _, w := range ask {
			prompts, patches = prompts+w.prompt, max(patches, w.patches)
			if s.looks() {
				h.churn(s.look(*w))
			}
		}
		if rows, _ := mine.rows.grow(prompts); rows > 0 {
			need := s.session(rows, patches, len(ask))
			h.take(need)
			h.drop(mine.bytes)
			mine.bytes = need
		}
		keys := int64(prompts) * s.model.Keys() * 5 / 4
		h.take(keys)
		h.churn(4 * int64(len(ask)*s.sizes.Vocab) * int64(min(s.p.Config.Eval.MaxNewTokens, 1+ask[0].supervised)))
		h.drop(keys)
	}
	for _, session := range took {
		h.drop(session.bytes)
	}
}

// looks says that a question's picture is opened for it, since no features are kept.
func (s *process) looks() bool { return s.trains || s.p.Config.Model.Cache == 0 }

// session is what a worker holds that answers: a language model's, and a tower's where no features are kept.
func (s *process) session(rows, patches, questions int) int64 {
	n := s.model.SessionWorker(rows, questions, s.longest)
	if s.looks() {
		n += s.model.EyeWorker(patches + patches/8)
	}
	return n
}

// weigh measures the samples of a split but those that skip, which may be nil, leaves out: each of them, so that the
// longest is the longest. Samples alike are one weight, of which a set of a million objects has few. It stops with ctx.
func (p *Project) weigh(ctx context.Context, split string, skip func(recipe.Sample) bool,
	measure func(recipe.Sample) weight) []*weight {
	out := make([]*weight, 0, p.objects(split))
	var kinds distinct
	for s := range p.Recipe.Each(split) {
		if ctx.Err() != nil {
			break
		}
		if skip == nil || !skip(s) {
			out = append(out, kinds.of(measure(s)))
		}
	}
	return out
}

// mostWeights are kept.
const mostWeights = 1 << 18

// distinct is the weights that were measured, each once.
type distinct struct{ known map[weight]*weight }

func (k *distinct) of(w weight) *weight {
	same, ok := k.known[w]
	if !ok {
		if k.known == nil || len(k.known) >= mostWeights {
			k.known = map[weight]*weight{}
		}
		same = new(weight)
		*same = w
		k.known[w] = same
	}
	return same
}

// weight is that of a sample.
func (r *ruler) weight(s recipe.Sample) (w weight) {
	shown := r.sizes.Shown(s)
	if m, err := r.of(s, shown); err == nil {
		w = m.weight(s, shown)
	}
	return w
}

// weight is that of a sample of which this was measured, and that is shown.
func (m measured) weight(s recipe.Sample, shown []sample.Measured) weight {
	w := weight{tokens: m.tokens, prompt: m.tokens - m.targets, supervised: m.targets}
	w.of(s)
	w.show(shown)
	return w
}

// objects is how many objects a split has; "" means all splits.
func (p *Project) objects(split string) (n int) {
	for i := range p.Data.Items {
		if item := &p.Data.Items[i]; split == "" || item.Split == split {
			n += len(item.Objects)
		}
	}
	return n
}
