package run

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"finetui/core/printable"
)

// CheckName says why a run cannot be called so: by a name that could be taken for a constant, a path, an option or the
// base, or that cannot be seen as it is.
func CheckName(name string) error {
	switch {
	case name == "" || strings.TrimSpace(name) != name:
		return fmt.Errorf("a run cannot be called %q: leave out the blanks", name)
	case printable.Line(name) != name || !utf8.ValidString(name):
		return fmt.Errorf("a run cannot be called %s: leave out the characters that cannot be seen",
			printable.Line(name))
	case strings.ContainsAny(name, `/\`):
		return fmt.Errorf("a run cannot be called %q: it is a folder of its own in PROJECT.RUNS; leave out / and \\",
			name)
	case strings.Contains(name, "="):
		return fmt.Errorf("a run cannot be called %q: with = it reads like a constant", name)
	case strings.HasPrefix(name, "-") || strings.HasPrefix(name, "."):
		return fmt.Errorf("a run cannot be called %q: begin with a letter or a digit", name)
	case name == "base":
		return fmt.Errorf("a run cannot be called %q: that is the model before training", name)
	}
	return nil
}
