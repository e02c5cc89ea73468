package main

import (
	"math"
	"math/rand/v2"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/nn"
	"finetui/ml/qwen2"
)

const layerTokens = 256

// layerRows are one decoder layer, forward and backward, beside its eight frozen products.
func layerRows() []row {
	return []row{{
		name: "layer", what: "0.5B layer, LoRA r 16, forward + backward, 256", against: "its bare frozen products",
		goal: table.AtMost(1.35),
		measure: func(b *bench) table.Result {
			t := b.model()
			const at = 1
			batch := sequences(textVocab, 2, layerTokens/2, layerTokens/2)
			rotary := &nn.Rotary{Theta: 1e6, HeadDim: textHead}
			rotary.Prepare(batch.Pos)
			e := nn.NewExec(b.team.Size())
			layer := nn.NewDecoder(t.model.Layers[at], e, &batch, rotary)
			x, dy := drawn.Values(layerTokens*textHidden), drawn.Values(layerTokens*textHidden)
			wide, narrow := drawn.Values(layerTokens*2*textInner), make([]float32, layerTokens*2*textInner)
			block := table.Repeated(func() {
				layer.Forward(x, true)
				layer.Backward(x, dy, true)
			})
			bare := table.Repeated(func() {
				t.forward(b.team, at, layerTokens, wide, narrow)
				t.backward(b.team, at, layerTokens, wide, narrow, true)
			})
			return table.Durations(table.Rounds(2*b.rounds, block, bare))
		},
	}}
}

// sequences are random texts of these lengths, end to end, each supervised at its last positions.
func sequences(vocab, supervised int, lengths ...int) nn.Batch {
	r := rand.New(rand.NewPCG(3, 4))
	b := nn.Batch{Starts: []int{0}}
	for _, n := range lengths {
		for i := range n {
			b.IDs = append(b.IDs, int32(r.IntN(vocab)))
			target, weight := int32(-1), float32(0)
			if i >= n-supervised {
				target, weight = int32(r.IntN(vocab)), 1
			}
			b.Targets, b.Weights = append(b.Targets, target), append(b.Weights, weight)
		}
		b.Starts = append(b.Starts, len(b.IDs))
	}
	b.Pos = qwen2.TextPositions(b.Starts)
	b.Scale = float32(1 / math.Max(1, float64(supervised*len(lengths))))
	return b
}
