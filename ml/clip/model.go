package clip

import (
	"fmt"
	"strings"

	"finetui/ml/nn"
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
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c}
	var frozen weights.Tuning
	b := weights.NewBuilder(src, frozen, prefix, 0)
	m.Patch = &nn.PatchWeights{Proj: b.Linear(c.PatchWidth(), false, weights.Part{Module: "embeddings.patch_embedding",
		Out: c.Hidden})}
	m.Norm = &nn.NormWeights{Called: "pre_layrnorm", Norm: b.Norm("pre_layrnorm", c.Hidden, c.Eps, true)}
	if _, _, err := b.Finish(); err != nil {
		return nil, err
	}
	class, err := src.Vector(prefix+"embeddings.class_embedding", c.Hidden)
	if err != nil {
		return nil, err
	}
	position, err := src.Matrix(prefix+"embeddings.position_embedding.weight", 1+c.Patches(), c.Hidden)
	if err != nil {
		return nil, err
	}
	m.Place = &nn.PlaceWeights{Class: class, Position: weights.Floats(position)}
	for i := range c.Depth() {
		b := weights.NewBuilder(src, frozen, fmt.Sprintf("%sencoder.layers.%d.", prefix, i), 0)
		w := &nn.VisionWeights{Index: i, Heads: c.Heads, HeadDim: c.Hidden / c.Heads}
		w.Norm1, w.Norm2 = b.Norm("layer_norm1", c.Hidden, c.Eps, true), b.Norm("layer_norm2", c.Hidden, c.Eps, true)
		part := func(name string, out int) weights.Part { return weights.Part{Module: name, Out: out} }
		w.QKV = b.Linear(c.Hidden, true, part("self_attn.q_proj", c.Hidden), part("self_attn.k_proj", c.Hidden),
			part("self_attn.v_proj", c.Hidden))
		w.Proj = b.Linear(c.Hidden, true, part("self_attn.out_proj", c.Hidden))
		w.FC1, w.FC2 = b.Linear(c.Hidden, true, part("mlp.fc1", c.Inner)), b.Linear(c.Inner, true, part("mlp.fc2",
			c.Hidden))
		if _, _, err := b.Finish(); err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, w)
	}
	return m, nil
}

// Tower is one worker's tower. It needs the room of one layer.
type Tower struct {
	// Check is asked before each layer, so that many pictures can be stopped; its error ends the call. It may be nil.
	Check func() error

	model  *Model
	patch  *nn.PatchEmbed
	place  *nn.Place
	norm   *nn.NormBlock
	block  *nn.VisionBlock // in turn each layer's
	raw    *nn.Patches
	tokens *nn.Patches
}

// NewTower returns a tower that works on e.
func (m *Model) NewTower(e *nn.Exec) *Tower {
	t := &Tower{model: m, raw: &nn.Patches{}, tokens: &nn.Patches{}}
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

// run is Features with the class tokens. heard, which may be nil, is told what each stage gives.
func (t *Tower) run(rows []float32, heard func(stage string, x []float32)) ([]float32, error) {
	c := t.model.Config
	each := c.Patches() * c.PatchWidth()
	if len(rows)%each != 0 {
		return nil, fmt.Errorf("%d values are no pictures of %d patches of %d values", len(rows), c.Patches(),
			c.PatchWidth())
	}
	pictures := len(rows) / each
	t.raw.Starts, t.tokens.Starts = t.raw.Starts[:0], t.tokens.Starts[:0]
	for i := range pictures + 1 {
		t.raw.Starts = append(t.raw.Starts, i*c.Patches())
		t.tokens.Starts = append(t.tokens.Starts, i*(1+c.Patches()))
	}
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
