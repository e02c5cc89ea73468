package mobilevideogpt

import (
	"fmt"
	"strings"

	"finetui/ml/nn"
	"finetui/ml/weights"
)

// The projectors' names, and that of the block that holds both.
const (
	VideoProjector = "mm_projector"
	ImageProjector = "image_mm_projector"
	Projectors     = "projectors"
)

// The parts of a projector, by the names of its tensors.
const (
	first  = ".mlp.mlp.0"
	second = ".mlp.mlp.2"
	peg    = ".peg.peg.0"
)

// projectorWeights are both projectors, whose trained values are one flat vector.
type projectorWeights struct {
	Image, Video *nn.ETProjWeights
	Layout       nn.Layout
	Value        []float32
}

// newProjectors builds both from the tensors of src, trained or frozen.
func newProjectors(c Config, src weights.Source, trained bool) (*projectorWeights, []weights.Parameter, error) {
	b := weights.NewBuilder(src, weights.Tuning{All: trained}, "model.", 0)
	h := c.Text.Hidden
	one := func(name string, in, side, grid int) *nn.ETProjWeights {
		part := func(at string) weights.Part { return weights.Part{Module: name + at, Out: h} }
		return &nn.ETProjWeights{Called: name, FC1: b.Linear(in, true, part(first)), FC2: b.Linear(h, true,
			part(second)), Peg: b.Linear(9, true, part(peg)), Side: side, Grid: grid}
	}
	w := &projectorWeights{Video: one(VideoProjector, c.Video.Hidden, c.videoSide(), videoGrid),
		Image: one(ImageProjector, c.Image.Hidden, c.Image.Side/c.Image.Patch, imageGrid)}
	var params []weights.Parameter
	var err error
	w.Value, params, err = b.Finish()
	w.Layout = b.Layout
	for i, p := range params { // a kernel a channel, as the file has it
		if strings.HasSuffix(p.Name, peg+".weight") {
			params[i].Shape = []int{h, 1, 3, 3}
		}
	}
	return w, params, err
}

// tensors are the projectors' weights as a checkpoint holds them.
func (w *projectorWeights) tensors() (out []weights.Tensor) {
	for _, p := range []*nn.ETProjWeights{w.Video, w.Image} {
		for _, l := range []struct {
			name string
			*nn.Linear
		}{{first, p.FC1}, {second, p.FC2}, {peg, p.Peg}} {
			both := weights.Split("model.", l.Linear, weights.Part{Module: p.Called + l.name, Out: l.W.Rows})
			if l.name == peg {
				both[0].Shape = []int{l.W.Rows, 1, 3, 3}
			}
			out = append(out, both...)
		}
	}
	return out
}

// Decays says whether a trained tensor belongs to the parameters that weight decay shrinks: no bias does.
func Decays(tensor string) bool { return !strings.HasSuffix(tensor, ".bias") }

// projectors is one replica: a block without input that makes tokens of what its samples have seen.
type projectors struct {
	params       nn.Params
	image, video *nn.ETProj
	config       Config
	hidden       int

	seen           Features // in the order of the tokens
	imageX, videoX []float32
	out            []float32 // [tokens, hidden]
	imageDY        []float32
	videoDY        []float32
}

func (w *projectorWeights) replica(c Config, e *nn.Exec) *projectors {
	p := nn.Params{Value: w.Value, Grad: make([]float32, len(w.Value))}
	return &projectors{params: p, image: nn.NewETProj(w.Image, e, p), video: nn.NewETProj(w.Video, e, p), config: c,
		hidden: c.Text.Hidden}
}

// Name is "projectors".
func (p *projectors) Name() string { return Projectors }

// Params are those of both projectors where they are trained.
func (p *projectors) Params() nn.Params { return p.params }

// load makes seen what the next Forward projects.
func (p *projectors) load(seen Features) {
	p.seen = seen
	p.imageX, p.videoX = p.imageX[:0], p.videoX[:0]
	for _, s := range seen {
		p.imageX, p.videoX = append(p.imageX, s.Image...), append(p.videoX, s.Video...)
	}
}

// Forward returns the tokens of all that was seen [tokens, hidden]: of each the image tokens, then the video tokens.
func (p *projectors) Forward(_ []float32, train bool) []float32 {
	image, video := p.image.Forward(p.imageX, train), p.video.Forward(p.videoX, train)
	p.out = p.out[:0]
	p.each(func(i, v int) {
		p.out = append(append(p.out, image[:i]...), video[:v]...)
		image, video = image[i:], video[v:]
	})
	return p.out
}

// each calls do for all that was seen, with the number of values of its image and of its video tokens.
func (p *projectors) each(do func(image, video int)) {
	for _, s := range p.seen {
		image, video := imageGrid*imageGrid*p.hidden, 0
		if s.Video != nil {
			image, video = Frames*image, Frames/Chunk*videoGrid*videoGrid*p.hidden
		}
		do(image, video)
	}
}

// Backward adds the gradients of both projectors. Below them nothing is trained, and there is no dx.
func (p *projectors) Backward(_, dy []float32, needDX bool) []float32 {
	if needDX {
		panic(fmt.Errorf("the encoders are frozen: nothing below the projectors has a gradient"))
	}
	p.imageDY, p.videoDY = p.imageDY[:0], p.videoDY[:0]
	p.each(func(i, v int) {
		p.imageDY, p.videoDY = append(p.imageDY, dy[:i]...), append(p.videoDY, dy[i:i+v]...)
		dy = dy[i+v:]
	})
	p.image.Backward(p.imageX, p.imageDY, false)
	p.video.Backward(p.videoX, p.videoDY, false)
	return nil
}
