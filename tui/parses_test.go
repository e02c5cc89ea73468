package main

import (
	"testing"

	"finetui/core/config"
	"finetui/views"
	configpane "finetui/views/config"
	"finetui/views/viewtest"
)

// The Config pane alone parses a text: what the Data and Infer panes and the runs' commands use is the same snapshot.
func TestTheWorkbenchParsesAChangedTextOnce(t *testing.T) {
	file, err := config.Preset("demo")
	if err != nil {
		t.Fatal(err)
	}
	configpane.New(configpane.Options{File: file}) // the presets are parsed once in the program's life
	r := demoWorkbench(t)
	before := config.Parsed() // config.toml itself is parsed
	costs := func(what string, want int64) {
		t.Helper()
		if n := config.Parsed() - before; n != want {
			t.Errorf("%s: %d texts were parsed, want %d", what, n, want)
		}
		before = config.Parsed()
	}
	d := viewtest.OpenModel(t, r, 120, 32)
	d.Press("2")
	costs("opening", 0)
	d.Press("/").Type("LOG_EVERY").Press("enter", "enter").Type("0")
	costs("writing a value", 0)
	d.Press("enter")
	costs("taking it", 1)
	d.Press("1", "3", "4", "2")
	costs("looking at every pane", 0)
	if file, err := r.current.file(); err != nil || file.Config.Train.LogEvery != 50 {
		t.Errorf("a run would be started with %+v, %v", file.Config.Train, err)
	}
	costs("what a run would be started with", 0)
	d.Press("u")
	d.Send(views.DatasetChanged{})
	costs("taking it back and reading the data again", 0)
}
