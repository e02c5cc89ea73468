package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/config"
	"finetui/core/eval"
	"finetui/core/run"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// comparison is the view of several runs over each other.
type comparison struct {
	*shared
	tests *tests
}

func newComparison(s *shared, of *panels, tests *tests) views.View {
	v := &comparison{shared: s, tests: tests}
	names := of.runs
	names.Right = nil
	loss := views.Panel{Name: "loss", Tab: "Loss", Title: title("Loss without weights, smoothed · ◆ on valid"),
		Right: v.lossNote, Draw: v.drawOverlay}
	answers := views.Panel{Name: "answers", Tab: "Answers", Title: title("Right answers on valid"), Draw: v.drawAnswers}
	scores := v.linesPanel("scores", "Scores", v.scoreLines)
	scores.Title = title("Losses, checks on valid and evaluations")
	recalls := v.linesPanel("recalls", "Classes", v.recallLines)
	recalls.Title = title("Recall of each class at the last check on valid")
	differences := v.linesPanel("differences", "Constants", v.differenceLines)
	differences.Title = title("Constants that differ")
	board := views.NewBoard(layout.Row(
		layout.Column(layout.Panel("loss", 40, 10).Prior(3).Weighted(3), layout.Panel("answers", 40, 9).Weighted(2),
			layout.Panel("scores", 40, 9).Prior(2).AtMost(0, 14)).Weighted(3),
		layout.Column(layout.Panel("differences", 36, 7).Prior(2), layout.Panel("recalls", 36, 8).Prior(1).Weighted(2),
			layout.Panel("runs", 36, 6).AtMost(0, 12)).Weighted(2),
	), loss, scores, recalls, differences, names, answers)
	return views.View{Name: compareView, Boards: []*views.Board{board}, Back: true, Want: tests.want}
}

// options are how the compared runs are drawn: those of different days lie beside each other.
func (v *comparison) options() plotOptions {
	l := v.plot
	if l.x == byClock {
		l.x, l.window = byRelative, xWindow{}
	}
	return l
}

// overlay is a chart of the compared runs over each other: of each a line, and points.
func (v *comparison) overlay(curves func(r *reading, l plotOptions) (line, points widget.Line)) widget.LineChart {
	l := v.options()
	c := l.chart(v.now().Location())
	c.NamesOnly = true
	i := 0
	v.eachCompared(func(_, label string, r *reading) {
		tone := tones[i%len(tones)]
		i++
		if r == nil {
			c.Lines = append(c.Lines, widget.Line{Name: label}) // keeps the letters of the others
			return
		}
		line, points := curves(r, l)
		line.Name, line.Tone, points.Glyph, points.Tone = label, tone, "◆", tone
		c.Lines = append(c.Lines, line, points)
	})
	return c
}

// drawOverlay is the smoothed losses of the compared runs. The plain loss is drawn: weights
// of different recipes make losses that cannot be compared.
func (v *comparison) drawOverlay(t *widget.Theme, w, h int) string {
	return v.overlay(func(r *reading, l plotOptions) (line, valid widget.Line) {
		valid = l.cut(l.readLine(r.checksLine(l.x, checkedLoss), widget.Number))
		return l.lineOf(l.smoothed(r, r.loss(true)), w), valid
	}).View(t, w, h)
}

// drawAnswers is the share of right answers in the checks on valid.
func (v *comparison) drawAnswers(t *widget.Theme, w, h int) string {
	c := v.overlay(func(r *reading, l plotOptions) (line, points widget.Line) {
		line = l.cut(r.checksLine(l.x, checkedRight))
		return line, line
	})
	c.LogY, c.YText = false, func(v float64) string { return widget.Percent(v+0, 0) } // +0: no "-0"
	return c.View(t, w, h)
}

// scoreLines are two tables with a line for each run, its losses and its answers on valid and in evaluations, then what
// the paired tests of these say. Where there is room both tables are one.
func (v *comparison) scoreLines(t *widget.Theme, w int) []string {
	name := widget.Column{Title: "run", Flex: true, Middle: true, Min: 10}
	losses, answers := v.lossTable(name), v.answerTable(name)
	one := widget.Table{Columns: append(slices.Clone(losses.Columns), answers.Columns[1:]...)}
	for i := range losses.Rows {
		one.Rows = append(one.Rows, append(slices.Clone(losses.Rows[i]), answers.Rows[i][1:]...))
	}
	view := func(b widget.Table) []string { return strings.Split(b.View(t, w, len(b.Rows)+1), "\n") }
	var lines []string
	if one.Whole(w) {
		lines = view(one)
	} else {
		lines = append(append(view(losses), ""), view(answers)...)
	}
	return append(lines, v.tests.lines(t, w)...)
}

// lossTable is how far each compared run is, and its losses: of the newest steps, smoothed, and at the last check on
// valid. All are without the recipe's weights.
func (v *comparison) lossTable(name widget.Column) widget.Table {
	table := widget.Table{Columns: []widget.Column{name, {Title: "steps", Right: true, Priority: 2},
		{Title: "loss", Right: true, Priority: 5},
		{Title: "smooth", Right: true, Priority: 3}, {Title: "valid loss", Right: true, Priority: 6}}}
	v.eachCompared(func(letter, label string, r *reading) {
		row := []widget.Cell{{Text: letter + " " + label, Tone: widget.Strong}, {Text: "reading"}, {}, {}, {}}
		if r != nil {
			l, loss, valid := v.options(), r.loss(true), math.NaN()
			raw, smooth := l.raw(r, loss).last(), l.smoothed(r, loss).last()
			if checks := r.history.Checks(); len(checks) > 0 {
				valid = float64(checks[len(checks)-1].Loss)
			}
			row = append(row[:1], widget.Cell{Text: widget.Count(r.history.Step())},
				widget.Cell{Text: widget.Number(raw)},
				widget.Cell{Text: widget.Number(smooth)}, widget.Cell{Text: widget.Number(valid)})
		}
		table.Rows = append(table.Rows, row)
	})
	return table
}

// answerTable is how many answers of each compared run were right: at its last check on valid, at its best, and in its
// evaluations.
func (v *comparison) answerTable(name widget.Column) widget.Table {
	table := widget.Table{Columns: []widget.Column{name, {Title: "right", Right: true, Priority: 6},
		{Title: "F1", Right: true, Priority: 6},
		{Title: "best", Right: true, Priority: 3}}}
	splits := v.evaluated()
	for _, split := range splits {
		table.Columns = append(table.Columns, widget.Column{Title: split + " right", Right: true, Priority: 7},
			widget.Column{Title: split + " F1", Right: true, Priority: 4})
	}
	v.eachCompared(func(letter, label string, r *reading) {
		row := make([]widget.Cell, len(table.Columns))
		row[0] = widget.Cell{Text: letter + " " + label, Tone: widget.Strong}
		if r != nil {
			right, f1, best := math.NaN(), math.NaN(), widget.Missing
			if checks := r.history.Checks(); len(checks) > 0 {
				last := checks[len(checks)-1]
				right, f1, best = float64(last.Accuracy), float64(last.MacroF1), bestOf(checks, r.by()).text(true)
			}
			row[1].Text, row[2].Text, row[3].Text = widget.Percent(right, 1), widget.Number(f1), best
			for k, split := range splits {
				right, f1 := math.NaN(), math.NaN()
				if i := slices.IndexFunc(r.results, func(e *eval.Result) bool { return e.Split == split }); i >= 0 {
					right, f1 = r.results[i].Accuracy, r.results[i].MacroF1
				}
				row[4+2*k].Text, row[5+2*k].Text = widget.Percent(right, 1), widget.Number(f1)
			}
		}
		table.Rows = append(table.Rows, row)
	})
	return table
}

// recallLines are a line for each class, commonest or rarest first, with the recall in each run, and how much higher it
// is in the second of two. Where there is room each run has a bar of its own under its class.
func (v *comparison) recallLines(t *widget.Theme, w int) []string {
	var order []run.Curve
	at := map[string][]float64{}
	var letters []string
	v.eachCompared(func(letter, _ string, r *reading) {
		if r != nil {
			for _, c := range r.recalls {
				if at[c.Name] == nil {
					order = append(order, c)
				}
				for len(at[c.Name]) < len(letters) {
					at[c.Name] = append(at[c.Name], math.NaN())
				}
				at[c.Name] = append(at[c.Name], c.Last())
			}
		}
		letters = append(letters, letter)
	})
	if len(order) == 0 {
		return widget.Hang(" ", "none of them has been checked on valid", t.Muted, w)
	}
	slices.SortStableFunc(order, func(a, b run.Curve) int { return b.N - a.N })
	if !v.plot.commonest {
		slices.Reverse(order)
	}
	for name := range at {
		for len(at[name]) < len(letters) {
			at[name] = append(at[name], math.NaN())
		}
	}
	if _, h := v.views.Board().Inside("recalls"); h >= len(order)*(len(letters)+1) && w >= 48 {
		return recallBars(t, order, letters, at, w)
	}
	table := widget.Table{Columns: []widget.Column{{Title: "class", Flex: true, Middle: true, Min: 14},
		{Title: "n", Right: true, Priority: 1}}}
	for _, letter := range letters {
		table.Columns = append(table.Columns, widget.Column{Title: letter, Right: true, Priority: 9})
	}
	if len(letters) == 2 {
		table.Columns = append(table.Columns, widget.Column{Title: letters[1] + " − " + letters[0], Right: true,
			Priority: 5})
	}
	for _, c := range order {
		row := []widget.Cell{{Text: c.Name}, {Text: widget.Count(c.N), Tone: widget.Muted}}
		for _, v := range at[c.Name] {
			row = append(row, widget.Cell{Text: widget.Percent(v, 0)})
		}
		if len(letters) == 2 {
			row = append(row, gain(at[c.Name][1]-at[c.Name][0]))
		}
		table.Rows = append(table.Rows, row)
	}
	return strings.Split(table.View(t, w, len(table.Rows)+1), "\n")
}

// gain is by how many points a share is higher: a gain is good, and so are its sign and its tone.
func gain(d float64) widget.Cell {
	points := math.Round(100 * d)
	switch {
	case math.IsNaN(d):
		return widget.Cell{Text: widget.Missing}
	case points > 0:
		return widget.Cell{Text: fmt.Sprintf("+%.0f", points), Tone: widget.OK}
	case points < 0:
		return widget.Cell{Text: fmt.Sprintf("−%.0f", -points), Tone: widget.Warning}
	}
	return widget.Cell{Text: "0", Tone: widget.Muted}
}

// recallBars are the recalls as bars: under each class one for each run.
func recallBars(t *widget.Theme, order []run.Curve, letters []string, at map[string][]float64, w int) []string {
	var lines []string
	for _, c := range order {
		head := t.Strong.Render(widget.CutMiddle(widget.Clean(c.Name), w-16)) + t.Muted.Render("  n "+widget.Count(c.N))
		if v := at[c.Name]; len(v) == 2 && run.Finite(v[0]) && run.Finite(v[1]) {
			cell := gain(v[1] - v[0])
			head = widget.Ends(head, t.Muted.Render(letters[1]+" − "+letters[0]+": ")+t.Tone(cell.Tone).Render(cell.Text), w-1)
		}
		bars := widget.Bars{Max: 1}
		for i, letter := range letters {
			v := at[c.Name][i]
			bars.Items = append(bars.Items, widget.Bar{Label: letter, Value: max(v, 0), Text: widget.Percent(v, 0)})
		}
		lines = append(lines, " "+head)
		for _, line := range strings.Split(bars.View(t, w-4, len(letters)), "\n") {
			lines = append(lines, "   "+line)
		}
	}
	return lines
}

// differenceLines are the constants in which the compared runs differ, with the value in each.
func (v *comparison) differenceLines(t *widget.Theme, w int) []string {
	var lines []string
	type snapshot struct {
		letter string
		config *config.Config
	}
	var snapshots []snapshot
	v.eachCompared(func(letter, label string, r *reading) {
		if r == nil || r.config == nil {
			why := "its constants are not known"
			if r != nil && r.run.Tool() != "" {
				why = "of " + r.run.Tool() + ", whose settings are in Details"
			}
			lines = append(lines, widget.Hang(" "+letter+" ", widget.Clean(label)+": "+why, t.Muted, w-1)...)
			return
		}
		snapshots = append(snapshots, snapshot{letter, r.config})
	})
	var names []string
	for i := range snapshots {
		for _, change := range config.Diff(snapshots[0].config, snapshots[i].config) {
			if !slices.Contains(names, change.Key) && !strings.HasPrefix(change.Key, "KEYS.") && change.Key != "PROJECT.WATCH" &&
				!strings.HasPrefix(change.Key, "VIEW.") {
				names = append(names, change.Key)
			}
		}
	}
	switch {
	case len(snapshots) < 2 && len(lines) == 0:
		return widget.Hang(" ", "one run alone: "+views.KeyOf("mark")+" marks those to compare it with", t.Muted, w-1)
	case len(snapshots) < 2:
		return lines
	case len(names) == 0 && len(lines) > 0:
		return append(lines, widget.Hang(" "+t.OK.Render("✓")+" ", "none between the others: they were started with the "+
			"same constants", t.Text, w-1)...)
	case len(names) == 0:
		return append(lines, " "+t.OK.Render("✓")+" none: they were started with the same constants")
	}
	table := widget.Table{Columns: []widget.Column{{Title: "constant"}}}
	for _, s := range snapshots {
		table.Columns = append(table.Columns, widget.Column{Title: s.letter})
	}
	for _, name := range names {
		row := []widget.Cell{{Text: name, Tone: widget.Strong}}
		for _, s := range snapshots {
			row = append(row, widget.Cell{Text: plainValue(s.config, name)})
		}
		table.Rows = append(table.Rows, row)
	}
	if table.Whole(w - 1) {
		for _, line := range strings.Split(table.View(t, w-1, len(table.Rows)+1), "\n") {
			lines = append(lines, " "+line)
		}
		return lines
	}
	for _, name := range names {
		lines = append(lines, " "+t.Strong.Render(name))
		for _, s := range snapshots {
			lines = append(lines, widget.Hang(t.Accent.Render("   "+s.letter+" "),
				widget.Clean(plainValue(s.config, name)), t.Text, w-1)...)
		}
	}
	return lines
}

// plainValue is a constant's value; an empty text is seen as one.
func plainValue(c *config.Config, name string) string {
	if value := config.Plain(c, name); value != "" {
		return value
	}
	return `""`
}
