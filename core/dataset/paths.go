package dataset

import (
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

var drive = regexp.MustCompile(`^[A-Za-z]:`)

// written is a path as a file of the data set has it: in parts, and whether it began at the top of some machine.
type written struct {
	parts    []string
	absolute bool
	foreign  bool // with backslashes or a drive
}

func parseWritten(path string) written {
	w := written{}
	if drive.MatchString(path) && strings.HasPrefix(path[2:]+" ", "\\") || strings.HasPrefix(path, `\\`) ||
		drive.MatchString(path) && strings.HasPrefix(path[2:]+" ", "/") {
		w.absolute, w.foreign = true, true
		path = drive.ReplaceAllString(path, "")
	}
	if strings.Contains(path, `\`) {
		w.foreign = true
		path = strings.ReplaceAll(path, `\`, "/")
	}
	w.absolute = w.absolute || strings.HasPrefix(path, "/")
	for part := range strings.SplitSeq(path, "/") {
		if part != "" && part != "." {
			w.parts = append(w.parts, part)
		}
	}
	return w
}

// up takes leading .. off.
func (w written) up() []string {
	parts := w.parts
	for len(parts) > 0 && parts[0] == ".." {
		parts = parts[1:]
	}
	return parts
}

// pictures finds the pictures below some folders by their names. The folders are walked once, at the first question.
type pictures struct {
	bases []string
	names map[string][]string // name, folded → paths
}

// byEnd finds the picture whose path agrees in the most trailing parts with one that was written, if that is one
// picture. Letters may be of another case, as Windows has it, or composed otherwise, as macOS does. A path that began
// nowhere in particular must agree in its folder, too.
func (x *pictures) byEnd(w written) string {
	if len(w.parts) == 0 {
		return ""
	}
	best, most, twice := "", 0, false
	for _, path := range x.byName(fold(w.parts[len(w.parts)-1])) {
		switch n := agreeing(strings.Split(filepath.ToSlash(path), "/"), w.parts); {
		case n > most:
			best, most, twice = path, n, false
		case n == most:
			twice = true
		}
	}
	if twice || most < 2 && !w.absolute {
		return ""
	}
	return best
}

// agreeing is how many parts at the ends of two paths are the same.
func agreeing(a, b []string) (n int) {
	for n < len(a) && n < len(b) && fold(a[len(a)-1-n]) == fold(b[len(b)-1-n]) {
		n++
	}
	return n
}

// byName is the pictures of the set's folders that have a name, folded.
func (x *pictures) byName(name string) []string {
	if x.names == nil {
		x.names = map[string][]string{}
		for _, base := range x.bases {
			walk(base, func(path string, inner bool) bool {
				if !inner && isPicture(path) {
					key := fold(filepath.Base(path))
					x.names[key] = append(x.names[key], path)
				}
				return true
			}, nil)
		}
	}
	return x.names[name]
}

// fold makes names equal that differ in the case of letters or in how accents are composed.
func fold(name string) string { return norm.NFC.String(strings.ToLower(name)) }
