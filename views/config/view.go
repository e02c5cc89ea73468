package config

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// constants is the view of the constants. What lies beside the list follows its cursor.
type constants struct {
	*shared

	rows   []row // constants that the filter lets through
	filter views.Filter
	cursor widget.List // in rows
}

// view has sections, constants and explanation beside each other; it is without the sections, and the constants are on
// top, where it is narrow; with the lines of the file where it is large.
func (v *constants) view() views.View {
	names := layout.Panel("sections", 15, 6).AtMost(15, 0)
	list := layout.Panel("constants", 60, 8).Prior(1)
	text := layout.Panel("about", 34, 9).Prior(1)
	costs := layout.Panel("consequences", 34, 8)
	panels := []views.Panel{
		{Name: "constants", Tab: "Constants", Title: v.title, Right: v.legend, Draw: v.draw,
			Move: v.move, Click: v.click},
		(&sections{v}).panel(),
		(&about{shared: v.shared}).panel(),
		v.effects.panel(),
		(&inFile{v.shared}).panel(),
	}
	wide := views.NewBoard(layout.Row(names, list.Weighted(3),
		layout.Column(text, costs.AtMost(0, 12)).Weighted(2)), panels...)
	large := views.NewBoard(layout.Row(names, list.Weighted(3),
		layout.Column(text, costs.AtMost(0, 16), layout.Panel("text", 34, 14)).Weighted(2)), panels...)
	panels = slices.Clone(panels)
	panels[0].Draw, panels[0].Click = v.drawWithStrip, v.clickWithStrip
	narrow := views.NewBoard(layout.Column(list.Weighted(3), layout.Row(text, costs.AtMost(38, 0))), panels...)
	return views.View{Name: "Constants", Boards: []*views.Board{narrow, wide, large}, Actions: v.actions,
		Leave: v.leaveFilter, Copy: v.text, Pick: func(w, h int) *views.Board {
			switch {
			case w < 112:
				return narrow
			case h < 44:
				return wide
			}
			return large
		}}
}

func (v *constants) actions() []views.Action {
	constant := func() bool { _, ok := v.selected(); return ok }
	toggles := func() bool { r, ok := v.selected(); return ok && r.field.Kind == config.Switch }
	changed := func() bool { return v.file.Changed() }
	return []views.Action{
		{Name: "save", Label: "save", Help: "write config.toml; comments, order and spacing stay", Group: group,
			Enabled: changed, Run: v.storage.save},
		{Name: "edit", Label: "edit", Help: "change the constant under the cursor; from the sections, go to it",
			Group: group, Enabled: constant, Run: v.editing.open},
		{Name: "toggle", Help: "turn a switch on or off", Group: group, Enabled: toggles, Run: v.editing.open},
		{Name: "try_values", Label: "try values", Help: "give this constant several values, which a sweep tries",
			Group: group, Enabled: constant, Run: v.editing.openTry},
		{Name: "new_sweep", Label: v.trying.label(), Group: group, Run: v.trying.plan,
			Help: "plan a sweep over the constants that have values to try: how many runs it takes, how long, which seeds"},
		{Name: "undo", Label: "undo", Help: "take the last change back", Group: group, Run: v.undo},
		{Name: "filter", Label: "filter", Help: "show constants by words of their name or explanation", Group: group,
			Run: v.openFilter},
		{Name: "presets", Label: "presets", Help: "take the constants of a recipe or a project preset", Group: group,
			Run: v.openPresets},
		{Name: "diff", Label: "diff", Help: "compare with the file on disk and with the preset", Group: group,
			Run: v.diff.show},
		{Name: "revert", Help: "give this constant its value on disk", Group: group, Enabled: v.isUnsaved,
			Run: v.revert},
		{Name: "next_problem", Help: "go to the next constant with a problem", Group: group,
			Enabled: func() bool { return len(v.problems) > 0 }, Run: v.nextProblem},
		{Name: "copy", Help: "copy the constant as it stands in the file", Group: group, Enabled: constant,
			Run: v.views.Copy},
		{Name: "next_section", Help: "to the next section", Group: group,
			Run: func() tea.Cmd { v.stepSection(1); return nil }},
		{Name: "previous_section", Help: "to the section before", Group: group,
			Run: func() tea.Cmd { v.stepSection(-1); return nil }},
	}
}

// text is the constant under the cursor as it stands in the file.
func (v *constants) text() string {
	r, ok := v.selected()
	if !ok || r.adds {
		return ""
	}
	return r.field.Key + " = " + config.Get(v.file.Config, r.field.Name())
}
