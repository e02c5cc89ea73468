package infer

import (
	"cmp"
	"fmt"
	"slices"

	"finetui/core/eval"
	"finetui/views/widget"
)

// wording is the comparison of the pair in free words; nil: there is none, or it is not to be shown.
func (v *compare) wording() *eval.FreeTextComparison {
	place, ok := v.second()
	if !ok || v.measure == ofClass || place > len(v.words.Pairs) {
		return nil
	}
	return v.words.Pairs[place-1]
}

// worded says whether the sides are compared by the words of their answers.
func (v *compare) worded() bool { return len(v.words.Pairs) > 0 && v.measure != ofClass }

// timed says whether the sides are compared by their feedback that has its moment.
func (v *compare) timed() bool { return v.worded() && v.measure == ofTimes && len(v.words.Timed) > 0 }

// timesTable is the table of subjects by their feedback that has its moment, with the figures that Scores has.
func (v *compare) timesTable(w int) widget.Table {
	table := widget.Table{Cursor: &v.cursor, Columns: []widget.Column{
		{Title: "", Priority: 10}, {Title: "subject", Flex: true, Middle: true, Min: 16, Priority: 10},
		{Title: "n", Right: true, Priority: 5}, {Title: "given", Right: true, Priority: 3},
		{Title: "matched", Right: true, Priority: 4},
		{Title: "T-F", Right: true, Priority: 9}, {Title: "95 %", Right: true, Priority: 8},
		{Title: "precision", Right: true, Priority: 7}, {Title: "95 %", Right: true, Priority: 2},
		{Title: "recall", Right: true, Priority: 6}, {Title: "95 %", Right: true, Priority: 1}}}
	plot := min(w-106, 41)
	if plot >= 11 {
		table.Columns = append(table.Columns, widget.Column{Title: widget.Ends("T-F 0", "1", plot)})
	}
	for i, r := range v.words.Timed {
		figure := func(of int, value float64, interval *eval.Interval) []widget.Cell {
			if of == 0 {
				return []widget.Cell{{Text: widget.Missing, Tone: widget.Muted}, {}}
			}
			return []widget.Cell{{Text: mean(value)}, {Text: fraction(interval), Tone: widget.Muted}}
		}
		row := slices.Concat([]widget.Cell{referenceMark(i), {Text: sideName(v.nameAt(i))}, {Text: widget.Count(r.N)},
			{Text: widget.Count(r.Given)}, {Text: widget.Count(r.Matched)}},
			figure(r.Expected+r.Given, r.TF, r.TFInterval), figure(r.Given, r.Precision, r.PrecisionInterval),
			figure(r.Expected, r.Recall, r.RecallInterval))
		if plot >= 11 {
			row = append(row, widget.Cell{Text: ruler(r.TF, r.TFInterval, plot), Tone: widget.Accent})
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// wordsTable is the table of subjects by the words of their answers.
func (v *compare) wordsTable(w int) widget.Table {
	table := widget.Table{Cursor: &v.cursor, Columns: []widget.Column{
		{Title: "", Priority: 10}, {Title: "subject", Flex: true, Middle: true, Min: 16, Priority: 10},
		{Title: "n", Right: true, Priority: 5},
		{Title: "identified", Right: true, Priority: 9}, {Title: "95 %", Right: true, Priority: 6},
		{Title: "METEOR", Right: true, Priority: 8}, {Title: "95 %", Right: true, Priority: 4},
		{Title: "ROUGE-L", Right: true, Priority: 7}, {Title: "95 %", Right: true, Priority: 3}}}
	plot := min(w-100, 41)
	if plot >= 11 {
		table.Columns = append(table.Columns, widget.Column{Title: widget.Ends("METEOR 0", "1", plot)})
	}
	for i, r := range v.words.Results {
		row := exerciseRow(sideName(v.nameAt(i)), r.FreeTextFigures, plot)
		table.Rows = append(table.Rows, slices.Insert(row, 0, referenceMark(i)))
	}
	return table
}

// wordLines are the sentences of the pair by the words of its answers.
func wordLines(t *widget.Theme, c *eval.FreeTextComparison, w int) []string {
	style, sign := t.Warning, "! "
	differs, verdict := c.Verdict()
	if differs {
		style, sign = t.OK, "✓ "
	}
	lines := toned(style, wrapped(sign+verdict, w))
	for _, sentence := range c.Sentences {
		lines = append(lines, widget.Hang("· ", widget.Clean(sentence), t.Text, w)...)
	}
	if c.Timed != nil {
		lines = append(lines, toned(t.Muted, wrapped("intervals of T-F, precision and recall: "+c.Timed.Method, w))...)
	}
	return append(lines, toned(t.Muted, wrapped("intervals of METEOR and ROUGE-L: "+c.Method, w))...)
}

// wordPairs is the pair exercise by exercise.
func (v *compare) wordPairs(c *eval.FreeTextComparison) widget.Table {
	table := widget.Table{Cursor: &v.class, Columns: []widget.Column{{Title: "METEOR", Flex: true, Min: 12},
		{Title: "n", Right: true, Priority: 4},
		{Title: c.Subjects[0], Right: true, Flex: true, Middle: true, Min: 6, Priority: 3},
		{Title: c.Subjects[1], Right: true, Flex: true, Middle: true, Min: 6, Priority: 3},
		{Title: "change", Right: true, Priority: 3},
		{Title: "ROUGE-L", Right: true, Priority: 1}, {Title: "identified", Right: true, Priority: 2}}}
	for _, e := range c.Exercises {
		p := e.Value
		identified := widget.Cell{Text: widget.Missing, Tone: widget.Muted}
		if p.Named > 0 {
			identified = widget.Cell{Text: fmt.Sprintf("%d → %d", p.Identified[0], p.Identified[1])}
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: exerciseTitle(e.Name)}, {Text: widget.Count(p.N)},
			{Text: mean(p.METEOR[0])}, {Text: mean(p.METEOR[1])}, change(p.METEOR[1] - p.METEOR[0]),
			change(p.ROUGEL[1] - p.ROUGEL[0]), identified})
	}
	return table
}

// wordDifference is a clip to which a pair gave different answers.
type wordDifference struct{ first, second *eval.FreeTextAnswer }

// by is by how much the second answer is nearer to the truth than the first.
func (d wordDifference) by() float64 { return d.second.METEOR - d.first.METEOR }

// wordDifferences are the clips to which the pair gave different answers, the largest gain first, the largest loss
// last.
func (v *compare) wordDifferences() (list []wordDifference) {
	place, ok := v.second()
	if !ok || v.wording() == nil {
		return nil
	}
	first, second := v.words.Results[0], v.words.Results[place]
	places := make(map[string]int, len(second.Items))
	for i := range second.Items {
		places[second.Items[i].ID] = i
	}
	for i := range first.Items {
		a := &first.Items[i]
		at, there := places[a.ID]
		if !there {
			continue
		}
		b := &second.Items[at]
		if a.Truth == b.Truth && a.Answer != b.Answer && v.filter.Passes(a.ID, a.Truth, a.Answer, b.Answer) {
			list = append(list, wordDifference{a, b})
		}
	}
	slices.SortStableFunc(list, func(a, b wordDifference) int { return cmp.Compare(b.by(), a.by()) })
	return list
}

// wordDifferTable lists them.
func (v *compare) wordDifferTable() widget.Table {
	second, _ := v.second()
	table := widget.Table{Cursor: &v.differ, Columns: []widget.Column{{Title: "clip", Flex: true,
		Middle: true, Min: 12},
		{Title: "truth", Flex: true, Min: 8, Priority: 1}, {Title: v.nameAt(0), Flex: true, Min: 10, Priority: 2},
		{Title: v.nameAt(second), Flex: true, Min: 10, Priority: 2}, {Title: "METEOR", Right: true, Priority: 3}}}
	for _, d := range v.wordDifferences() {
		table.Rows = append(table.Rows, []widget.Cell{{Text: v.shortID(d.first.ID)},
			{Text: d.first.Truth, Tone: widget.Muted}, worded(d.first), worded(d.second), change(d.by())})
	}
	return table
}

// lines are the answers of both in full, their truth below them.
func (d wordDifference) lines(t *widget.Theme, names [2]string, w int) []string {
	wide := min(max(widget.Width(names[0]), widget.Width(names[1]), len("truth")), w/3)
	label := func(name string) string { return widget.Left(widget.Clean(name)+":", wide+2) }
	lines := append([]string{""}, hung(t.Text, label(names[0]), d.first.Answer, w)...)
	lines = append(lines, hung(t.Text, label(names[1]), d.second.Answer, w)...)
	return append(lines, hung(t.Strong, label("truth"), d.first.Truth, w)...)
}
