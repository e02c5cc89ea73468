package qwen2

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"finetui/ml/goldentest"
	"finetui/ml/nn"
	"finetui/ml/weights"
)

// TestWhatIsNotReadIsNotMade compares a pass that makes the hidden states which the loss counts alone with one that
// makes all: the loss is the same to the bit and gradients are but for the order of their sums, whatever is trained in
// the last layer, where a sequence has nothing to read, and where what the pass back needs is made a second time.
func TestWhatIsNotReadIsNotMade(t *testing.T) {
	c := Config{ModelType: "qwen2", Hidden: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 8, Inner: 512, Vocab: 40,
		Eps: 1e-6, Theta: 1e4, Tied: true}
	rng := rand.New(rand.NewPCG(3, 4))
	batch := nn.Batch{Starts: []int{0, 70, 110, 180}, Scale: .1, Keys: []uint64{5, 7, 6}}
	for at := range 180 {
		target, weight := int32(-1), float32(0)
		if (at < 70 || at >= 110) && at%70 > 35 {
			target, weight = int32(rng.IntN(c.Vocab)), 1
		}
		batch.IDs = append(batch.IDs, int32(rng.IntN(c.Vocab)))
		batch.Targets, batch.Weights = append(batch.Targets, target), append(batch.Weights, weight)
	}
	batch.Pos = TextPositions(batch.Starts)
	for name, modules := range map[string][]string{"attention": {"q_proj", "v_proj", "o_proj"},
		"all": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}} {
		m, err := New(c, goldentest.Drawn{}, weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
			for _, x := range modules {
				if len(module) >= len(x) && module[len(module)-len(x):] == x {
					return weights.Adapter{R: 4, Scale: 2, Dropout: .1}, true
				}
			}
			return weights.Adapter{}, false
		}})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range m.Layers {
			for i := range l.Value {
				l.Value[i] = rng.Float32() - .5
			}
		}
		pass := func(load func(*Replica), frugal bool) (float64, [][]float32) {
			r := m.NewReplica(nn.NewExec(1))
			if frugal {
				nn.Share(r.Blocks())
			}
			load(r)
			var inputs [][]float32
			var x []float32
			for _, b := range r.Blocks() {
				inputs = append(inputs, x)
				x = b.Forward(x, true)
			}
			loss := r.Head.Forward(x)
			var grads [][]float32
			dy := r.Head.Backward(x, 1)
			for i, b := range slices.Backward(r.Blocks()) {
				if f, ok := b.(nn.Frugal); ok && frugal {
					f.Again(inputs[i])
				}
				dy = b.Backward(inputs[i], dy, i > 1)
				grads = append(grads, slices.Clone(b.Params().Grad))
				if i == 1 {
					break
				}
			}
			return loss, grads
		}
		all, want := pass(func(r *Replica) { r.Load(batch) }, false)
		few, got := pass(func(r *Replica) { r.LoadToLearn(batch) }, false)
		twice, gotTwice := pass(func(r *Replica) { r.LoadToLearn(batch) }, true)
		if all != few || all != twice {
			t.Errorf("adapters on %s: losses %v, %v and %v", name, all, few, twice)
		}
		if !slices.EqualFunc(got, gotTwice, slices.Equal) {
			t.Errorf("adapters on %s: gradients are others where what they need is made twice", name)
		}
		for i := range want {
			var off, size float64
			for j, w := range want[i] {
				off = max(off, math.Abs(float64(got[i][j]-w)))
				size = max(size, math.Abs(float64(w)))
			}
			if off > 2e-6*size {
				t.Errorf("adapters on %s: gradients of layer %d of at most %.3g are %.3g off", name, i, size, off)
			}
		}
		if all == 0 || want[0][0] == 0 && want[0][1] == 0 {
			t.Errorf("adapters on %s: nothing was learnt", name)
		}
	}
}
