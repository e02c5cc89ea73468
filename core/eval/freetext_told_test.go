package eval

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestWhereThePromptNamesTheExerciseTheResultSaysSo(t *testing.T) {
	for _, c := range []struct {
		prompt, truth string
		tells         bool
	}{
		{"Analyze this heel lift video.", "Heel_Lift - too fast", true},
		{"Analyze this squats video.", "squats - too fast", true},
		{"Analyze this squatters video.", "squats - too fast", false},
		{"Analyze this exercise video.", "squats - too fast", false},
		{"Analyze this squats video.", "Keep going.", false},
	} {
		if got := TellsExercise(c.prompt, c.truth); got != c.tells {
			t.Errorf("%q tells %q: %v", c.prompt, c.truth, got)
		}
	}
	items := coach()
	before := scoreFreeText(t, items, coached)
	if text := before.Text(); before.ExerciseTold() != 0 || strings.Contains(text, "named by the prompt") {
		t.Errorf("%d are told:\n%s", before.ExerciseTold(), text)
	}
	for i := range items {
		items[i].Prompt = "Analyze this " + ExercisePart(items[i].Truth) + " video."
	}
	r := scoreFreeText(t, items, coached)
	path := filepath.Join(t.TempDir(), "test.text.json")
	if err := r.WriteJSON(path); err != nil {
		t.Fatal(err)
	}
	again, err := ReadFreeText(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*FreeTextResult{r, again} {
		text := r.Text()
		if r.ExerciseTold() != 7 || !strings.Contains(text, "of 7, named by the prompt") ||
			!strings.Contains(text, "The prompt names the exercise in 7 of 7") {
			t.Errorf("%d are told:\n%s", r.ExerciseTold(), text)
		}
	}
	c, err := CompareFreeText(before, r, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(c.Sentences, "\n"); !strings.Contains(text, "names the exercise in 0 of 7 and 7 of 7") {
		t.Error(text)
	}
}
