package main

import (
	"runtime"

	"finetui/ml/bench/drawn"
	"finetui/ml/blas"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/weights"
)

// The shape of Qwen2.5-0.5B.
const (
	textLayers = 24
	textHidden = 896
	textInner  = 4864
	textHeads  = 14
	textKV     = 2
	textHead   = 64
	textVocab  = 151936

	// weights of the four products of a layer
	layerWeights = textHidden*(textHeads+2*textKV)*textHead + textHidden*textHeads*textHead + 3*textHidden*textInner
)

func textConfig(layers int) qwen2.Config {
	return qwen2.Config{
		ModelType: "qwen2", Hidden: textHidden, Layers: layers, Heads: textHeads, KVHeads: textKV, HeadDim: textHead,
		Inner: textInner, Vocab: textVocab, Eps: 1e-6, Theta: 1e6, Tied: true,
	}
}

// text is a language model with LoRA on all seven products.
type text struct {
	model *qwen2.Model
}

// model is the language model, made when it is first asked for.
func (b *bench) model() *text {
	if b.text == nil {
		b.text = newText(textConfig(b.layers), weights.Adapter{R: 16, Scale: 2}, nil)
		x, y := drawn.Values(2*textInner), make([]float32, 2*textInner)
		for layer := range b.layers { // lays the weights out
			b.text.forward(b.team, layer, 1, x, y)
		}
		runtime.GC() // not while the first row is measured
	}
	return b.text
}

// base is the same model without adapters: the weights are shared, their layouts for the kernels are not.
func (b *bench) base() *text {
	if b.plain == nil {
		m := *b.model().model
		m.Layers = nil
		bare := func(l *nn.Linear) *nn.Linear { return &nn.Linear{W: l.W, B: l.B} }
		for _, w := range b.text.model.Layers {
			m.Layers = append(m.Layers, &nn.DecoderWeights{Index: w.Index, Heads: w.Heads, KVHeads: w.KVHeads,
				HeadDim: w.HeadDim,
				Norm1:   w.Norm1, Norm2: w.Norm2, QKV: bare(w.QKV), O: bare(w.O), GateUp: bare(w.GateUp),
				Down: bare(w.Down)})
		}
		b.plain = &text{&m}
	}
	return b.plain
}

// newText makes a model with random weights. modules names the adapted products by their last part; nil: all.
func newText(c qwen2.Config, a weights.Adapter, modules map[string]bool) *text {
	m, err := qwen2.New(c, drawn.Weights{}, weights.Tuning{Adapt: func(module string) (weights.Adapter, bool) {
		return a, modules == nil || modules[lastPart(module)]
	}})
	if err != nil {
		panic(err) // the source never fails, and the sizes are ours
	}
	for _, p := range m.Parameters() {
		copy(p.Value, drawn.Scaled(drawn.Values(len(p.Value)), 0.02))
	}
	return &text{m}
}

func lastPart(module string) string {
	for i := len(module) - 1; i >= 0; i-- {
		if module[i] == '.' {
			return module[i+1:]
		}
	}
	return module
}

// forward is the four bare products of a layer. x and y have room for the widest.
func (t *text) forward(team blas.Team, layer, rows int, x, y []float32) {
	w := t.model.Layers[layer]
	for _, l := range []*nn.Linear{w.QKV, w.O, w.GateUp, w.Down} {
		l.Mul(team, rows, x, y)
	}
}

// backward is the four bare products of a layer's gradient, or without
// the lowest the three that the first adapted layer needs.
func (t *text) backward(team blas.Team, layer, rows int, dy, dx []float32, lowest bool) {
	w := t.model.Layers[layer]
	for _, l := range []*nn.Linear{w.Down, w.GateUp, w.O} {
		l.MulBack(team, rows, dy, dx)
	}
	if lowest {
		w.QKV.MulBack(team, rows, dy, dx)
	}
}
