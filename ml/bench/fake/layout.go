package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"finetui/ml/qwen2"
	"finetui/ml/qwen2vl"
)

// layouts holds the small files of each kind as they are published, but for what no reader looks at.
//
//go:embed layouts
var layouts embed.FS

// kinds are the names of the layouts.
func kinds() (names []string) {
	entries, err := layouts.ReadDir("layouts")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// layout is a checkpoint before its weights are drawn.
type layout struct {
	files   map[string][]byte
	tensors []tensor // in the order of the shards
	shard   int64    // most bytes of one file
}

// tensor is one tensor of bfloat16.
type tensor struct {
	name  string
	shape []int
}

func (t tensor) bytes() int64 {
	n := int64(2)
	for _, side := range t.shape {
		n *= int64(side)
	}
	return n
}

// readLayout is the layout of a kind.
func readLayout(kind string) (*layout, error) {
	if !slices.Contains(kinds(), kind) {
		return nil, fmt.Errorf("there is no kind %q; kinds are %s", kind, strings.Join(kinds(), ", "))
	}
	dir := path.Join("layouts", kind)
	entries, err := layouts.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = layouts.ReadFile(path.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return newLayout(files)
}

// newLayout lists the tensors that the config.json among the files asks for.
func newLayout(files map[string][]byte) (*layout, error) {
	l := &layout{files: files, shard: 4e9}
	config := files["config.json"]
	text, err := qwen2.ParseConfig(config)
	if err != nil {
		return nil, err
	}
	var has struct {
		Vision json.RawMessage `json:"vision_config"`
	}
	if err := json.Unmarshal(config, &has); err != nil {
		return nil, err
	}
	if has.Vision != nil {
		c, err := qwen2vl.ParseConfig(config)
		if err != nil {
			return nil, err
		}
		l.tower(c.Vision)
	}
	l.text(text)
	return l, nil
}

func (l *layout) add(name string, shape ...int) {
	l.tensors = append(l.tensors, tensor{name, shape})
}

// linear adds a product [out, in] and its bias.
func (l *layout) linear(name string, out, in int) {
	l.add(name+".weight", out, in)
	l.add(name+".bias", out)
}

// norm adds a LayerNorm.
func (l *layout) norm(name string, width int) {
	l.add(name+".weight", width)
	l.add(name+".bias", width)
}

func (l *layout) tower(v qwen2vl.Vision) {
	l.add("visual.patch_embed.proj.weight", v.Embed, v.Channels, v.Temporal, v.Patch, v.Patch)
	for i := range v.Depth {
		p := fmt.Sprintf("visual.blocks.%d.", i)
		l.norm(p+"norm1", v.Embed)
		l.norm(p+"norm2", v.Embed)
		l.linear(p+"attn.qkv", 3*v.Embed, v.Embed)
		l.linear(p+"attn.proj", v.Embed, v.Embed)
		l.linear(p+"mlp.fc1", v.Inner(), v.Embed)
		l.linear(p+"mlp.fc2", v.Embed, v.Inner())
	}
	wide := v.Embed * v.Merge * v.Merge
	l.norm("visual.merger.ln_q", v.Embed)
	l.linear("visual.merger.mlp.0", wide, wide)
	l.linear("visual.merger.mlp.2", v.Hidden, wide)
}

func (l *layout) text(c qwen2.Config) {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	l.add("model.embed_tokens.weight", c.Vocab, c.Hidden)
	for i := range c.Layers {
		p := fmt.Sprintf("model.layers.%d.", i)
		l.linear(p+"self_attn.q_proj", q, c.Hidden)
		l.linear(p+"self_attn.k_proj", kv, c.Hidden)
		l.linear(p+"self_attn.v_proj", kv, c.Hidden)
		l.add(p+"self_attn.o_proj.weight", c.Hidden, q)
		l.add(p+"mlp.gate_proj.weight", c.Inner, c.Hidden)
		l.add(p+"mlp.up_proj.weight", c.Inner, c.Hidden)
		l.add(p+"mlp.down_proj.weight", c.Hidden, c.Inner)
		l.add(p+"input_layernorm.weight", c.Hidden)
		l.add(p+"post_attention_layernorm.weight", c.Hidden)
	}
	l.add("model.norm.weight", c.Hidden)
	if !c.Tied {
		l.add("lm_head.weight", c.Vocab, c.Hidden)
	}
}
