package wholefile

import (
	"path/filepath"
	"strings"
)

var literal = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`)

// Glob is filepath.Glob of a pattern below a folder, whose own path stands for itself, whatever signs are in it. A
// pattern that is none, and what cannot be read, match nothing.
func Glob(folder, pattern string) []string {
	if filepath.Separator != '\\' { // there it is no escape
		folder = literal.Replace(folder)
	}
	paths, _ := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	return paths
}
