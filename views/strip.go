package views

import (
	"fmt"
	"slices"
	"strings"
)

// Strip names a pane's views for the bottom line, with the keys that turn them: all of them, the open one in brackets, or
// the open one alone and which of them it is.
func Strip(names []string, open int, all bool) string {
	if !all {
		return fmt.Sprintf("[ ] view: %s %d/%d", names[open], open+1, len(names))
	}
	names = slices.Clone(names)
	names[open] = "[" + names[open] + "]"
	return "[ ] view: " + strings.Join(names, " ")
}
