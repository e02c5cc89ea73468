package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"finetui/ml/graph"
	"finetui/ml/nn"
)

// tiny is a language model for tests: trained embeddings, which the head shares, two decoder layers with adapters on
// q and down (with dropout), and a trained final norm.
type tiny struct {
	embed  *nn.EmbedWeights
	layers []*nn.DecoderWeights
	head   *nn.HeadWeights
	spans  map[string]nn.Layout
}

const (
	tinyVocab  = 13
	tinyHidden = 8
)

func gauss(r *rand.Rand, n int, std float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * std)
	}
	return x
}

func newTiny(seed uint64, dropout float32) *tiny {
	r := rand.New(rand.NewPCG(seed, 0))
	m := &tiny{spans: map[string]nn.Layout{}}
	linear := func(out, in int) *nn.Linear {
		return &nn.Linear{W: nn.Matrix{Rows: out, Cols: in, F32: gauss(r, out*in, 1/math.Sqrt(float64(in)))}}
	}
	norm := func() *nn.Norm {
		n := &nn.Norm{W: gauss(r, tinyHidden, .1), Eps: 1e-6}
		for i := range n.W {
			n.W[i]++
		}
		return n
	}

	var l nn.Layout
	m.embed = &nn.EmbedWeights{WSpan: l.Add("weight", tinyVocab, tinyHidden)}
	m.embed.Value = gauss(r, l.Size, 1)
	m.embed.W = nn.Matrix{Rows: tinyVocab, Cols: tinyHidden, F32: m.embed.Value}
	m.spans["embed_tokens"] = l

	for i := range 2 {
		w := &nn.DecoderWeights{Index: i, Heads: 2, KVHeads: 1, HeadDim: 4, Norm1: norm(), Norm2: norm(),
			QKV: linear(16, tinyHidden), O: linear(tinyHidden, tinyHidden), GateUp: linear(24, tinyHidden),
			Down: linear(tinyHidden, 12)}
		adapt := func(lin *nn.Linear, name string, out int, use uint64) {
			lin.Adapters = append(lin.Adapters, &nn.Adapter{Out: out, R: 2, Scale: 2, Dropout: dropout, Use: use,
				A: w.Layout.Add(name+".lora_A.weight", 2, lin.W.Cols), B: w.Layout.Add(name+".lora_B.weight", out, 2)})
		}
		adapt(w.QKV, "self_attn.q_proj", 8, uint64(2*i))
		adapt(w.Down, "mlp.down_proj", tinyHidden, uint64(2*i+1))
		w.Value = gauss(r, w.Layout.Size, .3)
		m.layers = append(m.layers, w)
		m.spans[fmt.Sprint("layers.", i)] = w.Layout
	}

	var hl nn.Layout
	m.head = &nn.HeadWeights{Norm: norm(), Tied: true}
	m.head.Norm.WSpan = hl.Add("norm.weight", tinyHidden)
	m.head.Out = &nn.Linear{W: m.embed.W, WSpan: m.embed.WSpan}
	m.head.Value = m.head.Norm.W
	m.spans["lm_head"] = hl
	return m
}

func (m *tiny) Parameters() []Parameters {
	p := []Parameters{{"embed_tokens", m.embed.Value, m.spans["embed_tokens"]}}
	for i, w := range m.layers {
		name := fmt.Sprint("layers.", i)
		p = append(p, Parameters{name, w.Value, m.spans[name]})
	}
	return append(p, Parameters{"lm_head", m.head.Value, m.spans["lm_head"]})
}

// values are all parameters in one slice, copied.
func (m *tiny) values() (all []float32) {
	for _, p := range m.Parameters() {
		all = append(all, p.Value...)
	}
	return all
}

func (m *tiny) setValues(all []float32) {
	for _, p := range m.Parameters() {
		all = all[copy(p.Value, all):]
	}
}

type tinyReplica struct {
	batch    nn.Batch
	rotary   *nn.Rotary
	features []float32
	chain    *graph.Chain
	head     *nn.Head
}

func (m *tiny) NewReplica(e *nn.Exec) (Replica, error) {
	r := &tinyReplica{rotary: &nn.Rotary{Theta: 1e4, HeadDim: 4}}
	embed := nn.NewEmbed(m.embed, &r.batch)
	blocks := []nn.Block{embed}
	for _, w := range m.layers {
		blocks = append(blocks, nn.NewDecoder(w, e, &r.batch, r.rotary))
	}
	r.head = nn.NewHead(m.head, e, &r.batch, embed.Params())
	source := func() ([]float32, int, int) { return r.features, len(r.features) / tinyHidden, tinyHidden }
	var err error
	r.chain, err = graph.NewChain(source, tinyHidden, blocks, r.head, graph.Options{})
	return r, err
}

func (r *tinyReplica) Load(p *Pack) error {
	p.Fill(&r.batch)
	r.features = r.features[:0]
	for _, s := range p.Samples {
		if s.Visual != nil {
			r.features = append(r.features, s.Visual.(seen).rows...)
		}
	}
	r.rotary.Prepare(r.batch.Pos)
	return r.batch.Check(tinyVocab, len(r.features)/tinyHidden)
}

func (r *tinyReplica) Chain() *graph.Chain { return r.chain }
func (r *tinyReplica) Outcome() Outcome    { return r.head }

// seen are rows of a picture, which cost as much as patches would.
type seen struct {
	rows    []float32
	patches int
}

func (s seen) Rows() int   { return s.patches }
func (s seen) Values() int { return len(s.rows) }

// someSamples draws n samples of 3 to 14 tokens, a third of them with two rows of a picture.
func someSamples(seed uint64, n int) []Sample {
	r := rand.New(rand.NewPCG(seed, 1))
	samples := make([]Sample, n)
	for i := range samples {
		s := &samples[i]
		s.Key = uint64(i)
		weight := float32(r.IntN(3))/2 + .5
		for t := range 3 + r.IntN(12) {
			s.IDs = append(s.IDs, int32(r.IntN(tinyVocab)))
			s.Targets = append(s.Targets, int32(r.IntN(tinyVocab)))
			if t == 0 {
				s.Targets[0] = -1
			}
			s.Weights = append(s.Weights, weight)
		}
		if i%3 == 0 {
			s.Places, s.Visual = []int32{0, 2}, seen{rows: gauss(r, 2*tinyHidden, 1)}
		}
	}
	return samples
}

func newTrainer(t testing.TB, m *tiny, o Options) *Trainer {
	t.Helper()
	solver, err := NewAdamW(m.Parameters(), []Group{{0.02, 0.01}, {0.005, 0}}, func(block, _ string) int {
		if block == "lm_head" {
			return 1
		}
		return 0
	})
	if err != nil {
		t.Fatal(err)
	}
	solver.MaxGradNorm = 1
	trainer, err := New(m, solver, Schedule{Kind: "cosine", Warmup: 2, Steps: 12}, o)
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}
