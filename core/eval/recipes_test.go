package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
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
	truth, hard, ids := make([]int, s.items), make([]float64, s.items), make([]string, s.items)
	for i := range truth {
		ids[i], truth[i], hard[i] = strconv.Itoa(i), i%s.classes, s.item*rng.NormFloat64()
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
			result := &Result{Subject: fmt.Sprintf("%d-%d", v, r), Split: "test", ClosedList: list,
				Items: make([]Answer, 0, s.items)}
			for i, t := range truth {
				logit := 1.5 + float64(v)*s.gain + of + ofClass[t] + hard[i]
				said := t
				if rng.Float64() > 1/(1+math.Exp(-logit)) {
					said = (t + 1 + rng.IntN(s.classes-1)) % s.classes
				}
				result.Items = append(result.Items, Answer{ID: ids[i], Expected: list[t].Name,
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

// TestSeedsNeededTellInFourOfFive simulates experiments with as many seeds as a large pilot says are needed.
func TestSeedsNeededTellInFourOfFive(t *testing.T) {
	s := study{classes: 9, items: 450, seeds: 20, gain: 0.3, item: 1.5, seed: 0.25, seedAndClass: 0.2}
	pilot, err := compareRecipes(s.draw(rand.New(rand.NewPCG(5, 5))), nil, 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	table, _ := newAnswerTable(s.draw(rand.New(rand.NewPCG(5, 5))))
	macro, _ := table.bootstrap(300, 1)
	d := pilot.Differences[0].MacroF1
	d.Difference = s.truth()
	seeds, _ := needed(d, macro.seedSpread(), s.items, s.seeds, s.seeds)
	if seeds < 3 || seeds > 60 {
		t.Fatalf("%d seeds needed: the study is no test", seeds)
	}
	s.seeds = seeds
	n, told := experiments()/2, 0
	for k := range n {
		c, err := compareRecipes(s.draw(rand.New(rand.NewPCG(uint64(k), 8))), nil, 100, 1)
		if err != nil {
			t.Fatal(err)
		}
		if c.Differences[0].PHolm < Told {
			told++
		}
	}
	power := float64(told) / float64(n)
	t.Logf("%d seeds: power %.2f in %d experiments", seeds, power, n)
	if power < 0.7 || power > 0.9 {
		t.Errorf("with %d seeds each %.0f %% of experiments tell the difference, not about 80 %%", seeds, 100*power)
	}
}

// TestItemsNeededTellInFourOfFive does the same for two models on the same items.
func TestItemsNeededTellInFourOfFive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ onlyFirst, onlySecond, n int }{{10, 20, 300}, {3, 12, 100}, {90, 120, 1000}} {
		n := ItemsNeeded(c.onlyFirst, c.onlySecond, c.n)
		times, told := 2000, 0
		p1, p2 := share(c.onlyFirst, c.n), share(c.onlySecond, c.n)
		for range times {
			first, second := 0, 0
			for range n {
				switch u := rng.Float64(); {
				case u < p1:
					first++
				case u < p1+p2:
					second++
				}
			}
			if McNemar(first, second) < Told {
				told++
			}
		}
		power := share(told, times)
		t.Logf("%+v: %d items, power %.3f", c, n, power)
		if power < 0.74 || power > 0.86 { // the exact test is a little more careful than the approximation
			t.Errorf("%+v: %d items tell the difference in %.1f %%", c, n, 100*power)
		}
	}
	if n := ItemsNeeded(7, 7, 100); n != 0 {
		t.Errorf("without a difference %d items are said to tell it", n)
	}
}

func TestExchangeOfRunsIsCountedOut(t *testing.T) {
	for _, c := range []struct {
		a, b     []float64
		p, least float64
	}{
		{[]float64{1, 2, 3}, []float64{4, 5, 6}, 0.1, 0.1},
		{[]float64{1, 2, 5}, []float64{4, 3, 6}, 0.4, 0.1},
		{[]float64{1}, []float64{2}, 1, 1},
		{[]float64{1, 2}, []float64{3, 4, 5}, 0.2, 0.1}, // 4, 5 against 1, 2, 3 lie as far apart
		{[]float64{2, 2, 2}, []float64{2, 2, 2}, 1, 0.1},
	} {
		p, least := permuteRuns(c.a, c.b)
		if math.Abs(p-c.p) > 1e-12 || math.Abs(least-c.least) > 1e-12 {
			t.Errorf("%v, %v: p %v (least %v), want %v (%v)", c.a, c.b, p, least, c.p, c.least)
		}
	}
}

func TestOneRunEachTellsModelsApartAndNotRecipes(t *testing.T) {
	s := study{classes: 5, items: 400, seeds: 1, gain: 2, item: 1}
	c, err := CompareRecipes(s.draw(rand.New(rand.NewPCG(3, 3))), nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.SeedSD != nil || c.SeedDF != 0 || c.Differences[0].SeedsNeeded != 0 {
		t.Errorf("a spread of seeds is known from one seed: %+v", c)
	}
	if said := strings.Join(c.Sentences, " "); !strings.Contains(said, "tells models apart, not recipes") ||
		strings.Contains(said, "Gains") {
		t.Errorf("one run each claims something of recipes: %s", said)
	}
}

func TestRecipesAreComparedOnTheItemsOfAllTheirRuns(t *testing.T) {
	variants := study{classes: 3, items: 30, seeds: 2, item: 1}.draw(rand.New(rand.NewPCG(4, 4)))
	variants[1].Results[1].Items = variants[1].Results[1].Items[:25]
	variants[0].Results[0].Items[3].Expected = "class 1" // was class 0
	c, err := CompareRecipes(variants, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.N != 24 || c.LeftOut != 6 {
		t.Errorf("%d items compared, %d left out; 24 are the same in all runs, 6 are not", c.N, c.LeftOut)
	}
	variants[1].Results[0].ClosedList = variants[1].Results[0].ClosedList[:2]
	if _, err := CompareRecipes(variants, nil, 1); err == nil {
		t.Error("runs with different closed lists were compared")
	}
}
