package train

import (
	"path/filepath"
	"slices"

	tea "charm.land/bubbletea/v2"

	"finetui/views"
	"finetui/views/widget"
)

// selection is which of the runs are looked at.
type selection struct {
	source

	chosen string   // directory of the run selected by hand; "": the newest that is live, else the newest
	marks  []string // directories to compare, in the order in which they were marked
	filter views.Filter
	order  runOrder

	expected string // the directory of a run that was renamed: the next look at the folder finds it
}

// listedRuns are the runs that the filter lets through, in the order that was chosen.
func (p *selection) listedRuns() []entry {
	if p.list == nil {
		return nil
	}
	listed := p.list.runs
	if p.filter.Text() != "" {
		listed = nil
		for _, e := range p.list.runs {
			if p.filter.Passes(e.run.Label() + " " + e.run.Info.Recipe + " " + e.state()) {
				listed = append(listed, e)
			}
		}
	}
	return p.order.sorted(listed)
}

// selected is the run that is looked at: the one chosen by hand, else the newest that goes on, else the newest; nil
// where there is none.
func (p *selection) selected() *entry {
	if p.list == nil || len(p.list.runs) == 0 {
		return nil
	}
	if e := p.list.find(p.chosen); e != nil {
		return e
	}
	if live, _ := p.list.live(); live != nil {
		return live
	}
	return &p.list.runs[0]
}

// current is what is drawn of the selected run; nil while it has not been read.
func (p *selection) current() *reading {
	if e := p.selected(); e != nil {
		return p.readingOf(e.run.Dir)
	}
	return nil
}

// actual is the selected run as it stands now, also while the display is paused; nil where it is gone.
func (p *selection) actual() *entry {
	if e := p.selected(); e != nil && p.newest != nil {
		return p.newest.find(e.run.Dir)
	}
	return nil
}

func (p *selection) canStop() bool {
	e := p.actual()
	return e != nil && e.status.Live() && e.run.Tool() == ""
}

func (p *selection) canResume() bool {
	e := p.actual()
	return e != nil && p.control.Resume != nil && e.run.Fault == nil && e.status.Resumable()
}

// move selects another run of the list.
func (p *selection) move(m widget.Move, page int) {
	runs := p.listedRuns()
	cursor := p.runCursor(runs)
	cursor.Move(m, len(runs), page)
	if i := cursor.At(len(runs)); i >= 0 {
		p.chosen = runs[i].run.Dir
	}
}

// runCursor stands on the selected run; on the first where the filter hides it.
func (p *selection) runCursor(runs []entry) *widget.List {
	cursor := &widget.List{}
	if e := p.selected(); e != nil {
		cursor.Index = max(slices.IndexFunc(runs, func(r entry) bool { return r.run.Dir == e.run.Dir }), 0)
	}
	return cursor
}

// followAll follows the selected run, the marked ones and the one that goes on.
func (p *selection) followAll() tea.Cmd {
	var wanted []string
	if live, _ := p.newest.live(); live != nil {
		wanted = append(wanted, live.run.Dir)
	}
	wanted = append(wanted, p.marks...)
	if e := p.selected(); e != nil {
		wanted = append(wanted, e.run.Dir)
	}
	return p.follow(wanted, keepFollowed+len(p.marks))
}

// mostMarks is how many runs can be compared: as many curves as can be told apart.
const mostMarks = 6

// Marked are the names of the runs that are marked.
func (p *selection) Marked() []string {
	var names []string
	for _, dir := range p.marks {
		if filepath.Dir(dir) == p.control.Runs() {
			dir = filepath.Base(dir)
		}
		names = append(names, dir)
	}
	return names
}

// Mark marks the runs of those names.
func (p *selection) Mark(names []string) {
	p.marks = nil
	for _, name := range names[:min(len(names), mostMarks)] {
		if !filepath.IsAbs(name) { // else another trainer's run
			name = filepath.Join(p.control.Runs(), filepath.Base(name))
		}
		p.marks = append(p.marks, name)
	}
}

func (p *selection) mark() tea.Cmd {
	dir := p.selected().run.Dir
	if i := slices.Index(p.marks, dir); i >= 0 {
		p.marks = slices.Delete(p.marks, i, i+1)
		return nil
	}
	if len(p.marks) == mostMarks {
		return views.Warn("%d runs are marked, more cannot be told apart; %s takes a mark off", mostMarks,
			views.KeyOf("mark"))
	}
	p.marks = append(p.marks, dir)
	return nil
}

// compared are the runs that Compare lays over each other: the marked ones, in the order of their marks; with one mark
// alone, the selected run, too.
func (p *selection) compared() []string {
	dirs := slices.Clone(p.marks)
	if e := p.selected(); e != nil && len(dirs) < 2 && !slices.Contains(dirs, e.run.Dir) {
		dirs = append(dirs, e.run.Dir)
	}
	return dirs
}

// eachCompared calls with the letter, name and reading of each compared run; the reading is nil while it is read.
func (p *selection) eachCompared(do func(letter, label string, r *reading)) {
	for i, dir := range p.compared() {
		if e := p.list.find(dir); e != nil {
			do(letter(i), e.run.Label(), p.readingOf(dir))
		}
	}
}

// evaluated are the splits that any of the compared runs was evaluated on.
func (p *selection) evaluated() []string {
	var splits []string
	p.eachCompared(func(_, _ string, r *reading) {
		if r == nil {
			return
		}
		for _, e := range r.results {
			if !slices.Contains(splits, e.Split) {
				splits = append(splits, e.Split)
			}
		}
	})
	return splits
}

func (p *selection) askFilter() tea.Cmd {
	p.filter.Open("list runs with", "part of a name, a recipe or a state; empty lists all")
	return nil
}
