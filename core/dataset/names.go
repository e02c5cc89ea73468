package dataset

import (
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// twin is a name that two ids have.
type twin struct {
	first, second int
	name          string
}

// uniqueNames gives each later one of equal names a number, and returns which were equal: also those that are written
// with other code points and cannot be told apart by eye, é and e with an accent.
func uniqueNames(names []string) (twins []twin) {
	taken := map[string]bool{}
	for _, name := range names {
		taken[name] = true
	}
	first := map[string]int{}
	for id, name := range names {
		before, twice := first[norm.NFC.String(name)]
		if !twice {
			first[norm.NFC.String(name)] = id
			continue
		}
		for n := 2; taken[names[id]]; n++ {
			names[id] = fmt.Sprintf("%s (%d)", name, n)
		}
		taken[names[id]] = true
		twins = append(twins, twin{before, id, name})
	}
	return twins
}

// someOf lists the first few of many.
func someOf(all []string, most int) string {
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}
