package views

import (
	"testing"

	tea "charm.land/bubbletea/v2"
)

func write(f *Filter, text string) {
	for _, r := range text {
		f.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
}

func TestFilterIsLiveBeginsEmptyAndEscBringsTheOldOneBack(t *testing.T) {
	var f Filter
	f.Open("filter", "")
	write(&f, "To")
	if f.Text() != "To" || !f.Passes("rock toe") || f.Passes("drain") {
		t.Fatalf("after two letters the filter is %q", f.Text())
	}
	f.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	if f.Writing() || f.Text() != "To" {
		t.Fatalf("enter left %q, writing %v", f.Text(), f.Writing())
	}
	f.Open("filter", "")
	if f.Text() != "" || !f.Passes("drain") {
		t.Fatalf("opened again it is %q", f.Text())
	}
	write(&f, "x")
	f.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	if f.Writing() || f.Text() != "To" {
		t.Fatalf("esc left %q", f.Text())
	}
	if !f.Clear() || f.Clear() || !f.Passes("drain") {
		t.Error("it is not taken off once")
	}
}

func TestFilterWantsEveryWordInOneText(t *testing.T) {
	var f Filter
	f.Set(" toe  Damaged ")
	for _, c := range []struct {
		texts []string
		want  bool
	}{
		{[]string{"Rock toe damaged"}, true},
		{[]string{"damaged toe", "x"}, true},
		{[]string{"rock toe", "slope damaged"}, false},
		{nil, false},
	} {
		if got := f.Passes(c.texts...); got != c.want {
			t.Errorf("%q passes: %v", c.texts, got)
		}
	}
}
