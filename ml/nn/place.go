package nn

import "finetui/ml/blas"

// PlaceWeights say where patches are: a learned position for each place of a picture, one more for each frame of a
// clip, and in front of a picture's or clip's patches a token that stands for the whole (Dosovitskiy et al. 2020, arXiv
// 2010.11929; Li et al. 2024, arXiv 2403.06977).
type PlaceWeights struct {
	Class    []float32 // [width]
	Position []float32 // [1 + patches, width], the first for the class token
	Time     []float32 // [frames, width]; nil: pictures, one frame each

	ClassSpan, PositionSpan, TimeSpan Span // zero: frozen

	Layout Layout
	Value  []float32
}

// Train makes everything of it trained, with its values of now.
func (w *PlaceWeights) Train() {
	tables := []struct {
		name  string
		value *[]float32
		span  *Span
	}{{"class", &w.Class, &w.ClassSpan}, {"position", &w.Position, &w.PositionSpan}, {"time", &w.Time, &w.TimeSpan}}
	for _, t := range tables {
		if *t.value != nil {
			*t.span = w.Layout.Add(t.name, len(*t.value))
		}
	}
	w.Value = make([]float32, w.Layout.Size)
	for _, t := range tables {
		if *t.value != nil {
			*t.value = append(t.span.Of(w.Value)[:0], *t.value...)
		}
	}
}

// frames of a clip; a picture has one.
func (w *PlaceWeights) frames() int { return max(1, len(w.Time)/len(w.Class)) }

// patches of a frame.
func (w *PlaceWeights) patches() int { return len(w.Position)/len(w.Class) - 1 }

// Place is a replica of PlaceWeights: [clips·frames·patches, width] → [clips·(1 + frames·patches), width].
type Place struct {
	w       *PlaceWeights
	e       *Exec
	params  Params
	out, dx []float32
}

// NewPlace returns a replica of w.
func NewPlace(w *PlaceWeights, e *Exec) *Place {
	return &Place{w: w, e: e, params: Params{Value: w.Value, Grad: make([]float32, len(w.Value))}}
}

// Name is "place".
func (p *Place) Name() string { return "place" }

// Params are the positions and the class token where they are trained.
func (p *Place) Params() Params { return p.params }

// Forward puts the class tokens in front and adds the positions.
func (p *Place) Forward(x []float32, _ bool) []float32 {
	w, d := p.w, len(p.w.Class)
	each := w.frames() * w.patches()
	clips := len(x) / (each * d)
	p.out = grow(p.out, clips*(1+each)*d)
	p.e.Team.For(clips*(1+each), 64, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			clip, i := r/(1+each), r%(1+each)-1
			y := p.out[r*d : (r+1)*d]
			if i < 0 {
				copy(y, w.Class)
				blas.Add(y, w.Position[:d])
				continue
			}
			copy(y, x[(clip*each+i)*d:])
			at := 1 + i%w.patches()
			blas.Add(y, w.Position[at*d:(at+1)*d])
			if f := i / w.patches(); w.Time != nil {
				blas.Add(y, w.Time[f*d:(f+1)*d])
			}
		}
	})
	return p.out
}

// Backward adds the gradients of what is trained and returns that of the patches.
func (p *Place) Backward(x, dy []float32, needDX bool) []float32 {
	w, d := p.w, len(p.w.Class)
	each := w.frames() * w.patches()
	class, position, time := w.ClassSpan.Of(p.params.Grad), w.PositionSpan.Of(p.params.Grad),
		w.TimeSpan.Of(p.params.Grad)
	add := func(to []float32, at int, row []float32) {
		if to != nil {
			blas.Add(to[at*d:(at+1)*d], row)
		}
	}
	if needDX {
		p.dx = grow(p.dx, len(x))
	}
	for r := range len(dy) / d {
		clip, i := r/(1+each), r%(1+each)-1
		row := dy[r*d : (r+1)*d]
		if i < 0 {
			add(class, 0, row)
			add(position, 0, row)
			continue
		}
		add(position, 1+i%w.patches(), row)
		if w.Time != nil {
			add(time, i/w.patches(), row)
		}
		if needDX {
			copy(p.dx[(clip*each+i)*d:], row)
		}
	}
	if !needDX {
		return nil
	}
	return p.dx
}

// NormWeights are a normalisation that is a block of its own.
type NormWeights struct {
	Called string // "pre_layrnorm"
	Norm   *Norm
	Layout Layout
	Value  []float32
}

// NormBlock is a replica of NormWeights.
type NormBlock struct {
	w            *NormWeights
	e            *Exec
	params       Params
	norm         norm
	out, dy1, dx []float32
}

// NewNormBlock returns a replica of w.
func NewNormBlock(w *NormWeights, e *Exec) *NormBlock {
	p := Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	return &NormBlock{w: w, e: e, params: p, norm: newNorm(w.Norm, p)}
}

// Name is what the weights are called.
func (n *NormBlock) Name() string { return n.w.Called }

// Params are scale and shift where they are trained.
func (n *NormBlock) Params() Params { return n.params }

// Forward normalises each row.
func (n *NormBlock) Forward(x []float32, _ bool) []float32 {
	n.out = grow(n.out, len(x))
	n.norm.run(n.e, len(x)/len(n.w.Norm.W), x, n.out)
	return n.out
}

// Backward adds the gradients of scale and shift and returns that of x.
func (n *NormBlock) Backward(x, dy []float32, needDX bool) []float32 {
	n.dy1 = append(n.dy1[:0], dy...) // which the norm overwrites
	if !needDX {
		n.norm.back(n.e, len(x)/len(n.w.Norm.W), x, n.dy1, nil, nil)
		return nil
	}
	n.dx = grow(n.dx, len(x))
	n.norm.back(n.e, len(x)/len(n.w.Norm.W), x, n.dy1, nil, n.dx)
	return n.dx
}
