package main

import (
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/layout"
	"finetui/views/viewtest"
	"finetui/views/widget"
)

// What a pane's list of views holds is in help, palette and [KEYS] without anything else being touched.
func TestAViewThatIsAddedIsInHelpPaletteAndKeys(t *testing.T) {
	rung := false
	bell := views.View{Name: "Belfry", Boards: []*views.Board{views.NewBoard(layout.Panel("bell", 20, 5),
		views.Panel{Name: "bell", Draw: func(_ *widget.Theme, w, h int) string {
			return widget.Block("a bell hangs here", w, h)
		}})}, Actions: func() []views.Action {
		return []views.Action{{Name: "ring", Label: "ring", Help: "ring the bell", Group: "Belfry",
			Bound: views.To("b"), Run: func() tea.Cmd { rung = true; return nil }}}
	}}
	r := newRoot("drains", viewtest.NewSample("Data"), viewtest.NewSample("Config", bell))
	d := viewtest.OpenModel(t, r, 120, 32)
	if faults := views.CheckKeys(map[string]string{"ring": "B"}, r.everyAction()); faults != nil {
		t.Errorf("[KEYS] does not know its action: %q", faults)
	}
	if d.Press("ctrl+p").Type("belfry").Press("enter"); !d.Shows("a bell hangs here") || !d.Shows("b ring") {
		t.Errorf("its name in the palette leads to\n%s", d.Screen())
	}
	if d.Press("?").Press("/").Type("bell").Press("enter"); !d.Shows("ring the bell") {
		t.Errorf("the help is\n%s", d.Screen())
	}
	d.Press("esc", "esc", "1").Press("ctrl+p").Type("ring").Press("enter")
	if !rung || !d.Shows("a bell hangs here") {
		t.Errorf("its action in the palette leads to\n%s", d.Screen())
	}
	d.Send(views.Keys{"ring": "B"})
	if rung = false; !func() bool { d.Press("B"); return rung }() {
		t.Error("[KEYS] does not bind its action")
	}
}
