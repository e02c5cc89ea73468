package graph

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"finetui/ml/nn"
)

// stage is a block or the loss as the operations see it, with the values of its nodes. They are made once and filled
// again in each run.
type stage struct {
	name     string
	params   nn.Params
	needDX   bool
	forward  func(x []float32)
	backward func(x []float32, dy gorgonia.Value)
	value    gorgonia.Value // result of forward: *vector, of the loss *gorgonia.F64
	dx       vector         // gradient of the input
	gradient *tensor.Dense  // of the parameters, over params.Grad; nil without
}

// newStage makes a stage of a block. With train its forward pass keeps what the backward pass needs.
// With again it makes that a second time, just before.
func newStage(b nn.Block, train, needDX, again bool) *stage {
	out := new(vector)
	s := &stage{name: b.Name(), params: b.Params(), needDX: needDX, value: out}
	s.forward = func(x []float32) { out.data = b.Forward(x, train) }
	frugal, ok := b.(nn.Frugal)
	s.backward = func(x []float32, dy gorgonia.Value) {
		if ok && again {
			frugal.Again(x)
		}
		s.dx.data = b.Backward(x, dy.(*vector).data, needDX)
	}
	s.gradient = flat(s.params.Grad, s.params.Value)
	return s
}

// newLossStage makes the last stage of a chain.
func newLossStage(l nn.Loss) *stage {
	out := gorgonia.NewF64(0)
	s := &stage{name: l.Name(), params: l.Params(), needDX: true, value: out}
	s.forward = func(x []float32) { *out = gorgonia.F64(l.Forward(x)) }
	s.backward = func(x []float32, dy gorgonia.Value) {
		s.dx.data = l.Backward(x, float32(dy.Data().(float64)))
	}
	s.gradient = flat(s.params.Grad, s.params.Value)
	return s
}

// flat is a tensor over data, nil where there are no parameters.
func flat(data, value []float32) *tensor.Dense {
	if len(value) == 0 {
		return nil
	}
	return tensor.New(tensor.WithShape(len(data)), tensor.WithBacking(data))
}
