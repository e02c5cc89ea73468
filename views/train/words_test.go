package train

import (
	"context"
	"errors"
	"strings"
	"testing"

	"finetui/core/dataset"
	"finetui/core/level"
	"finetui/core/run"
)

func TestARunThatStopsSaysWhenNotHowLongTheRestWouldTake(t *testing.T) {
	c := control(folder(t, runningRun))
	c.Stop = run.RequestStop
	_, d := open(t, c, 120, 30)
	if !d.Shows(" left, until ") {
		t.Fatalf("the time left is not on:\n%s", d.Screen())
	}
	d.Press("x")
	d.Wait("the state", func() bool { return d.Shows("◐ stopping") })
	if d.Shows(" left, until ") || !d.Shows("it stops at step 450") {
		t.Errorf("while it stops:\n%s", d.Screen())
	}
	d.Press("x")
	d.Wait("the words", func() bool { return d.Shows("it stops in a moment") })
}

func TestKeysThatCannotDoWhatTheySaySayWhyAndAreNotOffered(t *testing.T) {
	for _, c := range []struct {
		run       made
		key, says string
	}{
		{doneRun, "r", "0001-basic is done: there is nothing to resume"},
		{doneRun, "x", "0001-basic is done: there is nothing to stop"},
		{runningRun, "r", "0001-enhanced is running: there is nothing to resume"},
		{killedRun, "x", "0001-enhanced is killed already: nothing works on it"},
		{doneRun, "P", "the display is held; no run goes on now"},
	} {
		p, d := open(t, control(folder(t, c.run)), 120, 30)
		d.Press(c.key)
		said(t, d, c.says)
		for _, a := range p.Actions() {
			if a.Has(c.key) && a.Label != "" && c.key != "P" {
				t.Errorf("%s is offered as %q", c.key, a.Label)
			}
		}
	}
}

func TestABeginningRunSaysWhatItDoes(t *testing.T) {
	m := runningRun
	m.done = 0
	_, d := open(t, control(folder(t, m)), 120, 30)
	d.Wait("the last line of its log", func() bool { return d.Shows("features of 1129 pictures in 21.4 s") })
	if !d.Shows("the first steps:") {
		t.Errorf("what it does is not on:\n%s", d.Screen())
	}
}

func TestFindingsStandWorstFirstAndAreAllReached(t *testing.T) {
	c := control(folder(t, doneRun))
	var found []dataset.Finding
	for range 30 {
		found = append(found, dataset.Finding{Level: level.Info, Text: "a note"})
	}
	found = append(found, dataset.Finding{Level: level.Warn, Text: "one picture leaks"},
		dataset.Finding{Level: level.Error, Text: "ids past the list"})
	c.Lint = func(context.Context) ([]dataset.Finding, error) { return found, nil }
	starts := 0
	c.Start = func(context.Context, string) (*run.Run, []dataset.Finding, error) {
		starts++
		return nil, found, errors.New("the recipe has an error")
	}
	_, d := open(t, c, 80, 22)
	d.Press("n")
	d.Wait("the findings", func() bool { return d.Shows("ids past the list") })
	screen := d.Screen()
	if e, w, n := strings.Index(screen, "ids past"), strings.Index(screen, "one picture leaks"),
		strings.Index(screen, "a note"); !(e < w && w < n) {
		t.Errorf("their order:\n%s", screen)
	}
	if d.Shows("enter starts it ") || !d.Shows("enter checks it again") {
		t.Errorf("what enter does:\n%s", screen)
	}
	d.Press("enter")
	d.Wait("the refusal", func() bool { return starts == 1 && d.Shows("the recipe has an error") })
}

func TestAShareOfTheCoresThatOthersTakeIsSaid(t *testing.T) {
	m := runningRun
	m.change = func(rows []run.Row) {
		for _, row := range rows {
			if s, ok := row.(*run.System); ok {
				*s.CPU = 16
			}
		}
	}
	_, d := open(t, control(folder(t, m)), 200, 58)
	d.Wait("the word", func() bool { return d.Shows("it gets 16 % of the cores") })
	_, d = open(t, control(folder(t, runningRun)), 200, 58)
	if d.Shows("of the cores: other") {
		t.Errorf("of a run that has them all:\n%s", d.Screen())
	}
}
