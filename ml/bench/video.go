package main

import (
	"context"
	"fmt"
	"sync"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/blas"
	"finetui/ml/clip"
	"finetui/ml/mobilevideogpt"
	"finetui/ml/nn"
	"finetui/ml/train"
	"finetui/ml/videomamba"
	"finetui/ml/weights"
)

// videoRows are the parts of Mobile-VideoGPT-0.5B on one clip.
func videoRows() []row {
	return []row{{
		name: "video clip", what: "CLIP ViT-B/16 tower, 16 frames", against: "its bare products",
		goal: table.AtMost(1.3), measure: (*bench).imageTower,
	}, {
		name: "video mamba", what: "VideoMamba-M, one clip of 8 frames", against: "products + scan's bytes",
		goal: table.AtMost(1.5), measure: (*bench).videoEncoder,
	}, {
		name: "video step", what: "0.5B LoRA r 64 + projectors, 2402 visual", against: "its bare products",
		goal: table.AtMost(1.4), measure: (*bench).videoStep,
	}}
}

// imageTower runs the tower beside its frozen products and those of its attention.
func (b *bench) imageTower() table.Result {
	c := clip.Published()
	m, err := clip.New(c, drawn.Weights{}, "")
	if err != nil {
		panic(err)
	}
	tower := m.NewTower(nn.NewExec(b.team.Size()))
	patches := mobilevideogpt.Frames * c.Patches()
	tokens := mobilevideogpt.Frames * (1 + c.Patches())
	pixels := drawn.Values(patches * c.PatchWidth())
	wide, out := drawn.Values(tokens*c.Inner), make([]float32, tokens*c.Inner)
	products := func() {
		m.Patch.Proj.Mul(b.team, patches, wide, out)
		for _, w := range m.Blocks {
			for _, l := range []*nn.Linear{w.QKV, w.Proj, w.FC1, w.FC2} {
				l.Mul(b.team, tokens, wide, out)
			}
		}
	}
	heads := heads{heads: c.Heads, kv: c.Heads, dim: c.Hidden / c.Heads}
	attention := func() {
		for range m.Blocks {
			heads.forward(b.team, mobilevideogpt.Frames, 1+c.Patches(), wide, out)
		}
	}
	run := func() table.Span {
		return table.Clock(func() {
			if _, err := tower.Features(pixels); err != nil {
				panic(err)
			}
		})
	}
	run()
	var pairs, frozen []table.Pair
	for range b.rounds {
		all, bare, attended := run(), table.Clock(products), table.Clock(attention)
		pairs = append(pairs, table.Pair{Measured: all, Reference: bare.Plus(attended)})
		frozen = append(frozen, table.Pair{Measured: all, Reference: bare})
	}
	r, alone := table.Durations(pairs), table.Durations(frozen)
	r.Note = fmt.Sprintf("%.2f× (busy %.2f×) of the frozen ones alone", alone.Ratio, alone.Busy)
	return r
}

// videoEncoder runs the encoder beside its products and the bytes that its scans read and write, at the speed of
// memory: of each direction dt, v, B and C, and y.
func (b *bench) videoEncoder() table.Result {
	c := videomamba.Published()
	m, err := videomamba.New(c, drawn.Weights{}, "")
	if err != nil {
		panic(err)
	}
	encoder := m.NewEncoder(nn.NewExec(b.team.Size()))
	patches := c.Frames * c.Patches()
	tokens := 1 + patches
	pixels := drawn.Values(patches * c.PatchWidth())
	wide, out := drawn.Values(tokens*2*c.Inner), make([]float32, tokens*2*c.Inner)
	products := func() {
		m.Patch.Proj.Mul(b.team, patches, wide, out)
		for _, w := range m.Blocks {
			w.In.Mul(b.team, tokens, wide, out)
			for i := range w.Ways {
				w.Ways[i].X.Mul(b.team, tokens, wide, out)
				w.Ways[i].DT.Mul(b.team, tokens, wide, out)
			}
			w.Out.Mul(b.team, tokens, wide, out)
		}
	}
	bytes := float64(c.Layers) * 2 * float64(tokens) * 4 * float64(3*c.Inner+2*c.States)
	data := make([]byte, readBytes)
	for i := range data {
		data[i] = byte(i)
	}
	run := func() table.Span {
		return table.Clock(func() {
			if _, err := encoder.Features(pixels); err != nil {
				panic(err)
			}
		})
	}
	run()
	var pairs, frozen []table.Pair
	var speeds []float64
	for range b.rounds {
		all, bare, read := run(), table.Clock(products), b.read(data)
		scan := read.Share(bytes / readBytes)
		pairs = append(pairs, table.Pair{Measured: all, Reference: bare.Plus(scan)})
		frozen = append(frozen, table.Pair{Measured: all, Reference: bare})
		speeds = append(speeds, readBytes/read.Wall.Seconds()/1e9)
	}
	r, alone := table.Durations(pairs), table.Durations(frozen)
	r.Note = fmt.Sprintf("%.2f× (busy %.2f×) of the products alone; memory at %.0f GB/s", alone.Ratio, alone.Busy,
		table.Median(speeds))
	return r
}

// The sample that videoStep learns from: so many words around a clip, of which so many are supervised.
const (
	videoWords      = 64
	videoSupervised = 32
	videoRank       = 64
)

// videoStep takes optimizer steps of one sample beside the products of all its parts but the adapters.
func (b *bench) videoStep() table.Result {
	c := mobilevideogpt.Config{Text: textConfig(b.layers), Image: clip.Published(), Video: videomamba.Published(),
		TopK: true, Select: 4}
	m, err := mobilevideogpt.New(c, drawn.Weights{}, nil, mobilevideogpt.Tuning{Projectors: true, Text: weights.Tuning{
		Adapt: func(string) (weights.Adapter, bool) { return weights.Adapter{R: videoRank, Scale: 2}, true }}})
	if err != nil {
		panic(err)
	}
	for _, p := range m.Text.Parameters() {
		copy(p.Value, drawn.Scaled(drawn.Values(len(p.Value)), 0.02))
	}
	groups, groupOf := mobilevideogpt.Rates{LearningRate: 1e-4, ProjectorRate: 2e-5}.Groups()
	solver, err := train.NewAdamW(m.Parameters(), groups, groupOf)
	if err != nil {
		panic(err)
	}
	trainer, err := train.New(m, solver, train.Schedule{Kind: "constant"}, train.Options{Threads: b.team.Size()})
	if err != nil {
		panic(err)
	}
	visual := c.Tokens(true)
	tokens := visual + videoWords
	sample := split(sequences(textVocab, videoSupervised, tokens))[0]
	imageRows, videoRows := mobilevideogpt.Frames*c.Image.Patches(), c.Video.Frames*49
	sample.Visual = mobilevideogpt.Features{{Image: drawn.Values(imageRows * c.Image.Hidden),
		Video: drawn.Values(videoRows *
			c.Video.Hidden)}}
	for i := range visual {
		sample.Places = append(sample.Places, int32(8+i))
	}
	x, y := drawn.Values(max(tokens*2*textInner, imageRows*textHidden)), make([]float32, max(tokens*2*textInner,
		imageRows*textHidden, textVocab*videoSupervised))
	t := &text{m.Text}
	bare := func() {
		for _, p := range [][2]int{{imageRows, c.Image.Hidden}, {videoRows, c.Video.Hidden}} {
			b.projector(p[0], p[1], x, y)
		}
		for layer := range m.Text.Layers {
			t.forward(b.team, layer, tokens, x, y)
			t.backward(b.team, layer, tokens, x, y, true)
		}
		m.Text.Head.Out.Mul(b.team, videoSupervised, x, y)
		m.Text.Head.Out.MulBack(b.team, videoSupervised, x, y)
	}
	// Causal attention's seven products, two forward and five back, count as if they ran as fast as the others: in
	// pieces of general products they would take twice as long as what is measured.
	const weightProducts = 2 * layerWeights // multiplications of a token, there and back
	attention := 7 * float64(tokens) / 2 * textHeads * textHead / weightProducts
	step := func() table.Span {
		return table.Clock(func() {
			if _, err := trainer.Step(context.Background(), []train.Sample{sample}); err != nil {
				panic(err)
			}
		})
	}
	step()
	bare()
	var pairs, frozen []table.Pair
	for range 1 + b.rounds/3 {
		all, products := step(), table.Clock(bare)
		pairs = append(pairs, table.Pair{Measured: all, Reference: products.Share(1 + attention)})
		frozen = append(frozen, table.Pair{Measured: all, Reference: products})
	}
	r, alone := table.Durations(pairs), table.Durations(frozen)
	r.Note = fmt.Sprintf("%.2f× (busy %.2f×) without attention's; adapters' are in neither", alone.Ratio, alone.Busy)
	if b.layers != textLayers {
		r.Note += fmt.Sprintf("; %d layers", b.layers)
	}
	return r
}

// projector is the products of a projector, forward and backward: there is no gradient of its input.
func (b *bench) projector(rows, in int, x, y []float32) {
	const h = textHidden
	b.team.Gemm(false, true, rows, h, in, x, in, x, in, false, y, h)
	b.team.Gemm(false, true, rows, h, h, x, h, x, h, false, y, h)
	b.team.Gemm(true, false, h, h, rows, x, h, x, h, false, y, h)
	b.team.Gemm(false, false, rows, h, h, x, h, x, h, false, y, h)
	b.team.Gemm(true, false, h, in, rows, x, h, x, in, false, y, in)
}

// heads are the products of an attention, in pieces that stay in the cache.
type heads struct{ heads, kv, dim int }

const headPiece = 256

// pieces calls do for every piece of queries and every piece of keys that it meets, each head's on one core.
func (h heads) pieces(team blas.Team, sequences, tokens int, do func(q, k, m, n, head int, p []float32)) {
	pool := sync.Pool{New: func() any { return &[headPiece * headPiece]float32{} }}
	team.For(sequences*h.heads, 1, func(lo, hi int) {
		held := pool.Get().(*[headPiece * headPiece]float32)
		defer pool.Put(held)
		for j := lo; j < hi; j++ {
			first, head := j/h.heads*tokens, j%h.heads
			for q := 0; q < tokens; q += headPiece {
				for k := 0; k < tokens; k += headPiece {
					do(first+q, first+k, min(headPiece, tokens-q), min(headPiece, tokens-k), head, held[:])
				}
			}
		}
	})
}

// forward are q kᵀ and p v.
func (h heads) forward(team blas.Team, sequences, tokens int, x, y []float32) {
	w, d := (h.heads+2*h.kv)*h.dim, h.dim
	var solo blas.Team
	h.pieces(team, sequences, tokens, func(q, k, m, n, head int, p []float32) {
		key := x[k*w+(h.heads+head*h.kv/h.heads)*d:]
		solo.Gemm(false, true, m, n, d, x[q*w+head*d:], w, key, w, false, p, n)
		solo.Gemm(false, false, m, d, n, p, n, key[h.kv*d:], w, k > 0, y[q*h.heads*d+head*d:], h.heads*d)
	})
}
