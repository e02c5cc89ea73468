// Package nn holds the blocks of transformer models, each with its forward and its backward pass side by side, on
// float32 slices over packed ragged sequences. It knows no files, no tokens and no differentiation engine.
//
// Weights are shared and read-only while blocks run. A block belongs to one worker (a replica): it keeps the
// activations of its last forward pass and adds to its own gradient vector. A block's backward pass stands below its
// forward pass, and gradient_test.go holds it against finite differences.
//
// The blocks are in embed.go, decoder.go, head.go (the loss), vision.go (patches, tower blocks, merger), and of video
// models in place.go, etproj.go and mamba.go with mamba_back.go; what they are made of in linear.go, lora.go, norm.go,
// rotary.go and attention.go with attention_back.go. The packages of the models (ml/qwen2, ml/qwen2vl,
// ml/mobilevideogpt) show on one page each what they make together.
package nn

import "finetui/ml/blas"

// Exec is where one replica's blocks do their work: the cores they may use, and scratch memory that no block keeps
// between two calls.
type Exec struct {
	Team    blas.Team
	scratch [numScratch][]float32
}

// NewExec returns a place to work on n cores (n ≤ 0: all).
func NewExec(n int) *Exec { return &Exec{Team: blas.NewTeam(n)} }

// The scratch slots. Two values that live at the same time have two slots.
const (
	scratchA         = iota // widest gradient at hand: MLP hidden, qkv
	scratchB                // its partner
	scratchC                // gradient of a normalised input
	scratchD                // gradient of a residual
	scratchE                // gradient of the attention's output
	scratchKeys             // gradients of keys and values, range by range of queries
	scratchLow              // gradient of an adapter's bottleneck
	scratchDropped          // an adapter's input after dropout, and the gradient of that
	scratchStack            // the A of adapters that share an input, one below the other
	scratchStackGrad        // their gradients
	scratchLogits
	scratchPicked
	scratchPickedGrad
	numScratch
)

// take returns the scratch slot with room for n values; what is in it is undefined.
func (e *Exec) take(slot, n int) []float32 {
	e.scratch[slot] = grow(e.scratch[slot], n)
	return e.scratch[slot]
}

// grow returns a slice of n values, s itself where it has the room. What is in it is undefined.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n, n+n/8)
	}
	return s[:n]
}

// Block is one fused operation of a chain.
type Block interface {
	// Name says which block it is, for graphs and errors: "layers.3".
	Name() string
	// Forward maps x [rows, In] to [rows', Out]. The result belongs to the block until its next Forward. With train
	// set it keeps what Backward needs.
	Forward(x []float32, train bool) []float32
	// Backward adds to the gradients of the block's parameters and returns dx, the gradient of x, for the x and dy of
	// the last Forward(x, true). It returns nil where needDX is false. dx belongs to the block until its next Backward.
	Backward(x, dy []float32, needDX bool) []float32
	// Params are the block's trainable parameters: the shared values
	// and this replica's gradients. Both empty where frozen.
	Params() Params
}

// Loss ends a chain.
type Loss interface {
	Name() string
	// Forward returns the loss of x [rows, In] and keeps its gradient.
	Forward(x []float32) float64
	// Backward returns dx of the last Forward, times scale; it adds to the gradients of the loss's own parameters.
	Backward(x []float32, scale float32) []float32
	Params() Params
}

// Params is a flat vector of trainable parameters and the gradients that belong to them, equally laid out.
type Params struct{ Value, Grad []float32 }

// Layout hands out room in a flat vector of trainable parameters while a model is put together, and remembers what
// lies where.
type Layout struct {
	Size  int
	Spans []Span
}

// Span names a part of a flat vector.
type Span struct {
	Name  string // "self_attn.q_proj.lora_A.weight"
	Off   int
	Shape []int
}

// Add reserves room for a tensor and returns its span.
func (l *Layout) Add(name string, shape ...int) Span {
	n := 1
	for _, d := range shape {
		n *= d
	}
	s := Span{Name: name, Off: l.Size, Shape: shape}
	l.Size += n
	l.Spans = append(l.Spans, s)
	return s
}

// Len is the number of values of the span.
func (s Span) Len() int {
	if s.Shape == nil {
		return 0
	}
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Of is the span's part of a flat vector; nil for the zero Span, which marks what is not trained.
func (s Span) Of(flat []float32) []float32 {
	if s.Shape == nil || len(flat) == 0 {
		return nil
	}
	return flat[s.Off : s.Off+s.Len() : s.Off+s.Len()]
}
