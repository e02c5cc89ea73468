package views

import (
	"fmt"
	"strings"

	"finetui/views/widget"
)

// Strip names a pane's views for the bottom line of w cells, with the keys that turn them and the open one
// in brackets: whole where they take no more than three fifths of the line, else the others by their first
// letters, else the open one alone and which of them it is.
func Strip(names []string, open, w int) string {
	for _, most := range []int{64, 4} {
		words := make([]string, len(names))
		for i, name := range names {
			words[i] = widget.Cut(name, most)
			if most < 8 { // without …, which would take a letter's place
				words[i] = strings.TrimSuffix(widget.Cut(name, most+1), "…")
			}
			if i == open {
				words[i] = "[" + name + "]"
			}
		}
		if strip := "[ ] view: " + strings.Join(words, " "); widget.Width(strip) <= w*3/5 {
			return strip
		}
	}
	return fmt.Sprintf("[ ] view: %s %d/%d", names[open], open+1, len(names))
}
