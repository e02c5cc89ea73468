package sample

import (
	"errors"

	"finetui/core/model"
	"finetui/core/recipe"
)

// Ruler measures what samples show, each size once: a set of a million objects has few sizes. It is for one goroutine,
// and good as long as the encoder's constants and base are the same.
type Ruler struct {
	encoder Encoder
	known   map[model.Size]Measured
	sizes   []model.Size // of one sample; memory that is used again
	found   []Measured
}

// Measured is how the model cuts a picture or clip of one size.
type Measured struct {
	Size    model.Size
	Shape   model.Shape
	Err     error          // it cannot be shown
	Refusal *model.Refusal // Err, where it is for its shape
}

// mostSizes are kept: cut-outs that are not square may have as many as there are samples.
const mostSizes = 1 << 16

// Ruler is a new one.
func (e Encoder) Ruler() *Ruler { return &Ruler{encoder: e, known: map[model.Size]Measured{}} }

// Shown measures everything that the model is shown for a sample. The list is valid until the next call.
func (r *Ruler) Shown(s recipe.Sample) []Measured {
	r.sizes, r.found = r.encoder.appendSizes(r.sizes[:0], s), r.found[:0]
	for _, size := range r.sizes {
		m, known := r.known[size]
		if !known {
			m = r.encoder.measured(size)
			if len(r.known) >= mostSizes {
				clear(r.known)
			}
			r.known[size] = m
		}
		r.found = append(r.found, m)
	}
	return r.found
}

// Hides is Encoder.Hides.
func (r *Ruler) Hides(s recipe.Sample) bool {
	if Hidden(s) {
		return true
	}
	if s.Item.Width == 0 || s.Item.Height == 0 {
		return false
	}
	for _, m := range r.Shown(s) {
		if m.Err != nil {
			return m.Refusal != nil // what was wrong first
		}
	}
	return false
}

func (e Encoder) measured(size model.Size) (m Measured) {
	m.Size = size
	measure := e.kind().Measure
	if e.Base != nil {
		measure = e.Base.Measure
	}
	shapes, err := measure(e.View(), []model.Size{size})
	if m.Err = err; err == nil {
		m.Shape = shapes[0]
	}
	errors.As(err, &m.Refusal)
	return m
}
