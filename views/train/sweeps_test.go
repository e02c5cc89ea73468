package train

import (
	"context"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/run"
	"finetui/core/sweep"
	"finetui/views/viewtest"
)

// sweeping is the pane's control with one sweep, half of it scored.
func sweeping(t *testing.T, asked *[]string) Control {
	t.Helper()
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	file.Move(root+"/config.toml", root)
	s, err := sweep.Create(file.Snapshot, sweep.Plan{Name: "drawing", Seeds: []int{1, 2},
		Axes: []sweep.Axis{{Key: "RECIPE.SAMPLING", Values: []string{"instance", "square_root", "class_balanced"}}}})
	if err != nil {
		t.Fatal(err)
	}
	sd := .004
	interval := func(low, high float64) *eval.Interval { return &eval.Interval{low, high} }
	report := sweep.Report{Sweep: s, Status: sweep.Status{Live: true}, Compared: &eval.RecipeComparison{
		Method: "2000 resamples", Sentences: []string{"square_root gains 2.4 points (+1.3 … +3.4)."},
		Variants: []eval.VariantSummary{{Name: "instance", Mean: .93, SD: &sd}, {Name: "square_root", Mean: .954}},
		Differences: []eval.RecipeDifference{{Name: "square_root", MacroF1: eval.SeedDifference{Difference: .024,
			Interval: interval(.013, .034)}}}}}
	states := []string{run.Running, sweep.Scoring, run.Done, sweep.Waiting, sweep.GivenUp, sweep.Skipped}
	for i, v := range s.Plan.Variants() {
		for k, seed := range s.Plan.Seeds {
			c := sweep.Cell{Variant: v.Name, Seed: seed, State: states[2*i+k]}
			if c.State == sweep.GivenUp {
				c.Reason = "the disk is full"
			}
			report.Status.Cells = append(report.Status.Cells, c)
		}
	}
	dir := folder(t, made{name: "enhanced", recipe: "enhanced", steps: 426, done: 426, end: run.Done})
	return Control{Runs: func() string { return dir },
		Sweeps: func(_ context.Context, emit func([]sweep.Report)) error {
			emit([]sweep.Report{report})
			return nil
		},
		PlanSweep: func(_ context.Context, words string) (string, error) {
			*asked = append(*asked, words)
			_, _, _, err := sweep.Parse(strings.Fields(words), nil)
			return "new", err
		},
		SteerSweep: func(_ context.Context, s *sweep.Sweep, pause bool) error {
			*asked = append(*asked, s.Plan.Name+" paused")
			if !pause {
				t.Error("a sweep at work was told to go on")
			}
			return nil
		},
	}
}

func TestSweepsAreSeenPlannedAndSteered(t *testing.T) {
	var asked []string
	p := New(sweeping(t, &asked))
	r := viewtest.Open(t, p, 120, 30)
	r.Wait("the runs", p.any)
	r.Press("[")
	if !p.views.Is(sweepsView) {
		t.Fatal("the view before the first is not the sweeps")
	}
	r.Wait("the sweeps", func() bool { return p.sweeps.current() != nil })
	screen := r.Screen()
	for _, want := range []string{"drawing", "square_root", "0.954", "+2.4 (+1.3 … +3.4)",
		"square_root gains 2.4 points",
		"given up", "the disk is full", "running", "waiting"} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
	r.Press("B", "N")
	r.Type("tail SEEDS=x")
	r.Press("enter")
	if !strings.Contains(r.Screen(), "neither a number of seeds") {
		t.Errorf("what was refused is not said:\n%s", r.Screen())
	}
	r.Press("esc", "N")
	r.Type("tail SEEDS=2 LORA.R=4,8")
	r.Press("enter")
	if got := strings.Join(asked, "; "); got != "drawing paused; tail SEEDS=x; tail SEEDS=2 LORA.R=4,8" {
		t.Errorf("asked: %s", got)
	}
	if p.Capturing() {
		t.Error("the line is still open")
	}
}
