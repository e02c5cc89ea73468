package recipe

import (
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/dataset"
)

// A clip with feedback is asked about as the converted set asks; where the exercise is the whole answer it is not told.
func TestAnswersOfTheirOwnAreAskedForAsTheConvertedSetAsks(t *testing.T) {
	f, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	item := func(texts ...*dataset.Text) dataset.Item {
		i := dataset.Item{ID: "train/a", Split: "train", Clip: &dataset.Clip{}}
		for _, text := range texts {
			i.Objects = append(i.Objects, dataset.Object{Box: dataset.Whole, Text: text})
		}
		return i
	}
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "elbow plank", Object: "elbow plank", Condition: "normal"}},
		Splits: []string{"train"}, Items: []dataset.Item{item(&dataset.Text{Answer: "elbow plank - too low"},
			&dataset.Text{Answer: "Elbow_Plank"}, &dataset.Text{Question: "And now?", Answer: "elbow plank - fine"})}}
	file := "" // how a file is asked about, of which nothing is known
	ask := func(c *config.Config) (prompts []string) {
		r, err := Build(set, c)
		if err != nil {
			t.Fatal(err)
		}
		file = r.FileClipQuestion
		for _, s := range r.Samples("train") {
			prompts = append(prompts, s.Prompt)
		}
		return prompts
	}
	c := *f.Config
	got := ask(&c)
	if got[0] != "Analyze this elbow plank video and provide corrective feedback." || got[2] != "And now?" {
		t.Errorf("asked %q", got)
	}
	if file != "Analyze this exercise video and provide corrective feedback." {
		t.Errorf("a file is asked about with %q", file)
	}
	usual := got[1]
	if usual == got[0] || usual == "" {
		t.Errorf("told the exercise that it is to name: %q", usual)
	}
	c.Convert.UserPromptTemplate = "{x} {exercise}"
	if got := ask(&c); got[0] != usual {
		t.Errorf("a template of the converter's own: %q, want %q", got[0], usual)
	}
	set.Items[0].Objects = set.Items[0].Objects[1:2]
	if c = *f.Config; ask(&c)[0] != usual || file != usual {
		t.Errorf("where classes alone are answered a file is asked about with %q, want %q", file, usual)
	}
}

func TestPromptsThatNameTheExerciseAreFound(t *testing.T) {
	f, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "elbow plank", Object: "elbow plank", Condition: "normal"}},
		Splits: []string{"train"}, Items: []dataset.Item{{ID: "train/a", Split: "train", Clip: &dataset.Clip{},
			Objects: []dataset.Object{{Box: dataset.Whole, Text: &dataset.Text{Answer: "elbow plank - too low"}},
				{Box: dataset.Whole, Text: &dataset.Text{Answer: "Keep going."}}}}}}
	found := func(c *config.Config) (text string) {
		for _, f := range Lint(set, c, nil) {
			if f.Code == "exercise_in_prompt" {
				text += f.Text
			}
		}
		return text
	}
	c := *f.Config
	if text := found(&c); !strings.Contains(text, `(1 of 1, first train/a#0: "elbow plank")`) {
		t.Errorf("found %q", text)
	}
	c.Convert.UserPromptTemplate = "Analyze this video and provide corrective feedback."
	if text := found(&c); text != "" {
		t.Errorf("found %q", text)
	}
}

// What is asked of pictures, after an object's state, is asked of no clip: of none in a set, and of no clip's file in a
// project of pictures.
func TestClipsAreNotAskedWhatPicturesAre(t *testing.T) {
	f, err := config.Preset("qved")
	if err != nil {
		t.Fatal(err)
	}
	set := &dataset.Dataset{Classes: []dataset.Class{{Name: "squats", Object: "squats", Condition: "normal"},
		{Name: "plank", Object: "plank", Condition: "normal"}}, Splits: []string{"train"}}
	for _, clip := range []*dataset.Clip{{}, nil} {
		set.Items = append(set.Items, dataset.Item{ID: "train/a", Split: "train", Clip: clip, Objects: []dataset.Object{
			{Box: dataset.Whole}, {Class: 1, Box: dataset.Whole}}})
	}
	for _, prompt := range f.Config.Recipe.Prompt.Choices() {
		c := *f.Config
		c.Recipe.Preset, c.Recipe.Prompt = config.PresetCustom, config.Prompt(prompt)
		r, err := Build(set, &c)
		if err != nil {
			t.Fatal(err)
		}
		samples := r.Samples("train")
		for _, asked := range []string{samples[0].Prompt, r.FileClipQuestion} {
			if !strings.Contains(asked, "What is done here?") || strings.Contains(asked, "state") ||
				strings.Contains(asked, "object") {
				t.Errorf("%s: a clip is asked %q", prompt, asked)
			}
		}
		for _, asked := range []string{samples[2].Prompt, r.FileQuestion} {
			if !strings.Contains(asked, "state") {
				t.Errorf("%s: a picture is asked %q", prompt, asked)
			}
		}
		for _, finding := range Lint(set, &c, nil) {
			if finding.Code == "answer_in_prompt" && prompt == string(config.PromptList) {
				t.Errorf("the closed list is taken for the answer: %s", finding.Text)
			}
		}
	}
}
