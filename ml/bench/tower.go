package main

import (
	"fmt"

	"finetui/ml/bench/drawn"
	"finetui/ml/bench/table"
	"finetui/ml/nn"
)

// The vision tower of Qwen2-VL-2B, and a picture of 644×644 pixels in patches of 14.
const (
	towerBlocks = 32
	towerEmbed  = 1280
	towerHeads  = 16
	towerInner  = 5120
	towerSide   = 46
)

// towerRows are the tower's blocks over one picture.
func towerRows() []row {
	return []row{{
		name: "tower", what: "vision tower 2B shape, 644×644 picture", against: "its bare products",
		goal: table.AtMost(1.3),
		measure: func(b *bench) table.Result {
			block, in, products, attention := visionBlock(b)
			block.Forward(in, false) // lays the weights out
			var blocks, bare, all table.Span
			for range b.blocks {
				blocks = blocks.Plus(table.Clock(func() { block.Forward(in, false) }))
				bare = bare.Plus(table.Clock(products))
				all = all.Plus(table.Clock(attention))
			}
			r := table.Durations([]table.Pair{{Measured: blocks, Reference: all.Plus(bare)}})
			frozen := table.Durations([]table.Pair{{Measured: blocks, Reference: bare}})
			r.Note = fmt.Sprintf("%.2f× (busy %.2f×) of the frozen ones alone, attention's products taking %.2f× of "+
				"their time", frozen.Ratio, frozen.Busy, all.Wall.Seconds()/bare.Wall.Seconds())
			return r
		},
	}}
}

// visionBlock is a block and its input, and what it is measured beside: its frozen products, and those of attention.
// The tower's blocks share one set of weights: 2.5 GB of them would tell nothing more.
func visionBlock(b *bench) (block *nn.VisionBlock, in []float32, products, attention func()) {
	const rows = towerSide * towerSide
	linear := func(out, in int) *nn.Linear {
		m, _ := drawn.Weights{}.Matrix("", out, in)
		return &nn.Linear{W: m, B: drawn.Values(out)}
	}
	norm := func() *nn.Norm {
		w, _ := drawn.Weights{}.Vector("", towerEmbed)
		return &nn.Norm{W: w, B: drawn.Values(towerEmbed), Eps: 1e-6}
	}
	w := &nn.VisionWeights{Heads: towerHeads, HeadDim: towerEmbed / towerHeads, Norm1: norm(), Norm2: norm(),
		QKV: linear(3*towerEmbed, towerEmbed), Proj: linear(towerEmbed, towerEmbed), FC1: linear(towerInner,
			towerEmbed), FC2: linear(towerEmbed, towerInner)}
	patches := &nn.Patches{Starts: []int{0, rows}, Rotary: nn.Rotary{Theta: 1e4, HeadDim: w.HeadDim}}
	var y, x []int32
	for i := range rows {
		y, x = append(y, int32(i/towerSide)), append(x, int32(i%towerSide))
	}
	patches.Rotary.PrepareGrid(y, x)
	wide, out := drawn.Values(rows*towerInner), make([]float32, rows*towerInner)
	products = func() {
		for _, l := range []*nn.Linear{w.QKV, w.Proj, w.FC1, w.FC2} {
			l.Mul(b.team, rows, wide, out)
		}
	}
	h := heads{heads: towerHeads, kv: towerHeads, dim: towerEmbed / towerHeads}
	attention = func() { h.forward(b.team, 1, rows, wide, out) }
	return nn.NewVisionBlock(w, nn.NewExec(b.team.Size()), patches), drawn.Values(rows * towerEmbed),
		products, attention
}
