package config

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
)

// Actions are what can be done with the constants, then moving between panels; of an open comparison its own only.
func (p *Pane) Actions() []views.Action {
	switch {
	case p.Capturing(): // keys go to what is written or chosen
		return nil
	case !p.readable():
		return p.storage.actions()
	case p.diff.open:
		return p.diff.actions()
	}
	return slices.Concat(p.views.View().Actions(), p.storage.actions(), p.views.Board().Actions())
}

// AllActions are those of the constants, of the comparison and of the file.
func (p *Pane) AllActions() []views.Action {
	actions := p.views.AllActions()
	of := func(actions []views.Action, here func() bool) []views.Action {
		for i, a := range actions {
			actions[i].Enabled = func() bool { return p.readable() && here() && a.On() }
		}
		return actions
	}
	return slices.Concat(of(actions, func() bool { return !p.diff.open }),
		of(p.diff.actions(), func() bool { return p.diff.open }), p.storage.actions())
}

// Jumps are the constants.
func (p *Pane) Jumps() []views.Jump {
	if !p.readable() || p.Capturing() {
		return nil
	}
	var jumps []views.Jump
	for _, field := range config.Fields() {
		jumps = append(jumps, views.Jump{Text: field.Name(), Detail: config.Plain(p.file.Config, field.Name()),
			Go: func() tea.Cmd {
				p.diff.open = false
				p.views.Board().Focus("constants")
				if p.list.filter.Clear() {
					p.list.filterRows()
				}
				p.list.selectName(field.Name())
				return nil
			}})
	}
	return jumps
}

const group = "Config"
