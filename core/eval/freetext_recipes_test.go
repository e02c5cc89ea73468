package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// spoken is a run's evaluation: which of n answers are right.
func spoken(subject string, right []bool) (*Result, *FreeTextResult) {
	text := &FreeTextResult{Subject: subject, Split: "test", Synonyms: "none"}
	closed := &Result{Subject: subject, Split: "test", ClosedList: []Label{{Name: "squats"}, {Name: "lunges"}}}
	for i, ok := range right {
		id := fmt.Sprint("clip ", i)
		a := FreeTextAnswer{ID: id, Truth: "squats - go lower", Answer: "lunges - go lower", Status: Answered,
			METEOR: .5, ROUGEL: .6}
		parsed := "lunges"
		if ok {
			a.Answer, a.Identified, a.METEOR, a.ROUGEL, parsed = a.Truth, true, 1, 1, "squats"
		}
		text.Items = append(text.Items, a)
		closed.Items = append(closed.Items, Answer{ID: id, Expected: "squats", Parsed: parsed, Right: ok})
	}
	return closed, text
}

func textVariant(name string, runs ...[]bool) Variant {
	v := Variant{Name: name}
	for i, right := range runs {
		closed, text := spoken(fmt.Sprint(name, i), right)
		v.Results, v.Texts = append(v.Results, closed), append(v.Texts, text)
	}
	return v
}

func TestRecipesAreComparedByWhatTheySayInWords(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	run := func(share float64) []bool {
		right := make([]bool, 60)
		for i := range right {
			right[i] = rng.Float64() < share
		}
		return right
	}
	first, second := textVariant("control", run(.3), run(.3), run(.35)), textVariant("enhanced", run(.8), run(.75), run(.8))
	c, err := CompareRecipes([]Variant{first, second}, nil, 7)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Words) != 4 {
		t.Fatalf("%d figures in words", len(c.Words))
	}
	for _, f := range c.Words {
		d := f.Differences[0]
		if d.Interval == nil || d.Interval[0] >= d.Difference || d.Interval[1] <= d.Difference {
			t.Errorf("%s: %v in %v", f.Name, d.Difference, d.Interval)
		}
		if math.Abs(d.Difference-(f.Variants[1].Mean-f.Variants[0].Mean)) > 1e-12 || f.Variants[0].SD == nil {
			t.Errorf("%s: %+v", f.Name, f)
		}
	}
	// What is right here is what is identified and what the closed list finds right: one figure, one interval.
	for _, d := range []SeedDifference{c.Words[0].Differences[0], c.Words[1].Differences[0]} {
		closed := c.Differences[0].Accuracy
		if math.Abs(d.Interval[0]-closed.Interval[0]) > 1e-9 || math.Abs(d.P-closed.P) > 1e-9 {
			t.Errorf("in words %+v, by the closed list %+v", d, closed)
		}
	}
	for _, want := range []string{"in free words", "answer right", "METEOR", "points ("} {
		if !strings.Contains(c.Text(), want) {
			t.Errorf("no %q in\n%s", want, c.Text())
		}
	}
	second.Texts = []*FreeTextResult{nil, nil, nil}
	if c, err = CompareRecipes([]Variant{first, second}, nil, 7); err != nil || c.Words != nil {
		t.Errorf("a run without words is compared by them: %v, %v", c.Words, err)
	}
}

// Seeds are no chance in a subject that was not trained: against it a recipe's interval is narrower than against one run.
func TestABaseHasNoChanceOfSeeds(t *testing.T) {
	half := func(from, to int) []bool {
		right := make([]bool, 80)
		for i := range right {
			right[i] = i >= from && i < to
		}
		return right
	}
	base, trained := textVariant("base", half(0, 8)), textVariant("enhanced", half(0, 40), half(0, 56), half(0, 24))
	one, err := CompareRecipes([]Variant{base, trained}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	base.Fixed = true
	fixed, err := CompareRecipes([]Variant{base, trained}, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	width := func(d SeedDifference) float64 { return d.Interval[1] - d.Interval[0] }
	if a, b := width(fixed.Differences[0].Accuracy), width(one.Differences[0].Accuracy); a >= b {
		t.Errorf("accuracy: %v wide beside a base, %v beside a run", a, b)
	}
	if a, b := width(fixed.Words[2].Differences[0]), width(one.Words[2].Differences[0]); a >= b {
		t.Errorf("METEOR: %v wide beside a base, %v beside a run", a, b)
	}
}
