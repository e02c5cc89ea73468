package config

import (
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/level"
	"finetui/views/widget"
)

// draft is the file as it is edited, and what follows from it alone.
type draft struct {
	path   string
	file   *config.File // nil until it could be read once
	broken error        // why it could not be read last; nil: it could
	disk   *config.Config
	known  *config.Config // what the other panes have been told

	// see derive
	comments map[string]string
	problems map[string][]config.Problem // by the constant
	faults   int                         // problems that are errors
	unsaved  []config.Change             // from the file on disk to now
	preset   string                      // the project preset that is nearest
	strays   []config.Change             // from that preset to now
}

// derive works out what follows from the file.
func (d *draft) derive() {
	now := d.file.Config
	d.disk = d.file.Settled().Config
	d.comments = map[string]string{}
	d.unsaved = config.Diff(d.disk, now)
	d.preset, d.strays = nearestPreset(now)
	d.problems, d.faults = map[string][]config.Problem{}, 0
	for _, problem := range config.Validate(now) {
		d.problems[problem.Key] = append(d.problems[problem.Key], problem)
		if problem.Level == level.Error {
			d.faults++
		}
	}
}

// readable says whether there are constants to show.
func (d *draft) readable() bool { return d.file != nil && d.broken == nil }

// Unsaved names what quitting would lose.
func (d *draft) Unsaved() string {
	switch {
	case d.file == nil || !d.file.Changed():
		return ""
	case len(d.unsaved) == 0:
		return "a constant written out in config.toml"
	}
	return changes(len(d.unsaved)) + " to config.toml"
}

// loss says what reading the file again costs.
func (d *draft) loss() string {
	if n := len(d.unsaved); n > 0 {
		return changes(n) + " here lost"
	}
	return "nothing here is lost"
}

func (d *draft) problemCount() (n int) {
	for _, of := range d.problems {
		n += len(of)
	}
	return n
}

// explanation is the file's own comment; where that ends in the choices or bounds, which have lines of their own here,
// without them.
func (d *draft) explanation(field config.Field) string {
	text := d.comments[field.Name()]
	if i := strings.LastIndex(text, " ["); i > 0 && strings.HasSuffix(text, "]") && text[:i] == field.Doc {
		return field.Doc
	}
	return text
}

// tally counts the marks of a section.
type tally struct{ unsaved, errors, notes int }

func (d *draft) tally(section string) (t tally) {
	of := func(name string) bool { return strings.HasPrefix(name, section+".") }
	for _, change := range d.unsaved {
		if of(change.Key) {
			t.unsaved++
		}
	}
	for name, problems := range d.problems {
		for _, problem := range problems {
			switch {
			case !of(name):
			case problem.Level == level.Error:
				t.errors++
			default:
				t.notes++
			}
		}
	}
	return t
}

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

func changes(n int) string { return plural(n, "change", "changes") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return widget.Count(n) + " " + many
}
