// Package infer is the Infer pane: a picture, a question and the answer as it comes, and how right the answers to whole
// splits are. It reads no file and runs no model itself; core does, in commands.
package infer

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"finetui/core/config"
	"finetui/core/dataset"
	"finetui/core/eval"
	"finetui/core/media"
	"finetui/core/model"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// The names of the pane's views.
const (
	askView       = "Ask"
	scoresView    = "Scores"
	confusionView = "Confusion"
	compareView   = "Compare"
)

// Asker answers one question at a time; *session.Subject is one.
type Asker interface {
	Title() string
	Hear(ctx context.Context, q model.Question, h session.Hearing) (session.Answer, error)
}

// Control is what the pane needs of the program, handed in by it. All but Picture may take long; each is called in
// commands, beside the screen.
type Control struct {
	// Open opens a project on its data set, which is there already; before is the one that it takes the place of, or
	// nil.
	Open func(ctx context.Context, file *config.Snapshot, set *dataset.Dataset, before *session.Session,
		report session.Progress) (*session.Session, error)

	Load     func(ctx context.Context, s *session.Session, name string, report session.Progress) (Asker, error)
	Evaluate func(ctx context.Context, s *session.Session, name, split string, report session.Progress) (*eval.Result,
		error)
	Picture func(path string) (*media.Picture, error) // decoded, or kept from before

	// Clip reads the frames of a clip as who is shown them.
	Clip func(ctx context.Context, s *session.Session, who *session.Setting, path string) (*session.Clip, error)
}

// Pane is the Infer pane: its views, and what they share.
type Pane struct {
	*shared
	ask       *ask
	scores    *scores
	confusion *confusion
	compare   *compare
}

// New is the Infer pane of a project. file may be nil: the pane
// then says how to come by one. The file is never changed.
func New(file *config.File, control Control) *Pane {
	s := &shared{control: control, file: file}
	s.pictures.profile, s.pictures.Most = colorprofile.TrueColor, mostDrawn
	p := &Pane{shared: s, ask: newAsk(s), scores: newScores(s), confusion: newConfusion(s), compare: newCompare(s)}
	s.views = views.NewViews(p.Name(), p.ask.view(), p.scores.view(), p.confusion.view(), p.compare.view())
	s.views.Ready, s.views.Long = s.ready, func() bool { return s.ready() && s.now.long() }
	s.views.Turned = s.look // what another pane or process has evaluated since is looked for
	return p
}

// Name stands on the tab.
func (p *Pane) Name() string { return "Infer" }

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
		return p.reconfigure(msg.File)
	case views.Dataset:
		return p.heardOf(msg)
	case views.Batch[openingStep]:
		return p.opened(msg)
	case views.Answer[views.Listed]:
		p.views.Took(msg)
	case views.Answer[*snapshot]:
		return p.looked(msg)
	case views.Batch[evaluationStep]:
		return p.evaluated(msg)
	case views.Batch[views.Drawing[pictureKey]]:
		return p.pictures.Arrived(msg)
	case views.Answer[*session.Clip]:
		for _, player := range p.players {
			player.took(msg)
		}
	case views.Batch[answerStep]:
		return p.ask.heard(msg)
	case views.Answer[completions]:
		p.ask.completed(msg)
	case views.Answer[foundFile]:
		return p.ask.found(msg)
	case views.Answer[compared]:
		p.compare.answered(msg)
	case tea.MouseMsg:
		if !p.Capturing() && p.ready() {
			return p.views.Update(msg)
		}
	case tea.KeyPressMsg, tea.PasteMsg:
		return p.typed(msg)
	}
	return nil
}

// typed gives keys to what is open for them. A path that is pasted while nothing is opens a picture.
func (p *Pane) typed(msg tea.Msg) tea.Cmd {
	switch paste, pasted := msg.(tea.PasteMsg); {
	case p.choice != nil:
		return p.choose(msg)
	case p.ask.writing():
		return p.ask.write(msg)
	case p.filter.Writing():
		changed, cmd := p.filter.Update(msg)
		if changed {
			p.views.Refresh()
		}
		return cmd
	case pasted && p.ready():
		return p.ask.openPath(pathOf(paste.Content))
	}
	return nil
}

// reconfigure opens the project of changed constants, and leaves that of none.
func (p *Pane) reconfigure(file *config.File) tea.Cmd {
	if file == nil {
		p.ask.stop()
	}
	return p.shared.reconfigure(file)
}

// opened takes what came of opening the project: another one's answers are none to this one's questions.
func (p *Pane) opened(msg views.Batch[openingStep]) tea.Cmd {
	before := p.opens
	cmd := p.shared.opened(msg)
	if p.opens != before {
		p.ask.forget()
	}
	return cmd
}

// Arrive looks what runs and evaluations there are by now.
func (p *Pane) Arrive() tea.Cmd { return p.look() }

// View draws the open view, and over it what asks for something.
func (p *Pane) View(t *widget.Theme, w, h int) string {
	if !p.ready() {
		return p.notice(t, w, h)
	}
	screen := p.views.Draw(t, w, h)
	switch {
	case p.choice != nil:
		screen = p.choice.list.Over(t, screen, w, h)
	case p.filter.Writing():
		screen = p.filter.Over(t, screen, w, h)
	case p.ask.writing():
		screen = p.ask.drawEditor(t, screen, w, h)
	}
	return screen
}

// Working says whether the pane waits: for the project, or for the first word of an answer.
func (p *Pane) Working() bool { return p.waiting() && !p.ready() || p.ask.request.Pending() }

// Capturing says whether a text field or a choice has the keyboard.
func (p *Pane) Capturing() bool { return p.ask.capturing() }

// Leave closes the uppermost layer: a zoomed panel, an answer that is running, a picture file.
func (p *Pane) Leave() bool {
	switch {
	case !p.ready():
		return false
	case p.views.Leave():
		return true
	case p.filter.Clear():
		p.views.Refresh()
		return true
	}
	return false
}

// Status names the views where there is room, then whose answers are seen to what.
func (p *Pane) Status() string {
	switch {
	case p.choice != nil:
		return "enter takes it   esc leaves it"
	case p.ask.writing():
		return p.ask.editor.status
	case p.filter.Writing():
		return p.filter.Keys()
	case !p.ready():
		return ""
	}
	status := p.views.Status() + " · split " + widget.Clean(p.now.split) + p.filter.Status()
	if p.batch.request.Pending() {
		status += " · " + p.batch.text()
	}
	if p.waiting() {
		status += " · reading again"
	}
	return status
}

// Actions are those of the open view, then the pane's own.
func (p *Pane) Actions() []views.Action {
	ready := p.ready
	return views.Then(p.views.Want, append(p.views.Actions(),
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
		views.Action{Name: "score_words", Label: "words", Group: "Infer", Run: p.nextMeasure,
			Help: "score what is said when, the words of the answers, or only the exercise that they name",
			Enabled: func() bool {
				return p.ready() && p.texts() != nil && !p.views.Is(askView)
			}},
		views.Action{Name: "stop_evaluation", Label: "stop",
			Help: "stop the evaluation; what it asked so far is not kept", Group: "Infer",
			Enabled: p.batch.request.Pending, Run: p.stopEvaluation},
		views.Action{Name: "copy", Help: "copy the answer, or the scores as text, to the clipboard", Group: "Infer",
			Enabled: ready, Run: p.views.Copy},
		views.Action{Name: "reload", Help: "read the data set and the runs again", Group: "Infer",
			Enabled: func() bool { return p.file != nil }, Run: views.Reread},
	)...)
}

// AllActions are those of every view, and the pane's own.
func (p *Pane) AllActions() []views.Action {
	return append(p.Actions(), views.Then(p.views.Want, p.views.AllActions()...)...)
}

// Marked is the reference that was chosen in Compare, if one was.
func (p *Pane) Marked() []string { return p.compare.marked() }

// Mark chooses the reference of that name.
func (p *Pane) Mark(names []string) { p.compare.mark(names) }

// Jumps are the views, and the runs that can be asked.
func (p *Pane) Jumps() []views.Jump {
	if !p.ready() {
		return nil
	}
	jumps := p.views.Jumps()
	for _, candidate := range slices.Backward(p.now.candidates) {
		if candidate.Name != session.Base && candidate.Why == "" {
			jumps = append(jumps, views.Jump{Text: "ask " + candidate.Name, Detail: about(candidate),
				Go: func() tea.Cmd {
					p.views.Show(askView)
					return p.askRun(candidate.Name)
				}})
		}
	}
	return jumps
}
