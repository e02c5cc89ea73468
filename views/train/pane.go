// Package train is the Train pane: the runs of a project, one of them in full, several beside each other,
// and what can be asked of them. It reads run directories through core/run alone, beside the screen, and
// never trains; a run goes on whether somebody looks or not.
package train

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/printable"
	"finetui/core/sweep"
	"finetui/views"
	"finetui/views/widget"
)

// The names of the pane's views.
const (
	overviewView = "Overview"
	curvesView   = "Curves"
	classesView  = "Classes"
	machineView  = "Machine"
	detailsView  = "Details"
	compareView  = "Compare"
	sweepsView   = "Sweeps"
)

// Pane is the Train pane: its views, and what they share.
type Pane struct {
	*shared
	launcher launcher
	adopter  adopter
	requests requests
	exporter exporter
	manager  manager
	metric   *metric
	tests    *tests
	sweeps   *sweeps
	title    titleFigures
	ends     ends
}

// New is the Train pane.
func New(c Control) *Pane {
	c.complete()
	s := newShared(c)
	p := &Pane{shared: s, launcher: launcher{shared: s}, adopter: adopter{shared: s, file: c.File},
		requests: newRequests(s), exporter: exporter{shared: s},
		manager: manager{shared: s}, tests: &tests{shared: s}, sweeps: newSweeps(s), title: titleFigures{shared: s}}
	panels := newPanels(s)
	p.metric = panels.metric
	s.views = views.NewViews(p.Name(),
		newOverview(s, panels),
		newCurves(s, panels),
		newClasses(panels),
		newMachine(s, panels),
		newDetails(s, panels),
		newComparison(s, panels, p.tests),
		p.sweeps.view(),
	)
	s.views.Ready, s.views.Turned = p.ready, p.attend
	return p
}

// ready says whether there is anything to show: runs, or in the view of the sweeps one of those.
func (p *Pane) ready() bool { return p.any() || p.views.Is(sweepsView) && len(p.sweeps.reports) > 0 }

// Name stands on the tab.
func (p *Pane) Name() string { return "Train" }

// Init starts watching the folder of runs.
func (p *Pane) Init() tea.Cmd { return p.watch() }

// Update takes one message; runs that are to be seen and not yet read are then followed.
func (p *Pane) Update(msg tea.Msg) tea.Cmd { return tea.Batch(p.update(msg), p.attend()) }

func (p *Pane) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.views.Place(msg.Width, msg.Height)
	case views.Redraws:
		p.redraws = max(int(msg), 1)
	case views.ConfigChanged:
		p.adopter.file = msg.File
		if p.newest == nil || p.newest.folder != p.control.Runs() ||
			!slices.Equal(p.newest.others, p.control.Watched()) {
			p.chosen, p.marks = "", nil
			return p.watch()
		}
	case views.Batch[listing]:
		return p.listed(msg)
	case views.Batch[*reading]:
		if next, followed := p.readOne(msg); followed {
			return tea.Batch(next, p.title.changed())
		}
	case views.Answer[checkup]:
		p.launcher.checked(msg)
	case views.Answer[outlook]:
		p.launcher.foreseen(msg)
	case views.Batch[step]:
		return p.launcher.measuredOn(msg)
	case views.Answer[found]:
		return p.adopter.came(msg)
	case views.Answer[config.Writing]:
		return p.adopter.saved(msg)
	case views.Answer[launched]:
		return p.launcher.launched(msg)
	case views.Answer[asked]:
		return p.requests.answered(msg)
	case views.Answer[managed]:
		return p.manager.answered(msg)
	case views.Answer[[]testedSplit]:
		p.tests.answered(msg)
	case views.Batch[[]sweep.Report]:
		return p.sweeps.came(msg)
	case views.Answer[swept]:
		return p.sweeps.answered(msg)
	case views.Answer[foreseen]:
		p.sweeps.cameForeseen(msg)
	case views.PlanSweep:
		return p.planFor(msg)
	case views.Answer[saved]:
		return p.exporter.saved(msg)
	case tea.MouseMsg:
		if !p.Capturing() && p.ready() {
			return p.views.Update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.typed(msg)
	}
	return nil
}

// listed takes what the folder holds now.
func (p *Pane) listed(msg views.Batch[listing]) tea.Cmd {
	if !p.listArrived(msg) {
		return nil
	}
	p.title.remember(p.newest.gpus)
	p.requests.settle()
	p.marks = slices.DeleteFunc(p.marks, func(dir string) bool {
		return p.newest.find(dir) == nil && dir != p.expected
	})
	return tea.Batch(msg.Next, p.title.changed(), p.stillborn(), p.ends.news(p.newest, p.control.Bell()))
}

// typed gives keys to what is open for them.
func (p *Pane) typed(msg tea.Msg) tea.Cmd {
	switch {
	case p.launcher.open():
		return p.launcher.typed(msg)
	case p.adopter.open():
		return p.adopter.typed(msg)
	case p.sweeps.question != nil:
		return p.sweeps.typed(msg)
	case p.manager.open():
		return p.manager.typed(msg)
	case p.metric.list != nil:
		return p.metric.typed(msg)
	case p.filter.Writing():
		_, cmd := p.filter.Update(msg)
		return cmd
	}
	return nil
}

// attend follows the runs that are to be seen, and asks for what the open view lacks.
func (p *Pane) attend() tea.Cmd {
	switch {
	case p.list == nil:
		return nil
	case !p.any():
		return p.sweeps.want()
	}
	return tea.Batch(p.followAll(), p.views.Want())
}

// View draws the open view, and over it what asks for something.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	var screen string
	if p.ready() {
		screen = p.views.Draw(t, w, h)
	} else {
		screen = p.notice(t, w, h)
	}
	switch {
	case p.launcher.open():
		screen = p.launcher.launch.over(t, screen, w, h)
	case p.adopter.open():
		screen = p.adopter.over(t, screen, w, h)
	case p.sweeps.question != nil:
		screen = p.sweeps.over(t, screen, w, h)
	case p.manager.open():
		screen = p.manager.over(t, screen, w, h)
	case p.metric.list != nil:
		screen = p.metric.list.Over(t, screen, w, h)
	case p.filter.Writing():
		screen = p.filter.Over(t, screen, w, h)
	}
	return screen
}

// notice is the page in place of runs: why there are none, and what to do about it.
func (p *Pane) notice(t *widget.Theme, w, h int) string {
	if p.control.Runs() == "" {
		return views.NoProject(t, w, h)
	}
	n := widget.NewNotice(w)
	switch {
	case p.list == nil:
		n.Say(t.Strong, "Looking for runs")
		n.Say(t.Text, "in "+p.control.Runs())
	case p.list.err != nil:
		n.Say(t.Warning, "✗ The runs cannot be read")
		n.Say(t.Text, widget.Capital(printable.Error(p.list.err)))
	default:
		n.Say(t.Strong, "No runs yet")
		n.Say(t.Text, "n starts one: it asks for a name, checks the recipe against data and model, and trains in a "+
			"process of its own that goes on when this window is closed. Runs are kept in "+p.list.folder+". Those of "+
			"other trainers are shown, too: a asks for their folder, which PROJECT.WATCH then names.")
		if len(p.sweeps.reports) > 0 {
			n.Say(t.Text, views.KeyOf("next_view")+" shows the sweeps: "+widget.Count(len(p.sweeps.reports))+".")
		}
	}
	return n.View(w, h)
}

// Capturing says whether a name or a filter is being written, or something is asked.
func (p *Pane) Capturing() bool {
	return p.filter.Writing() || p.launcher.open() || p.adopter.open() || p.manager.open() || p.metric.list != nil ||
		p.sweeps.question != nil
}

// Leave closes the uppermost layer: a zoomed panel, the cursor on the curves and their zoom, the comparison or the
// details, the filter.
func (p *Pane) Leave() bool {
	switch {
	case p.any() && !p.views.Board().Zoomed() && !p.views.Is(detailsView) && p.plot.window.leave():
		return true
	case p.ready() && p.views.Leave():
		return true
	case p.filter.Clear():
		return true
	}
	return false
}

// Working says whether the run that is seen lives and has not come to a step yet.
func (p *Pane) Working() bool {
	e := p.selected()
	return e != nil && e.status.Live() && e.run.Info.Steps == 0 && e.run.Tool() == ""
}

// Status names the views where there is room, and what is paused, marked or filtered.
func (p *Pane) Status() string {
	switch {
	case p.launcher.open():
		return p.launcher.launch.status()
	case p.adopter.open():
		return p.adopter.status()
	case p.manager.open():
		return p.manager.status()
	case p.metric.list != nil:
		return "letters find   ↑ ↓ choose   enter draws it   esc leaves"
	case p.filter.Writing():
		return p.filter.Keys()
	case p.sweeps.question != nil:
		return p.sweeps.question.hint(false)
	case !p.ready():
		return ""
	}
	status := p.views.Status()
	if p.paused {
		status += " · ‖ display paused"
	}
	if len(p.marks) > 0 {
		status += fmt.Sprintf(" · %d marked", len(p.marks))
	}
	return status + p.filter.Status()
}
