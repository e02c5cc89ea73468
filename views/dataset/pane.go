// Package dataset is the Data pane: what a data set holds, where its classes lie, what a recipe does about their
// imbalance, its pictures with their boxes, and what is wrong with it. It reads no file itself; core does, in commands.
package dataset

import (
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// The names of the pane's views, and of the picture that is opened from Samples.
const (
	overviewView = "Overview"
	positionView = "Position"
	pairsView    = "Pairs"
	recipeName   = "Recipe"
	samplesView  = "Samples"
	findingsView = "Findings"
	pictureView  = "Picture"
)

// Pane is the Data pane: its views, and what they share.
type Pane struct{ *shared }

// New is the Data pane of a project. file may be nil: the pane then says how to come by one. The file is never changed
// but for the constants of RECIPE, and only where the user takes a recipe over; ConfigChanged tells the others.
func New(file *config.File, control Control) *Pane {
	s := &shared{file: file, control: control}
	s.recipe.follow(file)
	s.pictures.profile, s.pictures.Most = colorprofile.TrueColor, mostDrawn
	p := &Pane{s}
	s.views = views.NewViews(p.Name(),
		newOverview(s),
		newPosition(s),
		newPairs(s),
		newRecipe(s),
		newSamples(s),
		newFindings(s),
	)
	s.views.Ready, s.views.Long = s.ready, s.long
	return p
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Data" }

// Init has nothing to do: the root sends the data set.
func (p *Pane) Init() tea.Cmd { return nil }

// Update takes one message; what the screen then lacks is asked for in commands.
func (p *Pane) Update(msg tea.Msg) tea.Cmd { return tea.Batch(p.update(msg), p.views.Want()) }

func (p *Pane) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.views.Place(msg.Width, msg.Height)
	case tea.ColorProfileMsg:
		p.pictures.profile = msg.Profile
	case views.ConfigChanged:
		p.reconfigure(msg.File)
	case views.Dataset:
		return p.heard(msg)
	case views.Answer[*loaded]:
		p.loadedSet(msg)
	case views.Batch[drawn]:
		return p.drew(msg)
	case views.Answer[views.Listed]:
		p.views.Took(msg)
	case views.Answer[*weighed]:
		p.recipe.answered(msg)
	case views.Batch[views.Drawing[pictureKey]]:
		return p.pictures.Arrived(msg)
	case views.Batch[filmed]:
		return p.filmed(msg)
	case views.Answer[saved]:
		return p.saved(msg)
	case tea.MouseMsg:
		if !p.Capturing() && p.ready() {
			return p.views.Update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.typed(msg)
	}
	return nil
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

// View draws the open view, and over it what asks for something.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	if !p.ready() {
		return p.notice(t, w, h)
	}
	screen := p.views.Draw(t, w, h)
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
	case p.views.Leave():
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
	status := p.views.Status()
	if p.split != "" {
		status += " · split " + p.split
	}
	status += p.filter.Status()
	if p.pending() {
		status += " · reading again"
	}
	return status
}

// Actions are those of the open view, then those of all views.
func (p *Pane) Actions() []views.Action {
	ready := p.ready
	return p.attended(append(p.views.Actions(),
		views.Action{Name: "filter", Label: "filter", Help: "show only what contains a text", Group: "Data",
			Enabled: ready, Run: p.askText},
		views.Action{Name: "next_split", Label: "split", Help: "look at all splits, or at one", Group: "Data",
			Enabled: p.severalSplits, Run: p.nextSplit},
		views.Action{Name: "export", Label: "export", Help: "write all numbers to DATASET.ANALYSIS", Group: "Data",
			Enabled: func() bool { return p.ready() && !p.views.Is(samplesView) }, Run: p.export},
		views.Action{Name: "copy", Help: "copy the view as a table with tabs", Group: "Data", Enabled: ready,
			Run: p.views.Copy},
		views.Action{Name: "reload", Help: "read the data set again", Group: "Data",
			Enabled: func() bool { return p.file != nil }, Run: views.Reread},
		views.Action{Name: "draw_demo", Label: "make the demo set", Help: "draw the demo's pictures there",
			Group: "Data", Enabled: p.canDraw, Run: p.drawDemo},
	))
}

// AllActions are those of every view, the opened picture's among them, and the pane's own.
func (p *Pane) AllActions() []views.Action {
	return append(p.Actions(), p.attended(p.views.AllActions())...)
}

// attended are actions each of which asks for what the screen lacks when it has run. Those of a data set that is not
// seen any more do nothing: the palette was open meanwhile.
func (p *Pane) attended(actions []views.Action) []views.Action {
	seen := p.loaded
	for i, action := range actions {
		actions[i].Run = func() tea.Cmd {
			if p.loaded != seen {
				return nil
			}
			return action.Run()
		}
	}
	return views.Then(p.views.Want, actions...)
}

// Jumps are the views.
func (p *Pane) Jumps() []views.Jump {
	if !p.ready() {
		return nil
	}
	return p.views.Jumps()
}
