package graph

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"gorgonia.org/gorgonia"

	"finetui/ml/nn"
)

// affine is y = tanh(x Wᵀ + b) row by row, W [out, in] and b [out] in one flat vector; frozen without grad.
type affine struct {
	name    string
	in, out int
	w, g    []float32
	frozen  bool

	y, dx     []float32
	trained   bool // last Forward's train
	backwards int
	askedDX   bool
	fail      func(backward bool)
}

func newAffine(name string, in, out int, r *rand.Rand) *affine {
	a := &affine{name: name, in: in, out: out, w: make([]float32, out*in+out), g: make([]float32, out*in+out)}
	for i := range a.w {
		a.w[i] = float32(r.NormFloat64() / math.Sqrt(float64(in)))
	}
	return a
}

func (a *affine) Name() string { return a.name }

func (a *affine) Params() nn.Params {
	if a.frozen {
		return nn.Params{}
	}
	return nn.Params{Value: a.w, Grad: a.g}
}

func (a *affine) Forward(x []float32, train bool) []float32 {
	if a.fail != nil {
		a.fail(false)
	}
	a.trained = train
	rows := len(x) / a.in
	if cap(a.y) < rows*a.out {
		a.y = make([]float32, rows*a.out)
	}
	a.y = a.y[:rows*a.out]
	for t := range rows {
		for o := range a.out {
			sum := float64(a.w[a.out*a.in+o])
			for i := range a.in {
				sum += float64(a.w[o*a.in+i]) * float64(x[t*a.in+i])
			}
			a.y[t*a.out+o] = float32(math.Tanh(sum))
		}
	}
	return a.y
}

func (a *affine) Backward(x, dy []float32, needDX bool) []float32 {
	if a.fail != nil {
		a.fail(true)
	}
	a.backwards++
	a.askedDX = needDX
	rows := len(x) / a.in
	if cap(a.dx) < rows*a.in {
		a.dx = make([]float32, rows*a.in)
	}
	a.dx = a.dx[:rows*a.in]
	clear(a.dx)
	for t := range rows {
		for o := range a.out {
			y := a.y[t*a.out+o]
			d := dy[t*a.out+o] * (1 - y*y)
			for i := range a.in {
				a.g[o*a.in+i] += d * x[t*a.in+i]
				a.dx[t*a.in+i] += d * a.w[o*a.in+i]
			}
			a.g[a.out*a.in+o] += d
		}
	}
	if !needDX {
		return nil
	}
	return a.dx
}

// halfSquares is scale · Σ s (x − 1)² / 2 with one factor s per column.
type halfSquares struct {
	name string
	s, g []float32
	dx   []float32
}

func (h *halfSquares) Name() string      { return h.name }
func (h *halfSquares) Params() nn.Params { return nn.Params{Value: h.s, Grad: h.g} }

func (h *halfSquares) at(i int) float32 {
	if len(h.s) == 0 {
		return 1
	}
	return h.s[i%len(h.s)]
}

func (h *halfSquares) Forward(x []float32) (loss float64) {
	for i, v := range x {
		loss += float64(h.at(i)) * float64(v-1) * float64(v-1) / 2
	}
	return loss
}

func (h *halfSquares) Backward(x []float32, scale float32) []float32 {
	h.dx = append(h.dx[:0], x...)
	for i, v := range x {
		h.dx[i] = scale * h.at(i) * (v - 1)
		if len(h.g) > 0 {
			h.g[i%len(h.g)] += scale * (v - 1) * (v - 1) / 2
		}
	}
	return h.dx
}

// fixture is a chain of three blocks over rows of 5 values; the number of rows can change from run to run.
type fixture struct {
	x      []float32
	blocks []*affine
	loss   *halfSquares
}

func newFixture(seed uint64) *fixture {
	r := rand.New(rand.NewPCG(seed, 1))
	f := &fixture{blocks: []*affine{newAffine("b0", 5, 4, r), newAffine("b1", 4, 6, r), newAffine("b2", 6, 3, r)}}
	f.loss = &halfSquares{name: "loss", s: []float32{1, .5, 2}, g: make([]float32, 3)}
	f.resize(7)
	return f
}

func (f *fixture) resize(rows int) {
	r := rand.New(rand.NewPCG(uint64(rows), 2))
	f.x = make([]float32, rows*5)
	for i := range f.x {
		f.x[i] = float32(r.NormFloat64())
	}
}

func (f *fixture) chain(t testing.TB, opt Options) *Chain {
	t.Helper()
	var blocks []nn.Block
	for _, b := range f.blocks {
		blocks = append(blocks, b)
	}
	c, err := NewChain(func() ([]float32, int, int) { return f.x, len(f.x) / 5, 5 }, 5, blocks, f.loss, opt)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// byHand is the pass without gorgonia: the loss, and gradients added where the blocks keep them.
func (f *fixture) byHand() float64 {
	h := [][]float32{f.x}
	for _, b := range f.blocks {
		h = append(h, b.Forward(h[len(h)-1], true))
	}
	loss := f.loss.Forward(h[3])
	d := f.loss.Backward(h[3], 1)
	for i := 2; i >= 0; i-- {
		d = f.blocks[i].Backward(h[i], d, true)
	}
	return loss
}

func (f *fixture) grads() (all []float32) {
	for _, b := range f.blocks {
		all = append(all, b.g...)
	}
	return append(all, f.loss.g...)
}

func TestRunEqualsTheBlocksCalledByHandAtEveryLength(t *testing.T) {
	f, g := newFixture(1), newFixture(1)
	c := f.chain(t, Options{})
	for _, rows := range []int{7, 2, 31, 1, 7} {
		f.resize(rows)
		g.resize(rows)
		want := g.byHand()
		got, err := c.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%d rows: loss %v, by hand %v", rows, got, want)
		}
	}
	for i, v := range f.grads() { // gradients of all five runs, summed
		if v != g.grads()[i] {
			t.Fatalf("gradient %d is %v, by hand %v", i, v, g.grads()[i])
		}
	}
}

func TestGradientsAgreeWithFiniteDifferences(t *testing.T) {
	f := newFixture(2)
	c := f.chain(t, Options{FirstDX: true})
	if _, err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	slope := func(p *float32) float64 {
		const h = 1e-2
		old := *p
		var l [2]float64
		for i, d := range []float32{-h, h} {
			*p = old + d
			var err error
			if l[i], err = c.Loss(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		*p = old
		return (l[1] - l[0]) / (2 * h)
	}
	check := func(what string, values, grads []float32) {
		for i := range values {
			if want := slope(&values[i]); math.Abs(want-float64(grads[i])) > 2e-3*(1+math.Abs(want)) {
				t.Errorf("%s[%d]: gradient %v, slope %v", what, i, grads[i], want)
			}
		}
	}
	check("x", f.x, c.DX())
	for _, b := range f.blocks {
		check(b.name, b.w, b.g)
	}
	check("loss", f.loss.s, f.loss.g)
}

func TestNothingRunsBackwardBelowTheFirstBlockWithParameters(t *testing.T) {
	f := newFixture(3)
	f.blocks[0].frozen, f.loss.s, f.loss.g = true, nil, nil
	c := f.chain(t, Options{})
	if _, err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	want := []struct {
		trained, askedDX bool
		backwards        int
	}{{false, false, 0}, {true, false, 1}, {true, true, 1}}
	for i, b := range f.blocks {
		if b.trained != want[i].trained || b.askedDX != want[i].askedDX || b.backwards != want[i].backwards {
			t.Errorf("%s: trained %v, dx %v, %d backward passes; want %+v", b.name, b.trained, b.askedDX,
				b.backwards, want[i])
		}
	}
	var names []string
	for _, n := range c.Learnables() {
		names = append(names, n.Name())
	}
	if fmt.Sprint(names) != "[b1 b2]" {
		t.Errorf("learnables %v", names)
	}
}

func TestFrozenBlocksBetweenTrainedOnesPassTheGradientOn(t *testing.T) {
	f, g := newFixture(4), newFixture(4)
	f.blocks[1].frozen = true
	if _, err := f.chain(t, Options{}).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	g.byHand()
	for i, v := range f.blocks[0].g {
		if v != g.blocks[0].g[i] {
			t.Fatalf("gradient %d of b0 is %v, by hand %v", i, v, g.blocks[0].g[i])
		}
	}
}

func TestChainWithoutParameters(t *testing.T) {
	f := newFixture(5)
	for _, b := range f.blocks {
		b.frozen = true
	}
	f.loss.s, f.loss.g = nil, nil
	c := f.chain(t, Options{})
	if _, err := c.Loss(context.Background()); err != nil {
		t.Error(err)
	}
	if _, err := c.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "no block") {
		t.Errorf("Run: %v", err)
	}
	f.loss.s, f.loss.g = []float32{1}, []float32{0} // the loss alone is trained
	if _, err := f.chain(t, Options{}).Run(context.Background()); err != nil || f.loss.g[0] == 0 {
		t.Errorf("gradient of the loss's parameter %v, %v", f.loss.g[0], err)
	}
}

func TestSolverOfGorgoniaTrainsTheChain(t *testing.T) {
	f := newFixture(6)
	f.loss.s, f.loss.g = nil, nil
	c := f.chain(t, Options{})
	first, _ := c.Loss(context.Background())
	solver := gorgonia.NewVanillaSolver(gorgonia.WithLearnRate(0.05))
	for range 30 {
		if _, err := c.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := solver.Step(c.ValueGrads()); err != nil {
			t.Fatal(err)
		}
		for _, b := range f.blocks {
			clear(b.g)
		}
	}
	if last, _ := c.Loss(context.Background()); last > first/2 {
		t.Errorf("loss went from %v to %v", first, last)
	}
}

func TestCancellingStopsBetweenTwoBlocks(t *testing.T) {
	f := newFixture(7)
	c := f.chain(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	f.blocks[1].fail = func(backward bool) {
		if backward {
			cancel()
		}
	}
	_, err := c.Run(ctx)
	if !errors.Is(err, context.Canceled) || f.blocks[1].backwards != 1 || f.blocks[0].backwards != 0 {
		t.Errorf("%v after %d and %d backward passes", err, f.blocks[1].backwards, f.blocks[0].backwards)
	}
	f.blocks[1].fail = nil
	if _, err := c.Run(context.Background()); err != nil {
		t.Errorf("run after a cancelled one: %v", err)
	}
}

func TestPanicInABlockIsAnErrorThatNamesIt(t *testing.T) {
	f := newFixture(8)
	c := f.chain(t, Options{})
	f.blocks[2].fail = func(backward bool) {
		if backward {
			_ = f.x[len(f.x)]
		}
	}
	_, err := c.Run(context.Background())
	if err == nil || !strings.Contains(err.Error(), "block b2'") || !strings.Contains(err.Error(), "chain_test.go:") ||
		strings.Contains(err.Error(), "PC ") {
		t.Errorf("error %v", err)
	}
	f.x = f.x[1:]
	if _, err := c.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "columns") {
		t.Errorf("wrong size of input: %v", err)
	}
}

func TestNewChainRefusesWhatWouldMixUpNodes(t *testing.T) {
	f := newFixture(9)
	f.blocks[2].name = "b0"
	source := func() ([]float32, int, int) { return f.x, 7, 5 }
	if _, err := NewChain(source, 5, []nn.Block{f.blocks[0], f.blocks[2]}, f.loss, Options{}); err == nil ||
		!strings.Contains(err.Error(), `"b0"`) {
		t.Errorf("equal names: %v", err)
	}
	f.blocks[0].g = nil
	if _, err := NewChain(source, 5, []nn.Block{f.blocks[0]}, f.loss, Options{}); err == nil ||
		!strings.Contains(err.Error(), "gradients") {
		t.Errorf("no gradients: %v", err)
	}
}

func TestReplicasOverSharedValuesRunAtOnce(t *testing.T) {
	base := newFixture(10)
	want := base.byHand()
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			f := newFixture(10)
			for i, b := range f.blocks {
				b.w = base.blocks[i].w
			}
			c := f.chain(t, Options{})
			for range 20 {
				if got, err := c.Run(context.Background()); got != want || err != nil {
					t.Errorf("loss %v (%v), want %v", got, err, want)
				}
			}
		})
	}
	wait.Wait()
}

func TestRunMakesNoGarbageThatGrowsWithTheBatch(t *testing.T) {
	f := newFixture(11)
	c := f.chain(t, Options{})
	count := func(rows int) float64 {
		f.resize(rows)
		return testing.AllocsPerRun(20, func() {
			if _, err := c.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(3), count(300); many > few || many > 80 {
		t.Errorf("%v allocations for 3 rows, %v for 300", few, many)
	}
}

// BenchmarkRun shows gorgonia's own cost of a step: 24 layers that do next to nothing.
func BenchmarkRun(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var blocks []nn.Block
	for i := range 24 {
		blocks = append(blocks, newAffine(fmt.Sprint("layers.", i), 1, 1, r))
	}
	c, err := NewChain(func() ([]float32, int, int) { return []float32{1}, 1, 1 }, 1, blocks,
		&halfSquares{name: "loss"}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var own float64
	for b.Loop() {
		if _, err := c.Run(context.Background()); err != nil {
			b.Fatal(err)
		}
		own += c.Times().Graph.Seconds()
	}
	b.ReportMetric(own*1e6/float64(b.N), "graph-µs/op")
}
