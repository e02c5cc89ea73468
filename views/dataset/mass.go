package dataset

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	data "finetui/core/dataset"
	"finetui/core/printable"
	"finetui/core/recipe"
	"finetui/views/widget"
)

// massTable is the loss mass: what each class, and each condition, has of an epoch before and after the recipe.
func (v *recipeView) massTable(w int) widget.Table {
	table := widget.Table{Columns: []widget.Column{
		{Title: "class", Flex: true, Min: 19, Priority: 20},
		{Title: "n", Right: true, Priority: 19}, {Title: "of n", Right: true, Priority: 16},
		{Title: "copies", Right: true, Priority: 14}, {Title: "samples", Right: true, Priority: 12},
		{Title: "of samples", Right: true, Priority: 11},
		{Title: "weight", Right: true, Priority: 15}, {Title: "of loss", Right: true, Priority: 18},
		{Title: "change", Right: true, Priority: 17}}}
	all := v.recipe.weighed.table
	var sums []float64 // shares of n up to a class
	if v.longTailed() {
		sums = v.massSums(all)
		table.Columns = append(table.Columns, widget.Column{Title: "Σ of n", Right: true, Priority: 16})
	}
	bars := w >= 104
	if bars {
		table.Columns = append(table.Columns, widget.Column{Title: "▀ before ▄ after", Priority: 1})
	}
	most := 0.0
	for _, row := range all.Classes {
		most = math.Max(most, math.Max(row.ShareBefore, row.ShareMass))
	}
	barW := min(max(w-92, 12), 60)
	add := func(name string, row recipe.Row, tone widget.Tone) {
		cells := massCells(name, row, tone)
		if sums != nil {
			sum := ""
			if row.Class != "" {
				sum = widget.Percent(sums[v.classNamed(row.Class)], 1)
			}
			cells = append(cells, widget.Cell{Text: sum, Tone: widget.Muted})
		}
		if bars && most > 0 && row.Class != "" {
			cells = append(cells, widget.Cell{Text: beforeAfter(row.ShareBefore/most, row.ShareMass/most, barW),
				Tone: widget.Accent})
		}
		table.Rows = append(table.Rows, cells)
	}
	for _, class := range v.order() {
		add(v.nameOf(class), all.Classes[class], widget.Plain)
	}
	for _, row := range all.Conditions {
		add("all "+row.Condition, row, widget.Strong)
	}
	table.Rows = append(table.Rows, []widget.Cell{{Text: "an epoch", Tone: widget.Strong},
		{Text: widget.Count(all.SamplesBefore), Tone: widget.Strong}, {Text: "100 %"},
		{}, {Text: number(all.SamplesAfter), Tone: widget.Strong}, {Text: "100 %"}, {}, {Text: "100 %"}})
	return table
}

func massCells(name string, row recipe.Row, tone widget.Tone) []widget.Cell {
	cells := []widget.Cell{{Text: name, Tone: tone}, {Text: widget.Count(row.N)},
		{Text: widget.Percent(row.ShareBefore, 1), Tone: widget.Muted}}
	if row.N == 0 {
		return append(cells, widget.Cell{Text: widget.Missing}, widget.Cell{Text: "0"},
			widget.Cell{Text: widget.Missing}, widget.Cell{Text: widget.Missing},
			widget.Cell{Text: widget.Missing}, widget.Cell{Text: "! never seen", Tone: widget.Warning})
	}
	change, changeTone := row.ShareMass/row.ShareBefore, widget.Plain
	text := widget.Ratio(change)
	switch {
	case change >= 3 || change <= 1.0/3:
		text, changeTone = "! "+text, widget.Warning
	case math.Abs(change-1) < 0.005:
		text = "same"
	}
	return append(cells,
		widget.Cell{Text: widget.Ratio(row.Copies)}, widget.Cell{Text: number(row.Samples)},
		widget.Cell{Text: widget.Percent(row.ShareSamples, 1), Tone: widget.Muted},
		widget.Cell{Text: row.Weight.String()}, widget.Cell{Text: widget.Percent(row.ShareMass, 1),
			Tone: widget.Strong},
		widget.Cell{Text: text, Tone: changeTone})
}

// massSums are the shares of train's objects that a class and those before it in the order of the rows have, by class.
func (v *recipeView) massSums(all recipe.Table) []float64 {
	sums, sum := make([]float64, len(v.set.Classes)), 0.0
	for _, class := range v.order() {
		sum += all.Classes[class].ShareBefore
		sums[class] = sum
	}
	return sums
}

// number is a count that may be an expectation: whole, as samples are.
func number(v float64) string { return widget.Count(int(math.Round(v))) }

// beforeAfter is two bars in one line: what was above what is, as the lower and upper half of the cells.
func beforeAfter(before, after float64, w int) string {
	b, a := int(before*float64(w)+0.5), int(after*float64(w)+0.5)
	var line strings.Builder
	for i := range w {
		switch {
		case i < b && i < a:
			line.WriteRune('█')
		case i < b:
			line.WriteRune('▀')
		case i < a:
			line.WriteRune('▄')
		}
	}
	return line.String()
}

func (v *recipeView) drawMass(t *widget.Theme, w, h int) string {
	switch x := &v.recipe; {
	case x.weighed == nil:
		return widget.Middle(t.Muted, "working out the recipe …", w, h)
	case x.weighed.err != nil:
		return widget.Middle(t.Warning, "✗ "+printable.Error(x.weighed.err), w, h)
	}
	table := v.massTable(w)
	table.Cursor = v.massCursor()
	return table.View(t, w, h)
}

// massCursor is on the selected class, or so many rows below the classes as it was moved.
func (v *recipeView) massCursor() *widget.List {
	order := v.order()
	if v.beyond > 0 {
		return &widget.List{Index: len(order) - 1 + v.beyond}
	}
	return at(order, v.class)
}

// massPlace says which row is selected where they are not all seen.
func (v *recipeView) massPlace() string {
	if _, h := v.views.Board().Inside("mass"); v.massRows() <= h-1 {
		return ""
	}
	return place(*v.massCursor(), v.massRows())
}

func (v *recipeView) moveMass(m widget.Move, page int) {
	cursor := v.massCursor()
	cursor.Move(m, v.massRows(), page)
	v.selectMass(cursor.Index)
}

// massRows is the classes, the conditions and the sum.
func (v *recipeView) massRows() int { return len(v.order()) + len(v.analysis.Whole.Conditions) + 1 }

func (v *recipeView) selectMass(row int) {
	order := v.order()
	v.beyond = max(row-len(order)+1, 0)
	if row < len(order) {
		v.selectClass(order, row)
	}
}

func (v *recipeView) clickMass(_, y, _, h int) tea.Cmd {
	if cursor := v.massCursor(); cursor.Click(y-1, v.massRows(), h-1) {
		v.selectMass(cursor.Index)
	}
	return nil
}

func (v *recipeView) effectTitle() string {
	if w := v.recipe.weighed; w != nil && len(w.groups) > 0 {
		return fmt.Sprintf("What it does · %d to look at", len(w.groups))
	}
	return "What it does"
}

// drawEffect is the recipe's consequence in words: the imbalance of the loss, the length of an epoch, the warnings.
func (v *recipeView) drawEffect(t *widget.Theme, w, h int) string {
	x := v.recipe.weighed
	switch {
	case x == nil:
		return widget.Middle(t.Muted, "working out the recipe …", w, h)
	case x.err != nil:
		return widget.Middle(t.Warning, "✗ "+printable.Error(x.err), w, h)
	}
	lines := v.effectLines(t, w)
	first := max(min(v.scrolled, len(lines)-h), 0)
	lines = lines[first:]
	if len(lines) > h && h > 1 {
		lines = append(lines[:h-1], t.Muted.Render(fmt.Sprintf(" ↓ %d more lines", len(lines)-h+1)))
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

func (v *recipeView) effectLines(t *widget.Theme, w int) []string {
	x := v.recipe.weighed
	lines := append(v.imbalanceWords(t, x.table, w), v.epochWords(t, x.table, w)...)
	if len(x.groups) == 0 {
		lines = append(lines, " "+t.OK.Render("✓")+" nothing else to warn about")
	}
	for _, group := range x.groups {
		f := group.First
		if group.N > 1 {
			f.Text += fmt.Sprintf(" (and %d more of this kind)", group.N-1)
		}
		lines = append(lines, findingLines(t, f, w)...)
	}
	return lines
}

// moveEffect scrolls what does not fit.
func (v *recipeView) moveEffect(m widget.Move, page int) {
	w, _ := v.views.Board().Inside("effect")
	if v.recipe.weighed == nil || v.recipe.weighed.err != nil {
		return
	}
	n := len(v.effectLines(&widget.Theme{}, w))
	top := widget.List{Index: min(v.scrolled, max(n-page, 0))}
	top.Move(m, n-page+1, page)
	v.scrolled = top.Index
}

func (v *recipeView) imbalanceWords(t *widget.Theme, table recipe.Table, w int) []string {
	sign, style, words := "✓", t.OK, "nearer to level"
	_, inverted := table.Inverted(max(1, v.loaded.cfg.ModerateAbove))
	switch {
	case table.ImbalanceBefore == 0:
		return wrapped(t.Warning, "! split train has no objects: nothing is weighed", w)
	case table.ImbalanceAfter > table.ImbalanceBefore*1.001:
		sign, style, words = "!", t.Warning, "further from level"
	case table.ImbalanceAfter > table.ImbalanceBefore*0.999:
		sign, style, words = "·", t.Muted, "as before: nothing is done about it"
	case inverted:
		sign, style, words = "!", t.Warning, "nearer to level, but turned round"
	}
	text := fmt.Sprintf("the class with most has %s the loss of the class with least, %s without a recipe: %s",
		widget.Ratio(table.ImbalanceAfter), widget.Ratio(table.ImbalanceBefore), words)
	lines := wrapped(t.Text, sign+" "+text, w)
	if len(lines) > 0 {
		lines[0] = strings.Replace(lines[0], sign, style.Render(sign), 1)
	}
	return lines
}

func (v *recipeView) epochWords(t *widget.Theme, table recipe.Table, w int) []string {
	steps := v.recipe.weighed.plan
	text := fmt.Sprintf("· an epoch has %s samples", number(table.SamplesAfter))
	if before := float64(table.SamplesBefore); before > 0 && math.Abs(table.SamplesAfter/before-1) > 0.01 {
		text += fmt.Sprintf(" instead of %s (%s as long)", widget.Count(table.SamplesBefore),
			widget.Ratio(table.SamplesAfter/before))
	}
	text += fmt.Sprintf(": %s steps of %s, %s in all epochs", widget.Count(steps.PerEpoch), widget.Count(steps.Batch),
		widget.Count(steps.Total))
	if n := v.recipe.weighed.hidden; n > 0 {
		text += fmt.Sprintf("; %s of train cannot be shown and %s left out", objectsOf(n),
			map[bool]string{true: "is", false: "are"}[n == 1])
	}
	return wrapped(t.Text, text, w)
}

func objectsOf(n int) string {
	if n == 1 {
		return "1 object"
	}
	return widget.Count(n) + " objects"
}

// findingLines are a finding with its level as a sign and what to do about it.
func findingLines(t *widget.Theme, f data.Finding, w int) []string {
	sign, style := levelSign(t, f.Level)
	lines := wrapped(t.Text, sign+" "+f.Text, w)
	if len(lines) > 0 {
		lines[0] = strings.Replace(lines[0], sign, style.Render(sign), 1)
	}
	return append(lines, wrapped(t.Muted, "→ "+f.Do, w)...)
}

// text is the view as a table.
func (v *recipeView) text() string {
	rows := [][]string{{"class", "n", "copies", "samples", "weight", "share before", "share of samples",
		"share of loss"}}
	if v.recipe.weighed == nil {
		return tabbed(rows)
	}
	add := func(name string, r recipe.Row) {
		rows = append(rows, []string{name, fmt.Sprint(r.N), fmt.Sprintf("%.4g", r.Copies),
			fmt.Sprintf("%.1f", r.Samples), r.Weight.String(),
			fmt.Sprintf("%.4f", r.ShareBefore), fmt.Sprintf("%.4f", r.ShareSamples), fmt.Sprintf("%.4f", r.ShareMass)})
	}
	table := v.recipe.weighed.table
	for _, row := range table.Classes {
		add(row.Class, row)
	}
	for _, row := range table.Conditions {
		add("all "+row.Condition, row)
	}
	return tabbed(rows)
}
