package views

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"finetui/views/widget"
)

// View is one screen of a pane: a board, and what can be done while it is seen. Only Name and Boards are needed. A pane
// lists its views in NewViews, and that line is all that a new one takes: turning to it, drawing, the mouse, its
// actions in help, palette and [KEYS], its name on the bottom line and esc come from Views.
type View struct {
	Name  string        // on the bottom line, in the palette, for Show
	Label func() string // the name with what counts in it, "Findings(3)"; nil: Name

	Boards []*Board              // one, or several of which Pick shows one
	Pick   func(w, h int) *Board // by the room there is, or by what there is to see; nil: the first
	Over   *View                 // a screen that is opened from this one (Views.Enter) and closed by esc; nil: none
	Back   bool                  // esc leads back to the view that was open before

	Actions func() []Action // whichever of its panels has the keyboard
	Leave   func() bool     // closes the uppermost layer of its own, below a zoom, and says whether there was one
	Status  func() string   // behind the names on the bottom line
	Copy    func() string   // what it shows as text, for the clipboard
	Refresh func()          // works out what it lists, after what the views share has changed; see Views.Refresh
	List    func() Listing  // works out what of it is as long as the data set; see Listing
	Want    func() tea.Cmd  // asks for what it shows and nobody has been asked for yet; see Views.Want
}

// Listing works out a list that is as long as the data set. View.List makes it in Update, of what is asked for then; it
// runs beside the screen, where it reads nothing that Update changes, and returns what puts the list in its place, in
// Update again. Of several only the latest is put there; until then the list is to be empty. Where the set is small all
// that is done at once.
type Listing func(ctx context.Context) (put func())

// board is the one that is shown in w×h cells.
func (v *View) board(w, h int) *Board {
	if v.Pick != nil {
		return v.Pick(w, h)
	}
	return v.Boards[0]
}

// Views are the screens of a pane, one of which is seen. A pane hands on to it what every pane needs.
type Views struct {
	// Ready says whether there is anything to show; nil: always. Until then no action of a view can be run.
	Ready func() bool

	// Long says whether lists take so long that a key would wait for them; nil: never.
	Long func() bool

	// Turned is run when the user turns to another view; nil: nothing is to be done.
	Turned func() tea.Cmd

	pane   string
	views  []View
	over   []bool // of each view: what lies over it is open
	open   int
	before int            // where a view with Back leads to
	stale  map[*View]bool // what follows for them is to be worked out anew before they are seen
	w, h   int

	unlisted map[*View]bool // so is their list
	listing  Request
	list     Listing // which the next Want asks for; nil: none
	listed   *View   // whose list is awaited; nil: none is
}

// Listed is the answer to a Listing.
type Listed struct{ put func() }

// NewViews are the views of the pane of that name, in the order of the brackets; the first one is open.
func NewViews(pane string, list ...View) *Views {
	return &Views{pane: pane, views: list, over: make([]bool, len(list))}
}

// Names are the views' names.
func (v *Views) Names() []string {
	names := make([]string, len(v.views))
	for i, view := range v.views {
		names[i] = view.Name
	}
	return names
}

// View is the one that is seen, or what lies over it.
func (v *Views) View() *View {
	if view := &v.views[v.open]; !v.over[v.open] {
		return view
	}
	return v.views[v.open].Over
}

// Is says whether the view of that name is seen: itself, or what lies over it where name is that one's or the view's.
func (v *Views) Is(name string) bool { return v.views[v.open].Name == name || v.View().Name == name }

// Named is the view of that name, or what lies over a view by its own; nil where there is none.
func (v *Views) Named(name string) *View {
	for i := range v.views {
		switch view := &v.views[i]; {
		case view.Name == name:
			return view
		case view.Over != nil && view.Over.Name == name:
			return view.Over
		}
	}
	return nil
}

// Show opens the view of that name, without what may lie over it.
func (v *Views) Show(name string) { v.front(name, false) }

// Enter opens what lies over the view of that name.
func (v *Views) Enter(name string) { v.front(name, true) }

func (v *Views) front(name string, over bool) {
	for i, view := range v.views {
		if view.Name == name {
			v.set(i, over && view.Over != nil)
		}
	}
}

func (v *Views) set(i int, over bool) {
	if !v.views[v.open].Back {
		v.before = v.open
	}
	v.open, v.over[i] = i, over
	v.see()
}

// turn goes n views on.
func (v *Views) turn(n int) tea.Cmd {
	i := (v.open + n + len(v.views)) % len(v.views)
	v.set(i, v.over[i])
	return v.turned()
}

func (v *Views) turned() tea.Cmd {
	if v.Turned == nil {
		return nil
	}
	return v.Turned()
}

// Board is the one that is seen.
func (v *Views) Board() *Board { return v.View().board(v.w, v.h) }

// Place tells every board how large the pane is. Where that brings another board of a view to the front, its panel
// with the keyboard stays the same.
func (v *Views) Place(w, h int) {
	before := make(map[*View]*Board)
	v.each(func(view *View) { before[view] = view.board(v.w, v.h) })
	v.w, v.h = w, h
	v.each(func(view *View) {
		for _, board := range view.Boards {
			board.Place(0, 0, w, h)
		}
		if now := view.board(w, h); now != before[view] {
			now.Focus(before[view].Focused())
		}
	})
}

// Size is the room of the pane in cells.
func (v *Views) Size() (w, h int) { return v.w, v.h }

// each goes through the views and what lies over them.
func (v *Views) each(do func(view *View)) {
	for i := range v.views {
		do(&v.views[i])
		if over := v.views[i].Over; over != nil {
			do(over)
		}
	}
}

// Want asks for what the view that is seen lacks. A pane calls it after each message and each action.
func (v *Views) Want() tea.Cmd {
	var list, want tea.Cmd
	if work := v.list; work != nil {
		v.list = nil
		list = Ask(&v.listing, func(ctx context.Context) (Listed, error) { return Listed{work(ctx)}, ctx.Err() })
	}
	if view := v.View(); view.Want != nil && v.ready() {
		want = view.Want()
	}
	return tea.Batch(list, want)
}

// Listing says whether the list of the view that is seen, or of what it lies over, is on its way.
func (v *Views) Listing() bool { return v.listed != nil && v.listed == &v.views[v.open] }

// Took puts the list in its place that was asked for last.
func (v *Views) Took(msg Answer[Listed]) {
	if v.listing.Takes(msg.Ticket) {
		v.unlist()
		msg.Value.put()
	}
}

// Forget lets no list come that was asked for: what it is of is not there any more.
func (v *Views) Forget() { v.unlist() }

func (v *Views) unlist() {
	v.listing.Close()
	v.list, v.listed = nil, nil
}

// Refresh lets every view work out anew what it lists: the one that is seen at once, or as soon as Want is called where
// that takes long; each other before it is seen.
func (v *Views) Refresh() {
	v.stale, v.unlisted = map[*View]bool{}, map[*View]bool{}
	v.each(func(view *View) { v.stale[view], v.unlisted[view] = true, view.List != nil })
	v.see()
}

// see works out what the view that is seen lists, and before it what it lies over, by whose list it goes.
func (v *Views) see() {
	v.freshen(&v.views[v.open])
	v.relist(&v.views[v.open])
	if v.over[v.open] {
		v.freshen(v.View())
		v.relist(v.View())
	}
}

// freshen lets a view work out what follows from what the views share, where that has changed since it did so last; a
// list that takes long only when the view is seen.
func (v *Views) freshen(view *View) {
	if !v.ready() {
		return
	}
	if v.stale[view] {
		delete(v.stale, view)
		if view.Refresh != nil {
			view.Refresh()
		}
	}
	if !v.long() {
		v.relist(view)
	}
}

// relist has the list of a view worked out where it is not.
func (v *Views) relist(view *View) {
	if !v.unlisted[view] || !v.ready() {
		return
	}
	if v.listed != nil {
		v.unlisted[v.listed] = true // it has not come
	}
	delete(v.unlisted, view)
	v.unlist()
	work := view.List()
	if !v.long() {
		work(context.Background())()
		return
	}
	v.list, v.listed = work, view
}

func (v *Views) long() bool { return v.Long != nil && v.Long() }

// Draw draws the view that is seen in w×h cells.
func (v *Views) Draw(t *widget.Theme, w, h int) string { return v.View().board(w, h).View(t, w, h) }

// Update takes the mouse.
func (v *Views) Update(msg tea.Msg) tea.Cmd { return v.Board().Update(msg) }

// ready says whether there is anything to show.
func (v *Views) ready() bool { return v.Ready == nil || v.Ready() }

// Actions turn the views, and are then those of the one that is seen: what it is for, then where its panels lead.
func (v *Views) Actions() []Action { return append(v.Turning(), v.Here()...) }

// Turning are the actions that go from view to view.
func (v *Views) Turning() []Action {
	if len(v.views) < 2 {
		return nil
	}
	return []Action{
		{Name: "next_view", Help: "show the next view", Group: v.pane, Enabled: v.ready,
			Run: func() tea.Cmd { return v.turn(1) }},
		{Name: "previous_view", Help: "show the view before", Group: v.pane, Enabled: v.ready,
			Run: func() tea.Cmd { return v.turn(-1) }},
	}
}

// Here are the actions of the view that is seen and of its board.
func (v *Views) Here() []Action {
	if !v.ready() {
		return nil
	}
	return append(v.View().actions(), v.Board().Actions()...)
}

func (v *View) actions() []Action {
	if v.Actions == nil {
		return nil
	}
	return v.Actions()
}

// AllActions are those of every view, of what lies over it and of its board, each of which brings it to the front.
func (v *Views) AllActions() []Action {
	var all []Action
	add := func(view *View, show func()) {
		v.freshen(view)
		for _, a := range In(show, append(view.actions(), view.board(v.w, v.h).AllActions()...)...) {
			on := a
			a.Enabled = func() bool { v.freshen(view); return v.ready() && on.On() }
			all = append(all, a)
		}
	}
	for i := range v.views {
		view := &v.views[i]
		add(view, func() { v.set(i, false) })
		if view.Over != nil {
			add(view.Over, func() { v.set(i, true) })
		}
	}
	return all
}

// Leave closes the uppermost layer of the view that is seen, a zoom first, and says whether there was one.
func (v *Views) Leave() bool {
	view := v.View()
	switch {
	case v.Board().Leave():
		return true
	case v.over[v.open]:
		v.over[v.open] = false
		v.see()
		return true
	case view.Leave != nil && view.Leave():
		return true
	case view.Back:
		v.open = v.before
		v.see()
		return true
	}
	return false
}

// Status names the views for the bottom line, and says what the open one has to say.
func (v *Views) Status() string {
	names := v.Names()
	for i, view := range v.views {
		if view.Label != nil {
			names[i] = view.Label()
		}
	}
	status := Strip(names, v.open, v.w)
	if view := v.View(); view.Status != nil {
		status += view.Status()
	}
	return status
}

// Copy puts what the view shows into the clipboard.
func (v *Views) Copy() tea.Cmd {
	text := ""
	if v.Listing() {
		return Say("what is listed here is still being looked for")
	}
	if view := v.View(); view.Copy != nil {
		text = view.Copy()
	}
	if text == "" {
		return Say("there is nothing to copy yet")
	}
	return Copy(text)
}

// Jumps are the views by their names.
func (v *Views) Jumps() []Jump {
	var jumps []Jump
	for _, view := range v.views {
		jumps = append(jumps, Jump{Text: v.pane + " · " + view.Name, Detail: AView,
			Go: func() tea.Cmd {
				v.Show(view.Name)
				return tea.Batch(v.turned(), v.Want())
			}})
	}
	return jumps
}
