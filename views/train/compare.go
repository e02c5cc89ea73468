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

// mostMarks is how many runs can be compared: as many curves as can be told apart.
const mostMarks = 6

// compared are the runs that Compare lays over each other: the marked ones, in the order of their marks; with one mark
// alone, the selected run, too.
func (p *Pane) compared() []string {
	dirs := slices.Clone(p.marks)
	if e := p.selected(); e != nil && len(dirs) < 2 && !slices.Contains(dirs, e.run.Dir) {
		dirs = append(dirs, e.run.Dir)
	}
	return dirs
}

func (p *Pane) compareBoard() *views.Board {
	names := views.Panel{Name: "runs", Tab: "Runs", Title: p.runsTitle, Draw: p.drawRuns, Move: p.move, Click: p.clickRun}
	loss := views.Panel{Name: "loss", Tab: "Loss", Title: title("Loss without weights, smoothed · ◆ on valid"), Right: p.lossNote, Draw: p.drawOverlay}
	scores := p.linesPanel("scores", "Scores", p.scoreLines)
	scores.Title = title("Checks on valid and evaluations")
	recalls := views.Panel{Name: "recalls", Tab: "Classes", Title: title("Recall of each class at the last check on valid"), Draw: p.drawRecalls}
	differences := p.linesPanel("differences", "Constants", p.differenceLines)
	differences.Title = title("Constants that differ")
	return views.NewBoard(layout.Row(
		layout.Column(layout.Panel("loss", 40, 10).Prior(2).Weighted(2), layout.Panel("scores", 40, 7).Prior(1)).Weighted(3),
		layout.Column(layout.Panel("differences", 36, 7).Prior(2), layout.Panel("recalls", 36, 8).Prior(1), layout.Panel("runs", 36, 6)).Weighted(2),
	), loss, scores, recalls, differences, names)
}

// eachCompared calls with the letter, name and reading of each compared run; the reading is nil while it is read.
func (p *Pane) eachCompared(do func(letter, label string, r *reading)) {
	for i, dir := range p.compared() {
		if e := p.list.find(dir); e != nil {
			do(letter(i), e.run.Label(), p.readingOf(dir))
		}
	}
}

// drawOverlay is the smoothed losses of the compared runs over each other. The plain loss is drawn: weights of
// different recipes make losses that cannot be compared.
func (p *Pane) drawOverlay(t *widget.Theme, w, h int) string {
	c := p.look.chart(p.now().Location())
	if p.look.x == byClock { // runs of different days lie beside each other there
		of := p.look
		of.x = byRelative
		c = of.chart(p.now().Location())
	}
	tones := []widget.Tone{widget.Accent, widget.Warning, widget.Plain, widget.Strong, widget.OK, widget.Muted}
	i := 0
	p.eachCompared(func(letter, label string, r *reading) {
		tone := tones[i%len(tones)]
		i++
		if r == nil {
			c.Lines = append(c.Lines, widget.Line{Name: label}) // keeps the letters of the others
			return
		}
		at := func(head run.Head) float64 {
			if p.look.x == byStep {
				return float64(head.Step)
			}
			return r.clock.worked(head.Time)
		}
		line := widget.Line{Name: label, Y: widget.Smooth(losses(r.history.Train, true), p.look.weight()), Tone: tone}
		for _, row := range r.history.Train {
			line.X = append(line.X, at(row.Head))
		}
		valid := widget.Line{Glyph: "◆", Tone: tone}
		for _, e := range validChecks(&r.history) {
			valid.X, valid.Y = append(valid.X, at(e.Head)), append(valid.Y, float64(e.Loss))
		}
		c.Lines = append(c.Lines, line, valid)
	})
	return c.View(t, w, h)
}

// scoreLines are a line for each run with its last and its best check on valid and its evaluations, then what the
// paired tests of these say.
func (p *Pane) scoreLines(t *widget.Theme, w int) []string {
	table := widget.Table{Columns: []widget.Column{{Title: "run", Flex: true, Min: 10}, {Title: "steps", Right: true, Priority: 2}, {Title: "valid loss", Right: true, Priority: 5},
		{Title: "right", Right: true, Priority: 6}, {Title: "F1", Right: true, Priority: 6}, {Title: "best", Right: true, Priority: 3}}}
	splits := p.evaluated()
	for _, split := range splits {
		table.Columns = append(table.Columns, widget.Column{Title: split + " right", Right: true, Priority: 7}, widget.Column{Title: split + " F1", Right: true, Priority: 4})
	}
	p.eachCompared(func(letter, label string, r *reading) {
		row := []widget.Cell{{Text: letter + " " + label, Tone: widget.Strong}}
		if r == nil {
			table.Rows = append(table.Rows, append(row, widget.Cell{Text: "reading"}))
			return
		}
		row = append(row, widget.Cell{Text: widget.Count(r.history.Step())})
		loss, right, f1, best := math.NaN(), math.NaN(), math.NaN(), widget.Missing
		if checks := validChecks(&r.history); len(checks) > 0 {
			last := checks[len(checks)-1]
			loss, right, f1 = float64(last.Loss), float64(last.Accuracy), float64(last.MacroF1)
			best = bestOf(checks, r.by()).text(true)
		}
		row = append(row, widget.Cell{Text: widget.Number(loss)}, widget.Cell{Text: widget.Percent(right, 1)}, widget.Cell{Text: widget.Number(f1)}, widget.Cell{Text: best})
		for _, split := range splits {
			i := slices.IndexFunc(r.results, func(e *eval.Result) bool { return e.Split == split })
			if i < 0 {
				row = append(row, widget.Cell{Text: widget.Missing}, widget.Cell{Text: widget.Missing})
				continue
			}
			row = append(row, widget.Cell{Text: widget.Percent(r.results[i].Accuracy, 1)}, widget.Cell{Text: widget.Number(r.results[i].MacroF1)})
		}
		table.Rows = append(table.Rows, row)
	})
	lines := strings.Split(table.View(t, w, len(table.Rows)+1), "\n")
	return append(lines, p.testLines(t, w)...)
}

// evaluated are the splits that any of the compared runs was evaluated on.
func (p *Pane) evaluated() []string {
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

// drawRecalls is a line for each class, commonest or rarest first, with the recall in each run.
func (p *Pane) drawRecalls(t *widget.Theme, w, h int) string {
	table := widget.Table{Columns: []widget.Column{{Title: "class", Flex: true, Min: 14}, {Title: "n", Right: true, Priority: 1}}}
	var order []curve
	at := map[string][]widget.Cell{}
	column := 0
	p.eachCompared(func(letter, _ string, r *reading) {
		table.Columns = append(table.Columns, widget.Column{Title: letter, Right: true, Priority: 9})
		if r != nil {
			for _, c := range r.recalls {
				if at[c.name] == nil {
					order = append(order, c)
				}
				cells := at[c.name]
				for len(cells) < column {
					cells = append(cells, widget.Cell{Text: widget.Missing})
				}
				at[c.name] = append(cells, widget.Cell{Text: widget.Percent(c.last(), 0)})
			}
		}
		column++
	})
	if len(order) == 0 {
		return widget.Block(t.Muted.Render(" none of them has been checked on valid"), w, h)
	}
	slices.SortStableFunc(order, func(a, b curve) int { return b.n - a.n })
	if !p.look.commonest {
		slices.Reverse(order)
	}
	for _, c := range order {
		table.Rows = append(table.Rows, append([]widget.Cell{{Text: c.name}, {Text: widget.Count(c.n), Tone: widget.Muted}}, at[c.name]...))
	}
	return table.View(t, w, h)
}

// differenceLines are the constants in which the compared runs differ, with the value in each.
func (p *Pane) differenceLines(t *widget.Theme, w int) []string {
	var lines []string
	type snapshot struct {
		letter string
		config *config.Config
	}
	var snapshots []snapshot
	p.eachCompared(func(letter, label string, r *reading) {
		if r == nil || r.config == nil {
			lines = append(lines, " "+t.Muted.Render(fmt.Sprintf("%s %s: its constants are not known", letter, widget.Clean(label))))
			return
		}
		snapshots = append(snapshots, snapshot{letter, r.config})
	})
	var names []string
	for i := range snapshots {
		for _, change := range config.Diff(snapshots[0].config, snapshots[i].config) {
			if !slices.Contains(names, change.Key) && !strings.HasPrefix(change.Key, "KEYS.") && !strings.HasPrefix(change.Key, "VIEW.") {
				names = append(names, change.Key)
			}
		}
	}
	switch {
	case len(snapshots) < 2 && len(lines) == 0:
		return widget.Hang(" ", "one run alone: "+views.KeyOf("mark")+" marks those to compare it with", t.Muted, w-1)
	case len(names) == 0:
		return append(lines, " "+t.OK.Render("✓")+" none: they were started with the same constants")
	}
	for _, name := range names {
		lines = append(lines, " "+t.Strong.Render(name))
		for _, s := range snapshots {
			value := config.Plain(s.config, name)
			if value == "" {
				value = `""`
			}
			lines = append(lines, widget.Hang(t.Accent.Render("   "+s.letter+" "), widget.Clean(value), t.Text, w-1)...)
		}
	}
	return lines
}
