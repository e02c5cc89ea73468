package views

import (
	"context"
	"slices"
	"testing"

	tea "charm.land/bubbletea/v2"

	"finetui/views/layout"
)

// longLists is a pane of two views whose lists take long, with what they list, and what was worked out.
type longLists struct {
	*Views
	shown   map[string]int // the number that was listed last, by view
	worked  []string
	wanted  int
	waiting []tea.Cmd
}

func newLongLists() *longLists {
	x := &longLists{shown: map[string]int{}}
	view := func(name string, over *View) View {
		return View{Name: name, Boards: []*Board{NewBoard(layout.Panel("list", 10, 3))}, Over: over,
			List: func() Listing {
				delete(x.shown, name)
				n := x.wanted
				return func(context.Context) func() {
					x.worked = append(x.worked, name)
					return func() { x.shown[name] = n }
				}
			}}
	}
	over := View{Name: "over", Boards: []*Board{NewBoard(layout.Panel("list", 10, 3))}}
	x.Views = NewViews("Data", view("first", &over), view("second", nil))
	x.Long = func() bool { return true }
	return x
}

// ask asks for lists of the number n; answer answers what was asked, the oldest first.
func (x *longLists) ask(n int) {
	x.wanted = n
	x.Refresh()
	x.want()
}

func (x *longLists) want() {
	if cmd := x.Want(); cmd != nil {
		x.waiting = append(x.waiting, cmd)
	}
}

func (x *longLists) answer() {
	for len(x.waiting) > 0 {
		cmd := x.waiting[0]
		x.waiting = x.waiting[1:]
		x.Took(cmd().(Answer[Listed]))
		x.want()
	}
}

func TestOfLongListsOnlyTheLatestIsPutInItsPlace(t *testing.T) {
	x := newLongLists()
	x.ask(1)
	x.ask(2)
	if _, there := x.shown["first"]; there || !x.Listing() {
		t.Fatalf("%v is listed before an answer came", x.shown)
	}
	if x.answer(); x.shown["first"] != 2 || x.Listing() {
		t.Errorf("%v is listed", x.shown)
	}
	if x.answer(); len(x.worked) != 2 {
		t.Errorf("worked out: %v", x.worked)
	}
}

func TestALongListIsWorkedOutWhenItsViewIsSeen(t *testing.T) {
	x := newLongLists()
	x.ask(1)
	x.answer()
	x.AllActions()
	x.want()
	if x.answer(); slices.Contains(x.worked, "second") {
		t.Errorf("the list of a view that nobody saw was worked out for its actions: %v", x.worked)
	}
	x.ask(2)
	x.turn(1) // before the first one's answer
	x.want()
	if x.answer(); x.shown["second"] != 2 || x.shown["first"] == 2 {
		t.Fatalf("%v is listed", x.shown)
	}
	x.turn(-1)
	x.want()
	if x.answer(); x.shown["first"] != 2 {
		t.Errorf("the list that was left before it came is not worked out again: %v", x.shown)
	}
	x.Enter("first")
	x.ask(3)
	if x.answer(); x.shown["first"] != 3 {
		t.Errorf("below what lies over it %v is listed", x.shown)
	}
}

func TestAListThatIsNoMoreWantedDoesNotCome(t *testing.T) {
	x := newLongLists()
	x.ask(1)
	x.Forget()
	if x.answer(); len(x.shown) != 0 || x.Listing() {
		t.Errorf("%v is listed", x.shown)
	}
}
