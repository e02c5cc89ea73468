package qwen2

import (
	"fmt"

	"finetui/ml/nn"
	"finetui/ml/weights"
)

// Tensors are the model's weights as a checkpoint holds them (adapters are not in it), in a fixed order. Values are
// views where they are float32.
func (m *Model) Tensors() []weights.Tensor {
	c := m.Config
	out := []weights.Tensor{{Name: "model.embed_tokens.weight", Shape: []int{c.Vocab, c.Hidden},
		Value: weights.Floats(m.Embed.W)}}
	norm := func(name string, n *nn.Norm) {
		out = append(out, weights.Tensor{Name: name + ".weight", Shape: []int{c.Hidden}, Value: n.W})
	}
	linear := func(prefix string, l *nn.Linear, parts []weights.Part) {
		out = append(out, weights.Split(prefix, l, parts...)...)
	}
	for i, l := range m.Layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		norm(p+"input_layernorm", l.Norm1)
		norm(p+"post_attention_layernorm", l.Norm2)
		linear(p, l.QKV, c.qkv())
		linear(p, l.O, c.out())
		linear(p, l.GateUp, c.gateUp())
		linear(p, l.Down, c.down())
	}
	norm("model.norm", m.Head.Norm)
	if !c.Tied {
		linear("", m.Head.Out, []weights.Part{{Module: "lm_head", Out: c.Vocab}})
	}
	return out
}
