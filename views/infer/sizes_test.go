package infer

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/config"
	"finetui/core/model"
	"finetui/core/project"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

func theme() *widget.Theme { return widget.NewTheme(true, true) }

func TestEveryViewFitsEverySize(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	d.Press("m", "enter", "t")
	answered(d, p)
	for _, view := range p.views.Names() {
		t.Run(view, func(t *testing.T) {
			p.views.Show(view)
			p.compareNow(d)
			viewtest.Sizes(t, func(w, h int) string { return p.View(theme(), w, h) })
		})
	}
}

// compareNow lets what the view lacks be asked for.
func (p *Pane) compareNow(d *viewtest.Driver) {
	d.Send(nil)
	settled(d, p)
}

// oddStates are panes in the states between the usual ones.
func oddStates(t *testing.T) map[string]*Pane {
	states := map[string]*Pane{}
	add := func(name string, file *config.File, f *fake, do func(p *Pane, d *viewtest.Driver)) {
		p := New(file, f.control())
		d := viewtest.OpenProject(t, p, file, project.ReadShared, 120, 30)
		if file != nil {
			settled(d, p)
		}
		if do != nil {
			do(p, d)
		}
		states[name] = p
	}
	press := func(keys ...string) func(*Pane, *viewtest.Driver) {
		return func(p *Pane, d *viewtest.Driver) { d.Press(keys...) }
	}
	whole, bare := lived(t), newProject(t)
	gated := newFake(t)
	gated.gate, gated.base = make(chan struct{}), &speaker{says: gated.base.says, gate: make(chan struct{}, 1)}
	gated.base.gate <- struct{}{}
	failing := newFake(t)
	failing.loadErr = errors.New("MODEL.BASE = \"nowhere\": there is no folder /somewhere/very/far/away/nowhere; " +
		"give \"tiny\", or the folder of a downloaded model")
	long := newFake(t)
	long.run = &speaker{says: func(model.Question) string {
		return strings.Repeat("the wall is made of stones 石 "+
			"and\nlean, ", 80)
	}}

	add("no file", nil, newFake(t), nil)
	opening := New(whole, newFake(t).control())
	opening.Update(views.Dataset{Reading: true})
	states["opening"] = opening
	missing := newProject(t)
	set(t, missing, "DATASET.PATH", "nowhere")
	add("no data set", missing, newFake(t), nil)
	add("no runs", bare, newFake(t), nil)
	add("no scores", bare, newFake(t), press("]"))
	add("no confusion", bare, newFake(t), press("]", "]"))
	add("nothing to compare", bare, newFake(t), press("]", "]", "]"))
	add("evaluating", bare, gated, press("b"))
	add("evaluating again", whole, gated, press("b", "]"))
	add("streaming", bare, gated, press("enter"))
	add("cannot load", whole, failing, press("m", "enter"))
	add("a long answer", whole, long, func(p *Pane, d *viewtest.Driver) {
		d.Press("enter")
		d.Wait("the answer", func() bool { return !p.ask.request.Pending() })
		p.views.Named(askView).Boards[0].Focus("answer")
		d.Press("pgdown", "down")
	})
	add("question", whole, newFake(t), press("i"))
	add("path", whole, newFake(t), func(p *Pane, d *viewtest.Driver) {
		d.Press("ctrl+o").Type("no\twhere").Press("enter")
	})
	add("runs to choose", whole, newFake(t), press("R"))
	add("picture file", whole, newFake(t), func(p *Pane, d *viewtest.Driver) {
		d.Press("ctrl+o").Type("data/test/images/slope_000.png").Press("enter")
		settled(d, p)
		d.Press("m", "enter")
	})
	add("zoomed", whole, newFake(t), press("+"))
	add("in words", whole, newFake(t),
		func(p *Pane, d *viewtest.Driver) { d.Send(tea.ColorProfileMsg{Profile: colorprofile.NoTTY}) })
	add("a broken evaluation", whole, newFake(t), func(p *Pane, d *viewtest.Driver) {
		p.views.Show(scoresView)
		p.now.kept[2].Result, p.now.kept[2].Fault = nil,
			errors.New("runs/0002-enhanced/eval/test.json is no evaluation: evaluate again")
	})
	add("notes", whole, newFake(t), func(p *Pane, d *viewtest.Driver) {
		p.views.Show(scoresView)
		p.now.settings[adapter].Notes = []string{"0002-enhanced was trained on another data set than the current " +
			"one (fingerprint 0123456789abcdef, now fedcba9876543210)."}
		p.now.kept[2].Older = true
	})
	add("one subject to compare", whole, newFake(t), func(p *Pane, d *viewtest.Driver) {
		p.views.Show(compareView)
		p.compare.of, p.compare.compared = versions(p.now.kept), compared{sides: p.now.kept[:1],
			left: []string{"0001-basic: it was asked with another closed list; evaluate it again"}}
	})
	return states
}

func TestEveryStateIsDrawnWhole(t *testing.T) {
	states := oddStates(t)
	var names []string
	for name := range states {
		names = append(names, name)
	}
	draw := func(name string) func(w, h int) string {
		return func(w, h int) string { return states[name].View(theme(), w, h) }
	}
	for _, name := range names {
		for _, size := range [][2]int{{60, 18}, {80, 22}, {120, 30}, {200, 58}} {
			if fault := viewtest.Fault(draw(name), size[0], size[1]); fault != "" {
				t.Errorf("%s at %v: %s", name, size, fault)
			}
		}
		if os.Getenv("FINETUI_SIZES") == "all" {
			viewtest.Sizes(t, draw(name))
		}
	}
	next := 0 // each size meets one of the states
	viewtest.Sizes(t, func(w, h int) string {
		next++
		return draw(names[next%len(names)])(w, h)
	})
}

func TestScreens(t *testing.T) {
	file := lived(t)
	for size, name := range map[[2]int]string{{120, 30}: "120x32", {80, 22}: "80x24"} {
		p, d := openPane(t, file, newFake(t), size[0], size[1])
		d.Press("enter")
		answered(d, p)
		d.Press("t", "down", "enter")
		answered(d, p)
		d.Golden("ask-" + name)
		d.Press("m", "enter")
		answered(d, p)
		d.Golden("side-by-side-" + name)
		d.Press("]")
		settled(d, p)
		d.Golden("scores-" + name)
		d.Press("]", "down", "right", "right", "right")
		settled(d, p)
		d.Golden("confusion-" + name)
		d.Press("]")
		settled(d, p)
		d.Press("up")
		d.Golden("compare-" + name)
	}
	f := newFake(t)
	f.gate = make(chan struct{})
	p, d := openPane(t, newProject(t), f, 80, 22)
	d.Press("b")
	settled(d, p)
	d.Golden("evaluating-80x24")
	_, d = openPane(t, nil, newFake(t), 80, 22)
	d.Golden("no-project-80x24")
}

// TestActionsDoNotFightOverKeys looks at what can be done in every view with every panel in focus.
func TestActionsDoNotFightOverKeys(t *testing.T) {
	p, d := openPane(t, lived(t), newFake(t), 120, 30)
	// in Ask these go from sample to sample in any panel
	over := map[string]bool{"left": true, "right": true, "h": true, "l": true}
	for _, view := range p.views.Names() {
		p.views.Show(view)
		p.compareNow(d)
		for _, panel := range p.views.Named(view).Boards[0].Panels {
			p.views.Named(view).Boards[0].Focus(panel.Name)
			taken := map[string]string{}
			for _, a := range p.Actions() {
				if a.Help == "" || a.Name == "" || a.Group == "" {
					t.Errorf("%s, %s: an action without name, help or group: %+v", view, panel.Name, a)
				}
				for _, key := range a.Keys() {
					if other := taken[key]; other != "" && a.On() && !(view == askView && over[key]) {
						t.Errorf("%s, %s: %q is both %s and %s", view, panel.Name, key, other, a.Name)
					}
					if a.On() {
						taken[key] = a.Name
					}
				}
			}
			for _, key := range []string{"?", ":", "ctrl+p", "esc", "q", "1", "2", "3", "4", "ctrl+c", "ctrl+z"} {
				if taken[key] != "" {
					t.Errorf("%s: the root's %q is taken by %s", view, key, taken[key])
				}
			}
		}
	}
}

func TestFirstScreenWaitsForNothing(t *testing.T) {
	p := New(lived(t), newFake(t).control())
	start := time.Now()
	p.Init()
	p.Update(tea.WindowSizeMsg{Width: 120, Height: 30})
	screen := p.View(theme(), 120, 30)
	if took := time.Since(start); took > 50*time.Millisecond {
		t.Errorf("the first screen took %v", took)
	}
	if !strings.Contains(viewtest.Draw(screen, 120, 30), "Opening the data set at data") {
		t.Error("the first screen does not say what is going on")
	}
}

var _ views.Leaver = (*Pane)(nil)

var _ Asker = (*session.Subject)(nil)
