package eval

import (
	"math/rand/v2"
	"testing"
)

// Two seeds of one recipe differ as models, far more often than one time in twenty by McNemar's test; of the recipe
// nothing may be claimed from them, and nothing is.
func TestTwoSeedsOfOneRecipeAreNotToldApart(t *testing.T) {
	s := study{classes: 9, items: 450, seeds: 2, item: 1.5, seed: 0.4, seedAndClass: 0.3}
	const n = 1000
	models, claims := 0, 0
	for k := range n {
		runs := s.draw(rand.New(rand.NewPCG(uint64(k), 11)))[0].Results
		c := &Comparison{SameRecipe: true}
		first, second := 0, 0
		for i, a := range runs[0].Items {
			switch b := runs[1].Items[i]; {
			case a.Right && !b.Right:
				first++
			case b.Right && !a.Right:
				second++
			}
		}
		if c.P = McNemar(first, second); c.P < Told {
			models++
		}
		if c.Tells() {
			claims++
		}
	}
	t.Logf("of %d pairs of seeds %d differ as models; of %d a difference is claimed", n, models, claims)
	if models < n/10 {
		t.Errorf("only %d of %d pairs differ as models: the study shows nothing", models, n)
	}
	if claims > n/20 {
		t.Errorf("of %d of %d pairs a difference is claimed", claims, n)
	}
	whole, err := Compare(s.draw(rand.New(rand.NewPCG(1, 11)))[0].Results[0],
		s.draw(rand.New(rand.NewPCG(1, 11)))[0].Results[1], []string{}, 1)
	if err != nil || !whole.SameRecipe || whole.Tells() {
		t.Errorf("two runs without a constant between them: %+v, %v", whole, err)
	}
}
