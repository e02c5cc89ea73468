package train

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"finetui/core/printable"
	"finetui/core/sweep"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// sweeps is the view of the queues of experiments: variants under several seeds, and what may be said of them.
type sweeps struct {
	*shared
	watching views.Request
	asking   views.Request
	reports  []sweep.Report
	of       *listing // of the runs, when the sweeps were asked for last
	fault    error
	chosen   string         // folder of the selected one
	question *sweepQuestion // open while a new one is planned
	pause    time.Duration  // that a line rests before it is worked out what it comes to
	scroll   widget.Scroll
}

// swept is what a sweep was asked for: to begin, to pause, to be written.
type swept struct{ name, what string }

func newSweeps(s *shared) *sweeps { return &sweeps{shared: s, pause: 150 * time.Millisecond} }

func (v *sweeps) view() views.View {
	list := views.Panel{Name: "sweeps", Tab: "Sweeps", Draw: v.drawList, Move: v.move}
	table := views.Panel{Name: "variants", Tab: "Variants", Title: v.tableTitle, Draw: v.drawTable}
	verdict := views.Panel{Name: "verdict", Tab: "Verdict", Title: title("Differences from the first variant"),
		Right: v.verdictRight, Draw: v.drawVerdict, Move: v.moveVerdict}
	both := []layout.Node{layout.Panel("variants", 40, 7).Prior(2).Weighted(2),
		layout.Panel("verdict", 40, 8).Prior(1).Weighted(3)}
	wide := views.NewBoard(layout.Row(layout.Panel("sweeps", 26, 6).AtMost(34, 0),
		layout.Column(both...).Weighted(3)), table, verdict, list)
	narrow := views.NewBoard(layout.Column(append([]layout.Node{layout.Panel("sweeps", 40, 4).AtMost(0, 5)}, both...)...),
		table, verdict, list)
	return views.View{Name: sweepsView, Boards: []*views.Board{narrow, wide}, Actions: v.actions, Want: v.want,
		Copy: v.text, Pick: func(w, _ int) *views.Board {
			if w < 110 {
				return narrow
			}
			return wide
		}}
}

func (v *sweeps) actions() []views.Action {
	there := func() bool { return v.current() != nil }
	return []views.Action{
		{Name: "new_sweep", Label: "new sweep", Group: "Sweeps",
			Run:     func() tea.Cmd { return v.plan("", "") },
			Enabled: func() bool { return v.control.PlanSweep != nil },
			Help:    "plan a sweep: constants with several values, trained under several seeds and compared"},
		{Name: "more_seeds", Label: "more seeds", Group: "Sweeps", Run: v.moreSeeds,
			Enabled: func() bool { return there() && v.control.AddSeeds != nil },
			Help:    "add seeds to the sweep: each variant gets as many runs more; what they take is said first"},
		{Name: "pause_sweep", Label: "pause sweep", Group: "Sweeps", Enabled: there, Run: v.steer,
			Help: "start nothing new of the sweep, or go on with it; runs that are under way go on"},
		{Name: "export_sweep", Label: "report", Group: "Sweeps", Enabled: there, Run: v.export,
			Help: "write the sweep as Markdown, CSV and PNG: its table, its forest plot and what may be said"},
	}
}

// current is the selected sweep; nil where there is none.
func (v *sweeps) current() *sweep.Report {
	for i := range v.reports {
		if v.reports[i].Dir == v.chosen {
			return &v.reports[i]
		}
	}
	if len(v.reports) > 0 {
		return &v.reports[0]
	}
	return nil
}

// want listens to the sweeps. The stream ends where none is at work, and begins again when the runs have changed.
func (v *sweeps) want() tea.Cmd {
	if v.control.Sweeps == nil || v.watching.Pending() || v.of == v.newest {
		return nil
	}
	v.of = v.newest
	return v.look()
}

func (v *sweeps) look() tea.Cmd { return views.Listen(&v.watching, v.control.Sweeps) }

// came takes what the stream says.
func (v *sweeps) came(msg views.Batch[[]sweep.Report]) tea.Cmd {
	if !v.watching.Takes(msg.Ticket) {
		return nil
	}
	if n := len(msg.Values); n > 0 {
		v.reports = msg.Values[n-1]
	}
	if msg.Ended {
		v.watching.Close()
		v.fault = msg.Err
	}
	return msg.Next
}

// move selects a sweep.
func (v *sweeps) move(m widget.Move, page int) {
	at := 0
	for i := range v.reports {
		if now := v.current(); now != nil && v.reports[i].Dir == now.Dir {
			at = i
		}
	}
	if cursor := (widget.List{Index: at}); len(v.reports) > 0 {
		cursor.Move(m, len(v.reports), page)
		v.chosen, v.scroll = v.reports[cursor.Index].Dir, widget.Scroll{}
	}
}

func (v *sweeps) drawList(t *widget.Theme, w, h int) string {
	table := widget.Table{Columns: []widget.Column{{Title: "sweep", Flex: true, Min: 8}, {Title: "done", Right: true,
		Priority: 1}, {Priority: 2}}, Cursor: &widget.List{}}
	for i := range v.reports {
		r := &v.reports[i]
		if now := v.current(); now.Dir == r.Dir {
			table.Cursor.Index = i
		}
		done, of := r.Status.Done()
		glyph, tone := "○", widget.Muted
		switch {
		case done == of:
			glyph, tone = "✓", widget.OK
		case r.Status.Live && r.Status.Paused:
			glyph, tone = "◐", widget.Accent
		case r.Status.Live:
			glyph, tone = "●", widget.Accent
		}
		table.Rows = append(table.Rows, []widget.Cell{{Text: r.Plan.Name},
			{Text: widget.Count(done) + "/" + widget.Count(of)}, {Text: glyph, Tone: tone}})
	}
	if len(v.reports) == 0 { // the table says how one comes
		return widget.Middle(t.Muted, "none", w, h)
	}
	return table.View(t, w, h)
}

// empty says why there is no sweep, and how one comes.
func (v *sweeps) empty(t *widget.Theme, w int) []string {
	switch {
	case v.fault != nil:
		return widget.Hang(t.Warning.Render(" ✗ "), widget.Clean(printable.Error(v.fault)), t.Warning, w)
	case v.control.Sweeps == nil || v.watching.Pending() && v.reports == nil:
		return []string{t.Muted.Render(" looking for sweeps")}
	}
	return widget.Hang(" ", "No sweep yet. "+views.KeyOf("new_sweep")+" plans one: constants with several values are "+
		"trained under several seeds, scored, and compared as recipes.", t.Muted, w)
}

func (v *sweeps) tableTitle() string {
	if r := v.current(); r != nil {
		return widget.Clean(r.Title(r.Status))
	}
	return "Variants and seeds"
}

// drawTable is the sweep's table, variants down and seeds across.
func (v *sweeps) drawTable(t *widget.Theme, w, h int) string {
	r := v.current()
	if r == nil {
		return widget.Block(strings.Join(v.empty(t, w), "\n"), w, h)
	}
	rows := r.Table(r.Status, r.Compared)
	longest := 10
	for _, row := range rows {
		longest = max(longest, widget.Width(widget.Clean(row[0])))
	}
	table := widget.Table{Columns: []widget.Column{{Title: rows[0][0], Flex: true, Min: min(longest, 30), Priority: 9}}}
	last := len(rows[0]) - 1
	for i, name := range rows[0][1:] {
		column := widget.Column{Title: name, Right: true, Priority: 7}
		if i+1 == last {
			column.Priority = 8
		}
		table.Columns = append(table.Columns, column)
	}
	seeds := len(r.Plan.Seeds)
	for k, row := range rows[1:] {
		cells := []widget.Cell{{Text: row[0], Tone: widget.Strong}}
		for i, text := range row[1:] {
			cell := widget.Cell{Text: text}
			if i < seeds {
				cell.Tone = toneOf(r.Status.Cells[k*seeds+i])
			}
			cells = append(cells, cell)
		}
		table.Rows = append(table.Rows, cells)
	}
	foot := v.underway(t, w, h-len(rows)-1)
	return table.View(t, w, h-len(foot)) + strings.Join(append([]string{""}, foot...), "\n")
}

// underway says below the table what is being made and what waits, in at most h lines.
func (v *sweeps) underway(t *widget.Theme, w, h int) []string {
	r := v.current()
	text := r.Underway(r.Status)
	if text == "" || h < 1 {
		return nil
	}
	lines := widget.Hang(" ", widget.Clean(text), t.Muted, w-1)
	if len(lines) > h {
		lines = append(lines[:h-1], widget.Cut(lines[h-1], w-2)+t.Muted.Render("…"))
	}
	if len(lines) < h {
		lines = append([]string{""}, lines...)
	}
	return lines
}

func toneOf(c sweep.Cell) widget.Tone {
	switch c.State {
	case sweep.Scored:
		return widget.Plain
	case sweep.Waiting, sweep.Skipped:
		return widget.Muted
	case sweep.GivenUp:
		return widget.Warning
	}
	_, tone := glyphOf(c.State)
	return tone
}

// verdictLines are the forest plot, what may be said, and what went wrong.
func (v *sweeps) verdictLines(t *widget.Theme, w int) []string {
	r := v.current()
	if r == nil {
		return nil
	}
	var lines []string
	if r.Fault != nil {
		lines = append(lines, widget.Hang(t.Warning.Render(" ✗ "), widget.Clean(printable.Error(r.Fault)), t.Warning,
			w-1)...)
	}
	if r.Comparing {
		lines = append(lines, widget.Hang(" ", "comparing what is scored …", t.Muted, w-1)...)
	}
	if c := r.Compared; c != nil {
		for _, line := range c.Forest(min(w-2, 110)) {
			lines = append(lines, " "+widget.Cut(widget.Clean(line), w-1))
		}
		lines = append(lines, "")
		for _, sentence := range c.Sentences {
			lines = append(lines, widget.Hang(" ", widget.Clean(sentence), t.Text, w-1)...)
		}
		lines = append(append(lines, ""), widget.Hang(" ", widget.Clean("95 % by "+c.Method), t.Muted, w-1)...)
	} else if r.Fault == nil && !r.Comparing {
		lines = widget.Hang(" ", "Nothing can be compared before two variants have a scored seed.", t.Muted, w-1)
	}
	for _, cell := range r.Status.Cells {
		if cell.State == sweep.GivenUp {
			lines = append(lines, widget.Hang(t.Warning.Render(" ✗ "), widget.Clean(cell.Variant+", seed "+
				widget.Count(cell.Seed)+": "+cell.Reason), t.Warning, w-1)...)
		}
	}
	return lines
}

func (v *sweeps) drawVerdict(t *widget.Theme, w, h int) string {
	if v.current() == nil {
		return widget.Middle(t.Muted, "what each variant gains or loses against the first, with its interval", w, h)
	}
	return v.scroll.View(v.verdictLines(t, w), w, h)
}

// verdictRight says how much of it is out of sight.
func (v *sweeps) verdictRight() string {
	w, h := v.views.Board().Inside("verdict")
	if w <= 0 || h <= 0 {
		return ""
	}
	return hidden(v.scroll.Hidden(len(v.verdictLines(plainTheme, w)), h))
}

func (v *sweeps) moveVerdict(m widget.Move, page int) {
	w, _ := v.views.Board().Inside("verdict")
	v.scroll.Move(m, len(v.verdictLines(plainTheme, w)), page)
}

func (v *sweeps) text() string {
	if r := v.current(); r != nil {
		return r.Text(r.Status, r.Compared)
	}
	return ""
}

// steer pauses the sweep, or goes on with it.
func (v *sweeps) steer() tea.Cmd {
	r, steer := v.current(), v.control.SteerSweep
	if steer == nil {
		return views.Warn("a sweep cannot be steered from here")
	}
	pause := r.Status.Live && !r.Status.Paused
	what := "goes on"
	if pause {
		what = "is paused: what is under way goes on"
	}
	of := r.Sweep
	return views.Ask(&v.asking, func(ctx context.Context) (swept, error) {
		return swept{of.Plan.Name, what}, steer(ctx, of, pause)
	})
}

// export writes the sweep's report.
func (v *sweeps) export() tea.Cmd {
	r, save := v.current(), v.control.Save
	if save == nil {
		return views.Warn("nothing can be written from here")
	}
	of, name := *r, r.Plan.Name
	return views.Ask(&v.asking, func(context.Context) (swept, error) {
		var paths []string
		for _, ending := range sweep.Endings {
			data, err := of.Export(ending, of.Status, of.Compared)
			if err != nil {
				return swept{}, err
			}
			path, err := save("sweep-"+name+ending, data)
			if err != nil {
				return swept{}, err
			}
			if len(paths) > 0 { // they lie beside each other
				path = filepath.Base(path)
			}
			paths = append(paths, path)
		}
		return swept{name, "is written to " + strings.Join(paths, ", ")}, nil
	})
}

// answered says what came of it, and looks again.
func (v *sweeps) answered(msg views.Answer[swept]) tea.Cmd {
	if !v.asking.Takes(msg.Ticket) {
		return nil
	}
	v.asking.Close()
	if msg.Err != nil {
		if q := v.question; q != nil && q.starting {
			q.starting, q.refused = false, msg.Err
			return nil
		}
		return views.Fail(msg.Err)
	}
	if v.question != nil && v.question.starting {
		if !v.question.more {
			v.chosen = "" // the newest stands first
		}
		v.question = nil
		v.views.Show(sweepsView)
	}
	v.scanNow()
	return tea.Batch(v.look(), views.Say("%s %s", msg.Value.name, msg.Value.what))
}
