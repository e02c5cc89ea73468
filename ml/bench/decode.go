package main

import (
	"fmt"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/blas"
	"finetui/ml/nn"
)

const (
	decodePrompt = 64 // tokens in the cache before
	decodeTokens = 8  // in a round
	readBytes    = 512 << 20
)

// decodeRows continue prompts token by token.
func decodeRows() []row {
	return []row{{
		name: "decode one", what: "decode one sequence, 0.5B bf16", against: "reading memory",
		goal: table.AtLeastPercent(80),
		measure: func(b *bench) table.Result {
			next := b.decoder(1)
			data := make([]byte, readBytes)
			for i := range data {
				data[i] = byte(i)
			}
			read := func() table.Span { return b.read(data) }
			return table.Rates(table.Rounds(b.rounds, next, read), 2*decodeTokens*b.decodeWeights(), readBytes,
				1e9, "GB/s")
		},
	}, {
		name: "decode eight", what: "decode eight sequences, all their tokens", against: "one sequence",
		goal: table.AtLeast(5),
		measure: func(b *bench) table.Result {
			eight, one := b.decoder(8), b.decoder(1)
			pairs := table.Rounds(b.rounds, eight, one)
			r := table.Rates(pairs, 8*decodeTokens, decodeTokens, 1, "tokens/s")
			work, peak := b.multiplyPeak()
			top := table.Rates(table.Rounds(b.rounds, eight, peak), 16*decodeTokens*b.decodeWeights(), work,
				1e9, "GFLOP/s")
			r.Note = fmt.Sprintf("%.0f %% (busy %.0f %%) of the multiply-add loop", 100*top.Ratio, 100*top.Busy)
			return r
		},
	}}
}

// decodeWeights is the number of weights that a token takes.
func (b *bench) decodeWeights() float64 { return float64(b.layers*layerWeights + textVocab*textHidden) }

// decoder returns a round of decoding n sequences at once.
func (b *bench) decoder(n int) func() table.Span {
	t := b.base()
	s := t.model.NewSession(nn.NewExec(b.team.Size()))
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = decodePrompt
	}
	ids := make([]int32, n)
	return func() table.Span {
		if _, err := s.Prompt(sequences(textVocab, 0, lengths...), nil); err != nil {
			panic(err)
		}
		return table.Clock(func() {
			for i := range decodeTokens {
				for q := range ids {
					ids[q] = int32(1000*q + i)
				}
				if _, err := s.Next(ids); err != nil {
					panic(err)
				}
			}
		})
	}
}

// read reads data on all cores.
func (b *bench) read(data []byte) table.Span {
	const piece = 4 << 20
	return table.Clock(func() {
		b.team.For(len(data)/piece, 1, func(lo, hi int) { blas.Read(data[lo*piece : hi*piece]) })
	})
}

const promptTokens = 2048

// promptRows read one long prompt into an empty cache.
func promptRows() []row {
	return []row{{
		name: "prompt", what: "prompt of 2048 tokens, 0.5B", against: "its bare products", goal: table.AtMost(1.3),
		measure: func(b *bench) table.Result {
			t := b.base()
			r := t.model.NewReplica(nn.NewExec(b.team.Size()))
			layer := r.Layers[0] // in turn each layer's, as a session has it
			r.Load(sequences(textVocab, 0, promptTokens))
			wide, out := drawn.Values(promptTokens*2*textInner), make([]float32, promptTokens*2*textInner)
			var pairs []table.Pair
			for i := range 2 + b.rounds/3 {
				var prompt, bare table.Span
				var x []float32
				prompt = table.Clock(func() { x = r.Embed.Forward(nil, false) })
				for i, w := range t.model.Layers {
					prompt = prompt.Plus(table.Clock(func() {
						layer.Turn(w)
						x = layer.Decode(x, []*nn.Cache{{}})
					}))
					bare = bare.Plus(table.Clock(func() { t.forward(b.team, i, promptTokens, wide, out) }))
				}
				prompt = prompt.Plus(table.Clock(func() { r.Head.Logits(x, []int{promptTokens - 1}) }))
				bare = bare.Plus(table.Clock(func() { t.model.Head.Out.Mul(b.team, 1, wide, out[:textVocab]) }))
				if i > 0 { // the first one finds its memory
					pairs = append(pairs, table.Pair{Measured: prompt, Reference: bare})
				}
			}
			return table.Durations(pairs)
		},
	}}
}
