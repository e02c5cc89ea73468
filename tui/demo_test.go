package main

import (
	"strings"
	"testing"
)

// A demo's chain does not take another project's folder for its own.
func TestADemoLeavesAnotherProjectAlone(t *testing.T) {
	for _, c := range []struct{ preset, demo, format string }{{"qved", "demo", "qved"},
		{"drains", "demo qved", "auto"}} {
		t.Chdir(t.TempDir())
		if code, _, errs := verbAnswer(t, "new", c.preset); code != exitDone {
			t.Fatal(errs)
		}
		code, _, errs := verbAnswer(t, strings.Fields(c.demo)...)
		if code != exitCall || !strings.Contains(errs, c.format) || !strings.Contains(errs, "a folder of its own") {
			t.Errorf("%s in a project of %s: %d, %s", c.demo, c.preset, code, errs)
		}
	}
}
