package goldentest

import (
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"finetui/ml/nn"
)

// Drawn is a checkpoint of any model: its tensors are drawn when they are asked for, each by
// its name, so that it is the same whenever it is asked for.
type Drawn struct{}

// Matrix is a tensor that keeps its input's size about.
func (d Drawn) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	w, err := d.Vector(name, rows*cols)
	for i := range w {
		w[i] *= 1.4 / float32(math.Sqrt(float64(cols)))
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: w}, err
}

// Vector is a tensor of the standard normal distribution.
func (Drawn) Vector(name string, n int) ([]float32, error) {
	seed := fnv.New64a()
	seed.Write([]byte(name))
	draw := rand.New(rand.NewPCG(1, seed.Sum64()))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(draw.NormFloat64())
	}
	return v, nil
}

// Budget is a checkpoint of zeros that gives out so many values and no more, as a file holds no more than it is long.
type Budget struct{ Left int }

// ErrSpent is the error of a Budget for what it does not hold.
var ErrSpent = errors.New("no such tensor")

// Matrix is a tensor of zeros, or ErrSpent.
func (b *Budget) Matrix(_ string, rows, cols int) (nn.Matrix, error) {
	v, err := b.Vector("", rows*cols)
	return nn.Matrix{Rows: rows, Cols: cols, F32: v}, err
}

// Vector is a tensor of zeros, or ErrSpent.
func (b *Budget) Vector(_ string, n int) ([]float32, error) {
	if n < 0 || n > b.Left {
		return nil, ErrSpent
	}
	b.Left -= n
	return make([]float32, n), nil
}
