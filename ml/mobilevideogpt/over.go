package mobilevideogpt

import (
	"fmt"

	"finetui/ml/nn"
	"finetui/ml/weights"
)

// over is a Source with other tensors in the place of some.
type over struct {
	weights.Source
	tensors map[string]weights.Tensor
}

// Matrix is the tensor as [rows, cols].
func (o over) Matrix(name string, rows, cols int) (nn.Matrix, error) {
	x, ok := o.tensors[name]
	if !ok {
		return o.Source.Matrix(name, rows, cols)
	}
	if len(x.Shape) < 2 || x.Shape[0] != rows || len(x.Value) != rows*cols {
		return nn.Matrix{}, fmt.Errorf("tensor %s of the run is %v, the model asks for %v", name, x.Shape,
			[]int{rows, cols})
	}
	return nn.Matrix{Rows: rows, Cols: cols, F32: x.Value}, nil
}

// Vector is the tensor as [n].
func (o over) Vector(name string, n int) ([]float32, error) {
	x, ok := o.tensors[name]
	if !ok {
		return o.Source.Vector(name, n)
	}
	if len(x.Shape) != 1 || len(x.Value) != n {
		return nil, fmt.Errorf("tensor %s of the run is %v, the model asks for %v", name, x.Shape, []int{n})
	}
	return x.Value, nil
}
