package config

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/sweep"
	"finetui/views"
	"finetui/views/widget"
)

// trying are the constants that have been given values for a sweep to try.
type trying struct {
	axes []sweep.Axis
}

const tryMark = "◇"

// of are the values that a constant has to try.
func (y *trying) of(name string) (sweep.Axis, bool) {
	if i := slices.IndexFunc(y.axes, func(a sweep.Axis) bool { return a.Key == name }); i >= 0 {
		return y.axes[i], true
	}
	return sweep.Axis{}, false
}

// valuesText are the values of a constant as they are written in its line.
func valuesText(a sweep.Axis) string {
	if separator := a.Separator(); separator != "," {
		return strings.Join(a.Values, " "+separator+" ")
	}
	return strings.Join(a.Values, ", ")
}

// openTry opens a line for the values of the constant under the cursor.
func (v *editing) openTry() tea.Cmd {
	r, ok := v.list.selected()
	if !ok || r.adds {
		return views.Warn("this is no constant that a sweep can vary")
	}
	name := r.field.Name()
	if err := sweep.Varies(name); err != nil {
		return views.Fail(err)
	}
	v.views.Board().Focus("constants")
	a, marked := v.trying.of(name)
	if !marked {
		a = sweep.Axis{Key: name, Values: []string{config.Plain(v.file.Config, name)}}
	}
	text := valuesText(a)
	switch {
	case marked:
	case r.field.Kind == config.Switch:
		text += ", " + map[string]string{"true": "false", "false": "true"}[text]
	case a.Separator() == ",":
		text += ", "
	default:
		text += " " + a.Separator() + " "
	}
	e := &editor{field: r.field, tries: true, prompt: widget.NewPrompt("", text)}
	e.prompt.Hint = "values with " + a.Separator() + " between; nothing: no mark"
	file := v.file
	e.prompt.Check = func(text string) error {
		if a := sweep.NewAxis(name, text); len(a.Values) > 0 {
			return a.Check(file.Snapshot)
		}
		return nil
	}
	e.suggest()
	v.editor = e
	return nil
}

// suggest lets tab complete the last value to a choice that is not among the others.
func (e *editor) suggest() {
	separator := sweep.Axis{Key: e.field.Name()}.Separator()
	head := ""
	if i := strings.LastIndex(e.text(), separator); i >= 0 {
		head = e.text()[:i+1] + " "
	}
	used := sweep.NewAxis(e.field.Name(), head).Values
	var list []string
	for _, choice := range e.field.Choices {
		if !slices.Contains(used, choice) {
			list = append(list, head+choice)
		}
	}
	e.prompt.Suggest(list)
}

// take keeps the values that were written, or none.
func (y *trying) take(s *shared, e *editor) tea.Cmd {
	name := e.field.Name()
	a := sweep.NewAxis(name, e.text())
	i := slices.IndexFunc(y.axes, func(a sweep.Axis) bool { return a.Key == name })
	switch {
	case len(a.Values) == 0 && i < 0:
		return nil
	case len(a.Values) == 0:
		y.axes = slices.Delete(y.axes, i, i+1)
		return views.Say("%s has no values to try any more", name)
	case i >= 0:
		y.axes[i] = a
	default:
		y.axes = append(y.axes, a)
	}
	return views.Say("a sweep will try %s = %s; %s plans it", name, valuesText(a), views.KeyOf("new_sweep"))
}

// label is the one of new_sweep: on the bottom line where there is something to try.
func (y *trying) label() string {
	if len(y.axes) > 0 {
		return "sweep"
	}
	return ""
}

// plan asks for the question that plans a sweep over what is marked.
func (y *trying) plan() tea.Cmd {
	if len(y.axes) == 0 {
		return views.Warn("no constant has values to try: %s on one gives it some, such as instance, square_root",
			views.KeyOf("try_values"))
	}
	words := []string{"SEEDS=3"}
	for _, a := range y.axes {
		words = append(words, a.Word())
	}
	line := sweep.Line(words)
	return func() tea.Msg { return views.PlanSweep{Line: line, From: "Config"} }
}

// Marked are the constants to try with their values, for the next time.
func (p *Pane) Marked() (words []string) {
	for _, a := range p.trying.axes {
		words = append(words, a.Word())
	}
	return words
}

// Mark brings back what was marked; what a sweep cannot vary any more is left.
func (p *Pane) Mark(words []string) {
	p.trying.axes, _ = sweep.Axes(words)
	p.trying.axes = slices.DeleteFunc(p.trying.axes, func(a sweep.Axis) bool {
		return p.file == nil || a.Check(p.file.Snapshot) != nil
	})
}
