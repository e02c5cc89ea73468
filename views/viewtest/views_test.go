package viewtest

import (
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// page is a view of one panel with a text.
func page(name, text string) views.View {
	draw := func(_ *widget.Theme, w, h int) string { return widget.Block(text, w, h) }
	return views.View{Name: name, Boards: []*views.Board{views.NewBoard(layout.Panel("text", 20, 5),
		views.Panel{Name: "text", Draw: draw})}}
}

func TestAViewThatIsAddedToTheListIsWhole(t *testing.T) {
	rung := 0
	third := page("Third", "here I am")
	third.Label = func() string { return "Third(7)" }
	third.Copy = func() string { return "copied of it" }
	third.Actions = func() []views.Action {
		return []views.Action{{Name: "ring", Help: "ring the bell", Group: "Third", Bound: views.To("b"),
			Run: func() tea.Cmd { rung++; return nil }}}
	}
	third.Status = func() string { return " · ready to ring" }
	p := NewSample("Data", third)
	d := Open(t, p, 120, 30).Press("]", "]")
	if !d.Shows("here I am") {
		t.Fatalf("after two brackets:\n%s", d.Screen())
	}
	if got, want := p.Status(), "[ ] view: Overview Loss [Third(7)] · ready to ring"; got != want {
		t.Errorf("the bottom line is %q", got)
	}
	if d.Press("b"); rung != 1 {
		t.Error("its key does nothing")
	}
	if d.Press("y"); !slices.Contains(d.Seen(), tea.Msg(views.Clipboard{Text: "copied of it"})) {
		t.Error("nothing of it is copied")
	}
	if d.Press("["); d.Shows("here I am") || !d.Shows("Loss") {
		t.Errorf("[ leads to\n%s", d.Screen())
	}
	ring := slices.IndexFunc(p.AllActions(), func(a views.Action) bool { return a.Name == "ring" })
	if ring < 0 {
		t.Fatal("its action is not among all")
	}
	if faults := views.CheckKeys(map[string]string{"ring": "x"}, p.AllActions()); faults != nil {
		t.Errorf("[KEYS] does not know it: %q", faults)
	}
	if p.AllActions()[ring].Show(); !p.views.Is("Third") {
		t.Error("its action does not bring it to the front")
	}
	p.views.Show("Overview")
	jump := slices.IndexFunc(p.Jumps(), func(j views.Jump) bool { return j.Text == "Data · Third" })
	if jump < 0 {
		t.Fatal("the palette does not lead to it")
	}
	if p.Jumps()[jump].Go(); !p.views.Is("Third") {
		t.Error("the palette leads elsewhere")
	}
	Sizes(t, func(w, h int) string { return p.View(widget.NewTheme(true, true), w, h) })
}

func TestEscLeavesWhatLiesOverAViewAndAViewThatLeadsBack(t *testing.T) {
	over, back := page("Close-up", "larger"), page("Aside", "a while")
	album := page("Album", "many")
	album.Over, back.Back = &over, true
	p := NewSample("Data", album, back)
	d := Open(t, p, 120, 30)
	p.views.Enter("Album")
	if !d.Shows("larger") || !p.views.Is("Album") || !p.views.Is("Close-up") {
		t.Fatalf("entered:\n%s", d.Screen())
	}
	if d.Press("[", "]"); !d.Shows("larger") {
		t.Error("turning away and back closed it")
	}
	if d.Press("esc"); !d.Shows("many") || !p.views.Is("Album") {
		t.Errorf("esc leads to\n%s", d.Screen())
	}
	if d.Press("]", "esc"); !p.views.Is("Album") {
		t.Errorf("esc in Aside leads to %s", p.views.View().Name)
	}
	if p.Leave() {
		t.Error("an ordinary view is left by esc")
	}
}

func TestABoardOfAnotherSizeKeepsThePanelWithTheKeyboard(t *testing.T) {
	one := page("x", "text").Boards[0].Panels[0]
	two := views.Panel{Name: "two", Draw: one.Draw}
	node := layout.Row(layout.Panel("text", 20, 5), layout.Panel("two", 20, 5))
	small, large := views.NewBoard(node, one, two), views.NewBoard(node, one, two)
	v := views.NewViews("Data", views.View{Name: "Two sizes", Boards: []*views.Board{small, large},
		Pick: func(w, _ int) *views.Board {
			if w < 100 {
				return small
			}
			return large
		}})
	v.Place(80, 20)
	v.Board().Focus("two")
	v.Place(120, 20)
	if v.Board() != large || v.Board().Focused() != "two" {
		t.Errorf("after the resize %q has the keyboard", v.Board().Focused())
	}
}
