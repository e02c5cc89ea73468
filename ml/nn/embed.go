package nn

import "finetui/ml/blas"

// EmbedWeights are the token embeddings [vocabulary, hidden].
type EmbedWeights struct {
	W      Matrix
	WSpan  Span // zero: frozen
	Layout Layout
	Value  []float32
}

// Embed is the source of a language model: token embeddings, with rows of a feature matrix (a
// picture's) in the place of the tokens that stand for them.
type Embed struct {
	w      *EmbedWeights
	batch  *Batch
	params Params
	out    []float32 // [T, hidden]
	dx     []float32 // [F, hidden] of the features
}

// NewEmbed returns a replica of w.
func NewEmbed(w *EmbedWeights, batch *Batch) *Embed {
	return &Embed{w: w, batch: batch, params: Params{Value: w.Value, Grad: make([]float32, len(w.Value))}}
}

// Name is "embed_tokens".
func (m *Embed) Name() string { return "embed_tokens" }

// Params are the embeddings where they are trained.
func (m *Embed) Params() Params { return m.params }

// Forward maps features [F, hidden], which may be empty, to [T, hidden].
func (m *Embed) Forward(features []float32, _ bool) []float32 {
	b, d := m.batch, m.w.W.Cols
	m.out = grow(m.out, b.T()*d)
	for t, id := range b.IDs {
		row := m.out[t*d : (t+1)*d]
		if f := b.feature(t); f >= 0 {
			copy(row, features[f*d:(f+1)*d])
		} else {
			m.w.W.Row(int(id), row)
		}
	}
	return m.out
}

// Backward returns the gradient of the features.
func (m *Embed) Backward(features, dy []float32, needDX bool) []float32 {
	b, d := m.batch, m.w.W.Cols
	grad := m.w.WSpan.Of(m.params.Grad)
	if needDX {
		m.dx = grow(m.dx, len(features))
		clear(m.dx)
	}
	for t, id := range b.IDs {
		row := dy[t*d : (t+1)*d]
		f := b.feature(t)
		switch {
		case f < 0 && grad != nil:
			blas.Add(grad[int(id)*d:(int(id)+1)*d], row)
		case f >= 0 && needDX:
			blas.Add(m.dx[f*d:(f+1)*d], row)
		}
	}
	if !needDX {
		return nil
	}
	return m.dx
}
