package qwen2vl

import (
	"fmt"

	"finetui/ml/nn"
	"finetui/ml/qwen2"
	"finetui/ml/weights"
)

// Tuning says what is trained: of the language model, of the tower's patches and blocks, of the merger.
type Tuning struct {
	Text, Tower, Merger weights.Tuning
}

// Model is the weights of a Qwen2-VL, shared by all replicas.
type Model struct {
	Config Config
	Text   *qwen2.Model
	Patch  *nn.PatchWeights
	Blocks []*nn.VisionWeights
	Merger *nn.MergerWeights

	params []weights.Parameter
}

// New builds the model from the tensors of src. With Vision.Depth 0 it is a language model alone, which has no tower.
func New(c Config, src weights.Source, tune Tuning) (*Model, error) {
	text, err := qwen2.New(c.Text, src, tune.Text)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: c, Text: text}
	v := c.Vision
	if v.Depth == 0 {
		return m, nil
	}
	finish := func(b *weights.Builder) (nn.Layout, []float32) {
		if err != nil {
			return nn.Layout{}, nil
		}
		value, params, e := b.Finish()
		err = e
		m.params = append(m.params, params...)
		return b.Layout, value
	}
	const towerStreams = 1 << 32 // dropout streams of the tower, apart from the language model's
	patch := tune.Tower
	patch.Adapt = nil // a convolution: PEFT's adapters on linear products pass it by
	b := weights.NewBuilder(src, patch, "visual.patch_embed.", towerStreams)
	m.Patch = &nn.PatchWeights{Proj: b.Linear(v.PatchWidth(), false, weights.Part{Module: "proj", Out: v.Embed})}
	m.Patch.Layout, m.Patch.Value = finish(b)
	for i := range v.Depth {
		b := weights.NewBuilder(src, tune.Tower, fmt.Sprintf("visual.blocks.%d.", i), towerStreams+uint64(i+1)*16)
		w := &nn.VisionWeights{Index: i, Heads: v.Heads, HeadDim: v.HeadDim()}
		w.Norm1, w.Norm2 = b.Norm("norm1", v.Embed, 1e-6, true), b.Norm("norm2", v.Embed, 1e-6, true)
		w.QKV = b.Linear(v.Embed, true, weights.Part{Module: "attn.qkv", Out: 3 * v.Embed})
		w.Proj = b.Linear(v.Embed, true, weights.Part{Module: "attn.proj", Out: v.Embed})
		w.FC1 = b.Linear(v.Embed, true, weights.Part{Module: "mlp.fc1", Out: v.Inner()})
		w.FC2 = b.Linear(v.Inner(), true, weights.Part{Module: "mlp.fc2", Out: v.Embed})
		if w.Layout, w.Value = finish(b); err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, w)
	}
	wide := v.Embed * v.Merge * v.Merge
	b = weights.NewBuilder(src, tune.Merger, "visual.merger.", towerStreams<<1)
	m.Merger = &nn.MergerWeights{Norm: b.Norm("ln_q", v.Embed, 1e-6, true)}
	m.Merger.FC1 = b.Linear(wide, true, weights.Part{Module: "mlp.0", Out: wide})
	m.Merger.FC2 = b.Linear(wide, true, weights.Part{Module: "mlp.2", Out: v.Hidden})
	if m.Merger.Layout, m.Merger.Value = finish(b); err != nil {
		return nil, err
	}
	return m, nil
}

// Parameters are the trained tensors, the language model's first, in a fixed order.
func (m *Model) Parameters() []weights.Parameter {
	return append(append([]weights.Parameter(nil), m.Text.Parameters()...), m.params...)
}

// TowerFrozen says whether nothing of the tower and the merger is trained or adapted, so that a picture's features are
// always the same.
func (m *Model) TowerFrozen() bool { return len(m.params) == 0 }

// Tensors are the weights as a checkpoint holds them, in a fixed order.
func (m *Model) Tensors() []weights.Tensor {
	out := m.Text.Tensors()
	v := m.Config.Vision
	if v.Depth == 0 {
		return out
	}
	patch := weights.Split("visual.patch_embed.", m.Patch.Proj, weights.Part{Module: "proj", Out: v.Embed})
	patch[0].Shape = []int{v.Embed, v.Channels, v.Temporal, v.Patch, v.Patch}
	out = append(out, patch...)
	norm := func(name string, n *nn.Norm) {
		out = append(out, weights.Tensor{Name: name + ".weight", Shape: []int{len(n.W)}, Value: n.W},
			weights.Tensor{Name: name + ".bias", Shape: []int{len(n.B)}, Value: n.B})
	}
	linear := func(prefix, module string, l *nn.Linear) {
		out = append(out, weights.Split(prefix, l, weights.Part{Module: module, Out: l.W.Rows})...)
	}
	for i, w := range m.Blocks {
		p := fmt.Sprintf("visual.blocks.%d.", i)
		norm(p+"norm1", w.Norm1)
		norm(p+"norm2", w.Norm2)
		linear(p, "attn.qkv", w.QKV)
		linear(p, "attn.proj", w.Proj)
		linear(p, "mlp.fc1", w.FC1)
		linear(p, "mlp.fc2", w.FC2)
	}
	norm("visual.merger.ln_q", m.Merger.Norm)
	linear("visual.merger.", "mlp.0", m.Merger.FC1)
	linear("visual.merger.", "mlp.2", m.Merger.FC2)
	return out
}

// Tower is one worker's vision tower. To look it needs the room of one block.
type Tower struct {
	// Check is asked before each block of Features, so that a large picture can be stopped; its error ends the call. It
	// may be nil.
	Check func() error

	Patches *nn.Patches
	Patch   *nn.PatchEmbed
	Merger  *nn.Merger

	model  *Model
	e      *nn.Exec
	block  *nn.VisionBlock // in turn each block's
	config Vision
}

// NewTower returns a tower that works on e.
func (m *Model) NewTower(e *nn.Exec) *Tower {
	v := m.Config.Vision
	t := &Tower{Patches: &nn.Patches{Rotary: nn.Rotary{Theta: 1e4, HeadDim: v.HeadDim()}}, model: m, e: e, config: v}
	t.Patch = nn.NewPatchEmbed(m.Patch, e, t.Patches)
	t.Merger = nn.NewMerger(m.Merger, e, t.Patches)
	return t
}

// Load makes the pictures of these grids, end to end, what the tower works on.
func (t *Tower) Load(grids []Grid) error {
	t.Patches.Starts = append(t.Patches.Starts[:0], 0)
	for i, g := range grids {
		if err := checkGrid(g, t.config.Merge); err != nil {
			return fmt.Errorf("picture %d: %w", i+1, err)
		}
		for range g.T {
			t.Patches.Starts = append(t.Patches.Starts, t.Patches.P()+g.H*g.W)
		}
	}
	t.Patches.Rotary.PrepareGrid(blockOrder(grids, t.config.Merge))
	return nil
}

// Stack are the tower's blocks for training, with memory of their own each: pixel rows [patches, PatchWidth] → features
// [tokens, hidden].
func (t *Tower) Stack() []nn.Block {
	stack := []nn.Block{t.Patch}
	for _, w := range t.model.Blocks {
		stack = append(stack, nn.NewVisionBlock(w, t.e, t.Patches))
	}
	return append(stack, t.Merger)
}

// Features returns the language model's view of pictures: rows [patches, PatchWidth] → [tokens, hidden], in memory of
// its own.
func (t *Tower) Features(rows []float32, grids []Grid) ([]float32, error) {
	if err := t.config.checkPictures(len(rows), grids); err != nil {
		return nil, err
	}
	if err := t.Load(grids); err != nil {
		return nil, err
	}
	x := t.Patch.Forward(rows, false)
	for _, w := range t.model.Blocks {
		if t.Check != nil {
			if err := t.Check(); err != nil {
				return nil, err
			}
		}
		if t.block == nil {
			t.block = nn.NewVisionBlock(w, t.e, t.Patches)
		}
		t.block.Turn(w)
		x = t.block.Forward(x, false)
	}
	return append([]float32(nil), t.Merger.Forward(x, false)...), nil
}
