package clip

import (
	"fmt"
	"strings"

	"finetui/ml/nn"
	"finetui/ml/train"
	"finetui/ml/weights"
)

// Classic is the name of a tensor here for that in a file: with "vision_model." or what may stand before it, or
// without. What is no part of the image tower, a text model say, has none.
func Classic(stored string) (name string, ok bool) {
	if _, rest, found := strings.Cut(stored, "vision_model."); found {
		return rest, true
	}
	for _, part := range []string{"embeddings.class", "embeddings.patch", "embeddings.position_embedding",
		"encoder.layers.", "pre_layrnorm.", "post_layernorm."} {
		if strings.HasPrefix(stored, part) {
			return stored, true
		}
	}
	return "", false
}

// Model is the tower's weights, shared by all replicas.
type Model struct {
	Config Config
	Patch  *nn.PatchWeights
	Place  *nn.PlaceWeights
	Norm   *nn.NormWeights
	Blocks []*nn.VisionWeights
}

// New builds the tower from the tensors of src, whose names begin with prefix. Nothing of it is trained.
func New(c Config, src weights.Source, prefix string) (*Model, error) {
	return build(c, src, prefix, weights.Tuning{})
}

// NewTrained is New for a tower of which everything is trained.
func NewTrained(c Config, src weights.Source, prefix string) (*Model, error) {
	return build(c, src, prefix, weights.Tuning{All: true})
}

func build(c Config, src weights.Source, prefix string, tune weights.Tuning) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, Patch: &nn.PatchWeights{}, Norm: &nn.NormWeights{Called: "pre_layrnorm"}}
	b := weights.NewBuilder(src, tune, prefix, 0)
	m.Patch.Proj = b.Linear(c.PatchWidth(), false, weights.Part{Module: "embeddings.patch_embedding", Out: c.Hidden})
	var err error
	if m.Patch.Value, _, err = b.Finish(); err != nil {
		return nil, err
	}
	m.Patch.Layout = b.Layout
	b = weights.NewBuilder(src, tune, prefix, 0)
	m.Norm.Norm = b.Norm("pre_layrnorm", c.Hidden, c.Eps, true)
	if m.Norm.Value, _, err = b.Finish(); err != nil {
		return nil, err
	}
	m.Norm.Layout = b.Layout
	class, err := src.Vector(prefix+"embeddings.class_embedding", c.Hidden)
	if err != nil {
		return nil, err
	}
	position, err := src.Matrix(prefix+"embeddings.position_embedding.weight", 1+c.Patches(), c.Hidden)
	if err != nil {
		return nil, err
	}
	m.Place = &nn.PlaceWeights{Class: class, Position: weights.Floats(position)}
	if tune.All {
		m.Place.Train()
	}
	for i := range c.Depth() {
		b := weights.NewBuilder(src, tune, fmt.Sprintf("%sencoder.layers.%d.", prefix, i), 0)
		w := &nn.VisionWeights{Index: i, Heads: c.Heads, HeadDim: c.Hidden / c.Heads}
		w.Norm1, w.Norm2 = b.Norm("layer_norm1", c.Hidden, c.Eps, true), b.Norm("layer_norm2", c.Hidden, c.Eps, true)
		w.QKV, w.Proj = b.Linear(c.Hidden, true, c.qkv()...), b.Linear(c.Hidden, true,
			part("self_attn.out_proj", c.Hidden))
		w.FC1, w.FC2 = b.Linear(c.Hidden, true, part("mlp.fc1", c.Inner)), b.Linear(c.Inner, true, part("mlp.fc2",
			c.Hidden))
		if w.Value, _, err = b.Finish(); err != nil {
			return nil, err
		}
		w.Layout = b.Layout
		m.Blocks = append(m.Blocks, w)
	}
	return m, nil
}

func part(name string, out int) weights.Part { return weights.Part{Module: name, Out: out} }

// qkv are the parts of a layer's first product.
func (c Config) qkv() []weights.Part {
	return []weights.Part{part("self_attn.q_proj", c.Hidden), part("self_attn.k_proj", c.Hidden),
		part("self_attn.v_proj", c.Hidden)}
}

// Parameters are the trained flat vectors in the order of Stack.
func (m *Model) Parameters() (out []train.Parameters) {
	add := func(name string, value []float32, l nn.Layout) {
		if len(value) > 0 {
			out = append(out, train.Parameters{Name: name, Value: value, Layout: l})
		}
	}
	add("patch_embed", m.Patch.Value, m.Patch.Layout)
	add("place", m.Place.Value, m.Place.Layout)
	add(m.Norm.Called, m.Norm.Value, m.Norm.Layout)
	for _, b := range m.Blocks {
		add(b.Name(), b.Value, b.Layout)
	}
	return out
}

// Tensors are the tower's weights as a checkpoint of its own holds them, in a fixed order. Layers that do not run are
// not among them.
func (m *Model) Tensors() (out []weights.Tensor) {
	const prefix = "vision_model."
	c := m.Config
	one := func(name string, value []float32, shape ...int) {
		out = append(out, weights.Tensor{Name: prefix + name, Shape: shape, Value: value})
	}
	norm := func(name string, n *nn.Norm) {
		one(name+".weight", n.W, c.Hidden)
		one(name+".bias", n.B, c.Hidden)
	}
	one("embeddings.class_embedding", m.Place.Class, c.Hidden)
	one("embeddings.patch_embedding.weight", weights.Floats(m.Patch.Proj.W), c.Hidden, 3, c.Patch, c.Patch)
	one("embeddings.position_embedding.weight", m.Place.Position, 1+c.Patches(), c.Hidden)
	norm("pre_layrnorm", m.Norm.Norm)
	for i, w := range m.Blocks {
		at := fmt.Sprintf("encoder.layers.%d.", i)
		norm(at+"layer_norm1", w.Norm1)
		norm(at+"layer_norm2", w.Norm2)
		out = append(out, weights.Split(prefix+at, w.QKV, c.qkv()...)...)
		out = append(out, weights.Split(prefix+at, w.Proj, part("self_attn.out_proj", c.Hidden))...)
		out = append(out, weights.Split(prefix+at, w.FC1, part("mlp.fc1", c.Inner))...)
		out = append(out, weights.Split(prefix+at, w.FC2, part("mlp.fc2", c.Hidden))...)
	}
	return out
}

// Tower is one worker's tower. It needs the room of one layer.
type Tower struct {
	// Check is asked before each layer, so that many pictures can be stopped; its error ends the call. It may be nil.
	Check func() error

	model  *Model
	e      *nn.Exec
	patch  *nn.PatchEmbed
	place  *nn.Place
	norm   *nn.NormBlock
	block  *nn.VisionBlock // in turn each layer's
	raw    *nn.Patches
	tokens *nn.Patches
}

// NewTower returns a tower that works on e.
func (m *Model) NewTower(e *nn.Exec) *Tower {
	t := &Tower{model: m, e: e, raw: &nn.Patches{}, tokens: &nn.Patches{}}
	t.patch, t.place, t.norm = nn.NewPatchEmbed(m.Patch, e, t.raw), nn.NewPlace(m.Place, e), nn.NewNormBlock(m.Norm, e)
	if len(m.Blocks) > 0 {
		t.block = nn.NewVisionBlock(m.Blocks[0], e, t.tokens)
	}
	return t
}

// Features are what the tower makes of pictures, rows [pictures·Patches, PatchWidth] → [pictures·Patches, Hidden], in
// memory of their own.
func (t *Tower) Features(rows []float32) ([]float32, error) {
	x, err := t.run(rows, nil)
	if err != nil {
		return nil, err
	}
	c := t.model.Config
	out := make([]float32, 0, len(rows)/c.PatchWidth()*c.Hidden)
	each := (1 + c.Patches()) * c.Hidden
	for ; len(x) > 0; x = x[each:] {
		out = append(out, x[c.Hidden:each]...)
	}
	return out, nil
}

// Load says how many pictures the next pass is about.
func (t *Tower) Load(pictures int) {
	n := t.model.Config.Patches()
	t.raw.Starts, t.tokens.Starts = t.raw.Starts[:0], t.tokens.Starts[:0]
	for i := range pictures + 1 {
		t.raw.Starts = append(t.raw.Starts, i*n)
		t.tokens.Starts = append(t.tokens.Starts, i*(1+n))
	}
}

// Stack are the tower's blocks for training, with memory of their own each: patch rows [pictures·Patches, PatchWidth] →
// [pictures·(1 + Patches), Hidden], the class tokens among them.
func (t *Tower) Stack() []nn.Block {
	stack := []nn.Block{t.patch, t.place, t.norm}
	for _, w := range t.model.Blocks {
		stack = append(stack, nn.NewVisionBlock(w, t.e, t.tokens))
	}
	return stack
}

// run is Features with the class tokens. heard, which may be nil, is told what each stage gives.
func (t *Tower) run(rows []float32, heard func(stage string, x []float32)) ([]float32, error) {
	c := t.model.Config
	each := c.Patches() * c.PatchWidth()
	if len(rows)%each != 0 {
		return nil, fmt.Errorf("%d values are no pictures of %d patches of %d values", len(rows), c.Patches(),
			c.PatchWidth())
	}
	t.Load(len(rows) / each)
	if heard == nil {
		heard = func(string, []float32) {}
	}
	x := t.place.Forward(t.patch.Forward(rows, false), false)
	heard("embeddings", x)
	x = t.norm.Forward(x, false)
	heard("hidden_states.0", x)
	for i, w := range t.model.Blocks {
		if t.Check != nil {
			if err := t.Check(); err != nil {
				return nil, err
			}
		}
		t.block.Turn(w)
		x = t.block.Forward(x, false)
		heard(fmt.Sprintf("hidden_states.%d", i+1), x)
	}
	return x, nil
}

// Parameters is the number of the weights that are used.
func (c Config) Parameters() int64 {
	layer := 4*c.Hidden*(c.Hidden+1) + 2*c.Hidden*c.Inner + c.Inner + c.Hidden + 4*c.Hidden
	return int64(c.Depth())*int64(layer) + int64(c.Hidden*(c.PatchWidth()+1+1+c.Patches()+2))
}
