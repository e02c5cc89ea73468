package goldentest

import (
	"slices"
	"strings"

	"finetui/ml/nn"
)

// Source gives the tensors of a checkpoint, as weights.Source does.
type Source interface {
	Matrix(name string, rows, cols int) (nn.Matrix, error)
	Vector(name string, n int) ([]float32, error)
}

// Mute is src with zeros for the modules of these endings. A layer whose last product is mute shows what its attention
// adds alone: the reference holds that branch, and no block of ours gives it out.
func Mute(src Source, modules ...string) Source { return muted{src, modules} }

type muted struct {
	Source
	modules []string
}

func (m muted) has(name string) bool {
	module := name[:strings.LastIndexByte(name, '.')]
	return slices.ContainsFunc(m.modules, func(ending string) bool { return strings.HasSuffix(module, ending) })
}

func (m muted) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	w, err := m.Source.Matrix(name, rows, cols)
	if m.has(name) {
		return nn.Matrix{Rows: rows, Cols: cols, F32: make([]float32, rows*cols)}, err
	}
	return w, err
}

func (m muted) Vector(name string, n int) ([]float32, error) {
	v, err := m.Source.Vector(name, n)
	if m.has(name) {
		return make([]float32, n), err
	}
	return v, err
}

// Difference is a − b, of which the reference holds branches.
func Difference(a, b []float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}
