package textmetric

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// WordNet is the database of Miller (1995), as its distribution's files hold it. It is read whole and safe for use by
// several goroutines.
type WordNet struct {
	name  string
	parts []wordClass
}

// wordClass is one part of speech.
type wordClass struct {
	offsets    map[string][]int // of each lemma: where its synsets begin in data
	data       string
	exceptions map[string][]string // irregular forms
	endings    [][2]string         // regular ones, and what the lemma has instead
}

// Morphy's rules of detachment, as nltk has them.
var (
	nounEndings = [][2]string{{"s", ""}, {"ses", "s"}, {"ves", "f"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"},
		{"shes", "sh"}, {"men", "man"}, {"ies", "y"}}
	verbEndings = [][2]string{{"s", ""}, {"ies", "y"}, {"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""},
		{"ing", "e"}, {"ing", ""}}
	adjectiveEndings = [][2]string{{"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"}}
)

// OpenWordNet reads a folder of WordNet's files: index, data and exc of noun, verb, adj and adv.
func OpenWordNet(folder fs.FS) (*WordNet, error) {
	w := &WordNet{}
	sum := sha256.New()
	for _, part := range []struct {
		name    string
		endings [][2]string
	}{{"noun", nounEndings}, {"verb", verbEndings}, {"adj", adjectiveEndings}, {"adv", nil}} {
		var texts [3]string
		for i, name := range []string{"index." + part.name, "data." + part.name, part.name + ".exc"} {
			content, err := fs.ReadFile(folder, name)
			if err != nil {
				return nil, fmt.Errorf("WordNet's file %s cannot be read: %w", name, err)
			}
			fmt.Fprintf(sum, "%s %d\n", name, len(content))
			sum.Write(content)
			texts[i] = string(content)
		}
		c := wordClass{data: texts[1], exceptions: map[string][]string{}, endings: part.endings}
		for line := range strings.Lines(texts[2]) {
			if forms := strings.Fields(line); len(forms) > 0 {
				c.exceptions[forms[0]] = forms[1:]
			}
		}
		if err := c.readIndex(texts[0]); err != nil {
			return nil, fmt.Errorf("WordNet's index.%s, %w: install WordNet again", part.name, err)
		}
		w.parts = append(w.parts, c)
	}
	w.name = fmt.Sprintf("WordNet %s (%x)", version(w.parts[2].data), sum.Sum(nil)[:4])
	return w, nil
}

// Name is the version with the beginning of a checksum over all files, as one version has been published with
// different words.
func (w *WordNet) Name() string { return w.name }

// version is the one that the licence text names at the top of every file.
func version(data string) string {
	_, after, found := strings.Cut(data[:min(len(data), 4096)], "WordNet ")
	if fields := strings.Fields(after); found && len(fields) > 0 {
		return fields[0]
	}
	return "of unknown version"
}

var errIndex = errors.New("does not read as lemma, counts and places of its synsets")

// readIndex reads lines of: lemma, part of speech, number of synsets, number of pointers, pointers, number of senses,
// number of tagged senses, offsets.
func (c *wordClass) readIndex(index string) error {
	c.offsets = make(map[string][]int, strings.Count(index, "\n"))
	n := 0
	for line := range strings.Lines(index) {
		n++
		if strings.HasPrefix(line, " ") || strings.TrimSpace(line) == "" {
			continue // the licence
		}
		f := strings.Fields(line)
		if len(f) < 7 {
			return fmt.Errorf("line %d, %w", n, errIndex)
		}
		synsets, err := strconv.Atoi(f[2])
		if err != nil || synsets < 1 || synsets > len(f)-6 {
			return fmt.Errorf("line %d, %w", n, errIndex)
		}
		places := make([]int, 0, synsets)
		for _, field := range f[len(f)-synsets:] {
			at, err := strconv.Atoi(field)
			if err != nil || at < 0 || at >= len(c.data) || !strings.HasPrefix(c.data[at:], field+" ") {
				return fmt.Errorf("line %d, names a synset at %s that is not there", n, field)
			}
			places = append(places, at)
		}
		c.offsets[f[0]] = places
	}
	if len(c.offsets) == 0 {
		return errIndex
	}
	return nil
}

// Synonyms are the lemmas of one word in every synset of a word, its own among them, in WordNet's spelling. nil for a
// word that WordNet does not know.
func (w *WordNet) Synonyms(word string) []string {
	word = lower(word)
	var found []string
	for i := range w.parts {
		c := &w.parts[i]
		for _, form := range c.lemmas(word) {
			for _, at := range c.offsets[form] {
				found = c.appendWords(found, at)
			}
		}
	}
	return found
}

// lemmas are the forms that a word may be of: the word, and those of its exceptions or else of its endings.
func (c *wordClass) lemmas(word string) []string {
	forms := []string{word}
	if irregular, ok := c.exceptions[word]; ok {
		return append(forms, irregular...)
	}
	for _, e := range c.endings {
		if stem, ok := strings.CutSuffix(word, e[0]); ok {
			forms = append(forms, stem+e[1])
		}
	}
	return forms
}

// appendWords appends the one-word lemmas of a synset: offset, file, part of speech, number of words in hexadecimal,
// then pairs of a word and its sense.
func (c *wordClass) appendWords(words []string, at int) []string {
	line, _, _ := strings.Cut(c.data[at:], "\n")
	line, _, _ = strings.Cut(line, "|")
	f := strings.Fields(line)
	if len(f) < 4 {
		return words
	}
	n, err := strconv.ParseUint(f[3], 16, 8)
	if err != nil {
		return words
	}
	for i := 4; i < len(f) && i < 4+2*int(n); i += 2 {
		lemma, _, _ := strings.Cut(f[i], "(") // an adjective's marker
		if !strings.Contains(lemma, "_") {
			words = append(words, lemma)
		}
	}
	return words
}

// isWordNet tells whether a folder has the first of the files.
func isWordNet(folder fs.FS) bool {
	f, err := folder.Open("data.noun")
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := f.Read(head)
	return bytes.Contains(head[:n], []byte("WordNet"))
}
