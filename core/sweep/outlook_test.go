package sweep

import (
	"context"
	"strings"
	"testing"

	"finetui/core/project"
)

func TestALineIsReadAsTheVerbReadsIt(t *testing.T) {
	f := small(t)
	p, file, err := Read(f.Snapshot, `tail zip SEEDS=4,7 TOGETHER=2 TRAIN.EPOCHS=1 LORA.R=4,8 `+
		`"RECIPE.SAMPLING=instance, square_root"`)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "tail" || !p.Zip || len(p.Seeds) != 2 || p.Together != 2 || file.Config.Train.Epochs != 1 {
		t.Errorf("%+v, epochs %v", p, file.Config.Train.Epochs)
	}
	var names []string
	for _, v := range p.Variants() {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, "; "); got != "reference; R 8 + square_root" {
		t.Errorf("variants in step: %s", got)
	}
	for line, says := range map[string]string{
		"a b LORA.R=4,8":                      `"b" is no part`,
		"LORA.RR=4,8":                         "did you mean",
		"SEEDS=0 LORA.R=4,8":                  "1 to 1000",
		"zip LORA.R=4,8 LORA.ALPHA=8,16,32":   "LORA.R has 2, LORA.ALPHA has 3",
		"each zip LORA.R=4,8":                 "exclude each other",
		"LORA.R=4,8 LORA.R=16,32":             "varied twice",
		"RECIPE.SAMPLING=instance,squareroot": "did you mean square_root",
		"RECIPE.FOCAL_GAMMA=1,1.0":            "twice",
		"SEEDS=2":                             "nothing is varied",
	} {
		p, file, err := Read(f.Snapshot, line)
		if err == nil {
			err = p.complete(file)
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", line, err, says)
		}
	}
	words := []string{"SEEDS=3", "DATASET.PATH=a b,c", "LORA.R=4,8"}
	if got := Words(Line(words)); strings.Join(got, "|") != strings.Join(words, "|") {
		t.Errorf("%q is read as %q", Line(words), got)
	}
}

func TestWhatAPlanComesToIsSaidBeforeAnythingStarts(t *testing.T) {
	f := small(t)
	p, file, err := Read(f.Snapshot, "SEEDS=3 RECIPE.SAMPLING=instance,square_root TRAIN.EPOCHS=2,4")
	if err != nil {
		t.Fatal(err)
	}
	o, err := Foresee(context.Background(), project.NewEstimator(f.Root), file, p)
	if err != nil {
		t.Fatal(err)
	}
	// 24 objects at 4 a step are 6 steps an epoch: 12 and 24 steps, twice, under three seeds
	if o.Runs != 12 || o.Steps != 2*3*(12+24) || o.Time <= 0 || o.Plan.Name != "sampling-epochs" {
		t.Errorf("%d runs, %d steps, %v, called %s", o.Runs, o.Steps, o.Time, o.Plan.Name)
	}
	said := strings.Join(o.Lines(), "\n")
	for _, want := range []string{"4 variants × 3 seeds = 12 runs, 216 steps", "process of its own", "Scored on valid"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if _, err := Create(file, o.Plan); err != nil {
		t.Fatal(err)
	}
	if again, err := Foresee(context.Background(), project.NewEstimator(f.Root), file, p); err != nil ||
		again.Plan.Name != "sampling-epochs-2" {
		t.Errorf("the next one is called %v (%v)", again, err)
	}
	p.Name = "sampling-epochs"
	if _, err := Foresee(context.Background(), project.NewEstimator(f.Root), file, p); err == nil ||
		!strings.Contains(err.Error(), "already") {
		t.Errorf("a name that is taken: %v", err)
	}
}
