package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/viewtest"
)

// demoWorkbench is the workbench on the demo's constants, in a folder of its own.
func demoWorkbench(t *testing.T) *root {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", configFile))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), raw, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	file, err := config.Load(configFile)
	return newWorkbench(file, err)
}

func TestEveryKeyHasOneMeaningInAllPanes(t *testing.T) {
	meaning := map[string]string{}
	for _, m := range views.Meanings {
		for _, key := range m.Keys {
			if other := meaning[key]; other != "" {
				t.Errorf("%q means %q and %q", key, other, m.Means)
			}
			meaning[key] = m.Means
		}
	}
	digit := regexp.MustCompile(`^[1-9]$`)
	used := map[string]bool{}
	for _, a := range demoWorkbench(t).everyAction() {
		if used[a.Name] = true; len(a.Keys()) == 0 {
			t.Errorf("%s (%s) has no key: write it into views.Meanings", a.Name, a.Help)
		}
		if own := a.Bound.Keys(); own != nil && !digit.MatchString(strings.Join(own, "")) {
			t.Errorf("%s binds %q beside views.Meanings", a.Name, own)
		}
	}
	for _, m := range views.Meanings {
		for _, name := range m.Does {
			if !used[name] {
				t.Errorf("%q: no pane has an action %s", m.Keys, name)
			}
		}
	}
}

// Two actions that can be run at the same time never share a key: the second could not be reached.
func TestNoViewOffersTwoActionsOnOneKey(t *testing.T) {
	r := demoWorkbench(t)
	r.w, r.h = 120, 32
	for i, pane := range r.panes {
		r.open = i
		seen := map[string]string{}
		for _, a := range r.actions() {
			for _, key := range a.Keys() {
				if other := seen[key]; other != "" && other != a.Name && a.On() &&
					!slices.Contains([]string{"left", "right"}, a.Name) {
					t.Errorf("%s: %q runs %s and %s", pane.Name(), key, other, a.Name)
				}
				if a.On() {
					seen[key] = a.Name
				}
			}
		}
	}
}

// Nor does help list a key twice under one heading, whatever view and panel are open: of two actions it is that of the
// one that it runs.
func TestHelpListsNoKeyTwiceUnderOneHeading(t *testing.T) {
	inFullProject(t)
	file, err := config.Load(configFile)
	if err != nil {
		t.Fatal(err)
	}
	r := newWorkbench(file, nil)
	d := viewtest.OpenModel(t, r, 140, 40)
	everyPane(d)
	d.Press("3").Wait("the run", func() bool { return d.Shows("0001-x") })
	seen := 0
	for _, pane := range []string{"1", "2", "3", "4"} {
		d.Press(pane)
		for range 12 { // views, of which no pane has more
			for range 6 { // panels
				sections := newHelp(r).sections()
				for _, section := range sections {
					var keys []string
					for _, a := range section {
						keys = append(keys, a.Keys()...)
					}
					slices.Sort(keys)
					if n := len(keys); len(slices.Compact(slices.Clone(keys))) != n {
						t.Errorf("%s, %s: the keys are %q", r.pane().Name(), section[0].Group, keys)
					}
				}
				seen += len(sections)
				d.Press("tab")
			}
			d.Press("]")
		}
	}
	if seen < 200 {
		t.Errorf("%d sections were seen", seen)
	}
	d.Press("1")
	for range 12 {
		if d.Shows("[Samples") {
			break
		}
		d.Press("]")
	}
	sheet := func(a views.Action) bool { return a.Name == "export_sheet" }
	export := func(a views.Action) bool { return a.Name == "export" }
	all := slices.Concat(newHelp(r).sections()...)
	if !slices.ContainsFunc(all, sheet) || slices.ContainsFunc(all, export) {
		t.Errorf("in Data's pictures e writes contact sheets, and help says otherwise:\n%s", d.Screen())
	}
}
