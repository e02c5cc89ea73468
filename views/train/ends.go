package train

import (
	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/widget"
)

// ends are the runs that were live when the folder was looked at before: of each that is not any more it is said once
// what it has come to.
type ends struct{ live map[string]bool }

// news says what has become of runs that lived at the last look, and rings the bell where VIEW.BELL asks for it.
func (p *ends) news(now *listing, bell config.Bell) tea.Cmd {
	ring := false
	var cmds []tea.Cmd
	live := map[string]bool{}
	for i := range now.runs {
		e := &now.runs[i]
		if e.status.Live() {
			live[e.run.Dir] = true
			continue
		}
		if !p.live[e.run.Dir] || e.run.Fault != nil {
			continue
		}
		switch label := e.run.Label(); e.status.State {
		case run.Done:
			text := label + " is done"
			if e.best.by != "" {
				text += ": best " + e.best.text(true) + " at step " + widget.Count(e.best.step)
			}
			cmds = append(cmds, views.Say("%s", text))
			ring = ring || bell == config.BellEnded
		case run.Failed, run.Killed:
			cmds = append(cmds, views.Warn("%s is %s: %s", label, e.status.State, e.status.Reason))
			ring = ring || bell != config.BellOff
		default:
			cmds = append(cmds, views.Say("%s is %s", label, e.status.State))
		}
	}
	p.live = live
	if ring {
		cmds = append(cmds, tea.Raw("\a"))
	}
	return tea.Batch(cmds...)
}
