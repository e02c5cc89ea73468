package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"finetui/core/run"
	"finetui/views/widget"
)

func TestACursorReadsEveryCurveAtAStep(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun)), 160, 40)
	d.Press("]") // Curves, its loss has the keyboard
	for _, keys := range [][]string{{"left"}, {"left", "left", "left"}, {"g"}, {"right"}, {"pgdown"}, {"G"}, {"left"}} {
		d.Press(keys...)
		at := slices.IndexFunc(p.current().history.Train, func(r *run.Train) bool {
			return float64(r.Step) == p.plot.window.cursor
		})
		if !p.plot.window.pointed || at < 0 {
			t.Fatalf("%q: the cursor is at %g, where no row is", keys, p.plot.window.cursor)
		}
		row := p.current().history.Train[at]
		smooth := p.plot.smoothed(p.current(), p.current().loss(false)).y[at]
		valid := math.NaN()
		for _, e := range p.current().history.Checks() {
			if e.Step <= row.Step {
				valid = float64(e.Loss)
			}
		}
		for _, want := range []string{"at step " + widget.Count(row.Step), "raw " + widget.Number(float64(row.Loss)),
			"smooth " + widget.Number(smooth), "valid " + widget.Number(valid), widget.Number(float64(row.LR)),
			widget.Number(float64(row.GradNorm)), widget.Number(float64(row.TokensPerSecond))} {
			if !d.Shows(want) {
				t.Errorf("%q: %q is not on\n%s", keys, want, d.Screen())
			}
		}
	}
	if d.Press("]"); !d.Shows("┊") { // the classes are read there, too
		t.Errorf("no cursor in Classes:\n%s", d.Screen())
	}
	d.Press("[")
	if d.Press("esc"); p.plot.window.pointed || d.Shows("┊") || !p.views.Is(curvesView) {
		t.Errorf("esc leaves the cursor:\n%s", d.Screen())
	}
}

func TestTheXAxisIsZoomedAndMovedAlong(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun)), 160, 40)
	x := &p.plot.window
	d.Press("]")
	if d.Press("<"); x.zoomed() {
		t.Error("there is nothing beside all of it")
	}
	places := p.places()
	first, last := places[0], places[len(places)-1]
	d.Press("z")
	if got := x.to - x.from; math.Abs(got-(last-first)/2) > 1e-9 {
		t.Fatalf("half of %g is %g", last-first, got)
	}
	length := x.to - x.from
	for _, c := range []struct {
		key string
		ok  func(from, to float64) bool
	}{
		{">", func(from, to float64) bool { return x.from > from && x.to > to }},
		{"<", func(from, to float64) bool { return x.from < from && x.to < to }},
		{"g", func(from, to float64) bool { return x.cursor >= from && x.from == from }},
		{"left", func(from, _ float64) bool { return x.cursor < from && x.from == x.cursor }},
	} {
		from, to := x.from, x.to
		d.Press(c.key)
		if !c.ok(from, to) || math.Abs(x.to-x.from-length) > 1e-9 || x.from < first || x.to > last {
			t.Errorf("%s: %g … %g from %g … %g, cursor %g", c.key, x.from, x.to, from, to, x.cursor)
		}
	}
	for range 20 {
		d.Press("z")
	}
	if n := countIn(places, x.from, x.to); n < least {
		t.Errorf("%d rows are left", n)
	}
	if x.cursor < x.from || x.cursor > x.to {
		t.Errorf("the cursor at %g is out of %g … %g", x.cursor, x.from, x.to)
	}
	if d.Press("esc", "esc"); x.zoomed() || x.pointed {
		t.Error("esc leaves cursor and zoom")
	}
	d.Press("z", "Z")
	if x.zoomed() {
		t.Error("twice as much as half is all")
	}
	if d.Press("z", "X"); x.zoomed() {
		t.Error("steps are no times of day: another axis shows all")
	}
}

func TestAMarkedRunStaysOnTheCurves(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun, killedRun)), 160, 40)
	d.Press("J", "space", "K").Wait("both", p.allRead)
	if e := p.selected(); e.run.Label() != "0002-enhanced" {
		t.Fatalf("%s is selected", e.run.Label())
	}
	if !d.Shows("A 0001-basic") {
		t.Errorf("the marked run is not on the loss:\n%s", d.Screen())
	}
	if d.Press("]", "left"); strings.Count(d.Screen(), "A 0001-basic") < 4 {
		t.Errorf("the marked run is not on every curve:\n%s", d.Screen())
	}
}

func TestAnyFigureOfTheRowsCanBeDrawn(t *testing.T) {
	p, d := open(t, control(folder(t, doneRun)), 160, 40)
	if d.Press("]"); !d.Shows(usualMetric) {
		t.Errorf("the usual figure is not there:\n%s", d.Screen())
	}
	names := p.current().metrics()
	for _, want := range []string{"loss", "seconds_backward", "valid_macro_f1", "class_loss/Toe drain",
		"recall/Toe drain", "cpu", "rss"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is none of %q", want, names)
		}
	}
	if d.Press("F"); !p.Capturing() || !d.Shows("Which figure is drawn") {
		t.Fatalf("nothing is asked:\n%s", d.Screen())
	}
	d.Type("macro").Press("enter")
	last := p.current().metric("valid_macro_f1", &p.plot).last()
	if p.Capturing() || !d.Shows("valid_macro_f1") || !d.Shows(widget.Number(last)) {
		t.Errorf("it is not drawn:\n%s", d.Screen())
	}
	checks := p.current().history.Checks()
	if last != float64(checks[len(checks)-1].MacroF1) {
		t.Errorf("%g is not the newest", last)
	}
	if d.Press("F", "esc"); p.metric.name != "valid_macro_f1" {
		t.Errorf("esc chooses %s", p.metric.name)
	}
}
