package config

import (
	"maps"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/views"
)

// shared is what the views of the pane share: the file as it is edited, what lies over the screen and takes the keys,
// and the way from one part of it to another.
type shared struct {
	control Control

	draft
	editor   *editor   // open on the constant under the cursor
	question *question // lies over everything
	trying   trying

	views   *views.Views // one: the brackets go from section to section
	list    *constants
	editing *editing
	effects *effects
	storage *storage
	diff    *comparison
}

// adopt makes a file that was just read the one that is edited.
func (s *shared) adopt(file *config.File) {
	s.file, s.broken = file, nil
	s.effects.base = nil
	s.editor = nil
	s.refresh()
	s.known = file.Config
}

// refresh works out everything that follows from the file and the filter.
func (s *shared) refresh() {
	s.derive()
	s.list.filterRows()
}

// try is what setting a constant comes to: the changes, and the constants after them.
func (s *shared) try(name, text string) ([]config.Change, *config.Config, error) {
	after, err := recipe.Changed(s.file.Config, config.Change{Key: name, New: text})
	if err != nil {
		return nil, nil, err
	}
	return config.Diff(s.file.Config, after), after, nil
}

// set changes a constant, and what goes with it, in one step of undo.
func (s *shared) set(name, text string) tea.Cmd {
	list, after, err := s.try(name, text)
	if err != nil {
		return views.Fail(err)
	}
	before := s.file.Config.Recipe.Preset
	cmd := s.apply(list)
	if name != recipe.PresetKey && after.Recipe.Preset != before {
		return tea.Batch(cmd, views.Say("%s is %s now", recipe.PresetKey, after.Recipe.Preset))
	}
	return cmd
}

// apply makes changes, all or none, and tells who has to know.
func (s *shared) apply(list []config.Change) tea.Cmd {
	if err := s.file.Apply(list); err != nil {
		return views.Fail(err)
	}
	return s.changed()
}

// changed follows an edit: what is shown, the consequences, the other panes.
func (s *shared) changed() tea.Cmd {
	before := s.known
	s.refresh()
	s.known = s.file.Config
	return tea.Batch(s.effects.estimate(), s.tellRoot(before), s.tell())
}

// tell says to every pane that the file is another one than before.
func (s *shared) tell() tea.Cmd {
	file := s.file
	return func() tea.Msg { return views.ConfigChanged{File: file} }
}

// heard takes what another pane, or this one, says about the file.
func (s *shared) heard(file *config.File) tea.Cmd {
	switch {
	case file == nil || file == s.file && file.Config == s.known && (file.Changed() || file.Config == s.disk):
		return nil
	case file != s.file:
		before := s.known
		s.adopt(file)
		return tea.Batch(s.effects.estimate(), s.tellRoot(before))
	}
	before := s.known
	s.refresh()
	s.known = file.Config
	return tea.Batch(s.effects.estimate(), s.tellRoot(before))
}

// tellRoot sends the constants that are about the workbench itself, where they differ from what it knows.
func (s *shared) tellRoot(before *config.Config) tea.Cmd {
	var cmds []tea.Cmd
	send := func(msg tea.Msg) { cmds = append(cmds, func() tea.Msg { return msg }) }
	now := s.file.Config
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
func (s *shared) undo() tea.Cmd {
	before := s.file.Config
	if !s.file.Undo() {
		return views.Say("nothing is left to take back")
	}
	back := config.Diff(before, s.file.Config)
	cmd := s.changed()
	if len(back) == 0 {
		return cmd
	}
	s.list.selectName(back[0].Key)
	if len(back) > 1 {
		return tea.Batch(cmd, views.Say("%d constants are as before", len(back)))
	}
	return tea.Batch(cmd, views.Say("%s is %s again", back[0].Key, back[0].New))
}
