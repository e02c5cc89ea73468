package dataset

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// findings is the view of what is wrong: kinds of faults, worst first, and where each is.
type findings struct {
	groups []findingGroup
	group  widget.List
	place  widget.List // among the group's findings
}

type findingGroup struct {
	code, level string
	all         []data.Finding
}

func (p *Pane) findingsBoard() *views.Board {
	node := layout.Column(
		layout.Row(layout.Panel("kinds", 36, 7).Weighted(2).AtMost(60, 0), layout.Panel("places", 44,
			7).Weighted(3).Prior(1)),
		layout.Panel("fault", 50, 7).AtMost(0, 8).Prior(1),
	)
	return views.NewBoard(node,
		views.Panel{Name: "kinds", Tab: "Kinds", Title: p.kindsTitle, Draw: p.drawKinds, Move: p.moveKind,
			Click: p.clickKind, Actions: p.openKind},
		views.Panel{Name: "places", Tab: "Places", Title: p.placesTitle, Right: p.placesCount, Draw: p.drawPlaces,
			Move: p.movePlace, Click: p.clickPlace, Actions: p.openPlace},
		views.Panel{Name: "fault", Tab: "What to do", Title: func() string { return "What is wrong, and what to do" },
			Draw: p.drawFault, Actions: p.openPlace},
	)
}

// grouped is the findings that the filter lets through, by kind, worst first.
func (p *Pane) grouped() []findingGroup {
	var groups []findingGroup
	place := map[string]int{}
	for _, f := range p.set.Findings {
		if !p.passesFinding(f) {
			continue
		}
		i, there := place[f.Code]
		if !there {
			i = len(groups)
			place[f.Code] = i
			groups = append(groups, findingGroup{code: f.Code, level: f.Level})
		}
		groups[i].all = append(groups[i].all, f)
	}
	return groups
}

func (p *Pane) passesFinding(f data.Finding) bool {
	return p.filter.Passes(f.File, f.Text, findingWords(f.Code), f.Code)
}

// findingWords is a finding's code for people.
func findingWords(code string) string {
	return strings.NewReplacer("_", " ", "-", " ").Replace(code)
}

// levelSign is the sign and the style of a level.
func levelSign(t *widget.Theme, level string) (string, widget.Style) {
	switch level {
	case data.LevelError:
		return "✗", t.Warning
	case data.LevelWarn:
		return "!", t.Warning
	}
	return "·", t.Muted
}

func (p *Pane) kindsTitle() string {
	counts := map[string]int{}
	for _, group := range p.findings.groups {
		counts[group.level] += len(group.all)
	}
	var words []string
	for _, level := range []struct{ level, one, many string }{{data.LevelError, "error", "errors"},
		{data.LevelWarn, "warning", "warnings"}, {data.LevelInfo, "note", "notes"}} {
		switch n := counts[level.level]; {
		case n == 1:
			words = append(words, "1 "+level.one)
		case n > 1:
			words = append(words, widget.Count(n)+" "+level.many)
		}
	}
	if len(words) == 0 {
		return "Findings"
	}
	return strings.Join(words, ", ")
}

func (p *Pane) drawKinds(t *widget.Theme, w, h int) string {
	if len(p.findings.groups) == 0 {
		return p.centred(t.OK, p.noFindings(), w, h)
	}
	return p.kindTable(t).View(t, w, h)
}

func (p *Pane) noFindings() string {
	if len(p.set.Findings) > 0 {
		return "No finding contains the filter's text: esc shows all."
	}
	return fmt.Sprintf("✓ Nothing is wrong: every label of %s was read.", picturesOf(len(p.set.Items)))
}

func (p *Pane) kindTable(t *widget.Theme) widget.Table {
	table := widget.Table{Cursor: &p.findings.group, Columns: []widget.Column{{Title: "", Priority: 9},
		{Title: "kind", Flex: true, Min: 12, Priority: 8}, {Title: "places", Right: true, Priority: 7}}}
	for _, group := range p.findings.groups {
		sign, _ := levelSign(t, group.level)
		tone := widget.Warning
		if group.level == data.LevelInfo {
			tone = widget.Muted
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: sign, Tone: tone}, {Text: findingWords(group.code)},
			{Text: widget.Count(len(group.all))}})
	}
	return table
}

func (p *Pane) moveKind(m widget.Move, page int) {
	if p.findings.group.Move(m, len(p.findings.groups), page) {
		p.findings.place.Index = 0
	}
}

func (p *Pane) clickKind(_, y, _, h int) tea.Cmd {
	before := p.findings.group.Index
	p.findings.group.Click(y-1, len(p.findings.groups), h-1)
	if p.findings.group.Index != before {
		p.findings.place.Index = 0
	}
	return nil
}

// group is the selected kind; false where there is none.
func (p *Pane) group() (findingGroup, bool) {
	i := p.findings.group.At(len(p.findings.groups))
	if i < 0 {
		return findingGroup{}, false
	}
	return p.findings.groups[i], true
}

// fault is the selected finding; false where there is none.
func (p *Pane) fault() (data.Finding, bool) {
	group, there := p.group()
	if !there {
		return data.Finding{}, false
	}
	return group.all[p.findings.place.At(len(group.all))], true
}

func (p *Pane) placesTitle() string {
	group, there := p.group()
	if !there {
		return "Places"
	}
	return widget.Capital(findingWords(group.code))
}

func (p *Pane) placesCount() string {
	group, _ := p.group()
	return place(p.findings.place, len(group.all))
}

func (p *Pane) drawPlaces(t *widget.Theme, w, h int) string {
	group, there := p.group()
	if !there {
		return widget.Block("", w, h)
	}
	table := widget.Table{Cursor: &p.findings.place, Columns: []widget.Column{{Title: "file", Priority: 9},
		{Title: "line", Right: true, Priority: 8}, {Title: "what is wrong", Flex: true, Min: 10, Priority: 7}}}
	for _, f := range group.all {
		table.Rows = append(table.Rows, []widget.Cell{{Text: widget.CutLeft(widget.Clean(f.File), max(w*9/20, 16))},
			{Text: lineNumber(f.Line)}, {Text: f.Text}})
	}
	return table.View(t, w, h)
}

func (p *Pane) movePlace(m widget.Move, page int) {
	group, _ := p.group()
	p.findings.place.Move(m, len(group.all), page)
}

func (p *Pane) clickPlace(_, y, _, h int) tea.Cmd {
	group, _ := p.group()
	p.findings.place.Click(y-1, len(group.all), h-1)
	return nil
}

func (p *Pane) drawFault(t *widget.Theme, w, h int) string {
	f, there := p.fault()
	if !there {
		return p.centred(t.OK, p.noFindings(), w, h)
	}
	where := widget.Clean(f.File)
	if f.Line > 0 {
		where += fmt.Sprintf(", line %d", f.Line)
	}
	lines := []string{" " + t.Strong.Render(widget.CutLeft(where, w-2))}
	for _, cause := range p.analysis.Causes { // what is likely behind all places comes before the one
		if cause.Likely && cause.Code == f.Code && cause.Count > 1 {
			lines = append(lines, findingLines(t, cause.Finding, w)...)
		}
	}
	lines = append(lines, findingLines(t, f, w)...)
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// openKind shows the pictures that have the selected kind of fault.
func (p *Pane) openKind() []views.Action {
	group, there := p.group()
	return []views.Action{{Name: "open", Label: "pictures", Help: "show the pictures with this finding", Group: "Data",
		Enabled: func() bool { return there }, Run: func() tea.Cmd { return p.showFinding(group.code, nil) }}}
}

// openPlace shows the picture that the selected finding is about.
func (p *Pane) openPlace() []views.Action {
	f, there := p.fault()
	return []views.Action{{Name: "open", Label: "picture", Help: "show the picture it is about", Group: "Data",
		Enabled: func() bool { return there }, Run: func() tea.Cmd { return p.showFinding(f.Code, &f) }}}
}

// showFinding shows the pictures with a finding of that code, the one of f selected.
func (p *Pane) showFinding(code string, f *data.Finding) tea.Cmd {
	with := p.index.Items(stats.Filter{Findings: []string{code}})
	selected := 0
	if f != nil {
		selected = slices.IndexFunc(with, func(i int) bool { return slices.Contains(p.index.Findings(i), *f) })
	}
	if len(with) == 0 || selected < 0 {
		return views.Warn("this finding is about no single picture")
	}
	p.split = ""
	p.filter.Set("")
	p.showSamples(facets{findings: []string{code}})
	p.samples.cursor.Index = selected
	return nil
}
