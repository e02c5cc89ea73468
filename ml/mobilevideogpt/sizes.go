package mobilevideogpt

import (
	"finetui/ml/qwen2vl"
	"finetui/ml/weights"
)

// text is the language model as one that sees nothing, which knows its own sizes.
func (c Config) text() qwen2vl.Config { return qwen2vl.Config{Text: c.Text} }

// Products are those that LoRA can adapt: of the language model. The encoders stay frozen.
func (c Config) Products() []weights.Product { return c.text().Products() }

// Projector is a part that is trained in full or not at all.
type Projector struct {
	Name   string
	Values int // trained values
}

// Projectors are both.
func (c Config) Projectors() []Projector {
	h := c.Text.Hidden
	values := func(in int) int { return h*(in+1) + h*(h+1) + h*(9+1) }
	return []Projector{{VideoProjector, values(c.Video.Hidden)}, {ImageProjector, values(c.Image.Hidden)}}
}

// Parameters is the number of the weights that are used: of the language model, the projectors and both encoders.
func (c Config) Parameters() int64 {
	n := c.text().Parameters() + c.Image.Parameters() + c.Video.Parameters()
	for _, p := range c.Projectors() {
		n += int64(p.Values)
	}
	return n
}

// Memory of the model at work, in bytes, term by term as ml/nn holds it.

// Panels are the frozen weights laid out for the kernels: the language model's twice, for the way there and back, the
// encoders' once. Where the projectors are trained they are read as they lie.
func (c Config) Panels(w qwen2vl.Work, projectors bool) int64 {
	n := c.text().Panels(w) + int64(w.Weight)*(c.Image.Parameters()+c.Video.Parameters())
	if !projectors {
		for _, p := range c.Projectors() {
			n += int64(p.Values) * int64(w.Weight)
		}
	}
	return n
}

// EyeWorker is what a worker of the encoders holds of clips that it looks at one after another.
func (c Config) EyeWorker() int64 {
	i, v := c.Image, c.Video
	image := Frames * (i.Patches() * (i.PatchWidth() + 2*i.Hidden))
	image += Frames * (1 + i.Patches()) * (11*i.Hidden + 2*i.Inner + 2)
	tokens := 1 + v.Frames*v.Patches()
	video := v.Frames*v.Patches()*(v.PatchWidth()+2*v.Hidden) +
		tokens*(4*v.Hidden+2*v.Inner+2*(3*v.Inner+v.Rank+2*v.States)+2*v.Inner)
	const block = 64 // rows of the attention between frames
	choice := Chunk * i.Patches() * (i.Hidden + block + (Chunk*i.Patches()+block-1)/block)
	return 4 * int64(max(image+choice, image+video))
}

// ProjectorWorker is what a worker of the projectors holds of so many clips in one pass, and more where it learns.
func (c Config) ProjectorWorker(clips int, trained bool) int64 {
	h := c.Text.Hidden
	one := func(in, rows, out int) int {
		n := rows*(in+3*h) + 2*out*h
		if trained {
			n += 2*rows*h + 2*out*h
		}
		return n
	}
	n := one(c.Image.Hidden, Frames*c.Image.Patches(), Frames*imageGrid*imageGrid) +
		one(c.Video.Hidden, Frames/Chunk*c.videoSide()*c.videoSide(), Frames/Chunk*videoGrid*videoGrid)
	return 4 * int64(clips) * int64(n+c.Tokens(true)*h)
}

// TextEffort is that of a sequence with so many clips through the language model and the projectors, which are trained
// in full where trained says so: then the way back has twice the products of the way there.
func (c Config) TextEffort(w qwen2vl.Work, tokens, supervised, clips int, back, trained bool) weights.Effort {
	e := c.text().TextEffort(w, tokens, supervised, back)
	h := float64(c.Text.Hidden)
	project := func(in, rows int) float64 { return 2 * float64(rows) * h * (float64(in) + h) }
	each := project(c.Image.Hidden, Frames*c.Image.Patches()) + project(c.Video.Hidden, Frames/Chunk*c.videoSide()*
		c.videoSide())
	if back && trained {
		each *= 3
	}
	e.Products += float64(clips) * each
	return e
}

// EyeEffort is that of clips through both encoders.
func (c Config) EyeEffort(clips int) (e weights.Effort) {
	i, v := c.Image, c.Video
	rows, blocks := float64(Frames*(1+i.Patches())), float64(i.Depth())
	e.Products = 2 * rows * (blocks*float64(4*i.Hidden*i.Hidden+2*i.Hidden*i.Inner) + float64(i.PatchWidth()*i.Hidden))
	e.Attention = 2 * 2 * rows * blocks * float64((1+i.Patches())*i.Hidden)
	e.Values = rows * blocks * float64(12*i.Hidden+3*i.Inner)
	e.Products += 2 * float64(Frames/Chunk) * float64(Chunk*i.Patches()) * float64(Chunk*i.Patches()*i.Hidden)
	way := v.Inner*(v.Rank+2*v.States) + v.Rank*v.Inner + v.Inner*(3*v.States+v.Taps)
	e.Products += 2 * float64(1+v.Frames*v.Patches()) * (float64(v.Layers)*float64(3*v.Hidden*v.Inner+2*way) +
		float64(v.PatchWidth()*v.Hidden))
	return e.Times(float64(clips))
}
