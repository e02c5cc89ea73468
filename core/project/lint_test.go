package project

import (
	"testing"

	"finetui/core/config"
	"finetui/core/recipe"
)

// Lint counts a wording once, with the smallest pictures; what it says of a sample must be what a run makes of it.
func TestLintCountsTheTokensOfARunsSamples(t *testing.T) {
	for _, context := range []config.Context{config.ContextCrop, config.ContextFull, config.ContextFullCrop} {
		p := drawn(t)
		c := p.Config
		c.Recipe.Context, c.Recipe.CropSquare, c.Model.MinPixels, c.Model.MaxPixels = context, false, 784, 50176
		var err error
		if p.Recipe, err = recipe.Build(p.Data, c); err != nil {
			t.Fatal(err)
		}
		measure := newRuler(p)
		for _, s := range p.Recipe.Samples("test") {
			for range 2 { // counted, and known
				got, err := measure.of(s, measure.sizes.Shown(s))
				if err != nil {
					t.Fatal(err)
				}
				want, _, err := p.Encoder().Tokens(s)
				if err != nil {
					t.Fatal(err)
				}
				if said := p.Base.Supervised(want); got.tokens != len(want.IDs) || got.supervised != said {
					t.Errorf("%s of %s: got %d tokens, %q; want %d, %q", s.ID, context, got.tokens, got.supervised,
						len(want.IDs), said)
				}
			}
		}
	}
}
