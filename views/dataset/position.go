package dataset

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/stats"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// position is the view of heights.
type position struct {
	*shared

	counts bool // bars are numbers of objects on one scale, not shares of each class
}

func newPosition(s *shared) views.View {
	v := &position{shared: s}
	heights, files := v.board(), v.fileBoard()
	return views.View{Name: positionView, Label: s.labelled(positionView, "Lengths"),
		Boards: []*views.Board{heights, files}, Pick: s.byMedia(heights, files), Actions: v.actions, Copy: v.text}
}

func (v *position) board() *views.Board {
	node := layout.Column(layout.Panel("heights", 50, 11).Weighted(3).Prior(1), layout.Panel("figures", 50,
		8).AtMost(0, 9))
	return views.NewBoard(node,
		views.Panel{Name: "heights", Tab: "Heights", Title: v.heightsTitle, Right: v.heightsRight, Draw: v.drawHeights,
			Move: v.moveHeights, Click: v.clickHeights, Actions: v.openClass},
		views.Panel{Name: "figures", Tab: "Figures", Title: func() string { return v.className() + " in figures" },
			Draw: v.drawFigures, Move: v.moveClass, Actions: v.openClass},
	)
}

func (v *position) actions() []views.Action {
	if v.clips() {
		return nil
	}
	return []views.Action{{Name: "measure", Label: "share/count", Help: "bars are shares, or numbers on one scale",
		Group: "Data",
		Run:   func() tea.Cmd { v.counts = !v.counts; return nil }}}
}

func (v *position) heightsTitle() string {
	return "Height of the centre in the picture · " + v.scopeWords() + " · most frequent first"
}

func (v *position) heightsRight() string {
	text := "◂ mean · bars: share"
	if v.counts {
		text = "◂ mean · bars: objects"
	}
	order := v.order()
	w, h := v.views.Board().Inside("heights")
	if m := v.multiplesFor(order, w, h); m.cols*m.rows < len(order) {
		text += " · " + place(*at(order, v.class), len(order))
	}
	return text
}

// multiples is how small histograms stand: beside each other, then below, each with a heading of two lines.
type multiples struct {
	cols, rows, cellW, cellH int
	names                    int // lines of the longest name
	first                    int // place of the upper left class
}

// bars is how many lines a histogram has: the names and one line of figures stand above it.
func (m multiples) bars() int { return max(m.cellH-m.names-1, 1) }

const (
	axisW      = 10 // "Bottom 1.0"
	leastBars  = 11 // cells of a class's bars, the cursor's column included
	leastLines = 6  // of a histogram, so that each band has its own
	mostNames  = 3
)

// multiplesFor divides w×h cells among the classes; where they do not all fit, around the selected one.
func (v *position) multiplesFor(order []int, w, h int) multiples {
	best := multiples{cols: 1, rows: 1, cellW: max(w-axisW, 1), cellH: h, names: 1}
	most := -1
	for rows := 1; rows <= max(h/8, 1); rows++ {
		cols := max(min((w-axisW)/leastBars, (len(order)+rows-1)/rows), 1)
		m := multiples{cols: cols, rows: rows, cellW: min(max((w-axisW)/cols, 1), 40), cellH: h / rows}
		m.names = v.nameLines(order, m.cellW)
		if rows > 1 && m.bars() < leastLines {
			break
		}
		// Seeing all classes comes first, then bars that are wide and many enough to compare.
		if score := 1000*min(cols*rows, len(order)) + min(m.cellW, 24)*min(m.bars(), 20); score > most {
			best, most = m, score
		}
	}
	shown := best.cols * best.rows
	best.first = at(order, v.class).Index / shown * shown
	best.first = max(min(best.first, len(order)-shown), 0) // the last page is as full as the others
	return best
}

// nameLines is how many lines the longest name takes in cells of that width.
func (v *position) nameLines(order []int, cellW int) int {
	lines := 1
	for _, class := range order {
		lines = max(lines, min(len(widget.Wrap(v.nameOf(class), cellW-1)), mostNames))
	}
	return lines
}

func (v *position) drawHeights(t *widget.Theme, w, h int) string {
	order := v.order()
	m := v.multiplesFor(order, w, h)
	longest := v.longestBin(order, m.bars())
	var rows []string
	for row := range m.rows {
		from := m.first + row*m.cols
		if from >= len(order) {
			break
		}
		blocks := []string{v.drawAxis(t, m)}
		for place := from; place < min(from+m.cols, len(order)); place++ {
			blocks = append(blocks, v.drawMultiple(t, order[place], m, longest))
		}
		rows = append(rows, widget.Columns(blocks...))
	}
	return widget.Block(strings.Join(rows, "\n"), w, h)
}

// bandStarts are the lines of a histogram of so many lines at which a band begins.
func (v *position) bandStarts(lines int) map[int]string {
	starts := map[int]string{}
	for _, band := range v.bands() {
		starts[int(math.Ceil(band.From*float64(lines)-0.5))] = band.Name
	}
	return starts
}

// drawAxis is the scale that the histograms of a row share: the bands where they begin, and the ends in figures.
func (v *position) drawAxis(t *widget.Theme, m multiples) string {
	lines := make([]string, m.names+1, m.cellH)
	lines[m.names] = t.Muted.Render(" n · mean")
	n := m.bars()
	starts := v.bandStarts(n)
	for i := range n {
		figure := "   "
		switch {
		case i == 0:
			figure = "0.0"
		case i == n-1:
			figure = "1.0"
		}
		lines = append(lines, t.Strong.Render(widget.Left(starts[i], 6))+t.Muted.Render(figure+"▕"))
	}
	return widget.Block(strings.Join(lines, "\n"), axisW, m.cellH)
}

// heightBins joins the bins of a class for so many lines, as shares of the class or as numbers.
func (v *position) heightBins(class, lines int) []float64 {
	position := positionOf(v.part(), class)
	bins := make([]float64, max(lines, 1))
	parts := len(position.Histogram)
	for i, n := range position.Histogram {
		// A bin that lies across lines is divided among them.
		from, to := float64(i)/float64(parts)*float64(len(bins)), float64(i+1)/float64(parts)*float64(len(bins))
		for line := int(from); line < len(bins) && float64(line) < to; line++ {
			bins[line] += float64(n) * (math.Min(to, float64(line+1)) - math.Max(from, float64(line))) / (to - from)
		}
	}
	if !v.counts && position.N > 0 {
		for i := range bins {
			bins[i] /= float64(position.N)
		}
	}
	return bins
}

// longestBin is the value of a full bar: the same for all classes.
func (v *position) longestBin(order []int, lines int) float64 {
	longest := 0.0
	for _, class := range order {
		for _, v := range v.heightBins(class, lines) {
			longest = math.Max(longest, v)
		}
	}
	return longest
}

// drawMultiple is one class: its name, how many and where on average, and its bars with the mean marked. The first
// column is that of the cursor.
func (v *position) drawMultiple(t *widget.Theme, class int, m multiples, longest float64) string {
	position := positionOf(v.part(), class)
	w := m.cellW - 1
	lines := v.multipleName(t, class, m)
	facts := widget.Count(position.N)
	if mean := fmt.Sprintf(" · %.2f", position.Mean); position.N > 0 && widget.Width(facts+mean) <= w {
		facts += mean // else ◂ shows it alone
	}
	lines = append(lines, " "+t.Muted.Render(widget.Cut(facts, w)))
	n := m.bars()
	starts := v.bandStarts(n)
	mean := -1
	if position.N > 0 {
		mean = min(int(position.Mean*float64(n)), n-1)
	}
	for i, v := range v.heightBins(class, n) {
		bar := t.Bar.Render(widget.Block8(v/longest, w-2))
		room, mark := w-widget.Width(bar), ""
		if i == mean && room > 0 {
			room, mark = room-1, t.Accent.Render("◂")
		}
		rest := strings.Repeat(" ", max(room, 0))
		if _, begins := starts[i]; begins && i > 0 {
			rest = t.BarFaint.Render(strings.Repeat("┈", max(room, 0)))
		}
		lines = append(lines, " "+bar+mark+rest)
	}
	return widget.Block(strings.Join(lines, "\n"), m.cellW, m.cellH)
}

// multipleName is a class's name above its bars, in as many lines as the longest name has.
func (v *position) multipleName(t *widget.Theme, class int, m multiples) []string {
	w := m.cellW - 1
	parts := widget.Wrap(v.nameOf(class), w)
	if len(parts) > m.names {
		parts = append(parts[:m.names-1], widget.Cut(strings.Join(parts[m.names-1:], " "), w))
	}
	lines := make([]string, m.names)
	for i, part := range parts {
		switch {
		case class == v.class && i == 0:
			lines[i] = t.Accent.Render("▸") + t.Selected.Render(part)
		case class == v.class:
			lines[i] = " " + t.Selected.Render(part)
		default:
			lines[i] = " " + t.Strong.Render(part)
		}
	}
	return lines
}

func (v *position) moveHeights(m widget.Move, page int) {
	w, h := v.views.Board().Inside("heights")
	order := v.order()
	cols := v.multiplesFor(order, w, h).cols
	selected := at(order, v.class).Index
	switch m {
	case widget.MoveLeft:
		selected--
	case widget.MoveRight:
		selected++
	case widget.Up:
		selected -= cols
	case widget.Down:
		selected += cols
	default:
		v.moveClass(m, page)
		return
	}
	v.selectClass(order, max(min(selected, len(order)-1), 0))
}

func (v *position) clickHeights(x, y, w, h int) tea.Cmd {
	order := v.order()
	m := v.multiplesFor(order, w, h)
	if col, row := (x-axisW)/m.cellW, y/m.cellH; x >= axisW && col < m.cols && row < m.rows {
		v.selectClass(order, m.first+row*m.cols+col)
	}
	return nil
}

// drawFigures says in figures where the class lies in each split, and in words.
func (v *position) drawFigures(t *widget.Theme, w, h int) string {
	table := widget.Table{Columns: []widget.Column{
		{Title: "split", Priority: 9}, {Title: "objects", Right: true, Priority: 8}, {Title: "mean y", Right: true,
			Priority: 7}, {Title: "± sd", Right: true, Priority: 5},
		{Title: "lowest y", Right: true}, {Title: "¼ above", Right: true, Priority: 3}, {Title: "median", Right: true,
			Priority: 4}, {Title: "¼ below", Right: true, Priority: 3}, {Title: "highest y", Right: true},
		{Title: "lies", Priority: 6}}}
	for _, part := range append([]stats.Part{v.analysis.Whole}, v.analysis.Splits...) {
		table.Rows = append(table.Rows, positionRow(part, v.class, part.Split == v.split))
	}
	var lines []string
	for line := range strings.SplitSeq(table.View(t, w-1, min(len(table.Rows)+1, h)), "\n") {
		lines = append(lines, " "+line)
	}
	return widget.Block(strings.Join(append(lines, wrapped(t.Text, v.heightSentence(), w)...), "\n"), w, h)
}

func positionRow(part stats.Part, class int, shown bool) []widget.Cell {
	position := positionOf(&part, class)
	name := part.Split
	if name == "" {
		name = "all"
	}
	tone := widget.Plain
	if shown {
		tone = widget.Strong
	}
	row := []widget.Cell{{Text: name, Tone: tone}, {Text: widget.Count(position.N), Tone: tone}}
	for _, v := range []float64{position.Mean, position.SD, position.Min, position.Q25, position.Q50, position.Q75,
		position.Max} {
		text := widget.Missing
		if position.N > 0 {
			text = fmt.Sprintf("%.2f", v)
		}
		row = append(row, widget.Cell{Text: text, Tone: tone})
	}
	return append(row, widget.Cell{Text: position.Band, Tone: tone})
}

// heightSentence is where a class lies, for someone who reads no histograms.
func (v *position) heightSentence() string {
	position := positionOf(v.part(), v.class)
	if position.N == 0 {
		return fmt.Sprintf("%s has no object in %s.", v.className(), v.scopeWords())
	}
	place := map[string]string{stats.Top: "at the top", stats.Middle: "in the middle",
		stats.Bottom: "at the bottom"}[position.Band]
	return fmt.Sprintf("%s lies mostly %s: mean height %.2f (0 top, 1 bottom), half of its objects between %.2f "+
		"and %.2f.",
		v.className(), place, position.Mean, position.Q25, position.Q75)
}

// text is the view as a table.
func (v *position) text() string {
	if v.clips() {
		return v.fileText()
	}
	rows := [][]string{{"class", "n", "mean", "sd", "min", "q25", "median", "q75", "max", "band"}}
	for _, i := range v.order() {
		row := []string{v.set.Classes[i].Name}
		for j, cell := range positionRow(*v.part(), i, false) {
			if j > 0 { // the split is the same in all rows
				row = append(row, cell.Text)
			}
		}
		rows = append(rows, row)
	}
	return tabbed(rows)
}
