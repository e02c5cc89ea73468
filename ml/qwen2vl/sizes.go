package qwen2vl

import (
	"fmt"

	"finetui/ml/weights"
)

// Products are those that LoRA can adapt, of the language model and, where the model has one, of the tower.
func (c Config) Products() (list []weights.Product) {
	for i := range c.Text.Layers {
		list = append(list, c.layerProducts(fmt.Sprintf("model.layers.%d.", i))...)
	}
	if c.Vision.Depth == 0 {
		return list
	}
	for i := range c.Vision.Depth {
		list = append(list, c.blockProducts(fmt.Sprintf("visual.blocks.%d.", i))...)
	}
	return append(list, c.mergerProducts()...)
}

func (c Config) layerProducts(at string) []weights.Product {
	t := c.Text
	q, kv := t.Heads*t.HeadDim, t.KVHeads*t.HeadDim
	return []weights.Product{
		product(at+"self_attn.q_proj", t.Hidden, q), product(at+"self_attn.k_proj", t.Hidden, kv),
		product(at+"self_attn.v_proj", t.Hidden, kv), product(at+"self_attn.o_proj", q, t.Hidden),
		product(at+"mlp.gate_proj", t.Hidden, t.Inner), product(at+"mlp.up_proj", t.Hidden, t.Inner),
		product(at+"mlp.down_proj", t.Inner, t.Hidden),
	}
}

func (c Config) blockProducts(at string) []weights.Product {
	v := c.Vision
	return []weights.Product{product(at+"attn.qkv", v.Embed, 3*v.Embed), product(at+"attn.proj", v.Embed, v.Embed),
		product(at+"mlp.fc1", v.Embed, v.Inner()), product(at+"mlp.fc2", v.Inner(), v.Embed)}
}

func (c Config) mergerProducts() []weights.Product {
	v := c.Vision
	wide := v.Embed * v.Merge * v.Merge
	return []weights.Product{product("visual.merger.mlp.0", wide, wide), product("visual.merger.mlp.2", wide, v.Hidden)}
}

func product(module string, in, out int) weights.Product {
	return weights.Product{Module: module, In: in, Out: out}
}

// Parameters is the number of the model's weights, those of the tower among them.
func (c Config) Parameters() int64 {
	t, v := c.Text, c.Vision
	n := int64(t.Vocab) * int64(t.Hidden)
	if !t.Tied {
		n *= 2
	}
	for _, p := range c.Products() {
		n += int64(p.In) * int64(p.Out)
	}
	n += int64(t.Layers)*int64(2*t.Hidden+(t.Heads+2*t.KVHeads)*t.HeadDim) + int64(t.Hidden) // norms and biases
	if v.Depth > 0 {
		wide := v.Embed * v.Merge * v.Merge
		n += int64(v.PatchWidth())*int64(v.Embed) + int64(v.Depth)*int64(9*v.Embed+v.Inner()) +
			int64(2*v.Embed+wide+v.Hidden)
	}
	return n
}

// Operations are the multiplications and additions (two each) of a sample's forward and backward pass through the
// language model, and of its forward pass through the tower. Weights that are frozen have no gradient of their own: the
// way back costs as much as the way there. Attention adds what grows with the square of the length; causal, half of it.
func (c Config) Operations(tokens, supervised, patches int) (text, tower float64) {
	t, v := c.Text, c.Vision
	layer := 0.0
	for _, p := range c.layerProducts("") {
		layer += float64(p.In) * float64(p.Out)
	}
	scores := float64(tokens) / 2 * float64(2*t.Heads*t.HeadDim)
	text = 2 * float64(tokens) * float64(t.Layers) * (2*layer + 3.5*scores)
	text += 2 * 2 * float64(supervised) * float64(t.Vocab) * float64(t.Hidden)
	if v.Depth == 0 {
		return text, 0
	}
	block := float64(patches) * float64(2*v.Embed)
	for _, p := range c.blockProducts("") {
		block += float64(p.In) * float64(p.Out)
	}
	merger := 0.0
	for _, p := range c.mergerProducts() {
		merger += float64(p.In) * float64(p.Out)
	}
	rows := float64(patches)
	return text, 2 * (rows*(float64(v.Depth)*block+float64(v.PatchWidth()*v.Embed)) +
		rows/float64(v.Merge*v.Merge)*merger)
}
