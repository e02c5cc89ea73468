package infer

import (
	"context"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/printable"
	"finetui/core/session"
	"finetui/views"
	"finetui/views/widget"
)

// mode is who is asked.
type mode int

const (
	baseOnly mode = iota
	adapterOnly
	sideBySide
	modeCount
)

// chosen is what the user wants to see; the scene is what there is.
type chosen struct {
	mode  mode
	run   string // label of the run; empty: the newest that can be asked, which it then stays
	split string // empty: EVAL.SPLIT
}

// asked are the subjects of the mode.
func (p *Pane) asked() []int {
	switch p.mode {
	case adapterOnly:
		return []int{adapter}
	case sideBySide:
		return []int{base, adapter}
	}
	return []int{base}
}

// main is the subject whose pictures and scores are shown: side by side, the adapter's.
func (p *Pane) main() int {
	asked := p.asked()
	return asked[len(asked)-1]
}

// noRun says that there is no adapter, and what to do about it.
const noRun = "no run has a checkpoint yet: press n in the pane Train to start one; until then the base answers"

func (p *Pane) nextMode() tea.Cmd {
	if p.scene.settings[adapter] == nil && p.scene.faults[adapter] == nil {
		return views.Say("%s", noRun)
	}
	p.mode = (p.mode + 1) % modeCount
	p.scores.arrive()
	return nil
}

func (p *Pane) severalSplits() bool { return p.ready() && len(p.scene.splits) > 1 }

func (p *Pane) nextSplit() tea.Cmd {
	from := p.scene.split
	if p.looking.Pending() && p.chosen.split != "" { // a quick second press goes on from where the first one leads
		from = p.chosen.split
	}
	at := slices.Index(p.scene.splits, from)
	p.chosen.split = p.scene.splits[(at+1)%len(p.scene.splits)]
	p.ask.path = ""
	return p.look()
}

// choice is the list of runs while one is chosen.
type choice struct {
	list  *widget.Choice
	names []string
}

// chooseRun opens the list of runs, the newest first, and looks for those that came since.
func (p *Pane) chooseRun() tea.Cmd {
	at := ""
	if setting := p.scene.settings[adapter]; setting != nil {
		at = setting.Name
	}
	if p.choice = runChoice(p.scene.candidates, at); p.choice == nil {
		return views.Say("there is no run yet: press n in the pane Train to start one")
	}
	return p.look()
}

// runChoice is the list of runs with the cursor at one of them; nil where there is none.
func runChoice(candidates []session.Candidate, at string) *choice {
	c := &choice{}
	var options []widget.Option
	for _, candidate := range slices.Backward(candidates) {
		if candidate.Run == nil {
			continue
		}
		options = append(options, widget.Option{Text: candidate.Name, Detail: about(candidate),
			Off: candidate.Why != ""})
		c.names = append(c.names, candidate.Name)
	}
	if len(options) == 0 {
		return nil
	}
	c.list = widget.NewChoice("Whose adapter is asked", false, options...)
	c.list.Cursor.Index = max(slices.Index(c.names, at), 0)
	return c
}

func about(c session.Candidate) string {
	if c.Why != "" {
		return c.Why
	}
	which := "newest"
	if c.Adapter.Best {
		which = "best"
	}
	return fmt.Sprintf("%s, step %d (%s), %s", c.Run.Info.Recipe, c.Adapter.Step, which, c.State)
}

func (p *Pane) choose(msg tea.Msg) tea.Cmd {
	outcome, cmd := p.choice.list.Update(msg)
	if outcome == widget.Editing {
		return cmd
	}
	taken := p.choice
	p.choice = nil
	if at := taken.list.Chosen(); outcome == widget.Accepted && at >= 0 {
		return tea.Batch(cmd, p.askRun(taken.names[at]))
	}
	return cmd
}

// askRun makes a run's adapter the one that is asked.
func (p *Pane) askRun(name string) tea.Cmd {
	p.chosen.run = name
	if p.mode == baseOnly {
		p.mode = adapterOnly
	}
	return p.look()
}

// completions are what a path could go on as.
type completions []string

// foundPicture is a picture file that exists.
type foundPicture string

// editor is the text field that is open.
type editor struct {
	prompt *widget.Prompt
	status string
	path   bool // a path is written; else a question
	wanted views.Request
	last   string // text that completions were asked for
}

// editQuestion opens the question to be changed.
func (p *Pane) editQuestion() tea.Cmd {
	prompt := widget.NewPrompt("question", p.question(p.main()))
	prompt.Hint = "empty: the recipe's own"
	prompt.History = p.ask.questions
	prompt.Select()
	p.editor = &editor{prompt: prompt, status: "enter asks it   esc leaves it   ↑ ↓ earlier ones   empty: the recipe's"}
	return nil
}

// openPath opens the text field for a picture's path.
func (p *Pane) openPath(path string) tea.Cmd {
	prompt := widget.NewPrompt("picture", path)
	prompt.Hint = "path of a picture file, from the project's folder or absolute"
	prompt.History = p.ask.paths
	p.editor = &editor{prompt: prompt, path: true, status: "enter opens it   tab completes   esc leaves it"}
	return p.complete()
}

func (p *Pane) edit(msg tea.Msg) tea.Cmd {
	e := p.editor
	if paste, ok := msg.(tea.PasteMsg); ok && e.path {
		msg = tea.PasteMsg{Content: pathOf(paste.Content)}
	}
	outcome, cmd := e.prompt.Update(msg)
	switch {
	case outcome == widget.Cancelled:
		e.wanted.Close()
		p.editor = nil
	case outcome == widget.Accepted && e.path:
		return tea.Batch(cmd, p.findPicture(e.prompt.Value()))
	case outcome == widget.Accepted:
		p.editor = nil
		p.setQuestion(e.prompt.Value())
		p.ask.questions = e.prompt.History
		return tea.Batch(cmd, p.askNow())
	case e.path:
		return tea.Batch(cmd, p.complete())
	}
	return cmd
}

// complete asks what the path could go on as.
func (p *Pane) complete() tea.Cmd {
	e, s := p.editor, p.session
	written := e.prompt.Value()
	if written == e.last && e.wanted.Pending() {
		return nil
	}
	e.last = written
	return views.Ask(&e.wanted, func(context.Context) (completions, error) { return s.Complete(written), nil })
}

func (p *Pane) completed(msg views.Answer[completions]) {
	if p.editor == nil || !p.editor.wanted.Takes(msg.Ticket) {
		return
	}
	p.editor.wanted.Close()
	p.editor.prompt.Suggest(msg.Value)
}

// findPicture looks whether the file exists; the field stays open until then.
func (p *Pane) findPicture(path string) tea.Cmd {
	s := p.session
	return views.Ask(&p.editor.wanted, func(context.Context) (foundPicture, error) {
		found, err := s.Picture(path)
		return foundPicture(found), err
	})
}

func (p *Pane) found(msg views.Answer[foundPicture]) tea.Cmd {
	if p.editor == nil || !p.editor.wanted.Takes(msg.Ticket) {
		return nil
	}
	p.editor.wanted.Close()
	if msg.Err != nil {
		p.editor.prompt.Error = printable.Error(msg.Err)
		return nil
	}
	p.ask.paths = p.editor.prompt.History
	p.editor = nil
	p.views.Show(askView)
	p.ask.path = string(msg.Value)
	return nil
}
