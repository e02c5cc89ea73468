// Package lora reads and writes low-rank adapters as PEFT stores them, makes new ones and merges them into weights. It
// knows no model but for the two spellings of Qwen2-VL's module names, and it trains nothing.
package lora

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"finetui/ml/blas"
)

// Adapter is the low-rank update of one linear module, y = W x + Scale · B (A x) (Hu et al. 2021, arXiv 2106.09685).
type Adapter struct {
	Module     string // in the classic spelling: "model.layers.0.self_attn.q_proj"
	In, Out, R int
	Scale      float64
	A          []float32 // [R, In]
	B          []float32 // [Out, R]

	// PEFT stores the update of embeddings the other way round, as lora_embedding_A [R, vocabulary] and _B [hidden, R].
	// Here it is that of the matrix [vocabulary, hidden] all the same.
	Embedding bool
}

// New returns an untrained adapter as PEFT initialises it: A uniform in ±1/√in (kaiming-uniform with a = √5), B zero,
// so that it changes nothing yet. A depends on the seed and the module's name alone.
func New(module string, in, out int, c *Config, seed uint64) Adapter {
	a := Adapter{Module: module, In: in, Out: out, R: c.Rank(module), Scale: c.Scale(module)}
	a.A, a.B = make([]float32, a.R*in), make([]float32, out*a.R)
	name := fnv.New64a()
	name.Write([]byte(module))
	draw := rand.New(rand.NewPCG(seed, name.Sum64()))
	bound := 1 / math.Sqrt(float64(in))
	for i := range a.A {
		a.A[i] = float32((2*draw.Float64() - 1) * bound)
	}
	return a
}

// mergeRows bounds the rows of the update that exist at once.
const mergeRows = 256

// Merge adds Scale · B · A to the module's weight w [Out, In].
func (a *Adapter) Merge(t blas.Team, w []float32) {
	for row := 0; row < a.Out; row += mergeRows {
		a.MergeRows(t, row, w[row*a.In:min(row+mergeRows, a.Out)*a.In])
	}
}

// MergeRows adds to w [n, In], which are the module's weights from row first, their part of Scale · B · A.
func (a *Adapter) MergeRows(t blas.Team, first int, w []float32) {
	n := len(w) / a.In
	update := make([]float32, n*a.In)
	t.Gemm(false, false, n, a.In, a.R, a.B[first*a.R:], a.R, a.A, a.In, false, update, a.In)
	blas.Axpy(w, update, float32(a.Scale))
}
