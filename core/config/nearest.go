package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// unknownName explains a name that the schema does not have, with the nearest one that it has.
func unknownName(section, key string) error {
	sections := make([]string, 0, len(schema().sections))
	for _, s := range schema().sections {
		sections = append(sections, s.Name)
	}
	if !slices.Contains(sections, section) {
		if homes := sectionsWith(section); key == "" && homes != nil { // EPOCHS=3, or a key above every header
			return fmt.Errorf("unknown section %s; did you mean %s.%s?", section, homes[0], section)
		}
		hint := didYouMean(section, sections)
		if hint == "" {
			hint = "; there are " + strings.Join(sections, ", ")
		} else if key != "" {
			near := strings.TrimSuffix(strings.TrimPrefix(hint, "; did you mean "), "?")
			if _, known := schema().byName[near+"."+key]; known {
				hint = fmt.Sprintf("; did you mean %s.%s?", near, key)
			}
		}
		return fmt.Errorf("unknown section %s%s", section, hint)
	}
	if key == "" {
		return fmt.Errorf("%s is a section; name one of its constants, SECTION.KEY", section)
	}
	if homes := sectionsWith(key); homes != nil {
		return fmt.Errorf("%s has no constant %s; %s belongs to %s", section, key, key, strings.Join(homes, " and "))
	}
	var own []string
	for _, f := range schema().fields {
		if f.Section == section {
			own = append(own, f.Key)
		}
	}
	if hint := didYouMean(key, own); hint != "" {
		return fmt.Errorf("%s has no constant %s%s", section, key, hint)
	}
	var all []string
	for _, f := range schema().fields {
		all = append(all, f.Key)
	}
	if near := nearest(key, all); near != "" {
		return fmt.Errorf("%s has no constant %s; did you mean %s.%s?", section, key, sectionsWith(near)[0], near)
	}
	return fmt.Errorf("%s has no constant %s; there are %s", section, key, strings.Join(own, ", "))
}

// Nearest is the constant, SECTION.KEY, that a name of any spelling most likely means: "recipe.preset", "epochs",
// "TRAIN.EPOCH"; "" where none is near. Where several sections have such a key, value decides: one that may have it.
func Nearest(name, value string) string {
	section, key, dotted := strings.Cut(strings.ToUpper(name), ".")
	if !dotted {
		section, key = "", section
	}
	if section == keysSection {
		_, action, _ := strings.Cut(name, ".")
		return keysSection + "." + action
	}
	var full, keys []string
	for _, f := range schema().fields {
		full, keys = append(full, f.Name()), append(keys, f.Key)
	}
	if dotted {
		if near := nearest(section+"."+key, full); near != "" {
			return near
		}
	}
	near := nearest(key, keys)
	if near == "" {
		return ""
	}
	homes := sectionsWith(near)
	for _, home := range homes {
		if _, _, err := parseValue(schema().byName[home+"."+near], value); err == nil {
			return home + "." + near
		}
	}
	return homes[0] + "." + near
}

// sectionsWith returns the sections that have a constant of that key.
func sectionsWith(key string) (names []string) {
	for _, f := range schema().fields {
		if f.Key == key {
			names = append(names, f.Section)
		}
	}
	return names
}

func didYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// nearest returns the known word that differs least from word, upper and lower case being alike, or "" when none is
// near: more than a third of its letters would have to change. Of equals the first wins.
func nearest(word string, known []string) string {
	best, bestDistance := "", 0
	for _, k := range known {
		d := editDistance(strings.ToUpper(word), strings.ToUpper(k))
		if d <= max(1, (len([]rune(k))+2)/3) && (best == "" || d < bestDistance) {
			best, bestDistance = k, d
		}
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return max(len(x), len(y)) // no name is that long
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// PathHint is "; did you mean demo/data?" for a path that leads nowhere where one name in it is a slip of the pen: the
// nearest one beside it leads somewhere. A relative path starts from root, and is answered by one. Where no name is
// near, a near word of those that may stand in the path's place; else "".
func PathHint(root, path string, words ...string) string {
	if near := nearestPath(root, path); near != "" {
		return "; did you mean " + near + "?"
	}
	return didYouMean(path, words)
}

// mostNames is how many names of a folder are looked at.
const mostNames = 4096

// nearestPath is a path with the one name of it put right that is not there; "" where that does not lead anywhere.
func nearestPath(root, path string) string {
	at, written := root, ""
	if filepath.IsAbs(path) {
		at, written = string(filepath.Separator), string(filepath.Separator)
	}
	mended := false
	for name := range strings.SplitSeq(filepath.Clean(path), string(filepath.Separator)) {
		if _, err := os.Stat(filepath.Join(at, name)); err != nil {
			near := nearest(name, namesIn(at, strings.HasPrefix(name, ".")))
			if mended || near == "" {
				return ""
			}
			name, mended = near, true
		}
		at, written = filepath.Join(at, name), filepath.Join(written, name)
	}
	if !mended || strings.ContainsFunc(written, unicode.IsControl) {
		return ""
	}
	return written
}

// namesIn are the names in a folder, in their order, the hidden ones only where they are asked for.
func namesIn(folder string, hidden bool) []string {
	dir, err := os.Open(folder)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(mostNames)
	names = slices.DeleteFunc(names, func(name string) bool { return strings.HasPrefix(name, ".") != hidden })
	slices.Sort(names)
	return names
}
