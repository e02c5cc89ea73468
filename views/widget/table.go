package widget

import (
	"slices"
	"strings"
)

// Column is one column of a Table. Numbers are Right.
type Column struct {
	Title  string
	Right  bool
	Flex   bool // text that may be cut where the table is too wide, down to Min
	Middle bool // it is cut in the middle: its end tells it from others
	Min    int  // cells that a Flex column keeps; 0: as 8
	// where cutting does not help, columns leave, never the first: the lowest first, the later of equals first
	Priority int
}

// Cell is one cell of a Table.
type Cell struct {
	Text string
	Tone Tone
}

// Table is lines of cells under a heading. It is our own because lipgloss's lays out all rows at each drawing (82 ms
// for 10,000, where this one takes 1), and that of bubbles has neither tones nor columns that are cut or leave.
type Table struct {
	Columns []Column
	Rows    [][]Cell
	// of a long table in place of Rows: how many lines it has, and one of them; only those that are seen are asked for,
	// and some that tell how wide its columns are
	Len    int
	Row    func(i int) []Cell
	Cursor *List // the selection among the lines; nil: none
}

// size is how many lines there are.
func (b Table) size() int {
	if b.Row != nil {
		return b.Len
	}
	return len(b.Rows)
}

func (b Table) row(i int) []Cell {
	if b.Row != nil {
		return b.Row(i)
	}
	return b.Rows[i]
}

// measured are the lines that tell how wide the columns are: the first 2,000 of Rows, and of a long table a few
// hundred from its beginning to its end, whichever of them are seen.
func (b Table) measured(do func(row []Cell)) {
	const most, spread = 2000, 300
	if b.Row == nil {
		for _, row := range b.Rows[:min(len(b.Rows), most)] {
			do(row)
		}
		return
	}
	for i := range min(b.Len, spread) {
		do(b.Row(i * b.Len / min(b.Len, spread)))
	}
}

const columnGap = 2

// View draws the heading and the lines around the selected one.
func (b Table) View(t *Theme, w, h int) string {
	if h <= 0 || w <= 0 {
		return ""
	}
	mark := 0
	if b.Cursor != nil {
		mark = 1
	}
	room := w - edgeRoom(b.size(), h-1, w)
	shown, widths := b.fit(room - mark)
	head := blanks(mark) + t.Muted.Render(b.line(shown, widths, func(c int) string { return b.Columns[c].Title }))
	if len(shown) < len(b.Columns) && Width(head)+2 <= w { // columns have left
		head = Left(head, w-1) + t.Muted.Render("…")
	}
	lines := []string{head}
	first, end := 0, min(b.size(), h-1)
	selected := b.Selected()
	if b.Cursor != nil {
		first, end = b.Cursor.Window(b.size(), h-1)
	}
	for i := first; i < end; i++ {
		row := b.row(i)
		if i == selected {
			text := b.line(shown, widths, func(c int) string { return b.text(row, c) })
			lines = append(lines, t.Accent.Render("▸")+t.Selected.Render(text))
			continue
		}
		lines = append(lines, blanks(mark)+b.toned(t, row, shown, widths))
	}
	Edges(t, lines[1:], first, end, b.size(), w)
	return Block(strings.Join(lines, "\n"), w, h)
}

// Selected is the index in Rows of the line under the cursor, or -1.
func (b Table) Selected() int {
	if b.Cursor == nil || b.size() == 0 {
		return -1
	}
	return b.Cursor.At(b.size())
}

// Position says which line is selected when not all are seen in h lines: "3 of 38"; else it is empty.
func (b Table) Position(h int) string {
	if b.Cursor == nil {
		return ""
	}
	return b.Cursor.position(b.size(), h-1)
}

// Click selects the line y lines below the top of the table, whose first line is the heading.
func (b Table) Click(y, h int) bool {
	return b.Cursor != nil && b.Cursor.Click(y-1, b.size(), h-1)
}

func (b Table) text(row []Cell, column int) string {
	if column >= len(row) {
		return ""
	}
	return Clean(row[column].Text)
}

func (b Table) line(shown, widths []int, text func(column int) string) string {
	var line strings.Builder
	for i, column := range shown {
		if i > 0 {
			line.WriteString(blanks(columnGap))
		}
		line.WriteString(b.aligned(column, text(column), widths[i]))
	}
	return line.String()
}

func (b Table) toned(t *Theme, row []Cell, shown, widths []int) string {
	var line strings.Builder
	for i, column := range shown {
		if i > 0 {
			line.WriteString(blanks(columnGap))
		}
		text := b.aligned(column, b.text(row, column), widths[i])
		if column < len(row) && row[column].Tone != Plain {
			text = t.Tone(row[column].Tone).Render(text)
		}
		line.WriteString(text)
	}
	return line.String()
}

func (b Table) aligned(column int, text string, w int) string {
	if b.Columns[column].Middle {
		text = CutMiddle(text, w)
	}
	if b.Columns[column].Right {
		return Right(text, w)
	}
	return Left(text, w)
}

// Whole says whether w cells show all columns.
func (b Table) Whole(w int) bool {
	if b.Cursor != nil {
		w--
	}
	shown, _ := b.fit(w)
	return len(shown) == len(b.Columns)
}

// fit chooses the columns that w cells can show and their widths: all as wide as their content; else text is cut;
// else columns leave.
func (b Table) fit(w int) (shown, widths []int) {
	natural := make([]int, len(b.Columns))
	for column := range b.Columns {
		natural[column] = Width(b.Columns[column].Title)
		shown = append(shown, column)
	}
	b.measured(func(row []Cell) {
		for column := range b.Columns {
			natural[column] = max(natural[column], Width(b.text(row, column)))
		}
	})
	for {
		widths = widths[:0]
		need := columnGap * (len(shown) - 1)
		for _, column := range shown {
			widths = append(widths, natural[column])
			need += natural[column]
		}
		if over := need - w; over <= 0 || b.shrink(shown, widths, over) || len(shown) <= 1 {
			return shown, widths
		}
		shown = b.drop(shown)
	}
}

// shrink takes over cells from the Flex columns, the widest first, and says whether that was enough.
func (b Table) shrink(shown, widths []int, over int) bool {
	for ; over > 0; over-- {
		widest := -1
		for i, column := range shown {
			least := b.Columns[column].Min
			if least == 0 {
				least = 8
			}
			if b.Columns[column].Flex && widths[i] > least && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		widths[widest]--
	}
	return true
}

func (b Table) drop(shown []int) []int {
	lowest := len(shown) - 1
	for i := len(shown) - 1; i > 0; i-- {
		if b.Columns[shown[i]].Priority < b.Columns[shown[lowest]].Priority {
			lowest = i
		}
	}
	return slices.Delete(slices.Clone(shown), lowest, lowest+1)
}
