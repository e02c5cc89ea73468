package qwen2

import (
	"fmt"

	"finetui/ml/nn"
)

// Tensor is one tensor of a checkpoint, under its classic name.
type Tensor struct {
	Name  string
	Shape []int
	Value []float32
}

// Tensors are the model's weights as a checkpoint holds them (adapters are not in it), in a fixed order. Values are
// views where they are float32.
func (m *Model) Tensors() []Tensor {
	c := m.Config
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	out := []Tensor{{"model.embed_tokens.weight", []int{c.Vocab, c.Hidden}, Floats(m.Embed.W)}}
	for i, l := range m.Layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		out = append(out,
			Tensor{p + "input_layernorm.weight", []int{c.Hidden}, l.Norm1.W},
			Tensor{p + "post_attention_layernorm.weight", []int{c.Hidden}, l.Norm2.W})
		out = append(out, Split(p, l.QKV, Part{"self_attn.q_proj", q}, Part{"self_attn.k_proj", kv}, Part{"self_attn.v_proj", kv})...)
		out = append(out, Split(p, l.O, Part{"self_attn.o_proj", c.Hidden})...)
		out = append(out, Split(p, l.GateUp, Part{"mlp.gate_proj", c.Inner}, Part{"mlp.up_proj", c.Inner})...)
		out = append(out, Split(p, l.Down, Part{"mlp.down_proj", c.Hidden})...)
	}
	out = append(out, Tensor{"model.norm.weight", []int{c.Hidden}, m.Head.Norm.W})
	if !c.Tied {
		out = append(out, Split("", m.Head.Out, Part{"lm_head", c.Vocab})...)
	}
	return out
}

// Split are the weights, and biases where there are some, of the parts of a product.
func Split(prefix string, l *nn.Linear, parts ...Part) []Tensor {
	var out []Tensor
	w, in, off := Floats(l.W), l.W.Cols, 0
	for _, p := range parts {
		out = append(out, Tensor{prefix + p.Module + ".weight", []int{p.Out, in}, w[off*in : (off+p.Out)*in]})
		if l.B != nil {
			out = append(out, Tensor{prefix + p.Module + ".bias", []int{p.Out}, l.B[off : off+p.Out]})
		}
		off += p.Out
	}
	return out
}
