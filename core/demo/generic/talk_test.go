package generic

import (
	"strings"
	"testing"
)

// demoNames are the demo's classes and the words that make their conditions.
var demoNames = []string{"toe drain", "rock toe", "slope drain", "vegetation", "drain", "damaged", "blocked"}

func TestNoGenericTextHoldsADemoName(t *testing.T) {
	rng := seeded(5)
	var texts []string
	for range 3000 {
		th := randomThing(rng)
		sc := Scene{Things: []Thing{th, randomThing(rng), randomThing(rng)}}
		for _, qa := range [][]QA{Talk(&th, rng, 20), TalkScene(&sc, 1, rng, 20), Copy(rng)} {
			for _, q := range qa {
				texts = append(texts, q.Question+" / "+q.Answer)
			}
		}
	}
	texts = append(texts, Corpus(rng, 1000)...)
	squeeze := strings.NewReplacer("-", " ", ".", " ", ";", " ", ",", " ", "\n", " ")
	for _, text := range texts {
		plain := strings.Join(strings.Fields(squeeze.Replace(strings.ToLower(text))), " ")
		for _, n := range demoNames {
			if strings.Contains(plain, n) {
				t.Fatalf("%q holds %q", text, n)
			}
		}
	}
}

func TestCopiedAnswersStandInTheirQuestions(t *testing.T) {
	rng := seeded(6)
	for range 2000 {
		for _, q := range Copy(rng) {
			if !strings.Contains(q.Question, q.Answer) {
				t.Fatalf("%q does not hold %q", q.Question, q.Answer)
			}
		}
	}
}

func TestReportNamesEverything(t *testing.T) {
	th := Thing{Kind: "wall", Direction: "flat", Colour: "grey", Ground: "grass", Cover: "nothing", Cracked: true,
		Broken: true}
	if got := th.report(); got != "flat grey wall cracked and broken on grass" {
		t.Error(got)
	}
}

func TestCoordinatesAreThousandths(t *testing.T) {
	if got := Coordinates([4]float64{10, 20, 168, 336}, 336, 336); got != "<|box_start|>(30,60),(500,1000)<|box_end|>" {
		t.Error(got)
	}
}

func TestTalkAsksNothingTwice(t *testing.T) {
	rng := seeded(8)
	for range 300 {
		th := randomThing(rng)
		asked := map[string]bool{}
		for _, q := range Talk(&th, rng, 4) {
			if asked[q.Question] {
				t.Fatalf("%q twice", q.Question)
			}
			asked[q.Question] = true
		}
	}
}
