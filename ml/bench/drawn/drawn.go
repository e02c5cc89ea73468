// Package drawn makes the weights and inputs of models whose speed is measured.
package drawn

import (
	"math"
	"math/rand/v2"

	"finetui/ml/blas"
	"finetui/ml/nn"
)

// Weights are a checkpoint of normally distributed weights, in bfloat16 where they are matrices. Its values come from
// one normals, read from ever other places: making half a billion of them should not take longer than measuring.
type Weights struct{}

// Matrix is drawn with a spread that keeps the size of what it multiplies.
func (Weights) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	words := make([]uint16, rows*cols)
	place := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
	scale := float32(1 / math.Sqrt(float64(cols)))
	piece := make([]uint16, len(normals))
	blas.NarrowBF16(piece, Scaled(append([]float32(nil), normals...), scale))
	for at := 0; at < len(words); {
		at += copy(words[at:], piece[place.IntN(len(piece)/2):])
	}
	return nn.Matrix{Rows: rows, Cols: cols, BF16: words}, nil
}

// Vector is drawn around 1.
func (Weights) Vector(name string, n int) ([]float32, error) {
	v := Scaled(Values(n), 0.1)
	for i := range v {
		v[i]++
	}
	return v, nil
}

// normals holds normally distributed values, none of them near zero: denormal numbers are slow, and no real weights.
var normals = func() []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	t := make([]float32, 1<<20)
	for i := range t {
		for t[i] > -1e-3 && t[i] < 1e-3 {
			t[i] = float32(r.NormFloat64())
		}
	}
	return t
}()

// Values returns n normally distributed values.
func Values(n int) []float32 {
	v := make([]float32, n)
	for at := 0; at < n; {
		at += copy(v[at:], normals)
	}
	return v
}

// Scaled multiplies the values by s, and returns them.
func Scaled(v []float32, s float32) []float32 {
	blas.Scale(v, s)
	return v
}
