package config

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/recipe"
	"finetui/views"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// drains is a data set with the train counts of the slope drains, nine classes in one picture each.
func drains() *dataset.Dataset {
	d := &dataset.Dataset{Splits: []string{"train"}}
	for i, c := range []struct {
		name  string
		train int
	}{{"Toe drain", 39}, {"Toe drain- Blocked", 63}, {"Toe drain- Damaged", 57}, {"rock toe", 121},
		{"rock toe damaged", 280}, {"slope drain", 196}, {"slope drain blocked", 76}, {"slope drain damaged", 111},
		{"vegetation", 186}} {
		object, condition, _ := strings.Cut(strings.ToLower(c.name), "damaged")
		_ = condition
		class := dataset.Class{Name: c.name, Object: strings.Trim(object, " -"), Condition: "normal"}
		d.Classes = append(d.Classes, class)
		item := dataset.Item{ID: fmt.Sprint("train/", i), Split: "train"}
		for range c.train {
			item.Objects = append(item.Objects, dataset.Object{Class: i, Box: dataset.Box{X1: 0.5, Y1: 0.5}})
		}
		d.Items = append(d.Items, item)
	}
	return d
}

// estimate is a lead's estimate in small.
func estimate(_ context.Context, cfg *config.Config) (Consequences, error) {
	built, err := recipe.Build(drains(), cfg)
	if err != nil {
		return Consequences{}, err
	}
	table := recipe.Mass(built, nil)
	c := Consequences{TrainSamples: int(math.Round(table.SamplesAfter)), MassBefore: table.ImbalanceBefore,
		MassAfter: table.ImbalanceAfter,
		Trainable: 3328 * cfg.LoRA.R * len(cfg.LoRA.Targets), VisualTokens: fmt.Sprintf("%d", cfg.Model.MaxPixels/784),
		MemoryBytes: 612 << 20}
	plan := config.PlanSteps(cfg.Train, c.TrainSamples)
	c.StepsPerEpoch, c.Steps, c.Warmup, c.EffectiveBatch = plan.PerEpoch, plan.Total, plan.Warmup, plan.Batch
	for _, problem := range config.ValidateSteps(cfg.Train, c.TrainSamples) {
		c.Notes = append(c.Notes, problem.Key+" "+problem.Text)
	}
	return c, nil
}

// project writes a config.toml of the preset demo, changed as told, into a folder of its own.
func project(t testing.TB, change func(text string) string) string {
	t.Helper()
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	text := string(file.Raw())
	if change != nil {
		text = change(text)
	}
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// opened is a pane on a file, driven at w×h.
func opened(t testing.TB, path string, w, h int) (*Pane, *viewtest.Driver) {
	t.Helper()
	file, err := config.Load(path)
	p := New(Options{Path: path, File: file, Err: err,
		Control: Control{Estimate: estimate, Actions: func() []string { return []string{"save", "undo"} }}})
	p.effects.pause = 0
	return p, viewtest.Open(t, p, w, h)
}

// at moves the cursor to a constant.
func at(p *Pane, name string) { p.list.selectName(name) }

// put changes a constant as a person does: enter, the value, enter.
func put(d *viewtest.Driver, p *Pane, name, value string) {
	at(p, name)
	d.Press("enter")
	switch {
	case p.editor == nil: // a switch
	case p.editor.choice != nil:
		for range p.editor.choice.Options {
			d.Press("up")
		}
		for p.editor.text() != value {
			d.Press("down")
		}
		d.Press("enter")
	default:
		clear(d).Type(value).Press("enter")
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// clear empties a prompt.
func clear(d *viewtest.Driver) *viewtest.Driver { return d.Press("ctrl+e", "ctrl+u") }

// says waits for a sentence to be shown.
func says(d *viewtest.Driver, text string) {
	d.Wait(fmt.Sprintf("%q", text), func() bool {
		for _, msg := range d.Seen() {
			if toast, ok := msg.(views.Toast); ok && toast.Text == text {
				return true
			}
		}
		return false
	})
}

// settled waits for the consequences.
func settled(d *viewtest.Driver, p *Pane) *viewtest.Driver {
	return d.Wait("the consequences", func() bool { return !p.effects.guessing.Pending() })
}

func count[T tea.Msg](d *viewtest.Driver) (n int) {
	for _, msg := range d.Seen() {
		if _, ok := msg.(T); ok {
			n++
		}
	}
	return n
}

var theme = widget.NewTheme(true, true)
