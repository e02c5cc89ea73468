package dataset

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/level"
	"finetui/core/stats"
	"finetui/views"
	"finetui/views/widget"
)

// facetLine is one line of the list of facets: a heading, or something that can be chosen.
type facetLine struct {
	heading string
	kind    string // split, condition, class, finding; "": everything
	text    string
	value   string
	n       int // pictures
	level   level.Level
}

// facetLines are all facets with how many pictures of the whole set each lets through.
func (v *samples) facetLines() []facetLine {
	lines := []facetLine{{text: "everything", n: len(v.set.Items)}}
	lines = append(lines, facetLine{heading: "Split"})
	for _, part := range v.analysis.Splits {
		lines = append(lines, facetLine{kind: "split", text: part.Split, value: part.Split, n: part.Images})
	}
	if conditions := v.analysis.Whole.Conditions; len(conditions) > 1 { // one alone leaves nothing out
		lines = append(lines, facetLine{heading: "Condition"})
		for _, condition := range conditions {
			lines = append(lines, facetLine{kind: "condition", text: condition.Name, value: condition.Name,
				n: v.withCondition[condition.Name]})
		}
	}
	lines = append(lines, facetLine{heading: "Class"})
	for _, class := range v.analysis.Whole.ByCount() {
		lines = append(lines, facetLine{kind: "class", text: v.set.Classes[class].Name,
			value: v.set.Classes[class].Name, n: v.analysis.Whole.ImagesWithClass[class]})
	}
	if len(v.withFinding) > 0 {
		lines = append(lines, facetLine{heading: "Finding"})
		lines = append(lines, v.withFinding...)
	}
	return lines
}

// choices are the lines that can be chosen.
func (v *samples) choices() []facetLine {
	return slices.DeleteFunc(v.facetLines(), func(l facetLine) bool { return l.heading != "" })
}

func (v *samples) chosen(l facetLine) bool {
	switch l.kind {
	case "split":
		return v.split == l.value
	case "condition":
		return slices.Contains(v.conditions, l.value)
	case "class":
		return slices.Contains(v.classes, l.value) || slices.Contains(v.pair, l.value)
	case "finding":
		return slices.Contains(v.findings, l.value)
	}
	return v.split == "" && v.facets.empty()
}

func (v *samples) drawFacets(t *widget.Theme, w, h int) string {
	all := v.facetLines()
	chosen := v.line.At(len(v.choices()))
	selected, choice := 0, 0
	lines := make([]string, len(all))
	for i, l := range all {
		if l.heading != "" {
			lines[i] = t.Muted.Render(l.heading)
			continue
		}
		if choice == chosen {
			selected = i
		}
		lines[i] = v.facetText(t, l, choice == chosen, w)
		choice++
	}
	mode, why := v.pictureMode()
	about := append([]string{""},
		wrapped(t.Muted, fmt.Sprintf("Pictures are drawn as %s: %s. VIEW.IMAGES can say otherwise.", mode, why), w)...)
	if len(lines)+len(about) <= h {
		lines = append(lines, about...)
	}
	first, end := widget.List{Index: selected}.Window(len(lines), h)
	seen := lines[first:end]
	widget.Edges(t, seen, first, end, len(lines), w)
	return widget.Block(strings.Join(seen, "\n"), w, h)
}

// facetText is a line that can be chosen: ✓ where it is, its name, how many pictures;
// of a condition also the colour and the letter of its boxes.
func (v *samples) facetText(t *widget.Theme, l facetLine, selected bool, w int) string {
	style, mark := t.Text, " "
	switch {
	case selected:
		style, mark = t.Selected, t.Accent.Render("▸")
	case v.chosen(l):
		style = t.Accent
	}
	sign, signStyle := "", t.Text
	switch l.kind {
	case "condition":
		sign, signStyle = v.conditionSign(t, l.value)
	case "class":
		sign, signStyle = v.classSign(t, v.classNamed(l.value))
	}
	n := widget.Count(l.n)
	text := widget.Cut(tickIf(v.chosen(l), widget.Clean(l.text)), w-3-widget.Width(sign)-widget.Width(n))
	gap := max(w-2-widget.Width(text)-widget.Width(sign)-widget.Width(n), 1)
	return mark + style.Render(text+" ") + signStyle.Render(sign) + style.Render(strings.Repeat(" ", gap)+n)
}

// conditionSign is how a condition's boxes are known: a block of their colour, and the letter at them. Where the
// colours are the classes', a condition has none.
func (v *samples) conditionSign(t *widget.Theme, condition string) (string, widget.Style) {
	if v.coloursByClass() {
		return "", t.Text
	}
	for class := range v.set.Classes {
		if v.set.Classes[class].Condition == condition {
			return v.sign(t, class)
		}
	}
	return "", t.Text
}

// classSign is how a class's boxes are known where the colours are the classes'.
func (v *samples) classSign(t *widget.Theme, class int) (string, widget.Style) {
	if !v.coloursByClass() {
		return "", t.Text
	}
	return v.sign(t, class)
}

func (v *samples) sign(t *widget.Theme, class int) (string, widget.Style) {
	return "■" + v.letter(class), t.Ink(v.colour(class))
}

func (v *samples) moveFacet(m widget.Move, page int) {
	v.line.Move(m, len(v.choices()), page)
}

func (v *samples) clickFacet(_, y, _, h int) tea.Cmd {
	all := v.facetLines()
	selected, choice := 0, 0
	for i, l := range all {
		if l.heading == "" {
			if choice == v.line.At(len(v.choices())) {
				selected = i
			}
			choice++
		}
	}
	first, end := widget.List{Index: selected}.Window(len(all), h)
	if place := first + y; place < end && all[place].heading == "" {
		headings := 0
		for _, l := range all[:place] {
			if l.heading != "" {
				headings++
			}
		}
		v.line.Index = place - headings
		v.toggle(all[place])
	}
	return nil
}

func (v *samples) facetActions() []views.Action {
	line := func() facetLine {
		lines := v.choices()
		return lines[v.line.At(len(lines))]
	}
	return []views.Action{
		{Name: "show_only", Label: "only these", Help: "show only these, or all again", Group: "Data",
			Run: func() tea.Cmd { v.only(line()); return nil }},
		{Name: "mark", Label: "mark", Help: "show these, too: several may be marked", Group: "Data",
			Run: func() tea.Cmd { v.toggle(line()); return nil }},
	}
}

// only chooses a facet in place of the others of its kind, or takes the choice back.
func (v *samples) only(l facetLine) {
	if on := v.chosen(l); !on && (l.kind == "condition" || l.kind == "class" || l.kind == "finding") {
		*v.of(l.kind) = nil
	}
	v.toggle(l)
}

// toggle chooses a facet beside the others of its kind, or takes the choice back.
func (v *samples) toggle(l facetLine) {
	on := v.chosen(l)
	f := &v.facets
	switch l.kind {
	case "":
		v.split, *f = "", facets{}
	case "split":
		if v.split = l.value; on {
			v.split = ""
		}
	default:
		if l.kind == "class" {
			f.classes, f.pair = slices.Concat(f.classes, f.pair), nil
		}
		if values := f.of(l.kind); on {
			*values = slices.DeleteFunc(slices.Clone(*values), func(v string) bool { return v == l.value })
		} else {
			*values = append(slices.Clone(*values), l.value)
		}
	}
	v.cursor.Index = 0
	v.refilter()
}

// countFacets counts the pictures of each condition and each finding.
func (l *loaded) countFacets() {
	l.withCondition = map[string]int{}
	for _, condition := range l.analysis.Whole.Conditions {
		l.withCondition[condition.Name] = len(l.index.Items(stats.Filter{Conditions: []string{condition.Name}}))
	}
	for _, group := range stats.GroupFindings(l.set.Findings) {
		if n := len(l.index.Items(stats.Filter{Findings: []string{group.Code}})); n > 0 {
			l.withFinding = append(l.withFinding, facetLine{kind: "finding", text: findingWords(group.Code),
				value: group.Code, n: n, level: group.Level})
		}
	}
	slices.SortStableFunc(l.withFinding, func(a, b facetLine) int {
		return cmp.Compare(a.level.Severity(),
			b.level.Severity())
	})
}
