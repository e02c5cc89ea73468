package config

import (
	"maps"
	"slices"
	"sync"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
)

// row is one constant, or the place where a key can be added to [KEYS].
type row struct {
	field config.Field
	adds  bool
}

// keysSection is the section whose names are actions.
const keysSection = "KEYS"

// filterRows collects the constants that the filter lets through.
func (v *constants) filterRows() {
	v.rows = v.rows[:0]
	keep := func(r row) {
		name := r.field.Name()
		if _, known := v.comments[name]; !known && !r.adds {
			v.comments[name] = v.file.Comment(name)
		}
		if r.adds && v.filter.Text() == "" || !r.adds && v.filter.Passes(name+" "+v.comments[name]) {
			v.rows = append(v.rows, r)
		}
	}
	for _, field := range config.Fields() {
		keep(row{field: field})
	}
	for _, action := range slices.Sorted(maps.Keys(v.file.Config.Keys)) {
		if field, err := config.Lookup(keysSection + "." + action); err == nil {
			keep(row{field: field})
		}
	}
	keep(row{field: config.Field{Section: keysSection}, adds: true})
	v.cursor.Index = max(v.cursor.At(len(v.rows)), 0)
}

// selected is the row under the cursor.
func (v *constants) selected() (row, bool) {
	i := v.cursor.At(len(v.rows))
	if i < 0 {
		return row{}, false
	}
	return v.rows[i], true
}

// selectName moves the cursor to a constant, if the filter shows it.
func (v *constants) selectName(name string) {
	if i := slices.IndexFunc(v.rows, func(r row) bool { return !r.adds && r.field.Name() == name }); i >= 0 {
		v.cursor.Index = i
	}
}

// refiltered lists what the filter lets through now, with the cursor where it was.
func (v *constants) refiltered(r row, ok bool) {
	v.filterRows()
	if ok && !r.adds {
		v.cursor.Index = 0
		v.selectName(r.field.Name())
	}
}

func (v *constants) openFilter() tea.Cmd {
	r, ok := v.selected()
	v.filter.Open("/", "words of a name or an explanation")
	v.refiltered(r, ok)
	return nil
}

func (v *constants) writeFilter(msg tea.Msg) tea.Cmd {
	r, ok := v.selected()
	changed, cmd := v.filter.Update(msg)
	if changed {
		v.refiltered(r, ok)
	}
	return cmd
}

// projects are the constants of the project presets, in the order of their names.
var projects = sync.OnceValue(func() map[string]*config.Config {
	of := map[string]*config.Config{}
	for _, name := range config.Presets() {
		if file, err := config.Preset(name); err == nil {
			of[name] = file.Config
		}
	}
	return of
})

// nextProblem moves the cursor to the next constant with a problem.
func (v *constants) nextProblem() tea.Cmd {
	at := v.cursor.At(len(v.rows))
	for i := range v.rows {
		next := (at + 1 + i) % len(v.rows)
		if len(v.problems[v.rows[next].field.Name()]) > 0 {
			v.cursor.Index = next
			break
		}
	}
	return nil
}

// revert gives the constant under the cursor the value it has on disk.
func (v *constants) revert() tea.Cmd {
	r, _ := v.selected()
	change, ok := changeOf(v.unsaved, r.field.Name())
	if !ok {
		return nil
	}
	return v.set(change.Key, change.Old)
}

func (v *constants) isUnsaved() bool {
	r, ok := v.selected()
	if !ok || r.adds {
		return false
	}
	_, differs := changeOf(v.unsaved, r.field.Name())
	return differs
}

// leaveFilter takes the filter off.
func (v *constants) leaveFilter() bool {
	r, ok := v.selected()
	was := v.filter.Clear()
	if was {
		v.refiltered(r, ok)
	}
	return was
}
