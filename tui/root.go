package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/spinner"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/widget"
)

// The least terminal that the workbench draws in.
const (
	leastWidth  = 60
	leastHeight = 20
)

// root is the workbench: the line at the top, one pane, the line at the bottom, and what may lie over them. It sees
// every message first.
type root struct {
	project string
	panes   []views.Pane
	open    int // which pane is seen

	w, h    int
	theme   *widget.Theme
	choice  views.ThemeChoice
	dark    bool // what the terminal said of its background
	profile colorprofile.Profile
	keys    views.Keys
	colours config.Colors // VIEW.COLORS
	ascii   bool          // the terminal shows no UTF-8

	machine, run string
	toast        *views.Toast
	toasts       int // how many there were: a timer ends its own only
	over         overlay
	leaving      bool // q was pressed with something unsaved

	live    bool // a terminal is there to be asked
	answers answers
	ending  bool // nothing but an answer of the terminal is waited for
	code    int  // exit code of what ended it

	busy    busy
	redraw  redraw
	current current
	data    views.DatasetOwner
	file    *config.File // the project to begin with; nil: none
}

// overlay lies over the pane and has the keyboard.
type overlay interface {
	// update takes a message and says whether the overlay stays.
	update(msg tea.Msg) (stays bool, cmd tea.Cmd)
	// draw is the box and where it lies on a body of w×h.
	draw(t *widget.Theme, w, h int) (box string, x, y int)
}

// newRoot is a workbench of panes on a project. It starts dark, without knowing the terminal's size.
func newRoot(project string, panes ...views.Pane) *root {
	r := &root{project: project, panes: panes, dark: true, profile: colorprofile.TrueColor, choice: "auto"}
	r.redraw = redraw{perSecond: 4, now: time.Now}
	r.busy = newBusy(false)
	r.retheme()
	return r
}

// Init asks the terminal for its background and starts every pane.
func (r *root) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, r.checkKeys()}
	if r.live {
		cmds = append(cmds, r.answers.expect(r.redraw.now()))
	}
	for _, pane := range r.panes {
		cmds = append(cmds, pane.Init())
	}
	if r.file != nil {
		cmds = append(cmds, r.told(r.data.Follow(r.file)))
	}
	return tea.Batch(cmds...)
}

// Update handles what is the root's own, gives keys and the mouse to who has them now, and everything else to all.
func (r *root) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := r.update(msg)
	return r, tea.Batch(cmd, r.setBusy())
}

func (r *root) update(msg tea.Msg) (tea.Model, tea.Cmd) {
	r.answers.came(msg)
	if r.ending {
		if r.answers.owed(r.redraw.now()) == 0 {
			return r, tea.Quit
		}
		return r, nil
	}
	switch msg := msg.(type) {
	case leave:
		r.code = msg.code
		return r, r.end()
	case lastQuestion:
		return r, tea.Raw(ansi.RequestPrimaryDeviceAttributes)
	case redrawDue:
		r.redraw.due()
		return r, nil
	case tea.WindowSizeMsg:
		r.w, r.h = msg.Width, msg.Height
		r.redraw.atOnce()
		return r, r.all(tea.WindowSizeMsg{Width: r.w, Height: r.bodyHeight()})
	case tea.KeyPressMsg:
		r.redraw.atOnce()
		return r, r.key(msg)
	case tea.PasteMsg:
		r.redraw.atOnce()
		return r, r.input(msg)
	case tea.MouseMsg:
		r.redraw.atOnce()
		return r, r.mouse(msg)
	case spinner.TickMsg:
		return r, r.turn(msg)
	case tea.BackgroundColorMsg:
		r.dark = msg.IsDark()
		r.retheme()
	case tea.ModeReportMsg: // Bubble Tea counts so from now on, too
		if msg.Mode == ansi.ModeUnicodeCore && (msg.Value == ansi.ModeSet || msg.Value == ansi.ModeReset ||
			msg.Value == ansi.ModePermanentlySet) {
			widget.Measure(ansi.GraphemeWidth)
			r.redraw.atOnce()
		}
		return r, nil
	case tea.ColorProfileMsg:
		r.profile = msg.Profile
		if r.ascii { // pictures are made of letters then
			msg.Profile = min(msg.Profile, colorprofile.ASCII)
		}
		r.retheme()
		return r, tea.Batch(r.all(msg), r.redraw.soon())
	case views.ThemeChoice:
		r.choice = msg
		r.retheme()
	case views.Keys:
		r.keys = msg
		return r, tea.Batch(r.all(msg), r.redraw.soon(), r.checkKeys())
	case views.Redraws:
		r.redraw.perSecond = max(int(msg), 1)
	case views.Clipboard:
		return r, copyOut(msg, os.Getenv)
	case views.Toast:
		r.redraw.atOnce()
		return r, r.say(msg)
	case toastOver:
		if int(msg) == r.toasts {
			r.toast = nil
		}
	case views.ConfigChanged:
		if msg.File != nil {
			r.current.keep(msg.File)
			r.project = msg.File.Config.Project.Name
			if now := msg.File.Config.View.Colors; now != r.colours {
				r.colours = now
				return r, tea.Batch(r.all(msg), r.told(r.data.Update(msg)), r.redraw.soon(), func() tea.Msg {
					profile, _ := colours(now, os.Stdout, os.Environ())
					return tea.ColorProfileMsg{Profile: profile}
				})
			}
		}
	case views.Show:
		r.redraw.atOnce()
		return r, r.show(msg.Pane)
	case views.Figures:
		if msg.Machine != nil {
			r.machine = *msg.Machine
		}
		if msg.Run != nil {
			r.run = *msg.Run
		}
	}
	return r, tea.Batch(r.all(msg), r.told(r.data.Update(msg)), r.redraw.soon())
}

// told tells every pane how the data set stands now, where that is news.
func (r *root) told(news *views.Dataset, cmd tea.Cmd) tea.Cmd {
	if news == nil {
		return cmd
	}
	return tea.Batch(r.all(*news), cmd)
}

// View is the screen as it was drawn last; it is drawn anew when something was entered, and at most so often a second
// when something arrived.
func (r *root) View() tea.View {
	view := tea.NewView(r.redraw.content(r.drawn))
	view.AltScreen = true
	view.MouseMode = tea.MouseModeCellMotion
	view.WindowTitle = "finetui · " + widget.Clean(r.project)
	if r.ascii {
		view.WindowTitle = widget.ASCIIOnly(view.WindowTitle)
	}
	return view
}

// drawn is the screen as this terminal can show it.
func (r *root) drawn() string {
	screen := widget.Guard(r.screen())
	if r.ascii {
		screen = widget.ASCIIOnly(screen)
	}
	return screen
}

func (r *root) retheme() {
	dark := r.dark
	if r.choice == views.ThemeChoice(config.ThemeDark) || r.choice == views.ThemeChoice(config.ThemeLight) {
		dark = r.choice == views.ThemeChoice(config.ThemeDark)
	}
	if r.profile == colorprofile.ANSI {
		r.theme = widget.NewBasicTheme(dark)
	} else {
		r.theme = widget.NewTheme(dark, r.profile > colorprofile.ASCII)
	}
	r.theme.Busy = r.busy.wheel.View()
	r.redraw.atOnce()
}

// all gives a message to every pane.
func (r *root) all(msg tea.Msg) tea.Cmd {
	cmds := make([]tea.Cmd, 0, len(r.panes))
	for _, pane := range r.panes {
		cmds = append(cmds, pane.Update(msg))
	}
	return tea.Batch(cmds...)
}

func (r *root) pane() views.Pane {
	if len(r.panes) == 0 {
		return nil
	}
	return r.panes[r.open]
}

// key finds out whose a key is: the program's, the overlay's, a text field's, an action's, or the pane's.
func (r *root) key(msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "ctrl+c":
		r.code = exitInterrupted
		if r.answers.owed(r.redraw.now()) == 0 {
			return tea.Interrupt
		}
		return r.end()
	case "ctrl+z":
		return tea.Suspend
	}
	if r.toast != nil && r.toast.Level != views.Info {
		r.toast = nil
	}
	asked := r.leaving
	r.leaving = false
	if r.over != nil || r.pane() != nil && r.pane().Capturing() {
		return r.input(msg)
	}
	action, ok := views.Find(r.actions(), msg.String())
	if !ok {
		return r.input(msg)
	}
	if action.Name == quitAction {
		r.leaving = asked
	}
	return action.Run()
}

// input gives what was typed or pasted to the overlay or the pane that is seen.
func (r *root) input(msg tea.Msg) tea.Cmd {
	if r.over != nil {
		over := r.over
		stays, cmd := over.update(msg)
		if !stays && r.over == over {
			r.over = nil
		}
		return cmd
	}
	if r.pane() == nil {
		return nil
	}
	return r.pane().Update(msg)
}

// mouse gives clicks on the title line to the tabs, everything on the body to the pane in its own coordinates.
func (r *root) mouse(msg tea.MouseMsg) tea.Cmd {
	m := msg.Mouse()
	_, click := msg.(tea.MouseClickMsg)
	switch {
	case r.over != nil:
		if click {
			r.over = nil
			return nil
		}
		return r.input(msg)
	case click && m.Y == 0:
		if i := r.tabAt(m.X); i >= 0 {
			return r.front(i)
		}
		return nil
	case click && m.Y == r.h-1 && !r.tooSmall():
		if do := r.bottomAt(m.X); do != nil {
			return do()
		}
		return nil
	case m.Y == 0 || m.Y > r.bodyHeight() || r.pane() == nil || r.tooSmall():
		return nil
	}
	m.Y--
	switch msg.(type) {
	case tea.MouseClickMsg:
		return r.pane().Update(tea.MouseClickMsg(m))
	case tea.MouseReleaseMsg:
		return r.pane().Update(tea.MouseReleaseMsg(m))
	case tea.MouseWheelMsg:
		return r.pane().Update(tea.MouseWheelMsg(m))
	}
	return r.pane().Update(tea.MouseMotionMsg(m))
}

func (r *root) show(name string) tea.Cmd {
	if i := slices.IndexFunc(r.panes, func(p views.Pane) bool { return strings.EqualFold(p.Name(), name) }); i >= 0 {
		return r.front(i)
	}
	return nil
}

// front brings a pane to the front.
func (r *root) front(i int) tea.Cmd {
	r.open = i
	if pane, ok := r.panes[i].(views.Arriver); ok {
		return pane.Arrive()
	}
	return nil
}

// quit leaves the program, whatever is open; past what is unsaved at the second time only.
func (r *root) quit() tea.Cmd {
	if r.leaving {
		return r.end()
	}
	for _, pane := range r.panes {
		if guard, ok := pane.(views.Guard); ok && guard.Unsaved() != "" {
			r.leaving = true
			return views.Warn("%s not saved; %s again leaves without saving, %s has the way to save", guard.Unsaved(),
				r.keyOf(quitAction), pane.Name())
		}
	}
	return r.end()
}

// end leaves the program, as soon as the terminal owes no answer.
func (r *root) end() tea.Cmd {
	owed := r.answers.owed(r.redraw.now())
	if owed == 0 {
		return tea.Quit
	}
	r.ending = true
	return tea.Tick(owed, func(time.Time) tea.Msg { return tea.QuitMsg{} })
}

// back leaves one layer and never the program.
func (r *root) back() tea.Cmd {
	if leaver, ok := r.pane().(views.Leaver); ok && leaver.Leave() {
		return r.pane().Update(views.Left{})
	}
	if r.pane() == nil {
		return nil
	}
	return r.pane().Update(tea.KeyPressMsg{Code: tea.KeyEscape})
}

// toastOver ends the toast of that number.
type toastOver int

// say shows a toast; what is only information goes away by itself.
func (r *root) say(toast views.Toast) tea.Cmd {
	r.toast = &toast
	r.toasts++
	if toast.Level != views.Info {
		return nil
	}
	number := r.toasts
	return tea.Tick(4*time.Second, func(time.Time) tea.Msg { return toastOver(number) })
}
