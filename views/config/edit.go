package config

import (
	"maps"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/views"
)

// try is what setting a constant comes to: the changes, and the constants after them. RECIPE.PRESET brings the
// constants of its recipe along, and any other constant of RECIPE the name of the recipe that it makes.
func (p *Pane) try(name, text string) ([]config.Change, *config.Config, error) {
	trial, err := config.Changed(p.file.Config, config.Change{Key: name, New: text})
	if err != nil {
		return nil, nil, err
	}
	after := *trial
	if section, _, _ := strings.Cut(name, "."); name == presetConstant {
		if err := recipe.Apply(&after, after.Recipe.Preset); err != nil {
			return nil, nil, err
		}
	} else if section == "RECIPE" {
		after.Recipe.Preset = recipe.Detect(&after)
	}
	return append([]config.Change{{Key: name, New: text}}, config.Diff(trial, &after)...), &after, nil
}

const presetConstant = "RECIPE.PRESET"

// set changes a constant, and what goes with it, in one step of undo.
func (p *Pane) set(name, text string) tea.Cmd {
	list, after, err := p.try(name, text)
	if err != nil {
		return views.Fail(err)
	}
	before := p.file.Config.Recipe.Preset
	cmd := p.apply(list)
	if name != presetConstant && after.Recipe.Preset != before {
		return tea.Batch(cmd, views.Say("%s is %s now", presetConstant, after.Recipe.Preset))
	}
	return cmd
}

// apply makes changes, all or none, and tells who has to know.
func (p *Pane) apply(list []config.Change) tea.Cmd {
	if err := p.file.Apply(list); err != nil {
		return views.Fail(err)
	}
	return p.changed()
}

// changed follows an edit: what is shown, the consequences, the other panes.
func (p *Pane) changed() tea.Cmd {
	before := p.told
	p.refresh()
	p.told = p.file.Config
	return tea.Batch(p.estimate(), p.tellRoot(before), p.tell())
}

// tell says to every pane that the file is another one than before.
func (p *Pane) tell() tea.Cmd {
	file := p.file
	return func() tea.Msg { return views.ConfigChanged{File: file} }
}

// heard takes what another pane, or this one, says about the file.
func (p *Pane) heard(file *config.File) tea.Cmd {
	switch {
	case file == nil || file == p.file && file.Config == p.told && (file.Changed() || file.Config == p.disk):
		return nil
	case file != p.file:
		before := p.told
		p.adopt(file)
		return tea.Batch(p.estimate(), p.tellRoot(before))
	}
	before := p.told
	p.refresh()
	p.told = file.Config
	return tea.Batch(p.estimate(), p.tellRoot(before))
}

// tellRoot sends the constants that are about the workbench itself, where they differ from what it knows.
func (p *Pane) tellRoot(before *config.Config) tea.Cmd {
	var cmds []tea.Cmd
	send := func(msg tea.Msg) { cmds = append(cmds, func() tea.Msg { return msg }) }
	now := p.file.Config
	if before == nil || !maps.Equal(before.Keys, now.Keys) {
		send(views.Keys(maps.Clone(now.Keys)))
	}
	if before == nil || before.View.Theme != now.View.Theme {
		send(views.ThemeChoice(now.View.Theme))
	}
	if before == nil || before.View.Redraws != now.View.Redraws {
		send(views.Redraws(now.View.Redraws))
	}
	return tea.Batch(cmds...)
}

// undo takes back the last step and goes where it was.
func (p *Pane) undo() tea.Cmd {
	before := p.file.Config
	if !p.file.Undo() {
		return views.Say("nothing is left to take back")
	}
	back := config.Diff(before, p.file.Config)
	cmd := p.changed()
	if len(back) == 0 {
		return cmd
	}
	p.selectName(back[0].Key)
	if len(back) > 1 {
		return tea.Batch(cmd, views.Say("%d constants are as before", len(back)))
	}
	return tea.Batch(cmd, views.Say("%s is %s again", back[0].Key, back[0].New))
}

// revert gives the constant under the cursor the value it has on disk.
func (p *Pane) revert() tea.Cmd {
	r, _ := p.selected()
	change, ok := changeOf(p.unsaved, r.field.Name())
	if !ok {
		return nil
	}
	return p.set(change.Key, change.Old)
}

func (p *Pane) isUnsaved() bool {
	r, ok := p.selected()
	if !ok || r.adds {
		return false
	}
	_, differs := changeOf(p.unsaved, r.field.Name())
	return differs
}
