package views

import (
	"slices"
	"testing"

	"finetui/views/layout"
)

func TestAViewIsWorkedOutAnewWhenItIsSeen(t *testing.T) {
	var refreshed []string
	view := func(name string, over *View) View {
		return View{Name: name, Boards: []*Board{NewBoard(layout.Panel("list", 10, 3))}, Over: over,
			Refresh: func() { refreshed = append(refreshed, name) }}
	}
	over := view("over", nil)
	for _, c := range []struct {
		name string
		do   func(v *Views)
		want []string
	}{
		{"only the one that is seen, at once", func(*Views) {}, []string{"first"}},
		{"the others as they are turned to, once", func(v *Views) { v.turn(1); v.turn(-1); v.turn(1) },
			[]string{"first", "second"}},
		{"what lies over one", func(v *Views) { v.Enter("second"); v.Leave() }, []string{"first", "second", "over"}},
		{"one that is shown by name", func(v *Views) { v.Show("third"); v.Leave() }, []string{"first", "third"}},
		{"all, where their actions are asked for", func(v *Views) { v.AllActions() },
			[]string{"first", "second", "over", "third"}},
		{"again after the next change", func(v *Views) { v.turn(1); v.Refresh() }, []string{"first", "second",
			"second"}},
	} {
		v := NewViews("Data", view("first", nil), view("second", &over), view("third", nil))
		v.views[2].Back = true
		refreshed = nil
		v.Refresh()
		if c.do(v); !slices.Equal(refreshed, c.want) {
			t.Errorf("%s: %v, want %v", c.name, refreshed, c.want)
		}
	}
}
