package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/project"
	"finetui/views"
)

func TestPresetChangesTheTableAndTheWarningsAtOnce(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, recipeName)
	d.Press("p", "down", "enter").Wait("the recipe", p.settled) // from enhanced to enhanced-original
	if p.recipe.draft().Recipe.Preset != "enhanced-original" {
		t.Fatalf("preset %q", p.recipe.draft().Recipe.Preset)
	}
	d.Golden("recipe-original-120x32")
	for _, text := range []string{"71.8×", "6.41×", "45.6 %", "85.8 %", "paid for"} {
		if !strings.Contains(strings.Join(strings.Fields(d.Screen()), " "), text) {
			t.Errorf("%q is missing", text)
		}
	}
	if file := p.file.Config.Recipe.Preset; file != "enhanced" {
		t.Errorf("the project's recipe became %s before it was taken over", file)
	}
	if d.Press("u").Wait("the recipe", p.settled); len(p.recipe.turned()) != 0 ||
		p.recipe.weighed.table.ImbalanceAfter > 3 {
		t.Error("u did not bring the file's recipe back")
	}
}

func TestTurningAConstantMakesTheRecipeCustom(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, recipeName)
	before := p.recipe.weighed.table.ImbalanceAfter
	d.Press("right").Wait("the recipe", p.settled)
	r := p.recipe.draft().Recipe
	if r.ClassWeights != "max_ratio" || r.Preset != config.PresetCustom ||
		p.recipe.weighed.table.ImbalanceAfter == before {
		t.Errorf("%+v, imbalance %v", r, p.recipe.weighed.table.ImbalanceAfter)
	}
	d.Press("left").Wait("the recipe", p.settled)
	if r := p.recipe.draft().Recipe; r.Preset != "enhanced" {
		t.Errorf("turned back it is %s", r.Preset)
	}
	d.Press("left", "left") // the first value has none before it
	if r := p.recipe.draft().Recipe; r.ClassWeights != "none" {
		t.Errorf("left of the first value is %s", r.ClassWeights)
	}
}

func TestASettingShowsOnlyWhereItMatters(t *testing.T) {
	p, _ := open(t, 120, 30)
	shown := func(key string) bool {
		for _, s := range p.recipe.shown() {
			if s.key == key {
				return true
			}
		}
		return false
	}
	for _, c := range []struct{ key, by, value string }{
		{"EFFECTIVE_BETA", "CLASS_WEIGHTS", "effective_number"}, {"REPEAT_THRESHOLD", "SAMPLING", "repeat_factor"},
		{"FOCAL_GAMMA", "LOSS", "focal"},
	} {
		if shown(c.key) {
			t.Errorf("%s is shown without a use", c.key)
		}
		if err := p.recipe.set(c.by, c.value); err != nil || !shown(c.key) {
			t.Errorf("%s is not shown with %s %s: %v", c.key, c.by, c.value, err)
		}
	}
}

func TestEveryValueOfEverySettingCanBeTurnedTo(t *testing.T) {
	p, _ := open(t, 120, 30)
	for _, s := range settings {
		for _, value := range s.values() {
			if err := p.recipe.set(s.key, value); err != nil {
				t.Errorf("%s = %s: %v", s.key, value, err)
			}
			if s.steps == nil && config.Means(s.name(), value) == "" {
				t.Errorf("nothing says what %s = %s does", s.key, value)
			}
		}
		if len(s.values()) < 2 {
			t.Errorf("%s has nothing to turn to", s.key)
		}
	}
}

func TestANumberBetweenTheStepsGoesToTheNextOne(t *testing.T) {
	p, _ := open(t, 120, 30)
	for _, c := range []struct {
		now  string
		by   int
		want float64
	}{{"0.15", 1, 0.2}, {"0.15", -1, 0.1}, {"0.1", 1, 0.2}, {"0.1", -1, 0.05}, {"2", 1, 2}, {"2", -1, 1}} {
		if err := p.recipe.set("CROP_MARGIN", c.now); err != nil {
			t.Fatal(err)
		}
		shown := p.recipe.shown()
		margin := shown[slices.IndexFunc(shown, func(s setting) bool { return s.key == "CROP_MARGIN" })]
		if err := p.recipe.turn(margin, c.by); err != nil || p.recipe.draft().Recipe.CropMargin != c.want {
			t.Errorf("from %s by %d to %v, not %v: %v", c.now, c.by, p.recipe.draft().Recipe.CropMargin, c.want, err)
		}
	}
}

func TestTakingOverChangesTheConstantsAndTellsOthers(t *testing.T) {
	file := slopeProject(t)
	p, d := openFile(t, file, 120, 30)
	d.Wait("the data set", p.settled)
	show(p, d, recipeName)
	told := func() (n int) {
		for _, msg := range d.Seen() {
			if changed, ok := msg.(views.ConfigChanged); ok && changed.File == file {
				n++
			}
		}
		return n
	}
	d.Press("right", "s").Wait("the recipe", func() bool { return told() > 0 && p.settled() })
	if r := file.Config.Recipe; r.ClassWeights != "max_ratio" || r.Preset != config.PresetCustom {
		t.Errorf("the project's recipe is %+v", r)
	}
	if len(p.recipe.turned()) != 0 {
		t.Errorf("still turned: %v", p.recipe.turned())
	}
	if told() != 1 || p.reads != 1 {
		t.Errorf("told %d times, read %d times", told(), p.reads)
	}
	if !file.Undo() || file.Config.Recipe.ClassWeights != "none" {
		t.Error("one undo does not take the recipe back")
	}
}

func TestWhatWasTurnedStaysWhenAnotherConstantChanges(t *testing.T) {
	file := slopeProject(t)
	p, d := openFile(t, file, 120, 30)
	d.Wait("the data set", p.settled)
	show(p, d, recipeName)
	d.Press("right").Wait("the recipe", p.settled)
	if err := file.Set("TRAIN.BATCH_SIZE", "8"); err != nil {
		t.Fatal(err)
	}
	d.Send(views.ConfigChanged{File: file}).Wait("the recipe", p.settled)
	if c := p.recipe.draft(); c.Train.BatchSize != 8 || c.Recipe.ClassWeights != "max_ratio" {
		t.Errorf("%+v %+v", c.Train, c.Recipe)
	}
	if !d.Shows("852 in all epochs") {
		t.Errorf("the screen is\n%s", d.Screen())
	}
}

func TestTheListOfValuesSetsOne(t *testing.T) {
	p, d := open(t, 120, 30)
	show(p, d, recipeName)
	d.Press("enter")
	if !p.Capturing() || !d.Shows("every object counts alike") {
		t.Fatalf("the screen is\n%s", d.Screen())
	}
	d.Press("down", "down", "down", "down", "enter").Wait("the recipe", p.settled)
	if got := config.Plain(p.recipe.draft(), "RECIPE.CLASS_WEIGHTS"); got != "inverse_sqrt" {
		t.Errorf("CLASS_WEIGHTS %s", got)
	}
}

// The steps of a run are counted once: what cannot be shown is left out wherever they are announced.
func TestTheRecipeAnnouncesTheStepsOfTheRun(t *testing.T) {
	p, d := openProject(t, faulty(), 120, 30)
	show(p, d, recipeName)
	estimate, err := project.NewEstimator(p.file.Root).Estimate(context.Background(), p.file.Config)
	if err != nil {
		t.Fatal(err)
	}
	if estimate.TrainSamples >= int(p.recipe.weighed.table.SamplesAfter) {
		t.Fatalf("nothing is left out of the %d samples: this tests nothing", estimate.TrainSamples)
	}
	if got := p.recipe.weighed.plan; got != estimate.Plan {
		t.Errorf("the recipe announces %+v, Config %+v", got, estimate.Plan)
	}
	words := strings.Join((&recipeView{shared: p.shared}).epochWords(theme, p.recipe.weighed.table, 1000), "")
	for _, want := range []string{fmt.Sprintf("%d in all epochs", estimate.Plan.Total), "cannot be shown"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is missing in %q", want, words)
		}
	}
}
