package infer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"finetui/core/eval"
	"finetui/views"
	"finetui/views/layout"
	"finetui/views/widget"
)

// confusionView is the view of what was taken for what.
func (p *Pane) confusionView() views.View {
	return views.View{Name: confusionView, Boards: []*views.Board{p.confusionBoard()}, Actions: p.scoresActions,
		Copy: p.scoresText, Want: p.drawPictures}
}

func (p *Pane) confusionBoard() *views.Board {
	return views.NewBoard(confusionLayout(9),
		views.Panel{Name: "confusion", Tab: "Confusion", Title: p.confusionTitle, Right: p.confusionNote,
			Draw: p.drawConfusion, Move: p.moveCell, Actions: p.toItems},
		views.Panel{Name: "items", Tab: "Answers", Title: p.itemsTitle, Right: p.itemPosition, Draw: p.drawItems,
			Move: p.moveItem, Click: p.clickItem, Actions: p.toSample},
		views.Panel{Name: "unparsed", Tab: "Unparsed", Title: p.unparsedTitle, Draw: p.drawUnparsed,
			Move: p.moveUnparsed, Actions: p.toUnparsed},
		p.objectPanel(),
	)
}

// confusionLayout gives the table of so many classes the lines that it has a use for.
func confusionLayout(classes int) layout.Node {
	const around = 2 + 1 + 5 + 3 // frame, heading, names of the columns, sentence
	left := layout.Column(layout.Panel("confusion", 56, min(classes+3, 16)).AtMost(0,
		classes+around).Weighted(3).Prior(2), layout.Panel("unparsed", 40, 6))
	right := layout.Column(layout.Panel("items", 40, 6).Prior(1), layout.Panel("picture", 40, 18).Extra())
	return layout.Row(left.Weighted(8), right.Weighted(5).Prior(1))
}

func (p *Pane) confusionTitle() string {
	setting := p.scene.settings[p.main()]
	if setting == nil {
		return "Confusion"
	}
	return "Confusion of " + setting.Name + " on " + p.scene.split
}

// confusionNote names the column that no row names: the legend may have no room.
func (p *Pane) confusionNote() string {
	r := p.result()
	if r == nil || len(r.Confusion.Labels) == len(r.Confusion.Rows) {
		return ""
	}
	last := len(r.Confusion.Labels)
	return widget.Count(last) + ": " + r.Confusion.Labels[last-1]
}

// drawConfusion draws the matrix, each row coloured by shares of its true class, and says below it what is selected.
func (p *Pane) drawConfusion(t *widget.Theme, w, h int) string {
	r := p.result()
	if r == nil {
		return p.noResult(t, w, h)
	}
	c := r.Confusion
	m := widget.Heatmap{Rows: c.Labels[:len(c.Rows)], Columns: c.Labels, Corner: "truth ↓ answer →", Row: &p.scores.row,
		Column: &p.scores.column}
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
	below := toned(t.Text, wrapped(p.cellSentence(r), w-2))
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

// indentBlock keeps a table that has no cursor off the frame.
func indentBlock(block string) string { return indent(strings.Split(block, "\n")) }

// cellSentence is the selected cell in words.
func (p *Pane) cellSentence(r *eval.Result) string {
	row, column, ok := p.cell(r)
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
func (p *Pane) cell(r *eval.Result) (row, column int, ok bool) {
	row, column = p.scores.row.At(len(r.Confusion.Rows)), p.scores.column.At(len(r.Confusion.Labels))
	return row, column, row >= 0 && column >= 0
}

func (p *Pane) moveCell(m widget.Move, page int) {
	r := p.result()
	if r == nil {
		return
	}
	switch m {
	case widget.MoveLeft:
		p.scores.column.Move(widget.Up, len(r.Confusion.Labels), 1)
	case widget.MoveRight:
		p.scores.column.Move(widget.Down, len(r.Confusion.Labels), 1)
	default:
		p.scores.row.Move(m, len(r.Confusion.Rows), page)
	}
	p.scores.listed, p.scores.item.Index = ofSelection, 0
}

// items are the answers that are listed, as places in the result: of a selection the wrong ones first.
func (p *Pane) items() []int {
	r := p.result()
	if r == nil {
		return nil
	}
	var first, then []int
	listed := p.listing(r)
	for i := range r.Items {
		item := &r.Items[i]
		switch {
		case !listed(item) || !p.filter.Passes(item.ID, item.Expected, item.Answer):
		case item.Right:
			then = append(then, i)
		default:
			first = append(first, i)
		}
	}
	return append(first, then...)
}

// listing says which answers are listed.
func (p *Pane) listing(r *eval.Result) func(*eval.Answer) bool {
	switch p.scores.listed {
	case wrongOnes:
		return func(item *eval.Answer) bool { return !item.Right }
	case unparsedOnes:
		return func(item *eval.Answer) bool { return item.Parsed == eval.UnparsedLabel }
	case allOfThem:
		return func(*eval.Answer) bool { return true }
	}
	if p.views.Is(confusionView) {
		row, column, ok := p.cell(r)
		return func(item *eval.Answer) bool {
			return ok && item.Expected == r.Confusion.Labels[row] && item.Parsed == r.Confusion.Labels[column]
		}
	}
	list := groups(r)
	within := map[string]bool{} // the classes of the selected group
	if at := p.scores.group.At(len(list)); at >= 0 && list[at].heading == "" {
		for _, label := range r.ClosedList {
			within[label.Name] = list[at].kind(label) == list[at].name
		}
	}
	return func(item *eval.Answer) bool { return within[item.Expected] }
}

func (p *Pane) itemsTitle() string {
	r := p.result()
	if r == nil {
		return "Answers"
	}
	which := map[listing]string{wrongOnes: "wrong answers", unparsedOnes: "answers that name no class",
		allOfThem: "all answers"}[p.scores.listed]
	if p.scores.listed == ofSelection {
		which = p.selectionName(r)
	}
	return fmt.Sprintf("%s · %s", widget.Capital(which), widget.Count(len(p.items())))
}

func (p *Pane) selectionName(r *eval.Result) string {
	if p.views.Is(confusionView) {
		if row, column, ok := p.cell(r); ok {
			return r.Confusion.Labels[row] + " → " + r.Confusion.Labels[column]
		}
		return "answers"
	}
	list := groups(r)
	if at := p.scores.group.At(len(list)); at >= 0 {
		return list[at].name
	}
	return "answers"
}

func (p *Pane) itemsTable(r *eval.Result) widget.Table {
	table := widget.Table{Cursor: &p.scores.item, Columns: []widget.Column{{Title: "answer", Flex: true, Min: 12},
		{Title: "truth", Flex: true, Min: 8, Priority: 1}, {Title: "item", Flex: true, Middle: true, Min: 10,
			Priority: 2}}}
	for _, i := range p.items() {
		item := &r.Items[i]
		table.Rows = append(table.Rows, []widget.Cell{judged(item), {Text: item.Expected, Tone: widget.Muted},
			{Text: p.shortID(item.ID)}})
	}
	return table
}

func (p *Pane) drawItems(t *widget.Theme, w, h int) string {
	r := p.result()
	if r == nil {
		return widget.Middle(t.Muted, "the answers stand here after an evaluation", w, h)
	}
	table := p.itemsTable(r)
	if len(table.Rows) == 0 {
		none := map[listing]string{wrongOnes: "no answer is wrong",
			unparsedOnes: "every answer names a class"}[p.scores.listed]
		if none == "" {
			none = "no such answer"
		}
		return widget.Middle(t.Muted, none+"; f lists others", w, h)
	}
	var lines []string
	if text := p.itemText(r); text != "" && h >= 10 {
		lines = append(lines, "", " "+t.Muted.Render(widget.Cut("it said: ", w-2))+widget.Cut(text, w-12))
	}
	return strings.Join(append([]string{table.View(t, w, h-len(lines))}, lines...), "\n")
}

// itemText is the selected answer as it was given.
func (p *Pane) itemText(r *eval.Result) string {
	items := p.items()
	if len(items) == 0 {
		return ""
	}
	return widget.Clean(r.Items[items[p.scores.item.At(len(items))]].Answer)
}

// itemPosition says which answer is selected where not all are seen.
func (p *Pane) itemPosition() string {
	r := p.result()
	if r == nil {
		return ""
	}
	_, h := p.views.Board().Inside("items")
	return p.itemsTable(r).Position(h)
}

func (p *Pane) moveItem(m widget.Move, page int) { p.scores.item.Move(m, len(p.items()), page-1) }

func (p *Pane) clickItem(_, y, _, h int) tea.Cmd {
	if r := p.result(); r != nil {
		p.itemsTable(r).Click(y, h)
	}
	return nil
}

// jump shows the selected answer's picture and question.
func (p *Pane) jump() tea.Cmd {
	if id := p.itemID(); id != "" {
		return p.showSample(id)
	}
	return nil
}

// itemID names the object of the selected answer, or is empty.
func (p *Pane) itemID() string {
	r, items := p.result(), p.items()
	if r == nil || len(items) == 0 {
		return ""
	}
	return r.Items[items[p.scores.item.At(len(items))]].ID
}

// objectPanel is the picture of the object under the cursor of a list of answers.
func (p *Pane) objectPanel() views.Panel {
	return views.Panel{Name: "picture", Tab: "Picture", Title: p.objectTitle, Draw: p.drawWhole}
}

func (p *Pane) objectTitle() string {
	at, there := p.present()
	if !there {
		return "Picture"
	}
	x := p.scene.samples[base][at]
	return fmt.Sprintf("%s · object %d of %d", p.shortID(x.Item.ID), x.Object+1, len(x.Item.Objects))
}

// showSample goes to the picture and the question of an object, with the truth.
func (p *Pane) showSample(id string) tea.Cmd {
	at, there := p.scene.place[id]
	if !there {
		return views.Warn("%s is no longer in the data set: evaluate again", id)
	}
	p.views.Show(askView)
	p.ask.path, p.ask.truth = "", true
	p.ask.cursor.Index = at
	if !slices.Contains(p.ask.listed, at) {
		p.filter.Set("")
		p.refilter()
	}
	return nil
}
