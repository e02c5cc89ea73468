package project

import (
	"context"
	"crypto/sha256"
	"fmt"

	"finetui/core/features"
	"finetui/core/filehash"
	"finetui/core/recipe"
	"finetui/ml/qwen2vl"
)

// See returns the features and grids of a sample's pictures. Where the tower is frozen and
// MODEL.CACHE allows it, they are made once and kept; kept ones are read-only. Whatever keeps
// them from being kept stops nothing: see model.Base.Trouble.
func (p *Project) See(tower *qwen2vl.Tower, frozen bool, s recipe.Sample) ([]float32, []qwen2vl.Grid, error) {
	keep := frozen && p.Base.Seen != nil
	var key features.Key
	if keep {
		var err error
		if key, err = p.key(s); err != nil {
			return nil, nil, err
		}
		if values, ok := p.Base.Seen.Get(key); ok {
			if f, grids, ok := p.unpack(values); ok {
				return f, grids, nil
			}
		}
	}
	pictures, err := p.Pictures(s)
	if err != nil {
		return nil, nil, err
	}
	rows, grids, err := p.Base.Rows(p.View(), pictures)
	if err != nil {
		return nil, nil, err
	}
	f, err := tower.Features(rows, grids)
	if err == nil && keep && !p.Base.Changed() { // the key is that of the weights that were opened
		p.Base.Seen.Put(key, pack(f, grids))
	}
	return f, grids, err
}

// pack puts the grids before their features: their number, and of each T, H and W.
func pack(f []float32, grids []qwen2vl.Grid) []float32 {
	values := make([]float32, 0, 1+3*len(grids)+len(f))
	values = append(values, float32(len(grids)))
	for _, g := range grids {
		values = append(values, float32(g.T), float32(g.H), float32(g.W))
	}
	return append(values, f...)
}

// unpack takes apart what pack put together; false where that does not fit the base.
func (p *Project) unpack(values []float32) (f []float32, grids []qwen2vl.Grid, ok bool) {
	if len(values) == 0 || values[0] < 0 || int(values[0]) > (len(values)-1)/3 {
		return nil, nil, false
	}
	n, tokens := int(values[0]), 0
	for i := range n {
		g := values[1+3*i:]
		grids = append(grids, qwen2vl.Grid{T: int(g[0]), H: int(g[1]), W: int(g[2])})
		tokens += grids[i].Tokens(p.Base.Config.Vision.Merge)
	}
	f = values[1+3*n:]
	return f, grids, len(f) == tokens*p.Base.Config.Text.Hidden
}

// seeing is raised by one whenever the way from a file to features changes: decoding, cutting, marking, resizing, the
// processor, the tower, or how values are packed. TestFeaturesOfAFixedPicture fails until that is done.
const seeing = 2

// key names everything that a sample's features depend on: the base with its tower, the processor as it is used, the
// bytes of the picture's file, what is shown of it and how large, and the code's own version.
func (p *Project) key(s recipe.Sample) (features.Key, error) {
	base, err := p.Base.Fingerprint(context.Background(), nil)
	if err != nil {
		return features.Key{}, err
	}
	content, err := filehash.In(p.File.Root).Sum(context.Background(), s.Item.Media, nil)
	if err != nil {
		return features.Key{}, err
	}
	c, m := p.Config.Recipe, p.Config.Model
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %s %+v %s %q %v %v %v %d %d\n", seeing, base, p.Base.Processor, content, c.Context,
		c.CropMargin, c.CropSquare,
		s.Box(), m.MinPixels, m.MaxPixels)
	return features.Key(sum.Sum(nil)), nil
}
