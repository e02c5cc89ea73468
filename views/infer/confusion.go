package infer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"finetui/core/eval"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// confusion is the view of what was taken for what.
type confusion struct {
	*shared
	list        *answerList
	board       *views.Board
	row, column widget.List
	unparsed    widget.List // among the answers that name no class
}

func newConfusion(s *shared) *confusion {
	v := &confusion{shared: s}
	v.list = newAnswerList(s, v.selected)
	v.board = v.newBoard()
	v.list.on(v.board)
	return v
}

func (v *confusion) view() views.View {
	return views.View{Name: confusionView, Boards: []*views.Board{v.board}, Actions: v.list.actions, Copy: v.text,
		Want: v.list.object.want, Refresh: v.refresh}
}

// refresh gives the table as many lines as there are classes, and unparsed answers room where there are any.
func (v *confusion) refresh() {
	r := v.result()
	v.board.Layout = confusionLayout(len(v.classes()), r == nil || r.Unparsed > 0)
	v.list.arrive()
}

// text is the evaluation as the verb eval prints it.
func (v *confusion) text() string {
	if r := v.result(); r != nil {
		return r.Text()
	}
	return ""
}

func (v *confusion) newBoard() *views.Board {
	return views.NewBoard(confusionLayout(9, true),
		views.Panel{Name: "confusion", Tab: "Confusion", Title: v.confusionTitle, Right: v.confusionNote,
			Draw: v.drawConfusion, Move: v.moveCell, Actions: v.list.toItems},
		v.list.itemsPanel(),
		views.Panel{Name: "unparsed", Tab: "Unparsed", Title: v.unparsedTitle, Draw: v.drawUnparsed,
			Move: v.moveUnparsed, Actions: v.toUnparsed},
		v.list.object.panel(),
	)
}

// confusionLayout gives the table of so many classes the lines that it has a use for. Where every answer names a class
// the picture stands below it, else the answers that name none.
func confusionLayout(classes int, unparsed bool) layout.Node {
	const around = 2 + 1 + 5 + 3 // frame, heading, names of the columns, sentence
	table := layout.Panel("confusion", 56, min(classes+3, 16)).AtMost(0, classes+around).Weighted(3).Prior(2)
	none, items := layout.Panel("unparsed", 40, 6), layout.Panel("items", 40, 6).Prior(1)
	picture := layout.Panel("picture", 40, 18).Extra()
	left, right := layout.Column(table, none), layout.Column(items, picture)
	if !unparsed {
		left, right = layout.Column(table, picture), layout.Column(items, none.AtMost(0, 6))
	}
	return layout.Row(left.Weighted(8), right.Weighted(5).Prior(1))
}

func (v *confusion) confusionTitle() string {
	setting := v.now.settings[v.main()]
	if setting == nil {
		return "Confusion"
	}
	return "Confusion of " + setting.Name + " on " + v.now.split
}

// confusionNote names the column that no row names: the legend may have no room.
func (v *confusion) confusionNote() string {
	r := v.result()
	if r == nil || len(r.Confusion.Labels) == len(r.Confusion.Rows) {
		return ""
	}
	last := len(r.Confusion.Labels)
	return widget.Count(last) + ": " + r.Confusion.Labels[last-1]
}

// drawConfusion draws the matrix, each row coloured by shares of its true class, and says below it what is selected.
func (v *confusion) drawConfusion(t *widget.Theme, w, h int) string {
	r := v.result()
	if r == nil {
		return v.noResult(t, w, h)
	}
	c := r.Confusion
	m := widget.Heatmap{Rows: c.Labels[:len(c.Rows)], Columns: c.Labels, Corner: "truth ↓ answer →", Row: &v.row,
		Column: &v.column}
	for _, counts := range c.Rows {
		sum := 0
		for _, n := range counts {
			sum += n
		}
		values, texts := make([]float64, len(counts)), make([]string, len(counts))
		for j, n := range counts {
			values[j] = math.NaN()
			if n > 0 {
				values[j], texts[j] = float64(n)/float64(sum), widget.Count(n)
			}
		}
		m.Values, m.Texts = append(m.Values, values), append(m.Texts, texts)
	}
	below := toned(t.Text, wrapped(v.cellSentence(r), w-2))
	room := h - len(below) - 1
	if room < len(c.Rows)+1 { // the table matters more
		return indentBlock(m.View(t, w-1, h))
	}
	lines := strings.Split(m.View(t, w-1, room), "\n")
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return widget.Block(indent(slices.Concat(lines, []string{""}, below)), w, h)
}

// cellSentence is the selected cell in words.
func (v *confusion) cellSentence(r *eval.Result) string {
	row, column, ok := v.cell(r)
	if !ok {
		return ""
	}
	c := r.Confusion
	sum := 0
	for _, n := range c.Rows[row] {
		sum += n
	}
	n, truth, answer := c.Rows[row][column], widget.Clean(c.Labels[row]), widget.Clean(c.Labels[column])
	if sum == 0 {
		return truth + " is not in this split."
	}
	what := "called " + answer
	if column == len(c.Rows) {
		what = "answered without naming a class"
	}
	return fmt.Sprintf("Of %s × %s, %s (%s) %s. Enter lists them.", widget.Count(sum), truth, widget.Count(n),
		widget.Percent(float64(n)/float64(sum), 0), what)
}

// cell is the selected place of the confusion.
func (v *confusion) cell(r *eval.Result) (row, column int, ok bool) {
	row, column = v.row.At(len(r.Confusion.Rows)), v.column.At(len(r.Confusion.Labels))
	return row, column, row >= 0 && column >= 0
}

func (v *confusion) moveCell(m widget.Move, page int) {
	r := v.result()
	if r == nil {
		return
	}
	switch m {
	case widget.MoveLeft:
		v.column.Move(widget.Up, len(r.Confusion.Labels), 1)
	case widget.MoveRight:
		v.column.Move(widget.Down, len(r.Confusion.Labels), 1)
	default:
		v.row.Move(m, len(r.Confusion.Rows), page)
	}
	v.list.follow()
}

// selected are the answers of the selected cell.
func (v *confusion) selected(r *eval.Result) (name string, holds func(*eval.Answer) bool) {
	row, column, ok := v.cell(r)
	if !ok {
		return "answers", func(*eval.Answer) bool { return false }
	}
	truth, answer := r.Confusion.Labels[row], r.Confusion.Labels[column]
	return truth + " → " + answer, func(item *eval.Answer) bool {
		return item.Expected == truth && item.Parsed == answer
	}
}
