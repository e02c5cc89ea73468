package eval

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"finetui/core/printable"
)

// Forest is the forest plot of a comparison in text: a line for each recipe with the difference of its macro-F1 from
// the reference's, its interval, and both drawn over one axis whose zero is marked. width is that of the drawing, in
// cells, at least 11.
func (c *RecipeComparison) Forest(width int) []string {
	if len(c.Differences) == 0 {
		return nil
	}
	width = max(11, width)
	low, high, names := 0.0, 0.0, utf8.RuneCountInString(c.Variants[0].Name)
	for _, d := range c.Differences {
		names = max(names, utf8.RuneCountInString(printable.Line(d.Name)))
		low, high = min(low, d.MacroF1.Difference), max(high, d.MacroF1.Difference)
		if i := d.MacroF1.Interval; i != nil {
			low, high = min(low, i[0]), max(high, i[1])
		}
	}
	if high == low {
		high = low + .01
	}
	at := func(v float64) int { return int(math.Round((v - low) / (high - low) * float64(width-1))) }
	pad := func(s string) string { return s + strings.Repeat(" ", max(0, names-utf8.RuneCountInString(s))) }
	lines := []string{fmt.Sprintf("%s  %-24s  %s", pad(printable.Line(c.Variants[0].Name)), "macro-F1, points",
		strings.Repeat(" ", at(0))+"│")}
	for _, d := range c.Differences {
		drawn := []rune(strings.Repeat(" ", width))
		drawn[at(0)] = '│'
		text := fmt.Sprintf("%+.1f", 100*d.MacroF1.Difference)
		if i := d.MacroF1.Interval; i != nil {
			for x := at(i[0]); x <= at(i[1]); x++ {
				if drawn[x] = '─'; x == at(0) {
					drawn[x] = '┼'
				}
			}
			text += fmt.Sprintf(" (%+.1f … %+.1f)", 100*i[0], 100*i[1])
		}
		drawn[at(d.MacroF1.Difference)] = '●'
		lines = append(lines, fmt.Sprintf("%s  %-24s  %s", pad(printable.Line(d.Name)), text,
			strings.TrimRight(string(drawn), " ")))
	}
	return lines
}
