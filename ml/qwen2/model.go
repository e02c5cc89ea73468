package qwen2

import (
	"fmt"

	"finetui/ml/nn"
	"finetui/ml/weights"
)

// Model is the language model's weights, shared by all its replicas, and what is trained of them.
type Model struct {
	Config Config
	Embed  *nn.EmbedWeights
	Layers []*nn.DecoderWeights
	Head   *nn.HeadWeights

	params []weights.Parameter
}

// New builds the model from the tensors of src.
func New(c Config, src weights.Source, tune weights.Tuning) (*Model, error) {
	m := &Model{Config: c}
	embed, err := src.Matrix("model.embed_tokens.weight", c.Vocab, c.Hidden)
	if err != nil {
		return nil, err
	}
	m.Embed = &nn.EmbedWeights{W: embed}
	if tune.All {
		b := weights.NewBuilder(src, tune, "", 0)
		m.Embed.WSpan = b.Add("model.embed_tokens.weight", weights.Floats(embed), c.Vocab, c.Hidden)
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
func (m *Model) Parameters() []weights.Parameter { return m.params }

func (m *Model) layer(i int, src weights.Source, tune weights.Tuning) (*nn.DecoderWeights, error) {
	c, b := m.Config, weights.NewBuilder(src, tune, fmt.Sprintf("model.layers.%d.", i), uint64(i)*16)
	w := &nn.DecoderWeights{Index: i, Heads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim}
	w.Norm1 = b.Norm("input_layernorm", c.Hidden, c.Eps, false)
	w.Norm2 = b.Norm("post_attention_layernorm", c.Hidden, c.Eps, false)
	w.QKV = b.Linear(c.Hidden, true, c.qkv()...)
	w.O = b.Linear(c.Heads*c.HeadDim, false, c.out()...)
	w.GateUp = b.Linear(c.Hidden, false, c.gateUp()...)
	w.Down = b.Linear(c.Inner, false, c.down()...)
	w.Layout = b.Layout
	var err error
	w.Value, err = m.finish(b)
	return w, err
}

// The parts of a layer's products.
func (c Config) qkv() []weights.Part {
	q, kv := c.Heads*c.HeadDim, c.KVHeads*c.HeadDim
	return []weights.Part{{Module: "self_attn.q_proj", Out: q}, {Module: "self_attn.k_proj", Out: kv},
		{Module: "self_attn.v_proj", Out: kv}}
}

func (c Config) out() []weights.Part {
	return []weights.Part{{Module: "self_attn.o_proj", Out: c.Hidden}}
}

func (c Config) gateUp() []weights.Part {
	return []weights.Part{{Module: "mlp.gate_proj", Out: c.Inner}, {Module: "mlp.up_proj", Out: c.Inner}}
}

func (c Config) down() []weights.Part {
	return []weights.Part{{Module: "mlp.down_proj", Out: c.Hidden}}
}

// finish binds a block's flat vector and notes its tensors.
func (m *Model) finish(b *weights.Builder) ([]float32, error) {
	value, params, err := b.Finish()
	m.params = append(m.params, params...)
	return value, err
}

func (m *Model) head(src weights.Source, tune weights.Tuning) (*nn.HeadWeights, error) {
	c := m.Config
	tune.Adapt = nil // the head has no adapter
	b := weights.NewBuilder(src, tune, "", 0)
	w := &nn.HeadWeights{Tied: c.Tied, Gamma: tune.Gamma}
	w.Norm = b.Norm("model.norm", c.Hidden, c.Eps, false)
	if c.Tied {
		w.Out = &nn.Linear{W: m.Embed.W, WSpan: m.Embed.WSpan}
	} else {
		w.Out = b.Linear(c.Hidden, false, weights.Part{Module: "lm_head", Out: c.Vocab})
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

	read []int
}

// NewReplica returns blocks that work on e.
func (m *Model) NewReplica(e *nn.Exec) *Replica {
	r := m.open(e)
	for _, w := range m.Layers {
		r.Layers = append(r.Layers, nn.NewDecoder(w, e, r.Batch, r.Rotary))
	}
	if n := len(r.Layers); n > 0 {
		r.Layers[n-1].Last = true
	}
	return r
}

// open is NewReplica without the layers.
func (m *Model) open(e *nn.Exec) *Replica {
	c := m.Config
	r := &Replica{Exec: e, Batch: &nn.Batch{}, Rotary: &nn.Rotary{Theta: c.Theta, HeadDim: c.HeadDim,
		Sections: c.Sections}}
	r.Embed = nn.NewEmbed(m.Embed, r.Batch)
	r.Head = nn.NewHead(m.Head, e, r.Batch, r.Embed.Params())
	return r
}

// LoadToLearn is Load for who wants the loss alone: hidden states that it does not count are not made.
func (r *Replica) LoadToLearn(b nn.Batch) {
	r.read = b.Supervised(r.read[:0])
	b.Read = r.read
	r.Load(b)
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
