// Package weights is what every model here has in common: where its tensors come from, how blocks of ml/nn are put
// together of them, which of them are trained, and how they are given back. It knows no architecture.
package weights

import "finetui/ml/nn"

// Source gives the tensors of a checkpoint under their classic Hugging Face names, or says what is wrong with them.
type Source interface {
	// Matrix is a tensor whose first dimension is rows and whose others multiply to cols.
	Matrix(name string, rows, cols int) (nn.Matrix, error)
	Vector(name string, n int) ([]float32, error)
}

// Tuning says what is trained. The zero Tuning trains nothing.
type Tuning struct {
	All   bool                                        // every tensor
	Adapt func(module string) (spec Adapter, ok bool) // LoRA on the products that it says yes to; nil: none
	Gamma float64                                     // focal loss; 0: cross entropy
}

// Adapter says how one product is adapted.
type Adapter struct {
	R              int
	Scale, Dropout float64
}

// Product is a product of a model that LoRA can adapt: its module's name, and the widths of what goes in and comes out.
type Product struct {
	Module  string
	In, Out int
}

// Parameter is one trained tensor: a view of a block's flat vector.
type Parameter struct {
	Name  string // "model.layers.0.self_attn.q_proj.lora_A.weight", "model.norm.weight"
	Shape []int
	Value []float32
}

// Tensor is one tensor of a checkpoint, under its classic name.
type Tensor struct {
	Name  string
	Shape []int
	Value []float32
}

// Split are the weights, and biases where there are some, of the parts of a product.
func Split(prefix string, l *nn.Linear, parts ...Part) []Tensor {
	var out []Tensor
	w, in, off := Floats(l.W), l.W.Cols, 0
	for _, p := range parts {
		out = append(out, Tensor{prefix + p.Module + ".weight", []int{p.Out, in}, w[off*in : (off+p.Out)*in]})
		if l.B != nil {
			out = append(out, Tensor{prefix + p.Module + ".bias", []int{p.Out}, l.B[off : off+p.Out]})
		}
		off += p.Out
	}
	return out
}
