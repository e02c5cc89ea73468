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

// See returns the features and grids of a sample's pictures. Where the tower is frozen and MODEL.CACHE allows it, they are
// made once and kept; kept ones are read-only.
func (p *Project) See(tower *qwen2vl.Tower, frozen bool, s recipe.Sample) ([]float32, []qwen2vl.Grid, error) {
	var key features.Key
	expected, err := p.Grids(s)
	keep := err == nil && frozen && p.Base.Seen != nil
	if keep {
		if key, err = p.key(s); err != nil {
			return nil, nil, err
		}
		if f, ok := p.Base.Seen.Get(key); ok && len(f) == p.width(expected) {
			return f, expected, nil
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
	if err != nil || !keep {
		return f, grids, err
	}
	return f, grids, p.Base.Seen.Put(key, f)
}

// width is the number of values of the features of such grids.
func (p *Project) width(grids []qwen2vl.Grid) (n int) {
	for _, g := range grids {
		n += g.Tokens(p.Base.Config.Vision.Merge) * p.Base.Config.Text.Hidden
	}
	return n
}

// seeing is raised when the way from a file to features changes.
const seeing = 1

// key names everything that a sample's features depend on: the base, the file's bytes, what is shown of it and how large.
func (p *Project) key(s recipe.Sample) (features.Key, error) {
	content, err := filehash.In(p.File.Root).Sum(context.Background(), s.Item.Media, nil)
	if err != nil {
		return features.Key{}, err
	}
	c, m := p.Config.Recipe, p.Config.Model
	sum := sha256.New()
	fmt.Fprintln(sum, seeing, p.Base.Fingerprint, content, c.Context, c.CropMargin, c.CropSquare, s.Box(), m.MinPixels, m.MaxPixels)
	return features.Key(sum.Sum(nil)), nil
}
