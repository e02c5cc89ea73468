package graph

import (
	"fmt"
	"unsafe"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// vector is the value of an activation or of its gradient: the current slice of whoever computed it.
type vector struct{ data []float32 }

var _ gorgonia.Value = (*vector)(nil)

// vectorType is the type of activation and parameter nodes: a float32 tensor of one dimension.
var vectorType hm.Type = gorgonia.TensorType{Dims: 1, Of: tensor.Float32}

func (v *vector) Type() hm.Type                  { return vectorType }
func (v *vector) Shape() tensor.Shape            { return tensor.Shape{len(v.data)} }
func (v *vector) Size() int                      { return len(v.data) }
func (v *vector) Data() any                      { return v.data }
func (v *vector) Dtype() tensor.Dtype            { return tensor.Float32 }
func (v *vector) Uintptr() uintptr               { return uintptr(unsafe.Pointer(unsafe.SliceData(v.data))) }
func (v *vector) MemSize() uintptr               { return uintptr(len(v.data)) * unsafe.Sizeof(float32(0)) }
func (v *vector) Format(state fmt.State, _ rune) { fmt.Fprintf(state, "vector[%d]", len(v.data)) }
