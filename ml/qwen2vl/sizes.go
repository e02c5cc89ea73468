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

// qkvProducts of a layer's run on all tokens; in the last layer the others run on those that are read.
const qkvProducts = 3

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

// How many numbers of the way back come on one of the way there. Frozen weights have no gradient of their own: the
// products of the way back are as many as those of the way there. An adapter's A and B have one: twice as many.
// Attention works the scores out anew: five products where the way there has two.
const (
	productsBack  = 1
	adaptersBack  = 2
	attentionBack = 2.5
	valuesBack    = 2
)

// passed is the effort of a pass: only the way there, or with what the way back adds.
func passed(there weights.Effort, back bool) weights.Effort {
	if !back {
		return there
	}
	return weights.Effort{Products: there.Products * (1 + productsBack), Adapters: there.Adapters * (1 + adaptersBack),
		Attention: there.Attention * (1 + attentionBack), Values: there.Values * (1 + valuesBack)}
}

// products are the effort of rows through products and the adapters on them.
func (w Work) products(rows int, list []weights.Product) (e weights.Effort) {
	for _, p := range list {
		e.Products += 2 * float64(rows) * float64(p.In) * float64(p.Out)
		if w.Rank != nil {
			e.Adapters += 2 * float64(rows) * float64(w.Rank(p.Module)) * float64(p.In+p.Out)
		}
	}
	return e
}

// TextEffort is that of a sequence through the language model, there or there and back. Attention is causal: half of
// all pairs. In the last layer the supervised tokens alone ask, which are the last ones, and go through what follows.
func (c Config) TextEffort(w Work, tokens, supervised int, back bool) (e weights.Effort) {
	t := c.Text
	all, read := float64(tokens), float64(supervised)
	heads, kv := float64(t.Heads*t.HeadDim), float64(t.KVHeads*t.HeadDim)
	layer := func(asking, pairs float64) {
		e.Attention += 2 * 2 * pairs * heads
		e.Values += all*(2*float64(t.Hidden)+2*kv) + asking*(4*float64(t.Hidden)+3*float64(t.Inner)+2*heads)
	}
	for i := range t.Layers {
		products := c.layerProducts(fmt.Sprintf("model.layers.%d.", i))
		if i < t.Layers-1 {
			e = e.Plus(w.products(tokens, products))
			layer(all, all*all/2)
			continue
		}
		e = e.Plus(w.products(tokens, products[:qkvProducts])).Plus(w.products(supervised, products[qkvProducts:]))
		layer(read, read*(all-read/2))
	}
	e.Products += 2 * read * float64(t.Vocab) * float64(t.Hidden)
	return passed(e, back)
}

// TowerEffort is that of patches through the tower and its merger. pairs are those of patches that see each other: of
// one picture, or of one frame.
func (c Config) TowerEffort(w Work, patches, pairs int, back bool) (e weights.Effort) {
	v := c.Vision
	if v.Depth == 0 {
		return e
	}
	for i := range v.Depth {
		e = e.Plus(w.products(patches, c.blockProducts(fmt.Sprintf("visual.blocks.%d.", i))))
	}
	e.Attention = 2 * 2 * float64(v.Depth) * float64(pairs) * float64(v.Embed)
	e.Values = float64(v.Depth*patches) * (12*float64(v.Embed) + 3*float64(v.Inner()))
	e = e.Plus(w.products(patches/(v.Merge*v.Merge), c.mergerProducts()))
	e.Products += 2 * float64(patches) * float64(v.PatchWidth()*v.Embed)
	return passed(e, back)
}
