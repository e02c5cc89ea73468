package infer

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/views"
	"finetui/views/widget"
)

// difference is an object that one of a pair gets right and the other does not.
type difference struct{ first, second *eval.Answer }

// differences are those of the pair, what the second alone gets right first: these objects are all that McNemar's test
// looks at.
func (v *compare) differences() []difference {
	place, ok := v.second()
	if !ok {
		return nil
	}
	first, second := v.sides[0].Result, v.sides[place].Result
	places := make(map[string]int, len(second.Items))
	for i := range second.Items {
		places[second.Items[i].ID] = i
	}
	var gained, lost []difference
	for i := range first.Items {
		at, there := places[first.Items[i].ID]
		if !there || first.Items[i].Expected != second.Items[at].Expected {
			continue
		}
		switch d := (difference{&first.Items[i], &second.Items[at]}); {
		case !v.filter.Passes(d.first.ID, d.first.Expected, d.first.Answer, d.second.Answer):
		case d.second.Right && !d.first.Right:
			gained = append(gained, d)
		case d.first.Right && !d.second.Right:
			lost = append(lost, d)
		}
	}
	return append(gained, lost...)
}

// differing are how many objects the pair differs on.
func (v *compare) differing() int {
	if v.worded() {
		return len(v.wordDifferences())
	}
	return len(v.differences())
}

// differingID names the object under the cursor of those on which the pair differs; "" where there is none.
func (v *compare) differingID() string {
	if v.worded() {
		if list := v.wordDifferences(); len(list) > 0 {
			return list[v.differ.At(len(list))].first.ID
		}
		return ""
	}
	if list := v.differences(); len(list) > 0 {
		return list[v.differ.At(len(list))].first.ID
	}
	return ""
}

func (v *compare) differTitle() string {
	if n := v.differing(); n > 0 && v.worded() {
		return "Where they differ · " + inClips(n)
	}
	if n := len(v.differences()); n > 0 {
		return "Where they differ · " + v.counted(n)
	}
	return "Where they differ"
}

func (v *compare) differTable() widget.Table {
	if v.worded() {
		return v.wordDifferTable()
	}
	second, _ := v.second()
	table := widget.Table{Cursor: &v.differ, Columns: []widget.Column{{Title: "object", Flex: true,
		Middle: true, Min: 12}, {Title: "truth", Flex: true, Min: 8, Priority: 1},
		{Title: v.nameAt(0), Flex: true, Min: 10, Priority: 2}, {Title: v.nameAt(second), Flex: true,
			Min: 10, Priority: 2}}}
	for _, d := range v.differences() {
		table.Rows = append(table.Rows, []widget.Cell{{Text: v.shortID(d.first.ID)}, {Text: d.first.Expected,
			Tone: widget.Muted}, judged(d.first), judged(d.second)})
	}
	return table
}

// judged is a scored answer in few words.
func judged(a *eval.Answer) widget.Cell {
	switch {
	case a.Right:
		return widget.Cell{Text: "✓ " + a.Parsed, Tone: widget.OK}
	case a.Parsed == eval.UnparsedLabel:
		return widget.Cell{Text: "✗ “" + a.Answer + "”", Tone: widget.Warning}
	}
	return widget.Cell{Text: "✗ " + a.Parsed, Tone: widget.Warning}
}

func (v *compare) drawDiffer(t *widget.Theme, w, h int) string {
	if v.comparison() == nil {
		return widget.Middle(t.Muted, "what only one of two gets right", w, h)
	}
	table := v.differTable()
	switch {
	case len(table.Rows) == 0 && v.worded():
		return widget.Middle(t.Muted, "both say the same about every clip", w, h)
	case len(table.Rows) == 0:
		return widget.Middle(t.Muted, "both are right about the same ones", w, h)
	case !v.worded() || h < 12:
		return table.View(t, w, h)
	}
	list := v.wordDifferences()
	lines := strings.Split(indent(list[v.differ.At(len(list))].lines(t, v.comparison().Subjects, w-2)), "\n")
	lines = widget.FirstLines(lines, w, h/2)
	return strings.Join(append([]string{table.View(t, w, h-len(lines))}, lines...), "\n")
}

func (v *compare) moveDiffer(m widget.Move, page int) {
	v.differ.Move(m, v.differing(), page-1)
}

func (v *compare) clickDiffer(_, y, _, h int) tea.Cmd {
	v.differTable().Click(y, h)
	return nil
}

// toDiffering leads from an object on which the pair differs to its picture, both subjects' answers beside it.
func (v *compare) toDiffering() []views.Action {
	return []views.Action{{Name: "show_difference", Label: "look at it",
		Help: "go to this object's picture and question", Group: "Compare",
		Enabled: func() bool { return v.differing() > 0 },
		Run:     func() tea.Cmd { return v.openSample(v.differingID()) }}}
}
