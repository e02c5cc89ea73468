package recipe

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// massNouns are names of what lies in the open and is inspected there that English does not count: no article stands
// before them.
var massNouns = strings.Fields(`
asphalt brickwork clay concrete corrosion cracking damage debris dirt dust earth equipment erosion fencing foliage furniture
garbage grass gravel ice litter machinery masonry moss mud oil rubble rust sand scaffolding sediment seepage silt smoke snow soil
spalling stonework traffic trash vegetation waste water wood`)

// withArticle begins a sentence with an object type: "A toe drain", "An outlet", "Vegetation", "Leaves". What the last
// word is decides; a noun that is not in massNouns and no plural by its ending is counted.
func withArticle(noun string) string {
	words := strings.Fields(noun)
	if len(words) == 0 {
		return "An object"
	}
	last := strings.ToLower(words[len(words)-1])
	if slices.Contains(massNouns, last) || plural(last) {
		return capital(noun)
	}
	if strings.ContainsAny(strings.ToLower(words[0])[:1], "aeiou") {
		return "An " + noun
	}
	return "A " + noun
}

// plural goes by the ending: "leaves", but no "glass", "bus" or "iris".
func plural(word string) bool {
	return strings.HasSuffix(word, "s") &&
		!slices.ContainsFunc([]string{"ss", "us", "is"},
			func(ending string) bool { return strings.HasSuffix(word, ending) })
}

func capital(s string) string { return string(appendCapital(nil, s)) }

func appendCapital(to []byte, s string) []byte {
	first, size := utf8.DecodeRuneInString(s)
	return append(utf8.AppendRune(to, unicode.ToUpper(first)), s[size:]...)
}
