package recipe

import (
	"fmt"
	"testing"
)

// TestWhatIsMadeOfAPromptIsFoundByItsNumber takes more prompts than are kept, some of them again and again.
func TestWhatIsMadeOfAPromptIsFoundByItsNumber(t *testing.T) {
	asked := newPhrases()
	var table PhraseTable[string]
	made := 0
	ask := func(text string) {
		s := Sample{Prompt: text, phrase: asked.saying(text).number}
		at := table.At(s)
		if *at == "" {
			*at = text
			made++
		}
		if *at != text {
			t.Fatalf("of %q was made %q", text, *at)
		}
	}
	for i := range 2*mostPhrases + 100 {
		ask(fmt.Sprint("At ", i))
		ask("Name and state?")
		ask(fmt.Sprint("At ", i-i%7))
	}
	if most := 2*mostPhrases + 100 + 300; made > most {
		t.Errorf("%d times something was made of a prompt, where about %d would do", made, most)
	}
	if table.At(Sample{Prompt: "of no Each"}) != nil {
		t.Error("a sample without a number has a place")
	}
}

func TestSamplesOfOnePromptHaveItsNumber(t *testing.T) {
	r := build(t, onePicture(), constants(t, "enhanced"))
	numbers := map[string]int{}
	for range 2 {
		for s := range r.Each("") {
			if s.phrase == 0 || numbers[s.Prompt] != 0 && numbers[s.Prompt] != s.phrase {
				t.Errorf("%q has the number %d, then %d", s.Prompt, numbers[s.Prompt], s.phrase)
			}
			numbers[s.Prompt] = s.phrase
		}
		clear(numbers)
	}
}
