package main

import (
	"context"
	"fmt"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/blas"
	"finetui/ml/graph"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/train"
)

const (
	stepTokens     = 2048 // in eight sequences
	stepSequences  = 8
	stepSupervised = 512
	headRows       = 128 // of logits at once, for the bare products
)

// stepRows are a whole optimizer step of the 0.5B model.
func stepRows() []row {
	return []row{{
		name: "step", what: "0.5B LoRA step, 512 of 2048 tokens supervised", against: "its bare frozen products",
		goal:    table.AtMost(1.4),
		measure: func(b *bench) table.Result { r, _ := b.step(); return r },
	}, {
		name: "step", what: "gorgonia's own share of the 0.5B step", against: "the step", goal: table.AtMostPercent(2),
		measure: func(b *bench) table.Result { _, g := b.step(); return g },
	}}
}

// step takes optimizer steps whose every block is followed by the bare products that belong to it, so that both meet
// the same neighbours; their time is taken out of the step's.
func (b *bench) step() (products, share table.Result) {
	if b.stepped != nil {
		return b.stepped[0], b.stepped[1]
	}
	n := &besides{text: b.model(), team: b.team}
	solver, err := train.NewAdamW(qwen2.Network{Model: n.text.model}.Parameters(), []train.Group{{LearningRate: 1e-4}},
		nil)
	if err != nil {
		panic(err)
	}
	trainer, err := train.New(n, solver, train.Schedule{Kind: "constant"}, train.Options{Threads: b.team.Size()})
	if err != nil {
		panic(err)
	}
	lengths := make([]int, stepSequences)
	for i := range lengths {
		lengths[i] = stepTokens / stepSequences
	}
	samples := split(sequences(textVocab, stepSupervised/stepSequences, lengths...))
	var pairs, shares []table.Pair
	for i := range 1 + max(1, b.rounds/2) {
		n.bare = table.Span{}
		all := table.Clock(func() {
			if _, err := trainer.Step(context.Background(), samples); err != nil {
				panic(err)
			}
		})
		if i == 0 { // warms up
			continue
		}
		step := all.Minus(n.bare)
		pairs = append(pairs, table.Pair{Measured: step, Reference: n.bare})
		shares = append(shares, table.Pair{Measured: table.Span{Wall: n.chain.Times().Graph},
			Reference: table.Span{Wall: step.Wall}})
	}
	b.stepped = []table.Result{table.Durations(pairs), table.Durations(shares)}
	if b.layers != textLayers {
		b.stepped[0].Note = fmt.Sprintf("%d layers", b.layers)
	}
	return b.stepped[0], b.stepped[1]
}

// split takes a batch apart into samples.
func split(b nn.Batch) (samples []train.Sample) {
	for s := range b.Sequences() {
		lo, hi := b.Starts[s], b.Starts[s+1]
		samples = append(samples, train.Sample{IDs: b.IDs[lo:hi], Targets: b.Targets[lo:hi], Weights: b.Weights[lo:hi],
			Key: uint64(s)})
	}
	return samples
}

// besides is a network whose blocks run their bare products after themselves and add up the time of those.
type besides struct {
	*text
	team  blas.Team
	bare  table.Span
	x, y  []float32 // of the bare products
	chain *graph.Chain
}

func (n *besides) Parameters() []train.Parameters {
	return qwen2.Network{Model: n.model}.Parameters()
}

func (n *besides) NewReplica(e *nn.Exec) (train.Replica, error) {
	r := &besideReplica{Replica: n.model.NewReplica(e)}
	n.x, n.y = drawn.Values(max(stepTokens*2*textInner, headRows*textVocab)),
		make([]float32, max(stepTokens*2*textInner, headRows*textVocab))
	blocks := []nn.Block{r.Embed}
	for i, l := range r.Layers {
		blocks = append(blocks, &besideBlock{Block: l, n: n, layer: i, rows: r.Batch.T})
	}
	var err error
	r.chain, err = graph.NewChain(func() ([]float32, int, int) { return nil, 0, textHidden }, textHidden, blocks,
		&besideHead{Head: r.Head, n: n}, graph.Options{})
	n.chain = r.chain
	return r, err
}

type besideReplica struct {
	*qwen2.Replica
	chain *graph.Chain
	batch nn.Batch
}

func (r *besideReplica) Load(p *train.Pack) error {
	p.Fill(&r.batch)
	r.Replica.Load(r.batch)
	return nil
}
func (r *besideReplica) Chain() *graph.Chain    { return r.chain }
func (r *besideReplica) Outcome() train.Outcome { return r.Head }

type besideBlock struct {
	nn.Block
	n     *besides
	layer int
	rows  func() int
}

func (b *besideBlock) Forward(x []float32, train bool) []float32 {
	y := b.Block.Forward(x, train)
	b.n.bare = b.n.bare.Plus(table.Clock(func() { b.n.forward(b.n.team, b.layer, b.rows(), b.n.x, b.n.y) }))
	return y
}

func (b *besideBlock) Backward(x, dy []float32, needDX bool) []float32 {
	dx := b.Block.Backward(x, dy, needDX)
	b.n.bare = b.n.bare.Plus(table.Clock(func() { b.n.backward(b.n.team, b.layer, b.rows(), b.n.x, b.n.y, needDX) }))
	return dx
}

type besideHead struct {
	*nn.Head
	n *besides
}

func (h *besideHead) Forward(x []float32) float64 {
	loss := h.Head.Forward(x)
	out := h.n.model.Head.Out
	h.n.bare = h.n.bare.Plus(table.Clock(func() {
		for n := len(h.Positions()); n > 0; n -= headRows {
			out.Mul(h.n.team, min(n, headRows), h.n.x, h.n.y)
			out.MulBack(h.n.team, min(n, headRows), h.n.x, h.n.y)
		}
	}))
	return loss
}
