package widget

import (
	"math"
	"strings"
)

// Heatmap is a table of values shown by colour, shade and number: a confusion, a co-occurrence.
type Heatmap struct {
	Rows, Columns []string
	Values        [][]float64 // [row][column], 0 … 1 of the ramp; NaN: empty
	Texts         [][]string  // what is written in the cells; nil: Percent without its sign
	Corner        string      // over the row names: "expected ↓ answered →"
	Row, Column   *List       // the selection; nil: none
}

// View draws the names of the rows, numbered, and under each column its number, because names do not fit above narrow
// cells; columns that are no rows have a legend below where there is room.
func (m Heatmap) View(t *Theme, w, h int) string {
	if h < 2 || len(m.Rows) == 0 {
		return Block("", w, h)
	}
	cellW := 3
	for i := range m.Rows {
		for j := range m.Columns {
			cellW = max(cellW, Width(m.text(i, j))+1)
		}
	}
	cellW++ // the shade
	nameW := Width(m.Corner)
	for i, name := range m.Rows {
		nameW = max(nameW, Width(m.numbered(i, name)))
	}
	nameW = max(min(nameW, w-1-cellW*len(m.Columns)), min(nameW, max(w/3, 10)))
	left, right := 0, len(m.Columns)
	if room := w - nameW - 1; right*cellW > room { // a sign that there are more takes a cell of its own
		right = max((room-1)/cellW, 0)
	}
	if m.Column != nil {
		left, right = m.Column.Window(len(m.Columns), right)
	}
	top, bottom := 0, min(len(m.Rows), h-1)
	if m.Row != nil {
		top, bottom = m.Row.Window(len(m.Rows), h-1)
	}

	var head strings.Builder
	head.WriteString(t.Muted.Render(Left(m.Corner, nameW)) + " ")
	for j := left; j < right; j++ {
		style := t.Muted
		if m.Column != nil && j == m.Column.At(len(m.Columns)) {
			style = t.Active
		}
		head.WriteString(style.Render(Right(Count(j+1), cellW-1) + " "))
	}
	lines := []string{head.String()}
	for i := top; i < bottom; i++ {
		var line strings.Builder
		name := Left(m.numbered(i, m.Rows[i]), nameW)
		if m.Row != nil && i == m.Row.At(len(m.Rows)) {
			name = t.Selected.Render(name)
		}
		line.WriteString(name + " ")
		for j := left; j < right; j++ {
			line.WriteString(m.cell(t, i, j, cellW))
		}
		lines = append(lines, line.String())
	}
	Edges(t, lines[1:], top, bottom, len(m.Rows), w)
	if left > 0 || right < len(m.Columns) {
		lines[0] = Left(lines[0], w-1) + t.Muted.Render("…")
	}
	return Block(strings.Join(append(lines, m.legend(t, nameW, w, h-len(lines))...), "\n"), w, h)
}

func (m Heatmap) cell(t *Theme, i, j, w int) string {
	v := m.value(i, j)
	text := HeatGlyph(v) + Right(m.text(i, j), w-2) + " "
	if m.Row != nil && m.Column != nil && i == m.Row.At(len(m.Rows)) && j == m.Column.At(len(m.Columns)) {
		return NewStyle(t.Heat(v).Look().Underline(true).Bold(true)).Render("▸" + Right(m.text(i, j), w-2) + " ")
	}
	return t.Heat(v).Render(text)
}

func (m Heatmap) value(i, j int) float64 {
	if i >= len(m.Values) || j >= len(m.Values[i]) {
		return math.NaN()
	}
	return m.Values[i][j]
}

func (m Heatmap) text(i, j int) string {
	if m.Texts != nil {
		if i < len(m.Texts) && j < len(m.Texts[i]) {
			return m.Texts[i][j]
		}
		return ""
	}
	if v := m.value(i, j); !math.IsNaN(v) {
		return strings.TrimSuffix(Percent(v, 0), " %")
	}
	return ""
}

func (m Heatmap) numbered(i int, name string) string {
	return Right(Count(i+1), Width(Count(len(m.Rows)))) + " " + Clean(name)
}

// legend names the columns that no row names in the nameW cells it has for that.
func (m Heatmap) legend(t *Theme, nameW, w, h int) []string {
	if h < 2 {
		return nil
	}
	lines := []string{""}
	line := ""
	for j, name := range m.Columns {
		if j < len(m.Rows) && name == m.Rows[j] && Width(m.numbered(j, name)) <= nameW {
			continue
		}
		entry := Count(j+1) + " " + Clean(name)
		if line != "" && Width(line)+3+Width(entry) > w {
			lines, line = append(lines, t.Muted.Render(line)), ""
		}
		if line != "" {
			line += " · "
		}
		line += entry
	}
	if line == "" {
		return nil
	}
	return append(lines, t.Muted.Render(line))
}
