package config

import (
	"maps"
	"slices"
	"strings"
	"sync"

	tea "charm.land/bubbletea/v2"

	"finetui/core/config"
	"finetui/core/level"
)

// row is one constant, or the place where a key can be added to [KEYS].
type row struct {
	field config.Field
	adds  bool
}

// keysSection is the section whose names are actions.
const keysSection = "KEYS"

// adopt makes a file that was just read the one that is edited.
func (p *Pane) adopt(file *config.File) {
	p.file, p.broken = file, nil
	p.base = nil
	p.editor = nil
	p.refresh()
	p.told = file.Config
}

// refresh works out everything that follows from the file and the filter.
func (p *Pane) refresh() {
	now := p.file.Config
	p.disk = p.file.Settled().Config
	p.comments = map[string]string{}
	p.unsaved = config.Diff(p.disk, now)
	p.preset, p.strays = nearestPreset(now)
	p.problems, p.faults = map[string][]config.Problem{}, 0
	for _, problem := range config.Validate(now) {
		p.problems[problem.Key] = append(p.problems[problem.Key], problem)
		if problem.Level == level.Error {
			p.faults++
		}
	}
	p.filterRows()
}

// filterRows collects the constants that the filter lets through.
func (p *Pane) filterRows() {
	p.rows = p.rows[:0]
	keep := func(r row) {
		name := r.field.Name()
		if _, known := p.comments[name]; !known && !r.adds {
			p.comments[name] = p.file.Comment(name)
		}
		if r.adds && p.filter.Text() == "" || !r.adds && p.filter.Passes(name+" "+p.comments[name]) {
			p.rows = append(p.rows, r)
		}
	}
	for _, field := range config.Fields() {
		keep(row{field: field})
	}
	for _, action := range slices.Sorted(maps.Keys(p.file.Config.Keys)) {
		if field, err := config.Lookup(keysSection + "." + action); err == nil {
			keep(row{field: field})
		}
	}
	keep(row{field: config.Field{Section: keysSection}, adds: true})
	p.cursor.Index = max(p.cursor.At(len(p.rows)), 0)
}

// selected is the row under the cursor.
func (p *Pane) selected() (row, bool) {
	i := p.cursor.At(len(p.rows))
	if i < 0 {
		return row{}, false
	}
	return p.rows[i], true
}

// selectName moves the cursor to a constant, if the filter shows it.
func (p *Pane) selectName(name string) {
	if i := slices.IndexFunc(p.rows, func(r row) bool { return !r.adds && r.field.Name() == name }); i >= 0 {
		p.cursor.Index = i
		p.aboutTop = 0
	}
}

// refiltered lists what the filter lets through now, with the cursor where it was.
func (p *Pane) refiltered(r row, ok bool) {
	p.filterRows()
	if ok && !r.adds {
		p.cursor.Index = 0
		p.selectName(r.field.Name())
	}
}

func (p *Pane) openFilter() tea.Cmd {
	r, ok := p.selected()
	p.filter.Open("/", "words of a name or an explanation")
	p.refiltered(r, ok)
	return nil
}

func (p *Pane) writeFilter(msg tea.Msg) tea.Cmd {
	r, ok := p.selected()
	changed, cmd := p.filter.Update(msg)
	if changed {
		p.refiltered(r, ok)
	}
	return cmd
}

func (p *Pane) problemCount() (n int) {
	for _, of := range p.problems {
		n += len(of)
	}
	return n
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

// nearestPreset is the project preset from which fewest constants differ, and those. What belongs to a person, not to a
// project, is not compared.
func nearestPreset(c *config.Config) (name string, strays []config.Change) {
	for i, candidate := range config.Presets() {
		if differ := fromPreset(projects()[candidate], c); i == 0 || len(differ) < len(strays) {
			name, strays = candidate, differ
		}
	}
	return name, strays
}

// fromPreset is in what constants of a project b differs from a.
func fromPreset(a, b *config.Config) []config.Change {
	return slices.DeleteFunc(config.Diff(a, b), func(change config.Change) bool {
		section, _, _ := strings.Cut(change.Key, ".")
		return section == keysSection || section == "VIEW"
	})
}

// changeOf finds a constant in a list of changes.
func changeOf(list []config.Change, name string) (config.Change, bool) {
	i := slices.IndexFunc(list, func(c config.Change) bool { return c.Key == name })
	if i < 0 {
		return config.Change{}, false
	}
	return list[i], true
}

// nextProblem moves the cursor to the next constant with a problem.
func (p *Pane) nextProblem() tea.Cmd {
	at := p.cursor.At(len(p.rows))
	for i := range p.rows {
		next := (at + 1 + i) % len(p.rows)
		if len(p.problems[p.rows[next].field.Name()]) > 0 {
			p.cursor.Index, p.aboutTop = next, 0
			break
		}
	}
	return nil
}
