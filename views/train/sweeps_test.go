package train

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/run"
	"finetui/core/sweep"
	"finetui/views"
	"finetui/views/viewtest"
)

// sweeping is the pane's control with one sweep, half of it scored.
func sweeping(t *testing.T, asked *[]string, refuse error) Control {
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
		ForeseeSweep: func(_ context.Context, line string) (*sweep.Outlook, error) {
			plan, _, err := sweep.Read(file.Snapshot, line)
			for _, a := range plan.Axes {
				err = errors.Join(err, a.Check(file.Snapshot))
			}
			if err != nil {
				return nil, err
			}
			plan.Name, plan.Split = "tail", "test"
			variants := plan.Variants()
			return &sweep.Outlook{Plan: plan, Variants: variants, Runs: len(variants) * len(plan.Seeds), Steps: 1704,
				Time: 3 * time.Hour, Share: sweep.Share{Together: 2, Threads: 4}, Notes: []string{"a note"}}, nil
		},
		PlanSweep: func(_ context.Context, line string) (string, error) {
			*asked = append(*asked, line)
			return "tail", refuse
		},
		ForeseeSeeds: func(_ context.Context, s *sweep.Sweep, n int) (*sweep.Outlook, error) {
			return &sweep.Outlook{Plan: s.Plan, Variants: s.Plan.Variants(), Runs: 3 * n, Steps: 213 * n,
				Time: time.Hour}, nil
		},
		AddSeeds: func(_ context.Context, s *sweep.Sweep, n int) ([]int, error) {
			*asked = append(*asked, fmt.Sprintf("%s +%d", s.Plan.Name, n))
			return []int{3, 4}[:n], refuse
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
	p := New(sweeping(t, &asked, nil))
	p.sweeps.pause = 0
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
	r.Wait("what is wrong with it", func() bool { return p.sweeps.question.refused != nil })
	if !r.Shows("neither a number of seeds") {
		t.Errorf("what is wrong is not said:\n%s", r.Screen())
	}
	r.Press("esc", "N")
	r.Type("tail SEEDS=2 LORA.R=4,8")
	r.Wait("what it comes to", func() bool { return p.sweeps.question.outlook != nil })
	for _, want := range []string{"tail: 2 variants × 2 seeds = 4 runs, 1704 steps in all, about 3 hours",
		"2 runs at once, with 4 threads each", "a process of its own", "R 8", "! a note"} {
		if !r.Shows(want) {
			t.Errorf("the question lacks %q:\n%s", want, r.Screen())
		}
	}
	r.Press("up").Wait("one seed more", func() bool {
		return p.sweeps.question.outlook.Runs == 6
	})
	r.Press("enter")
	if got := strings.Join(asked, "; "); got != "drawing paused; tail SEEDS=3 LORA.R=4,8" {
		t.Errorf("asked: %s", got)
	}
	if p.Capturing() || !p.views.Is(sweepsView) {
		t.Error("the question is still open, or the sweeps are not seen")
	}
}

func TestSeedsAreAddedToTheSweepThatIsSeen(t *testing.T) {
	var asked []string
	p := New(sweeping(t, &asked, nil))
	p.sweeps.pause = 0
	r := viewtest.Open(t, p, 80, 22)
	r.Wait("the runs", p.any)
	r.Press("[")
	r.Wait("the sweeps", func() bool { return p.sweeps.current() != nil })
	r.Press("W").Wait("what a seed comes to", func() bool { return p.sweeps.question.outlook != nil })
	if !r.Shows("More seeds for drawing") || !r.Shows("3 runs, 213 steps") {
		t.Errorf("the question:\n%s", r.Screen())
	}
	r.Press("backspace")
	r.Type("x").Wait("what is wrong with it", func() bool { return p.sweeps.question.refused != nil })
	if !r.Shows("no number of seeds from 1 to 1000") {
		t.Errorf("what is wrong is not said:\n%s", r.Screen())
	}
	r.Press("backspace")
	r.Type("1")
	r.Press("up").Wait("two seeds", func() bool {
		return p.sweeps.question.refused == nil && p.sweeps.question.outlook.Runs == 6
	})
	r.Press("enter").Wait("the answer", func() bool { return p.sweeps.question == nil })
	if got := strings.Join(asked, "; "); got != "drawing +2" {
		t.Errorf("asked: %s", got)
	}
	if now := p.sweeps.current(); p.Capturing() || now == nil || now.Plan.Name != "drawing" {
		t.Error("the question is still open, or another sweep is seen")
	}
}

func TestASweepIsPlannedForAnotherPane(t *testing.T) {
	var asked []string
	refuse := errors.New("the disk is full")
	p := New(sweeping(t, &asked, refuse))
	p.sweeps.pause = 0
	r := viewtest.Open(t, p, 80, 22)
	r.Wait("the runs", p.any)
	r.Send(views.PlanSweep{Line: "SEEDS=3 RECIPE.SAMPLING=instance,square", From: "Config"})
	r.Wait("what is wrong with it", func() bool { return p.sweeps.question.refused != nil })
	if !r.Shows("square_root") { // the nearest
		t.Errorf("no other name is offered:\n%s", r.Screen())
	}
	r.Type("_root").Wait("what it comes to", func() bool { return p.sweeps.question.outlook != nil })
	r.Press("enter").Wait("the refusal", func() bool { return p.sweeps.question.refused != nil })
	if !r.Shows("the disk is full") {
		t.Errorf("why it was not started is not said:\n%s", r.Screen())
	}
	r.Press("esc").Wait("the way back", func() bool {
		var shown []string
		for _, msg := range r.Seen() {
			if show, ok := msg.(views.Show); ok {
				shown = append(shown, show.Pane)
			}
		}
		return strings.Join(shown, " ") == "Train Config"
	})
	if p.Capturing() {
		t.Error("the question is still open")
	}
}

// A project's first sweep is seen before its first run is there.
func TestSweepsAreSeenWithoutRuns(t *testing.T) {
	var asked []string
	c := sweeping(t, &asked, nil)
	empty := t.TempDir()
	c.Runs = func() string { return empty }
	p := New(c)
	p.sweeps.pause = 0
	r := viewtest.Open(t, p, 120, 30)
	r.Wait("the folder", func() bool { return p.list != nil })
	r.Send(views.PlanSweep{Line: "SEEDS=2 LORA.R=4,8"})
	r.Wait("what it comes to", func() bool { return p.sweeps.question.outlook != nil })
	r.Press("enter").Wait("the sweeps", func() bool { return p.sweeps.current() != nil })
	if !r.Shows("square_root gains 2.4 points") {
		t.Fatalf("the sweep is not seen:\n%s", r.Screen())
	}
	for _, a := range p.AllActions() { // none may need a run
		if a.On() {
			if a.Show != nil {
				a.Show()
			}
			a.Run()
			p.View(plainTheme, 120, 30)
		}
	}
	r.Press("esc", "esc")
	p.views.Show(overviewView)
	if !r.Shows("No runs yet") {
		t.Errorf("the other views show something without a run:\n%s", r.Screen())
	}
	r.Press("]")
	if !p.views.Is(sweepsView) {
		t.Error("no key leads back to the sweeps")
	}
}
