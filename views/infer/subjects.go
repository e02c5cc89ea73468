package infer

import (
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

// wanted is what the user wants to see; the snapshot is what there is.
type wanted struct {
	mode  mode
	run   string // label of the run; empty: the newest that can be asked, which it then stays
	split string // empty: EVAL.SPLIT
	meant bool   // somebody was asked or chosen; until then the first run that can be asked takes the base's place
}

// asked are the subjects of the mode.
func (p *shared) asked() []int {
	switch p.mode {
	case adapterOnly:
		return []int{adapter}
	case sideBySide:
		return []int{base, adapter}
	}
	return []int{base}
}

// main is the subject whose pictures and scores are shown: side by side, the adapter's.
func (p *shared) main() int {
	asked := p.asked()
	return asked[len(asked)-1]
}

// noRun says that there is no adapter, and what to do about it.
const noRun = "no run has a checkpoint yet: press n in the pane Train to start one; until then the base answers"

func (p *shared) nextMode() tea.Cmd {
	if p.now.settings[adapter] == nil && p.now.faults[adapter] == nil {
		return views.Say("%s", noRun)
	}
	p.mode, p.meant = (p.mode+1)%modeCount, true
	p.views.Refresh()
	return nil
}

func (p *shared) severalSplits() bool { return p.ready() && len(p.now.splits) > 1 }

func (p *shared) nextSplit() tea.Cmd {
	from := p.now.split
	if p.looking.Pending() && p.wanted.split != "" { // a quick second press goes on from where the first one leads
		from = p.wanted.split
	}
	at := slices.Index(p.now.splits, from)
	p.wanted.split = p.now.splits[(at+1)%len(p.now.splits)]
	return p.look()
}

// choice is the list of runs while one is chosen.
type choice struct {
	list  *widget.Choice
	names []string
}

// chooseRun opens the list of runs, the newest first, and looks for those that came since.
func (p *shared) chooseRun() tea.Cmd {
	at := ""
	if setting := p.now.settings[adapter]; setting != nil {
		at = setting.Name
	}
	if p.choice = runChoice(p.now.candidates, at); p.choice == nil {
		return views.Say("there is no run yet: press n in the pane Train to start one")
	}
	return p.look()
}

// runChoice is the list of runs with the cursor at one of them; nil where there is none.
func runChoice(candidates []session.Candidate, at string) *choice {
	c := &choice{}
	var options []widget.Option
	for _, candidate := range slices.Backward(candidates) {
		if candidate.Name == session.Base {
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
	if c.Run == nil {
		return fmt.Sprintf("the run %s of %s", c.State, c.Tool)
	}
	which := "newest"
	if c.Adapter.Best {
		which = "best"
	}
	return fmt.Sprintf("%s, step %d (%s), %s", c.Run.Info.Recipe, c.Adapter.Step, which, c.State)
}

func (p *shared) choose(msg tea.Msg) tea.Cmd {
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
func (p *shared) askRun(name string) tea.Cmd {
	p.wanted.run, p.meant = name, true
	if p.mode == baseOnly {
		p.mode = adapterOnly
	}
	return p.look()
}

func (p *shared) whyNobody() string {
	for _, who := range p.asked() {
		if err := p.now.faults[who]; err != nil {
			return printable.Error(err)
		}
	}
	return noRun
}

// lookAt makes the subject of that name, base or a run's label, the one whose pictures and scores are shown.
func (p *shared) lookAt(name string) tea.Cmd {
	p.meant = true
	if name == session.Base {
		p.mode = baseOnly
		p.views.Refresh()
		return nil
	}
	p.mode, p.wanted.run = adapterOnly, name
	return p.look()
}

func subjectName(who int) string { return [subjectCount]string{"base", "adapter"}[who] }
