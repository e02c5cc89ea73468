package qwen2vl

import (
	"fmt"

	"finetui/ml/train"
)

// Features are what a frozen tower has made of a sample's pictures:
// rows [tokens, hidden], in the order of their places.
type Features []float32

// Rows is 0: they come to the language model as they are.
func (f Features) Rows() int { return 0 }

// Values is their number.
func (f Features) Values() int { return len(f) }

// Patches are a sample's pictures for a tower that is trained.
type Patches struct {
	Pixels []float32 // [ΣP, PatchWidth]
	Grids  []Grid    // of each picture or clip; P is a grid's number of patches
}

// Rows is the number of patches.
func (p Patches) Rows() (n int) {
	for _, g := range p.Grids {
		n += g.Patches()
	}
	return n
}

// Values is the number of pixel values.
func (p Patches) Values() int { return len(p.Pixels) }

// features are those of a sample, nil where it has none.
func features(s *train.Sample) (Features, error) {
	switch v := s.Visual.(type) {
	case nil:
		return nil, nil
	case Features:
		return v, nil
	}
	return nil, fmt.Errorf("it brings %T: a language model whose tower is frozen reads features", s.Visual)
}

// patches are those of a sample.
func patches(s *train.Sample) (Patches, error) {
	switch v := s.Visual.(type) {
	case nil:
		return Patches{}, nil
	case Patches:
		return v, nil
	}
	return Patches{}, fmt.Errorf("it brings %T: a tower that is trained reads patches", s.Visual)
}
