package dataset

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/recipe"
	"finetui/core/sweep"
	"finetui/views"
	"finetui/views/widget"
)

// trial is a set of recipes for a sweep: words of a plan.
type trial struct {
	text, detail string
	words        []string
}

// trials are the recipes that the view shows, in the ways in which they can be tried: what was turned against
// config.toml, the values of the constant under the cursor, the presets.
func (v *recipeView) trials() (list []trial) {
	x := &v.recipe
	var whole, alone []string
	for _, c := range x.turned() {
		a := sweep.Axis{Key: c.Key, Values: []string{config.Plain(x.last, c.Key), config.Plain(x.copy, c.Key)}}
		whole = append(whole, a.Word())
		if c.Key != recipe.PresetKey {
			alone = append(alone, a.Word())
		}
	}
	if len(whole) > 0 {
		list = append(list, trial{"config.toml's recipe and the one turned here", "2 recipes",
			append([]string{"zip"}, whole...)})
	}
	if n := len(alone); n > 1 {
		list = append(list, trial{"each change alone", widget.Count(n+1) + " recipes",
			append([]string{"each"}, alone...)}, trial{"every combination of the changes",
			widget.Count(1<<min(n, 30)) + " recipes", alone})
	}
	if s := v.selected(); v.views.Board().Focused() == "settings" || len(whole) == 0 {
		now := config.Plain(x.last, s.name())
		values := append([]string{now}, slices.DeleteFunc(slices.Clone(s.values()),
			func(value string) bool { return value == now })...)
		list = append(list, trial{"the values of " + s.key, strings.Join(values, ", "),
			[]string{sweep.Axis{Key: s.name(), Values: values}.Word()}})
	}
	presets := recipe.Presets()
	honest := slices.DeleteFunc(slices.Clone(presets),
		func(name string) bool { return name == string(config.PresetEnhancedOriginal) })
	for _, names := range [][]string{honest, presets} {
		list = append(list, trial{"the presets " + strings.Join(names, ", "), widget.Count(len(names)) + " recipes",
			[]string{sweep.Axis{Key: recipe.PresetKey, Values: names}.Word()}})
	}
	return list
}

// askTry asks which of the recipes a sweep is to try, and leads to the question that plans it.
func (v *recipeView) askTry() tea.Cmd {
	trials := v.trials()
	var options []widget.Option
	for _, t := range trials {
		options = append(options, widget.Option{Text: t.text, Detail: t.detail})
	}
	v.choice = &choice{Choice: widget.NewChoice("What a sweep is to try", false, options...), ask: func(i int) tea.Cmd {
		line := sweep.Line(append([]string{"SEEDS=3"}, trials[i].words...))
		return func() tea.Msg { return views.PlanSweep{Line: line, From: "Data"} }
	}}
	return nil
}
