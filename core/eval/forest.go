package eval

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"finetui/core/printable"
)

// Forest is the forest plot of a comparison in text: a line for each recipe with the difference of its macro-F1 from
// the reference's, its interval, and both drawn over one axis whose zero is marked. width is that of the lines, in
// cells; the drawing has at least 11 of them.
func (c *RecipeComparison) Forest(width int) []string {
	if len(c.Differences) == 0 {
		return nil
	}
	low, high := c.Span()
	names, texts := []string{printable.Line(c.Variants[0].Name)}, []string{"macro-F1, points"}
	for _, d := range c.Differences {
		names, texts = append(names, printable.Line(d.Name)), append(texts, d.Points())
	}
	names, texts = even(names), even(texts)
	width = max(11, width-utf8.RuneCountInString(names[0])-utf8.RuneCountInString(texts[0])-4)
	at := func(v float64) int { return int(math.Round((v - low) / (high - low) * float64(width-1))) }
	lines := make([]string, len(names))
	for k := range names {
		drawn := []rune(strings.Repeat(" ", width))
		drawn[at(0)] = '│'
		if k > 0 {
			d := c.Differences[k-1].MacroF1
			if i := d.Interval; i != nil {
				for x := at(i[0]); x <= at(i[1]); x++ {
					if drawn[x] = '─'; x == at(0) {
						drawn[x] = '┼'
					}
				}
			}
			drawn[at(d.Difference)] = '●'
		}
		lines[k] = names[k] + "  " + texts[k] + "  " + strings.TrimRight(string(drawn), " ")
	}
	return lines
}

// Span is what an axis has to hold for all differences of macro-F1, their intervals and zero.
func (c *RecipeComparison) Span() (low, high float64) {
	for _, d := range c.Differences {
		low, high = min(low, d.MacroF1.Difference), max(high, d.MacroF1.Difference)
		if i := d.MacroF1.Interval; i != nil {
			low, high = min(low, i[0]), max(high, i[1])
		}
	}
	if high == low {
		high = low + .01
	}
	return low, high
}

// Points is the difference of macro-F1 in points, with its interval: "+2.4 (+1.3 … +3.4)".
func (d *RecipeDifference) Points() string {
	text := fmt.Sprintf("%+.1f", 100*d.MacroF1.Difference)
	if i := d.MacroF1.Interval; i != nil {
		text += fmt.Sprintf(" (%+.1f … %+.1f)", 100*i[0], 100*i[1])
	}
	return text
}

// even fills texts up to the length of the longest.
func even(texts []string) []string {
	longest := 0
	for _, s := range texts {
		longest = max(longest, utf8.RuneCountInString(s))
	}
	for i, s := range texts {
		texts[i] = s + strings.Repeat(" ", longest-utf8.RuneCountInString(s))
	}
	return texts
}
