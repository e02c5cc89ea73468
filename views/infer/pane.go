// Package infer is the Infer pane: a picture, a question and the answer as it comes, and how right the answers to whole
// splits are. It reads no file and runs no model itself; core does, in commands.
package infer

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/model"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// The views of the pane, in the order of the brackets.
const (
	askView = iota
	scoresView
	confusionView
	compareView
	viewCount
)

var viewNames = [viewCount]string{"Ask", "Scores", "Confusion", "Compare"}

// Asker answers one question at a time; *session.Subject is one.
type Asker interface {
	Title() string
	Ask(ctx context.Context, q model.Question, heard func(piece string)) (session.Answer, error)
}

// Control is how the pane comes by answers. It is called in commands.
type Control struct {
	Load     func(ctx context.Context, s *session.Session, name string, report session.Progress) (Asker, error)
	Evaluate func(ctx context.Context, s *session.Session, name, split string, report session.Progress) (*eval.Result,
		error)
}

// Models is the control that loads models and asks them.
func Models() Control {
	return Control{
		Load: func(ctx context.Context, s *session.Session, name string, report session.Progress) (Asker, error) {
			return s.Subject(ctx, name, report)
		},
		Evaluate: func(ctx context.Context, s *session.Session, name, split string,
			report session.Progress) (*eval.Result, error) {
			return s.Evaluate(ctx, name, split, report)
		},
	}
}

// Pane is the Infer pane. Who is asked, which split and which sample are shared by its views.
type Pane struct {
	control Control
	file    *config.File // nil: no config.toml was read

	source
	chosen
	ask      ask
	pictures pictures
	batch    batch
	filter   views.Filter
	scores   scores
	compare  compare

	open   int // which view is seen
	boards [viewCount]*views.Board
	editor *editor // open while a question or a path is written
	choice *choice // open while a run is chosen
	w, h   int
}

// New is the Infer pane of a project. file may be nil: the pane then says how to come by one. control is Models(), but
// for tests. The file is never changed.
func New(file *config.File, control Control) *Pane {
	p := &Pane{file: file, control: control}
	p.pictures.init()
	p.boards = [viewCount]*views.Board{p.askBoard(), p.scoresBoard(), p.confusionBoard(), p.compareBoard()}
	return p
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Infer" }

// Init starts reading the data set.
func (p *Pane) Init() tea.Cmd { return p.openSession(false) }

// Update takes one message; what the screen then lacks is asked for in commands.
func (p *Pane) Update(msg tea.Msg) tea.Cmd { return tea.Batch(p.update(msg), p.lack()) }

func (p *Pane) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.w, p.h = msg.Width, msg.Height
		for _, board := range p.boards {
			board.Place(0, 0, p.w, p.h)
		}
	case tea.ColorProfileMsg:
		p.pictures.profile = msg.Profile
	case views.ConfigChanged:
		return p.reconfigure(msg.File)
	case views.DatasetChanged:
		return p.openSession(true)
	case views.Batch[opening]:
		return p.opened(msg)
	case views.Answer[*scene]:
		return p.looked(msg)
	case views.Batch[heard]:
		return p.heard(msg)
	case views.Batch[evaluating]:
		return p.evaluated(msg)
	case views.Batch[views.Drawing[pictureKey]]:
		return p.pictures.Arrived(msg)
	case views.Answer[completions]:
		p.completed(msg)
	case views.Answer[foundPicture]:
		return p.found(msg)
	case views.Answer[compared]:
		p.compare.answered(msg)
		p.boards[compareView].Layout = compareLayout(len(p.compare.kept))
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
	return tea.Batch(p.drawPictures(), p.askUnasked(), p.compareResults())
}

// typed gives keys to what is open for them. A path that is pasted while nothing is opens a picture.
func (p *Pane) typed(msg tea.Msg) tea.Cmd {
	switch paste, pasted := msg.(tea.PasteMsg); {
	case p.choice != nil:
		return p.choose(msg)
	case p.editor != nil:
		return p.edit(msg)
	case p.filter.Writing():
		changed, cmd := p.filter.Update(msg)
		if changed {
			p.refilter()
		}
		return cmd
	case pasted && p.ready():
		return p.openPath(pathOf(paste.Content))
	}
	return nil
}

func (p *Pane) board() *views.Board { return p.boards[p.open] }

// View draws the open view, and over it what asks for something.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	if !p.ready() {
		return p.notice(t, w, h)
	}
	screen := p.board().View(t, w, h)
	switch {
	case p.choice != nil:
		screen = p.choice.list.Over(t, screen, w, h)
	case p.filter.Writing():
		screen = p.filter.Over(t, screen, w, h)
	case p.editor != nil:
		text := p.editor.prompt.View(t, w)
		lines := strings.Count(text, "\n") + 1
		screen = widget.Overlay(screen, widget.Block(text, w, lines), 0, h-lines)
	}
	return screen
}

// Capturing says whether a text field or a choice has the keyboard.
func (p *Pane) Capturing() bool { return p.editor != nil || p.choice != nil || p.filter.Writing() }

// Leave closes the uppermost layer: a zoomed panel, an answer that is running, a picture file.
func (p *Pane) Leave() bool {
	switch {
	case !p.ready():
		return false
	case p.board().Leave():
		return true
	case p.open == askView && p.ask.request.Pending():
		p.ask.auto = false
		p.stopAnswer()
		return true
	case p.open == askView && p.ask.path != "":
		p.ask.path = ""
		return true
	case p.filter.Clear():
		p.refilter()
		return true
	}
	return false
}

// Status names the views where there is room, then whose answers are seen to what.
func (p *Pane) Status() string {
	switch {
	case p.choice != nil:
		return "enter takes it   esc leaves it"
	case p.editor != nil:
		return p.editor.status
	case p.filter.Writing():
		return p.filter.Keys()
	case !p.ready():
		return ""
	}
	status := views.Strip(viewNames[:], p.open, p.w) + " · split " + widget.Clean(p.scene.split) + p.filter.Status()
	if p.batch.request.Pending() {
		status += " · " + p.batch.text()
	}
	if p.source.request.Pending() {
		status += " · reading again"
	}
	return status
}

// Actions are those of the open view, of its board, and the pane's own. What an action changes may need work:
// each asks for it when it has run.
func (p *Pane) Actions() []views.Action {
	turn := func(n int) func() tea.Cmd {
		return func() tea.Cmd { return p.turn(n) }
	}
	ready := p.ready
	actions := []views.Action{
		{Name: "next_view", Help: "show the next view", Group: "Infer", Enabled: ready, Run: turn(1)},
		{Name: "previous_view", Help: "show the view before", Group: "Infer", Enabled: ready, Run: turn(-1)},
	}
	if ready() { // first what the view is for, then where its panels lead
		actions = append(append(actions, p.viewActions()...), p.board().Actions()...)
	}
	return p.attended(append(actions,
		views.Action{Name: "filter", Help: "list only what contains a text", Group: "Infer", Enabled: ready,
			Run: p.askFilter},
		views.Action{Name: "evaluate", Label: "evaluate",
			Help: "ask about every object of the split and score the answers", Group: "Infer",
			Enabled: func() bool { return p.ready() && !p.batch.request.Pending() }, Run: p.evaluate},
		views.Action{Name: "subject", Label: "base/adapter", Help: "ask the base, the adapter, or both side by side",
			Group: "Infer", Enabled: ready, Run: p.nextMode},
		views.Action{Name: "run", Label: "run", Help: "choose the run whose adapter is asked", Group: "Infer",
			Enabled: ready, Run: p.chooseRun},
		views.Action{Name: "next_split", Label: "split", Help: "go to the next split: train, valid, test",
			Group: "Infer", Enabled: p.severalSplits, Run: p.nextSplit},
		views.Action{Name: "stop_evaluation", Label: "stop",
			Help: "stop the evaluation; what it asked so far is not kept", Group: "Infer",
			Enabled: p.batch.request.Pending, Run: p.stopEvaluation},
		views.Action{Name: "copy", Help: "copy the answer, or the scores as text, to the clipboard", Group: "Infer",
			Enabled: ready, Run: p.copy},
		views.Action{Name: "reload", Help: "read the data set and the runs again", Group: "Infer",
			Enabled: func() bool { return p.file != nil }, Run: views.Reread},
	))
}

// attended are actions each of which asks for what the screen lacks when it has run.
func (p *Pane) attended(actions []views.Action) []views.Action {
	for i, action := range actions {
		actions[i].Run = func() tea.Cmd { return tea.Batch(action.Run(), p.lack()) }
	}
	return actions
}

// viewActions are those of the open view, whichever of its panels has the keyboard.
func (p *Pane) viewActions() []views.Action { return p.actionsOf(p.open) }

func (p *Pane) actionsOf(view int) []views.Action {
	switch view {
	case askView:
		return p.askActions()
	case compareView:
		return p.compareActions()
	}
	return p.scoresActions()
}

// AllActions are those of every view and of its board.
func (p *Pane) AllActions() []views.Action {
	var actions []views.Action
	for view, board := range p.boards {
		actions = append(actions, views.In(func() { p.open = view }, append(p.actionsOf(view),
			board.AllActions()...)...)...)
	}
	for i, a := range actions {
		actions[i].Enabled = func() bool { return p.ready() && a.On() }
	}
	return append(p.Actions(), p.attended(actions)...)
}

// Jumps are the views, and the runs that can be asked.
func (p *Pane) Jumps() []views.Jump {
	if !p.ready() {
		return nil
	}
	jumps := views.ViewJumps(p.Name(), viewNames[:], func(view int) tea.Cmd {
		p.open = view
		return tea.Batch(p.look(), p.lack())
	})
	for _, candidate := range slices.Backward(p.scene.candidates) {
		if candidate.Run != nil && candidate.Why == "" {
			jumps = append(jumps, views.Jump{Text: "ask " + candidate.Name, Detail: about(candidate),
				Go: func() tea.Cmd {
					p.open = askView
					return p.askRun(candidate.Name)
				}})
		}
	}
	return jumps
}

// turn goes n views on. What another pane or process has evaluated since is looked for.
func (p *Pane) turn(n int) tea.Cmd {
	p.open = (p.open + n + viewCount) % viewCount
	return p.look()
}

// copy puts what the view shows into the clipboard.
func (p *Pane) copy() tea.Cmd {
	text := ""
	switch p.open {
	case askView:
		text = p.answersText()
	case compareView:
		text = p.compare.text()
	default:
		if r := p.result(); r != nil {
			text = r.Text()
		}
	}
	if text == "" {
		return views.Say("there is nothing to copy yet")
	}
	return views.Copy(text)
}
