package infer

import (
	"fmt"
	"math"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/core/printable"
	"finetui/views/widget"
)

// timeline is one clip's expected and given feedback in the order of time.
type timeline struct {
	moments []eval.Moment
	end     float64 // seconds: nothing comes later
}

func newTimeline(a *eval.TimedAnswer) timeline {
	l := timeline{moments: a.Moments()}
	for _, m := range l.moments {
		for _, f := range []*eval.Feedback{m.Truth, m.Answer} {
			if f != nil {
				l.end = max(l.end, f.At)
			}
		}
	}
	return l
}

func (v *coaching) lineTitle() string {
	a := v.present()
	if a == nil {
		return "Time line"
	}
	f := a.Figures()
	title := "Time line of " + v.shortID(a.ID)
	if a.Status == eval.Answered {
		title += fmt.Sprintf(" · %d missed · %d false", f.Expected-f.Matched, f.Given-f.Matched)
	}
	return title
}

// lineTable lists the moments of the clip: a matched pair on one line.
func (v *coaching) lineTable() widget.Table {
	moments := v.selected().moments
	table := widget.Table{Cursor: &v.moment, Len: len(moments), Columns: []widget.Column{
		{Title: "second", Right: true, Priority: 9}, {Title: "expected", Flex: true, Min: 14, Priority: 9},
		{Title: "given", Flex: true, Min: 14, Priority: 9}, {Title: "away", Right: true, Priority: 2},
		{Title: "METEOR", Right: true, Priority: 1}}}
	table.Row = func(i int) []widget.Cell {
		m := moments[i]
		row := []widget.Cell{{Text: seconds(m.At)}, {Text: "–", Tone: widget.Muted},
			{Text: "✗ missed", Tone: widget.Warning}}
		if m.Truth != nil {
			row[1] = widget.Cell{Text: m.Truth.Text}
		}
		switch {
		case m.Pair != nil:
			row[2] = widget.Cell{Text: "✓ " + m.Answer.Text, Tone: widget.OK}
			row = append(row, widget.Cell{Text: away(m), Tone: widget.Muted}, widget.Cell{Text: mean(m.Pair.METEOR)})
		case m.Answer != nil:
			row[2] = widget.Cell{Text: "✗ " + m.Answer.Text, Tone: widget.Warning}
		}
		return row
	}
	return table
}

// seconds is a moment as it is read beside others: "2.5".
func seconds(at float64) string { return fmt.Sprintf("%.1f", at) }

// away is how much later the given feedback of a pair comes than is expected: "+0.4 s".
func away(m eval.Moment) string {
	text := fmt.Sprintf("%+.1f s", m.Answer.At-m.Truth.At)
	if text == "+0.0 s" || text == "-0.0 s" {
		return "= "
	}
	return strings.Replace(text, "-", "−", 1)
}

// besides is what stands around the list of moments where there is room for it: so many lines above, which are the
// strip's, and the lines below.
func (v *coaching) besides(a *eval.TimedAnswer, w, h int) (above int, below []widget.Cell) {
	if h >= 9 {
		above = stripLines
	}
	if len(a.Answer) == 0 {
		said := strings.TrimSpace(v.now.answers[v.main()][a.ID].Answer)
		below = hungCells(widget.Warning, "! ", "no line of the answer has its second, as in “2.5 s: Keep your back "+
			"straight.”; it said: “"+said+"”", w)
	} else if h >= 15 {
		below = v.inFull(w)
	}
	return above, below[:min(len(below), max(h-above-4, 0))]
}

// inFull is the selected moment, nothing of it cut.
func (v *coaching) inFull(w int) (lines []widget.Cell) {
	moments := v.selected().moments
	m := moments[v.moment.At(len(moments))]
	expected, given := "nothing", fmt.Sprintf("nothing less than %g s away", eval.FeedbackWithin)
	if m.Truth != nil {
		expected = seconds(m.Truth.At) + " s: " + m.Truth.Text
	}
	if m.Answer != nil {
		given = seconds(m.Answer.At) + " s: " + m.Answer.Text
	}
	lines = append(lines, hungCells(widget.Plain, "expected: ", expected, w)...)
	lines = append(lines, hungCells(widget.Strong, "given:    ", given, w)...)
	if m.Pair != nil {
		lines = append(lines, hungCells(widget.Muted, "✓ ", fmt.Sprintf("matched · METEOR %.2f · ROUGE-L %.2f",
			m.Pair.METEOR, m.Pair.ROUGEL), w)...)
	}
	return lines
}

// hungCells are the lines of a text behind a label, not yet in their colour.
func hungCells(tone widget.Tone, label, text string, w int) (lines []widget.Cell) {
	for _, line := range hung(widget.Style{}, label, text, w) {
		lines = append(lines, widget.Cell{Text: line, Tone: tone})
	}
	return lines
}

// drawLine draws both rows of the time line, then the moments one below the other, then the selected one in full, as
// far as there is room.
func (v *coaching) drawLine(t *widget.Theme, w, h int) string {
	a := v.present()
	switch {
	case a == nil:
		return widget.Middle(t.Muted, "a clip's time line stands here", w, h)
	case a.Status != eval.Answered:
		return widget.Middle(t.Warning, "✗ no answer: "+printable.Line(a.Error), w, h)
	}
	line := v.selected()
	if len(line.moments) == 0 {
		return widget.Middle(t.Muted, "nothing is expected of this clip, and nothing was given", w, h)
	}
	above, below := v.besides(a, w-2, h)
	var lines []string
	if above > 0 {
		end := line.end
		if v.player.there() {
			end = max(end, v.player.clip.Duration)
		}
		lines = strings.Split(indent(append(line.strip(t, v.moment.At(len(line.moments)), end, w-2), "")), "\n")
	}
	lines = append(lines, v.lineTable().View(t, w, h-above-len(below)))
	for _, cell := range below {
		lines = append(lines, " "+t.Tone(cell.Tone).Render(cell.Text))
	}
	return widget.Block(strings.Join(lines, "\n"), w, h)
}

// stripLines are those of a strip, and an empty one below it.
const stripLines = 5

// stripLabel is how wide the names before the rows of a time line are.
const stripLabel = 9

// strip draws what is expected and what is given as two rows over one axis, a column for each second or, where there is
// room, part of one; on a long clip a column takes several seconds.
func (l *timeline) strip(t *widget.Theme, selected int, end float64, w int) []string {
	room := max(w-stripLabel-1, 1)
	column := func(at float64) int { return min(int(at*float64(room)/(end+1)), room-1) }
	type mark struct {
		n        int
		matched  int
		selected bool
	}
	rows := [2][]mark{make([]mark, room), make([]mark, room)}
	for i, m := range l.moments {
		for row, f := range []*eval.Feedback{m.Truth, m.Answer} {
			if f == nil {
				continue
			}
			at := &rows[row][column(f.At)]
			at.n++
			at.selected = at.selected || i == selected
			if m.Pair != nil {
				at.matched++
			}
		}
	}
	draw := func(name, alone string, row []mark) string {
		var b strings.Builder
		for _, at := range row {
			text, style := "─", t.Border
			switch {
			case at.n == 0:
			case at.matched == at.n:
				text, style = "●", t.OK
			default:
				text, style = alone, t.Warning
			}
			if at.n > 1 {
				text = string("0123456789+"[min(at.n, 10)])
			}
			if at.selected {
				style = t.Selected
			}
			b.WriteString(style.Render(text))
		}
		return widget.Left(name, stripLabel) + b.String()
	}
	legend := "● matched  ○ missed  ✗ false"
	return []string{draw("expected", "○", rows[0]), draw("given", "✗", rows[1]),
		strings.Repeat(" ", stripLabel) + t.Muted.Render(axis(end, room)),
		t.Muted.Render(widget.Cut(strings.Repeat(" ", stripLabel)+legend, w))}
}

// axis names seconds below the columns of a time line that ends a second after end.
func axis(end float64, room int) string {
	line := []rune(strings.Repeat(" ", room))
	step := 1.0
	for _, step = range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200} {
		if step*float64(room)/(end+1) >= 8 {
			break
		}
	}
	for at := 0.0; at <= end; at += step {
		name := []rune(fmt.Sprintf("%g s", at))
		if from := int(math.Floor(at * float64(room) / (end + 1))); from+len(name) <= room {
			copy(line[from:], name)
		}
	}
	return strings.TrimRight(string(line), " ")
}

// listed is the place of the list of moments in its panel, h lines high: its first line and how many there are; false
// where none is drawn.
func (v *coaching) listed(w, h int) (first, lines int, drawn bool) {
	a := v.present()
	if a == nil || a.Status != eval.Answered || len(v.selected().moments) == 0 {
		return 0, 0, false
	}
	above, below := v.besides(a, w-2, h)
	return above, h - above - len(below), true
}

func (v *coaching) momentPosition() string {
	_, lines, drawn := v.listed(v.board.Inside("items"))
	if !drawn {
		return ""
	}
	return v.lineTable().Position(lines)
}

func (v *coaching) moveMoment(m widget.Move, _ int) {
	if _, lines, drawn := v.listed(v.board.Inside("items")); drawn {
		v.moment.Move(m, len(v.selected().moments), max(lines-1, 1))
	}
}

func (v *coaching) clickMoment(_, y, w, h int) tea.Cmd {
	if first, lines, drawn := v.listed(w, h); drawn {
		v.lineTable().Click(y-first, lines)
	}
	return nil
}
