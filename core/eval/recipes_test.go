package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// study simulates runs of recipes: an item is hard or easy for all, a run is better or worse by its seed, also at
// single classes, and every answer falls by chance.
type study struct {
	classes, items, seeds    int
	gain                     float64 // of the second recipe, in logits
	item, seed, seedAndClass float64 // standard deviations, in logits
}

// draw makes the runs of two recipes on new items.
func (s study) draw(rng *rand.Rand) []Variant {
	var list []Label
	for c := range s.classes {
		list = append(list, Label{Name: fmt.Sprint("class ", c)})
	}
	truth, hard := make([]int, s.items), make([]float64, s.items)
	for i := range truth {
		truth[i], hard[i] = i%s.classes, s.item*rng.NormFloat64()
	}
	var variants []Variant
	for v := range 2 {
		variant := Variant{Name: fmt.Sprint("recipe ", v)}
		for r := range s.seeds {
			of := s.seed * rng.NormFloat64()
			ofClass := make([]float64, s.classes)
			for c := range ofClass {
				ofClass[c] = s.seedAndClass * rng.NormFloat64()
			}
			result := &Result{Subject: fmt.Sprintf("%d-%d", v, r), Split: "test", ClosedList: list}
			for i, t := range truth {
				logit := 1.5 + float64(v)*s.gain + of + ofClass[t] + hard[i]
				said := t
				if rng.Float64() > 1/(1+math.Exp(-logit)) {
					said = (t + 1 + rng.IntN(s.classes-1)) % s.classes
				}
				result.Items = append(result.Items, Answer{ID: fmt.Sprint(i), Expected: list[t].Name,
					Parsed: list[said].Name, Right: said == t})
			}
			variant.Results = append(variant.Results, result)
		}
		variants = append(variants, variant)
	}
	return variants
}

// truth is the difference that infinitely many runs and items would show, nearly.
func (s study) truth() float64 {
	large := s
	large.items, large.seeds = 9000, 60
	var sum float64
	const times = 4
	for k := range times {
		table, err := newAnswerTable(large.draw(rand.New(rand.NewPCG(uint64(k), 99))))
		if err != nil {
			panic(err)
		}
		macro, _ := table.bootstrap(0, 1)
		first, _ := meanSD(macro.seen[0])
		second, _ := meanSD(macro.seen[1])
		sum += (second - first) / times
	}
	return sum
}

// experiments is how many simulated experiments a figure is made of: 1,000 where FINETUI_SIMULATE is set.
func experiments() int {
	if os.Getenv("FINETUI_SIMULATE") != "" {
		return 1000
	}
	return 250
}

func TestIntervalsOfRecipesHoldTheTruthAsOftenAsTheySay(t *testing.T) {
	for _, s := range []study{
		{classes: 9, items: 270, seeds: 3, item: 1.5, seed: 0.15, seedAndClass: 0.3},
		{classes: 9, items: 900, seeds: 3, gain: 0.4, item: 1.5, seed: 0.3, seedAndClass: 0.5},
		{classes: 5, items: 300, seeds: 5, gain: 0.3, item: 1, seed: 0.02},
		{classes: 9, items: 450, seeds: 2, item: 1.5, seed: 0.4},
	} {
		n, holds, claims := experiments(), 0, 0
		true_ := 0.0
		if s.gain != 0 {
			true_ = s.truth()
		}
		for k := range n {
			c, err := compareRecipes(s.draw(rand.New(rand.NewPCG(uint64(k), 7))), nil, 200, 1)
			if err != nil {
				t.Fatal(err)
			}
			d := c.Differences[0].MacroF1
			if d.Interval[0] <= true_ && true_ <= d.Interval[1] {
				holds++
			}
			if c.Differences[0].PHolm < Told {
				claims++
			}
		}
		coverage := float64(holds) / float64(n)
		allowed := 0.02 + 2*math.Sqrt(0.95*0.05/float64(n)) // 93–97 %, and the chance of so many experiments
		t.Logf("%+v: true %.4f, coverage %.3f, claims %.3f", s, true_, coverage, float64(claims)/float64(n))
		if math.Abs(coverage-0.95) > allowed {
			t.Errorf("%+v: an interval of 95 %% holds the truth in %.1f %% of %d experiments", s, 100*coverage, n)
		}
		if rate := float64(claims) / float64(n); s.gain == 0 && rate > 0.05+allowed-0.02 {
			t.Errorf("%+v: two recipes that do not differ are told apart in %.1f %%", s, 100*rate)
		}
	}
}
