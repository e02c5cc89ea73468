package qwen2

import (
	"fmt"

	"finetui/ml/nn"
)

// Source gives the tensors of a checkpoint under their classic Hugging Face names, or says what is wrong with them.
type Source interface {
	// Matrix is a tensor whose first dimension is rows and whose others multiply to cols.
	Matrix(name string, rows, cols int) (nn.Matrix, error)
	Vector(name string, n int) ([]float32, error)
}

// Tuning says what is trained. The zero Tuning trains nothing.
type Tuning struct {
	All   bool                                        // every tensor
	Adapt func(module string) (spec Adapter, ok bool) // LoRA on the products that it says yes to; nil: none
	Gamma float64                                     // focal loss; 0: cross entropy
}

// Adapter says how one product is adapted.
type Adapter struct {
	R              int
	Scale, Dropout float64
}

// Model is the language model's weights, shared by all its replicas, and what is trained of them.
type Model struct {
	Config Config
	Embed  *nn.EmbedWeights
	Layers []*nn.DecoderWeights
	Head   *nn.HeadWeights

	params []Parameter
}

// Parameter is one trained tensor: a view of a block's flat vector.
type Parameter struct {
	Name  string // "model.layers.0.self_attn.q_proj.lora_A.weight", "model.norm.weight"
	Shape []int
	Value []float32
}

// New builds the model from the tensors of src.
func New(c Config, src Source, tune Tuning) (*Model, error) {
	m := &Model{Config: c}
	embed, err := src.Matrix("model.embed_tokens.weight", c.Vocab, c.Hidden)
	if err != nil {
		return nil, err
	}
	m.Embed = &nn.EmbedWeights{W: embed}
	if tune.All {
		b := NewBuilder(src, tune, "", 0)
		m.Embed.WSpan = b.add("model.embed_tokens.weight", Floats(embed), c.Vocab, c.Hidden)
		if m.Embed.Value, err = m.finish(b); err != nil {
			return nil, err
		}
		m.Embed.Layout = b.Layout
		m.Embed.W = nn.Matrix{Rows: c.Vocab, Cols: c.Hidden, F32: m.Embed.Value}
	}
	for i := range c.Layers {
		layer, err := m.layer(i, src, tune)
		if err != nil {
			return nil, err
		}
		m.Layers = append(m.Layers, layer)
	}
	if m.Head, err = m.head(src, tune); err != nil {
		return nil, err
	}
	return m, nil
}

// Parameters are the trained tensors in a fixed order.
func (m *Model) Parameters() []Parameter { return m.params }

func (m *Model) layer(i int, src Source, tune Tuning) (*nn.DecoderWeights, error) {
	c, b := m.Config, NewBuilder(src, tune, fmt.Sprintf("model.layers.%d.", i), uint64(i)*16)
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	w := &nn.DecoderWeights{Index: i, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim}
	w.Norm1 = b.Norm("input_layernorm", c.Hidden, c.Eps, false)
	w.Norm2 = b.Norm("post_attention_layernorm", c.Hidden, c.Eps, false)
	w.QKV = b.Linear(c.Hidden, true, Part{"self_attn.q_proj", q}, Part{"self_attn.k_proj", kv}, Part{"self_attn.v_proj", kv})
	w.O = b.Linear(q, false, Part{"self_attn.o_proj", c.Hidden})
	w.GateUp = b.Linear(c.Hidden, false, Part{"mlp.gate_proj", c.Inner}, Part{"mlp.up_proj", c.Inner})
	w.Down = b.Linear(c.Inner, false, Part{"mlp.down_proj", c.Hidden})
	w.Layout = b.Layout
	var err error
	w.Value, err = m.finish(b)
	return w, err
}

// finish binds a block's flat vector and notes its tensors.
func (m *Model) finish(b *Builder) ([]float32, error) {
	value, params, err := b.Finish()
	m.params = append(m.params, params...)
	return value, err
}

func (m *Model) head(src Source, tune Tuning) (*nn.HeadWeights, error) {
	c, b := m.Config, NewBuilder(src, tune, "", 0)
	w := &nn.HeadWeights{Tied: c.Tied, Gamma: tune.Gamma}
	w.Norm = b.Norm("model.norm", c.Hidden, c.Eps, false)
	if c.Tied {
		w.Out = &nn.Linear{W: m.Embed.W, WSpan: m.Embed.WSpan}
	} else {
		b.tune.Adapt = nil
		w.Out = b.Linear(c.Hidden, false, Part{"lm_head", c.Vocab})
	}
	w.Layout = b.Layout
	var err error
	w.Value, err = m.finish(b)
	return w, err
}

// Replica is one worker's blocks over the shared weights, with its own batch, activations and gradients.
type Replica struct {
	Exec   *nn.Exec
	Batch  *nn.Batch
	Rotary *nn.Rotary
	Embed  *nn.Embed
	Layers []*nn.Decoder
	Head   *nn.Head
}

// NewReplica returns blocks that work on e.
func (m *Model) NewReplica(e *nn.Exec) *Replica {
	c := m.Config
	r := &Replica{Exec: e, Batch: &nn.Batch{}, Rotary: &nn.Rotary{Theta: c.Theta, HeadDim: c.HeadDim, Sections: c.Sections}}
	r.Embed = nn.NewEmbed(m.Embed, r.Batch)
	for _, w := range m.Layers {
		r.Layers = append(r.Layers, nn.NewDecoder(w, e, r.Batch, r.Rotary))
	}
	r.Head = nn.NewHead(m.Head, e, r.Batch, r.Embed.Params())
	return r
}

// Load makes b the batch that the blocks work on.
func (r *Replica) Load(b nn.Batch) {
	*r.Batch = b
	r.Rotary.Prepare(b.Pos)
}

// Blocks are the chain from features to the last hidden state.
func (r *Replica) Blocks() []nn.Block {
	blocks := []nn.Block{r.Embed}
	for _, l := range r.Layers {
		blocks = append(blocks, l)
	}
	return blocks
}

// Hidden runs the blocks without keeping anything for a backward pass, and returns the last hidden state [T, hidden].
func (r *Replica) Hidden(features []float32) []float32 {
	x := features
	for _, b := range r.Blocks() {
		x = b.Forward(x, false)
	}
	return x
}

// TextPositions are the rotary positions of sequences that hold text only.
func TextPositions(starts []int) [3][]int32 {
	row := make([]int32, starts[len(starts)-1])
	for s := range len(starts) - 1 {
		for t := starts[s]; t < starts[s+1]; t++ {
			row[t] = int32(t - starts[s])
		}
	}
	return [3][]int32{row, row, row}
}
