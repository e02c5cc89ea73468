// Package dataset is the Data pane: what a data set holds, where its classes lie, what a recipe does about their
// imbalance, its pictures with their boxes, and what is wrong with it. It reads no file itself; core does, in commands.
package dataset

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// The views of the pane, in the order of the brackets.
const (
	overviewView = iota
	positionView
	pairsView
	recipeView
	samplesView
	findingsView
	viewCount
)

var viewNames = [viewCount]string{"Overview", "Position", "Pairs", "Recipe", "Samples", "Findings"}

// Pane is the Data pane. What is selected is shared by its views: a class, a split, a filter.
type Pane struct {
	file *config.File // nil: no config.toml was read

	source
	scope
	overview overview
	position position
	pairs    pairs
	recipe   recipeState
	samples  samples
	findings findings
	pictures pictures

	open   int // which view is seen
	boards [viewCount]*views.Board
	choice *choice // open while something is chosen from a list
	w, h   int
}

// New is the Data pane of a project. file may be nil: the pane then says how to come by one. The file is never changed
// but for the constants of RECIPE, and only where the user takes a recipe over; ConfigChanged tells the others.
func New(file *config.File) *Pane {
	p := &Pane{file: file}
	p.recipe.follow(file)
	p.pictures.profile, p.pictures.Most = colorprofile.TrueColor, mostDrawn
	p.boards = [viewCount]*views.Board{p.overviewBoard(), p.positionBoard(), p.pairsBoard(), p.recipeBoard(),
		p.samplesBoard(), p.findingsBoard()}
	return p
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Data" }

// Init starts reading the data set.
func (p *Pane) Init() tea.Cmd { return p.read(false) }

// Update takes one message; what the screen then lacks is asked for in commands.
func (p *Pane) Update(msg tea.Msg) tea.Cmd { return tea.Batch(p.update(msg), p.lack()) }

func (p *Pane) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.w, p.h = msg.Width, msg.Height
		for _, board := range p.boards {
			board.Place(0, 0, p.w, p.h)
		}
		p.samples.one.Place(0, 0, p.w, p.h)
	case tea.ColorProfileMsg:
		p.pictures.profile = msg.Profile
	case views.ConfigChanged:
		return p.reconfigure(msg.File)
	case views.DatasetChanged:
		return p.read(true)
	case views.Batch[reading]:
		return p.progressed(msg)
	case views.Answer[*weighed]:
		p.recipe.answered(msg)
	case views.Batch[views.Drawing[pictureKey]]:
		return p.pictures.Arrived(msg)
	case views.Answer[saved]:
		return p.saved(msg)
	case tea.MouseMsg:
		if !p.Capturing() && p.ready() {
			return p.board().Update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.typed(msg)
	}
	return nil
}

// lack asks for what the screen needs and nobody has been asked for yet.
func (p *Pane) lack() tea.Cmd {
	if !p.ready() {
		return nil
	}
	return tea.Batch(p.weighRecipe(), p.drawPictures())
}

// typed gives keys to what is open for them.
func (p *Pane) typed(msg tea.Msg) tea.Cmd {
	switch {
	case p.choice != nil:
		return p.choose(msg)
	case p.filter.Writing():
		changed, cmd := p.filter.Update(msg)
		if changed {
			p.refiltered()
		}
		return cmd
	}
	return nil
}

// board is what fills the pane: that of the open view, or of the one picture that was opened from Samples.
func (p *Pane) board() *views.Board {
	if p.open == samplesView && p.samples.zoomed {
		return p.samples.one
	}
	return p.boards[p.open]
}

// View draws the open view, and over it what asks for something.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	if !p.ready() {
		return p.notice(t, w, h)
	}
	screen := p.board().View(t, w, h)
	switch {
	case p.choice != nil:
		screen = p.choice.Over(t, screen, w, h)
	case p.filter.Writing():
		screen = p.filter.Over(t, screen, w, h)
	}
	return screen
}

// Capturing says whether the filter or a choice has the keyboard.
func (p *Pane) Capturing() bool { return p.filter.Writing() || p.choice != nil }

// Leave closes the uppermost layer: a zoomed panel, the opened picture, the filters.
func (p *Pane) Leave() bool {
	switch {
	case !p.ready():
		return false
	case p.board().Leave():
		return true
	case p.open == samplesView && p.samples.zoomed:
		p.samples.zoomed = false
		return true
	case p.open == samplesView && p.clearFacets():
		return true
	case p.filter.Clear():
		p.refiltered()
		return true
	}
	return false
}

// Status names the views where there is room, then what is filtered.
func (p *Pane) Status() string {
	switch {
	case p.choice != nil:
		return "enter takes it   esc leaves it"
	case p.filter.Writing():
		return p.filter.Keys()
	case !p.ready():
		return ""
	}
	names := slices.Clone(viewNames[:])
	if n := len(p.set.Findings); n > 0 {
		names[findingsView] += fmt.Sprintf("(%d)", n)
	}
	status := views.Strip(names, p.open, p.w)
	if p.split != "" {
		status += " · split " + p.split
	}
	status += p.filter.Status()
	if p.request.Pending() {
		status += " · reading again"
	}
	return status
}

// Actions are those of the open view and of its board, then those of all views. What an action changes may need work:
// each asks for it when it has run.
func (p *Pane) Actions() []views.Action {
	turn := func(n int) func() tea.Cmd {
		return func() tea.Cmd { p.turn(n); return nil }
	}
	ready := p.ready
	actions := []views.Action{
		{Name: "next_view", Help: "show the next view", Group: "Data", Enabled: ready, Run: turn(1)},
		{Name: "previous_view", Help: "show the view before", Group: "Data", Enabled: ready, Run: turn(-1)},
	}
	if ready() {
		actions = append(actions, p.viewActions()...)
		actions = append(actions, p.board().Actions()...)
	}
	return p.attended(append(actions,
		views.Action{Name: "filter", Label: "filter", Help: "show only what contains a text", Group: "Data",
			Enabled: ready, Run: p.askText},
		views.Action{Name: "next_split", Label: "split", Help: "look at all splits, or at one", Group: "Data",
			Enabled: p.severalSplits, Run: p.nextSplit},
		views.Action{Name: "export", Label: "export", Help: "write all numbers to DATASET.ANALYSIS", Group: "Data",
			Enabled: func() bool { return p.ready() && p.open != samplesView }, Run: p.export},
		views.Action{Name: "copy", Help: "copy the view as a table with tabs", Group: "Data", Enabled: ready,
			Run: p.copy},
		views.Action{Name: "reload", Help: "read the data set again", Group: "Data",
			Enabled: func() bool { return p.file != nil }, Run: views.Reread},
		views.Action{Name: "draw_demo", Label: "make the demo set", Help: "draw the demo's pictures there",
			Group: "Data", Enabled: p.canDraw, Run: p.drawDemo},
	))
}

// attended are actions each of which asks for what the screen lacks when it has run.
func (p *Pane) attended(actions []views.Action) []views.Action {
	seen := p.loaded
	for i, action := range actions {
		actions[i].Run = func() tea.Cmd {
			if p.loaded != seen { // the palette was open meanwhile
				return nil
			}
			return tea.Batch(action.Run(), p.lack())
		}
	}
	return actions
}

// AllActions are those of every view and of its board, the opened picture among them.
func (p *Pane) AllActions() []views.Action {
	var actions []views.Action
	for view, board := range p.boards {
		show := func() { p.open, p.samples.zoomed = view, false }
		actions = append(actions, views.In(show, append(p.actionsOf(view), board.AllActions()...)...)...)
	}
	show := func() { p.open, p.samples.zoomed = samplesView, len(p.samples.items) > 0 }
	actions = append(actions, views.In(show, append(p.oneActions(), p.samples.one.AllActions()...)...)...)
	for i, a := range actions {
		actions[i].Enabled = func() bool { return p.ready() && a.On() }
	}
	return append(p.Actions(), p.attended(actions)...)
}

// viewActions are those of the open view, whichever of its panels has the keyboard.
func (p *Pane) viewActions() []views.Action {
	if p.open == samplesView && p.samples.zoomed {
		return p.oneActions()
	}
	return p.actionsOf(p.open)
}

func (p *Pane) actionsOf(view int) []views.Action {
	switch view {
	case pairsView:
		return p.pairsActions()
	case positionView:
		return p.positionActions()
	case recipeView:
		return p.recipeActions()
	case samplesView:
		return p.samplesActions()
	}
	return nil
}

// Jumps are the views.
func (p *Pane) Jumps() []views.Jump {
	if !p.ready() {
		return nil
	}
	return views.ViewJumps(p.Name(), viewNames[:], func(view int) tea.Cmd {
		p.open, p.samples.zoomed = view, false
		return p.lack()
	})
}

func (p *Pane) turn(n int) { p.open = (p.open + n + viewCount) % viewCount }

// tickIf is the word with ✓ before it where on, and as much room where not.
func tickIf(on bool, word string) string {
	if on {
		return "✓ " + word
	}
	return "  " + word
}

// at is the cursor of a widget at the place of value in list; the first where it is not there.
func at(list []int, value int) *widget.List {
	return &widget.List{Index: max(slices.Index(list, value), 0)}
}
