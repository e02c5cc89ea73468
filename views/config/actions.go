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
		return p.fileActions()
	case p.diff != nil:
		return p.diffActions()
	}
	return slices.Concat(p.views.View().Actions(), p.fileActions(), p.views.Board().Actions())
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
	return slices.Concat(of(actions, func() bool { return p.diff == nil }),
		of(p.diffActions(), func() bool { return p.diff != nil }), p.fileActions())
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
				p.diff = nil
				p.views.Board().Focus("constants")
				if p.filter.Clear() {
					p.filterRows()
				}
				p.selectName(field.Name())
				return nil
			}})
	}
	return jumps
}

const group = "Config"

// fileActions are those that need no readable file.
func (p *Pane) fileActions() []views.Action {
	return []views.Action{
		{Name: "edit_file", Label: "editor", Help: "open config.toml in $EDITOR and read it again afterwards",
			Group: group, Run: p.askEditor},
		{Name: "reload", Help: "read config.toml again", Group: group, Run: p.askReload},
	}
}

func (p *Pane) constantActions() []views.Action {
	constant := func() bool { _, ok := p.selected(); return ok }
	toggles := func() bool { r, ok := p.selected(); return ok && r.field.Kind == config.Switch }
	changed := func() bool { return p.file.Changed() }
	return []views.Action{
		{Name: "edit", Label: "edit", Help: "change the constant under the cursor; from the sections, go to it",
			Group: group, Enabled: constant, Run: p.openConstant},
		{Name: "toggle", Help: "turn a switch on or off", Group: group, Enabled: toggles, Run: p.openConstant},
		{Name: "save", Label: "save", Help: "write config.toml; comments, order and spacing stay", Group: group,
			Enabled: changed, Run: p.save},
		{Name: "undo", Label: "undo", Help: "take the last change back", Group: group, Run: p.undo},
		{Name: "filter", Label: "filter", Help: "show constants by words of their name or explanation", Group: group,
			Run: p.openFilter},
		{Name: "presets", Label: "presets", Help: "take the constants of a recipe or a project preset", Group: group,
			Run: p.openPresets},
		{Name: "diff", Label: "diff", Help: "compare with the file on disk and with the preset", Group: group,
			Run: p.openDiff},
		{Name: "revert", Help: "give this constant its value on disk", Group: group, Enabled: p.isUnsaved,
			Run: p.revert},
		{Name: "next_problem", Help: "go to the next constant with a problem", Group: group,
			Enabled: func() bool { return len(p.problems) > 0 }, Run: p.nextProblem},
		{Name: "copy", Help: "copy the constant as it stands in the file", Group: group, Enabled: constant,
			Run: p.views.Copy},
		{Name: "next_section", Help: "to the next section", Group: group,
			Run: func() tea.Cmd { p.stepSection(1); return nil }},
		{Name: "previous_section", Help: "to the section before", Group: group,
			Run: func() tea.Cmd { p.stepSection(-1); return nil }},
	}
}

// constantText is the constant under the cursor as it stands in the file.
func (p *Pane) constantText() string {
	r, ok := p.selected()
	if !ok || r.adds {
		return ""
	}
	return r.field.Key + " = " + config.Get(p.file.Config, r.field.Name())
}
