package config

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/views/viewtest"
)

// states are what the pane can look like, each reached by keys from a fresh project.
var states = []struct {
	name string
	file func(text string) string
	open func(t *testing.T, p *Pane, d *viewtest.Driver)
}{
	{name: "list", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {}},
	{name: "number", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		at(p, "TRAIN.EPOCHS")
		clear(d.Press("enter")).Type("12")
	}},
	{name: "choice", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		at(p, "RECIPE.SAMPLING")
		d.Press("enter", "down")
	}},
	{name: "ticks", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		at(p, "LORA.TARGETS")
		d.Press("enter", "down", "down", "down", "down", "space")
	}},
	{name: "text", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		at(p, "INFER.PROMPT")
		d.Press("enter").Type("What state is the drain in, and how sure are you of it?")
	}},
	{name: "words", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		at(p, "DATASET.CONDITIONS")
		d.Press("enter").Type(", eroded")
	}},
	{name: "path", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		for _, folder := range []string{"data", "data-night", "data-winter"} {
			if err := os.MkdirAll(filepath.Join(p.file.Root, "demo", folder), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		at(p, "DATASET.PATH")
		clear(d.Press("enter")).Type("demo/da")
		d.Wait("the completions", func() bool { return len(p.editor.found) == 3 })
	}},
	{name: "refused", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		at(p, "LORA.DROPOUT")
		clear(d.Press("enter")).Type("1.5").Press("enter")
	}},
	{name: "changed", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		for _, c := range [][2]string{{"TRAIN.EPOCHS", "12"}, {"TRAIN.SAVE_EVERY", "70"}, {"MODEL.MAX_PIXELS", "1000"},
			{"RECIPE.SAMPLING", "instance"}} {
			put(d, p, c[0], c[1])
		}
		at(p, "MODEL.MIN_PIXELS")
	}},
	{name: "diff", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		for _, c := range [][2]string{{"TRAIN.EPOCHS", "12"}, {"RECIPE.SAMPLING", "instance"}} {
			put(d, p, c[0], c[1])
		}
		d.Press("D")
	}, file: func(text string) string { return strings.Replace(text, "R = 16", "R = 8", 1) }},
	{name: "presets", open: func(t *testing.T, p *Pane, d *viewtest.Driver) { d.Press("p", "down", "down") }},
	{name: "filter", open: func(t *testing.T, p *Pane, d *viewtest.Driver) { d.Press("/").Type("learning rate") }},
	{name: "nothing", open: func(t *testing.T, p *Pane,
		d *viewtest.Driver) {
		d.Press("/").Type("zebra").Press("enter")
	}},
	{name: "key", open: func(t *testing.T, p *Pane, d *viewtest.Driver) { d.Press("G", "enter").Type("sa") }},
	{name: "conflict", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		put(d, p, "TRAIN.EPOCHS", "12")
		if err := os.WriteFile(p.path, []byte("[TRAIN]\nEPOCHS = 2\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		d.Press("s").Wait("the question", func() bool { return p.question != nil })
	}},
	{name: "unestimated", open: func(t *testing.T, p *Pane, d *viewtest.Driver) {
		p.control.Estimate = func(context.Context, *config.Config) (Consequences, error) {
			return Consequences{}, errors.New("demo/data: no data set is there; `finetui new demo` makes one, or set DATASET.PATH")
		}
		p.effects.base = nil
		put(d, p, "TRAIN.EPOCHS", "12")
		d.Wait("the error", func() bool { return p.effects.err != nil })
	}},
}

func TestScreens(t *testing.T) {
	for _, state := range states {
		for _, size := range [][2]int{{120, 30}, {80, 22}} {
			name := fmt.Sprintf("%s-%dx%d", state.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				p, d := opened(t, project(t, state.file), size[0], size[1])
				state.open(t, p, d)
				settled(d, p)
				d.Golden(name)
			})
		}
	}
}

func TestLargeScreen(t *testing.T) {
	p, d := opened(t, project(t, nil), 200, 58)
	at(p, "TRAIN.LEARNING_RATE")
	settled(d, p).Press("u").Golden("list-200x58")
	if p.Status() != "[ ] section: TRAIN" {
		t.Errorf("the status is %q", p.Status())
	}
}

func TestSmallestScreen(t *testing.T) {
	p, d := opened(t, project(t, nil), 60, 18)
	at(p, "TRAIN.LEARNING_RATE")
	settled(d, p).Press("tab", "tab").Golden("list-60x18")
	if !d.Shows("[Consequences]") {
		t.Errorf("tab does not reach the consequences:\n%s", d.Screen())
	}
}

// TestEveryStateIsDrawnWholeAtEverySize draws the list at every size that Sizes takes, and what is the list with
// something open at fewer of them; FINETUI_SIZES=all takes all.
func TestEveryStateIsDrawnWholeAtEverySize(t *testing.T) {
	for _, state := range states {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			p, d := opened(t, project(t, state.file), 120, 30)
			state.open(t, p, d)
			draw := func(w, h int) string { return p.View(theme, w, h-2) + "\n\n" }
			if state.name == "list" || state.name == "changed" || os.Getenv("FINETUI_SIZES") == "all" {
				viewtest.Sizes(t, draw)
				return
			}
			for w := 60; w <= 200; w += 3 {
				for h := 20 + w%5; h <= 60; h += 5 {
					if fault := viewtest.Fault(draw, w, h); fault != "" {
						t.Fatalf("at %d×%d: %s", w, h, fault)
					}
				}
			}
		})
	}
}

func TestBrokenFileIsShownWithItsPlace(t *testing.T) {
	path := project(t, func(text string) string {
		return strings.Replace(strings.Replace(text, "EPOCHS = 6", "EPOCHS = six", 1), "R = 16", "R = 16", 1)
	})
	for _, size := range [][2]int{{120, 30}, {80, 22}} {
		p, d := opened(t, path, size[0], size[1])
		p.broken = errors.New(strings.ReplaceAll(p.broken.Error(), filepath.Dir(path)+"/", ""))
		d.Golden(fmt.Sprintf("broken-%dx%d", size[0], size[1]))
		viewtest.Sizes(t, func(w, h int) string { return p.View(theme, w, h) })
	}
}
