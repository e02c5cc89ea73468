// Package train is the Train pane: the runs of a project, one of them in full, several beside each other,
// and what can be asked of them. It reads run directories through core/run alone, beside the screen, and
// never trains; a run goes on whether somebody looks or not.
package train

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/dataset"
	"finetui/core/gpu"
	"finetui/core/printable"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// Control is what the pane reaches the program by. Start, Lint, Resume, Preparing and Save
// are called beside the screen, and all but Preparing may take long; Runs and Now are called
// on it. An action whose function is nil is not offered.
type Control struct {
	Runs func() string // absolute folder of the run directories; "": no project is open
	Lint func(ctx context.Context) ([]dataset.Finding, error)
	// lints, too; an error says why nothing was started
	Start  func(ctx context.Context, name string) (*run.Run, []dataset.Finding, error)
	Resume func(ctx context.Context, r *run.Run) error
	Stop   func(dir string, now bool) error // nil: run.RequestStop

	// Preparing says how far a live run is with fetching its base;
	// without words where it fetches nothing. nil: not asked.
	Preparing func(r *run.Run) (done, total int, what string)

	Save func(name string, data []byte) (string, error) // writes an export and returns its path
	GPUs func() ([]gpu.Device, error)                   // nil: gpu.Snapshot
	Now  func() time.Time                               // nil: time.Now
}

// The names of the pane's views.
const (
	overviewView = "Overview"
	curvesView   = "Curves"
	classesView  = "Classes"
	machineView  = "Machine"
	detailsView  = "Details"
	compareView  = "Compare"
)

// Pane is the Train pane.
type Pane struct {
	control Control
	redraws int // a second

	watching views.Request
	wake     chan struct{} // makes the watcher look at once
	newest   *listing      // as it came last; nil: none yet
	list     *listing      // as it is drawn: the newest, or that of the moment when the display was paused
	follows  []*followed
	chosen   string   // directory of the run selected by hand; "": the newest that is live, else the newest
	marks    []string // directories to compare, in the order in which they were marked
	filter   views.Filter
	paused   bool
	look     look

	views   *views.Views
	scrolls map[string]*widget.Scroll // of the panels with lines
	classAt widget.List               // in the order that is shown

	launch   *launch // open while a new run is asked for
	starting views.Request
	asking   views.Request   // stop or resume
	saving   views.Request   // an export
	stopping map[string]bool // runs that have been asked to stop from here
	tested   tested
	begun    map[string]bool // runs that were started or resumed from here and have not come to a step yet

	machine, going string // as they were told to the root
	loads          []float64
}

// New is the Train pane.
func New(c Control) *Pane {
	if c.Runs == nil {
		c.Runs = func() string { return "" }
	}
	if c.Stop == nil {
		c.Stop = run.RequestStop
	}
	if c.GPUs == nil {
		c.GPUs = gpu.Snapshot
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Pane{control: c, redraws: 4, look: look{smoothing: byLength, averages: &averages{}},
		scrolls:  map[string]*widget.Scroll{},
		stopping: map[string]bool{}, begun: map[string]bool{},
		wake: make(chan struct{}, 1)}
	p.views = views.NewViews(p.Name(), p.overview(), p.curves(), p.classes(), p.machineOverTime(), p.details(),
		p.comparison())
	p.views.Ready, p.views.Turned = p.any, p.attend
	return p
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Train" }

// Init starts watching the folder of runs.
func (p *Pane) Init() tea.Cmd { return p.watch() }

// watch looks at the folder anew, and from then on again and again.
func (p *Pane) watch() tea.Cmd {
	w := &watcher{folder: p.control.Runs(), now: p.control.Now, gpus: p.control.GPUs, wake: p.wake}
	if w.folder == "" {
		p.watching.Close()
		p.newest, p.list = nil, nil
		return nil
	}
	return views.Listen(&p.watching, w.watch)
}

// scanNow lets the watcher look at the folder without waiting.
func (p *Pane) scanNow() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Update takes one message; runs that are to be seen and not yet read are then followed.
func (p *Pane) Update(msg tea.Msg) tea.Cmd { return tea.Batch(p.update(msg), p.attend()) }

func (p *Pane) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.views.Place(msg.Width, msg.Height)
	case views.Redraws:
		p.redraws = max(int(msg), 1)
	case views.ConfigChanged:
		if p.newest == nil || p.newest.folder != p.control.Runs() {
			p.chosen, p.marks = "", nil
			return p.watch()
		}
	case views.Batch[listing]:
		return p.listed(msg)
	case views.Batch[*reading]:
		return p.readOne(msg)
	case views.Answer[checkup]:
		return p.checked(msg)
	case views.Answer[launched]:
		return p.launched(msg)
	case views.Answer[asked]:
		return p.answered(msg)
	case views.Answer[[]testedSplit]:
		p.testAnswered(msg)
	case views.Answer[saved]:
		return p.saved(msg)
	case tea.MouseMsg:
		if !p.Capturing() && p.any() {
			return p.views.Update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.typed(msg)
	}
	return nil
}

// any says whether there is a run to show.
func (p *Pane) any() bool { return p.list != nil && len(p.list.runs) > 0 }

// now is the time of the newest listing that is drawn.
func (p *Pane) now() time.Time {
	if p.list == nil {
		return time.Time{}
	}
	return p.list.at
}

// typed gives keys to what is open for them.
func (p *Pane) typed(msg tea.Msg) tea.Cmd {
	switch {
	case p.launch != nil:
		return p.typeName(msg)
	case p.filter.Writing():
		_, cmd := p.filter.Update(msg)
		return cmd
	}
	return nil
}

// View draws the open view, and over it what asks for something.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	var screen string
	if p.any() {
		screen = p.views.Draw(t, w, h)
	} else {
		screen = p.notice(t, w, h)
	}
	switch {
	case p.launch != nil:
		screen = p.launch.over(t, screen, w, h)
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
			"process of its own that goes on when this window is closed. Runs are kept in "+p.list.folder+".")
	}
	return n.View(w, h)
}

// nothing is what a panel says in place of figures: that the run is still being read, or what there is none of.
func (p *Pane) nothing(t *widget.Theme, what string, w, h int) string {
	if p.current() == nil {
		what = "reading the run"
	}
	return widget.Block(t.Muted.Render(" "+what), w, h)
}

// Capturing says whether a name or a filter is being written.
func (p *Pane) Capturing() bool { return p.filter.Writing() || p.launch != nil }

// Leave closes the uppermost layer: a zoomed panel, the comparison or the details, the filter.
func (p *Pane) Leave() bool {
	switch {
	case p.any() && p.views.Leave():
		return true
	case p.filter.Clear():
		return true
	}
	return false
}

// Status names the views where there is room, and what is paused, marked or filtered.
func (p *Pane) Status() string {
	switch {
	case p.launch != nil:
		return p.launch.status()
	case p.filter.Writing():
		return p.filter.Keys()
	case !p.any():
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
