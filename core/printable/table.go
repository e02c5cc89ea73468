package printable

import (
	"strings"
	"unicode/utf8"
)

// Table aligns the first column left and the others right, two blanks between them. The rows have equally many cells;
// what of them comes from a file is made printable.
func Table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	clean := make([][]string, len(rows))
	for k, row := range rows {
		for i, cell := range row {
			cell = Line(cell)
			clean[k] = append(clean[k], cell)
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range clean {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				line.WriteString(cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
