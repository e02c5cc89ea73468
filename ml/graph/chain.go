package graph

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"finetui/ml/nn"
)

// Source returns the input of the first block in the coming run, x [rows, cols]. It may be empty for a block that reads
// the batch instead.
type Source func() (x []float32, rows, cols int)

// Options of a chain.
type Options struct {
	// FirstDX asks for the gradient of the input as well, see Chain.DX.
	FirstDX bool
	// Recompute saves memory and takes time: blocks that can (nn.Frugal) do not keep what they need for their backward
	// pass and make it a second time.
	Recompute bool
}

// Chain is a row of blocks that ends in a loss. It belongs to one goroutine at a time.
type Chain struct {
	source     Source
	width      int
	train      *program // nil where nothing is to be trained
	eval       *program
	learnables gorgonia.Nodes
	run        run
}

// program is one graph and the machine that runs it.
type program struct {
	input   *vector
	stages  []*stage
	machine gorgonia.VM
}

// Times says where the time of the last Run or Loss went.
type Times struct {
	Forward, Backward time.Duration // in the source and the blocks
	Graph             time.Duration // in gorgonia, between them
}

// building guards gorgonia's program-wide state while a graph is put together.
var building sync.Mutex

// NewChain builds the graphs of a chain. width is the number of columns that source returns. Parameters and gradients
// are taken from the blocks' Params now and must stay where they are.
func NewChain(source Source, width int, blocks []nn.Block, loss nn.Loss, opt Options) (*Chain, error) {
	if err := checkBlocks(blocks, loss); err != nil {
		return nil, err
	}
	c := &Chain{source: source, width: width}
	first := firstTrained(blocks, opt)
	if opt.Recompute {
		nn.Share(blocks[first:])
	}
	building.Lock()
	defer building.Unlock()
	stages := func(train bool) (s []*stage) {
		for i, b := range blocks {
			s = append(s, newStage(b, train && i >= first, i > first || opt.FirstDX, opt.Recompute))
		}
		return append(s, newLossStage(loss))
	}
	var err error
	if c.eval, _, err = build(stages(false), &c.run, false); err != nil {
		return nil, err
	}
	if first == len(blocks) && len(loss.Params().Value) == 0 {
		return c, nil
	}
	c.train, c.learnables, err = build(stages(true), &c.run, true)
	return c, err
}

// checkBlocks refuses what would mix up the nodes of a graph.
func checkBlocks(blocks []nn.Block, loss nn.Loss) error {
	seen := map[string]bool{}
	check := func(name string, p nn.Params) error {
		if seen[name] {
			return fmt.Errorf("two blocks of the chain are called %q: give each a name of its own", name)
		}
		seen[name] = true
		if len(p.Value) > 0 && len(p.Value) != len(p.Grad) {
			return fmt.Errorf("block %s has %d parameters but %d gradients", name, len(p.Value), len(p.Grad))
		}
		return nil
	}
	for _, b := range blocks {
		if err := check(b.Name(), b.Params()); err != nil {
			return err
		}
	}
	return check(loss.Name(), loss.Params())
}

// firstTrained is the index of the lowest block that runs backward; len(blocks) if none does.
func firstTrained(blocks []nn.Block, opt Options) int {
	if opt.FirstDX {
		return 0
	}
	for i, b := range blocks {
		if len(b.Params().Value) > 0 {
			return i
		}
	}
	return len(blocks)
}

// builder numbers the operations of one graph.
type builder struct{ operations int }

func (b *builder) operation(name string, in []hm.Type, out hm.Type) operation {
	b.operations++
	return operation{name, b.operations, in, out}
}

// build makes the graph of the stages, with train also its gradient, and the machine for it. The nodes returned are
// those of the parameters, in the order of the stages.
func build(stages []*stage, r *run, train bool) (p *program, learnables gorgonia.Nodes, err error) {
	defer func() { // gorgonia panics where a graph does not compile
		if e := recover(); e != nil {
			err = fmt.Errorf("building the graph: %v", e)
		}
	}()
	g := gorgonia.NewGraph()
	b := new(builder)
	p = &program{input: new(vector), stages: stages}
	input := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(1), gorgonia.WithName("input"),
		gorgonia.WithValue(p.input))
	x := input
	for _, s := range stages {
		children, types := gorgonia.Nodes{x}, []hm.Type{vectorType}
		if train && s.gradient != nil {
			value := flat(s.params.Value, s.params.Value)
			node := gorgonia.NewVector(g, tensor.Float32, gorgonia.WithShape(len(s.params.Value)),
				gorgonia.WithName(s.name), gorgonia.WithValue(value))
			learnables = append(learnables, node)
			children, types = append(children, node), append(types, vectorType)
		}
		out := vectorType
		if _, isLoss := s.value.(*gorgonia.F64); isLoss {
			out = lossType
		}
		op := &forwardOp{b.operation(s.name, types, out), s, r, b}
		if x, err = gorgonia.ApplyOp(op, children...); err != nil {
			return nil, nil, fmt.Errorf("building the graph at block %s: %w", s.name, err)
		}
	}
	if train {
		wanted := learnables
		if stages[0].needDX && len(stages) > 1 {
			wanted = append(gorgonia.Nodes{input}, learnables...)
		}
		if _, err = gorgonia.Grad(x, wanted...); err != nil {
			return nil, nil, fmt.Errorf("differentiating the graph: %w", err)
		}
	}
	if err := checkHashes(g); err != nil {
		return nil, nil, err
	}
	p.machine = gorgonia.NewTapeMachine(g)
	return p, learnables, nil
}

// checkHashes makes sure that the compiler, which looks at nothing but the hash, takes no two nodes for one.
func checkHashes(g *gorgonia.ExprGraph) error {
	seen := map[uint32]*gorgonia.Node{}
	for _, n := range g.AllNodes() {
		if other, ok := seen[n.Hashcode()]; ok {
			return fmt.Errorf("the graph's nodes %v and %v have the same hash: rename a block", other, n)
		}
		seen[n.Hashcode()] = n
	}
	return nil
}

// Run does one forward and one backward pass and returns the loss. Gradients are added to each block's Params().Grad.
// It stops between two blocks once ctx is done; the gradients then hold part of a pass.
func (c *Chain) Run(ctx context.Context) (loss float64, err error) {
	if c.train == nil {
		return 0, errors.New("no block of the chain has parameters to train")
	}
	return c.execute(ctx, c.train)
}

// Loss does a forward pass alone, as in evaluation: without dropout, and nothing is kept for a backward pass.
func (c *Chain) Loss(ctx context.Context) (loss float64, err error) { return c.execute(ctx, c.eval) }

func (c *Chain) execute(ctx context.Context, p *program) (float64, error) {
	start := time.Now()
	c.run = run{ctx: ctx}
	err := c.run.timed(&c.run.times.Forward, "input", func() {
		x, rows, cols := c.source()
		if cols != c.width || len(x) != rows*cols {
			panic(fmt.Errorf("%d values of %d rows and %d columns, but %d columns were announced", len(x), rows,
				cols, c.width))
		}
		p.input.data = x
	})
	if err == nil {
		p.machine.Reset()
		err = p.machine.RunAll()
	}
	if c.run.err != nil { // without gorgonia's wrapping
		err = c.run.err
	}
	c.run.times.Graph = time.Since(start) - c.run.times.Forward - c.run.times.Backward
	if err != nil {
		return 0, err
	}
	return float64(*p.stages[len(p.stages)-1].value.(*gorgonia.F64)), nil
}

// Learnables are the nodes of the parameters, one flat vector for each block that has any, in the order of the blocks
// and with their names.
func (c *Chain) Learnables() gorgonia.Nodes { return c.learnables }

// Params are the parameters behind the learnables, in the same order.
func (c *Chain) Params() (all []nn.Params) {
	if c.train == nil {
		return nil
	}
	for _, s := range c.train.stages {
		if s.gradient != nil {
			all = append(all, s.params)
		}
	}
	return all
}

// ValueGrads are the learnables as a gorgonia.Solver takes them. Their gradients are there after the first Run.
func (c *Chain) ValueGrads() []gorgonia.ValueGrad { return gorgonia.NodesToValueGrads(c.learnables) }

// DX is the gradient of the input in the last Run, for a chain made with Options.FirstDX.
func (c *Chain) DX() []float32 {
	if c.train == nil {
		return nil
	}
	return c.train.stages[0].dx.data
}

// Times of the last Run or Loss.
func (c *Chain) Times() Times { return c.run.times }
